/** `tah verify DIR`: prints the table of stages and fails unless every one holds. */
import { TahError } from '../protocol/errors.ts';
import type { Terminal } from './terminal.ts';
import { verify, type VerifyOptions } from './verify/verify.ts';
import type { StageResult } from './verify/report.ts';

/** @throws TahError verify.mismatch after the table has been printed */
export async function verifyCommand(dir: string, options: VerifyOptions, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const result = await verify(dir, options, signal);
  if (terminal.json) terminal.document(result);
  else {
    terminal.print(`${'stage'.padEnd(34)} ${'largest difference'.padStart(18)} ${'tolerance'.padStart(10)} ${'agree'.padStart(17)}`);
    for (const stage of result.stages) printStage(stage, terminal);
    terminal.print(`\n${result.cases} cases at ${result.quantization}: ${result.ok ? terminal.style('green', 'all hold') : terminal.style('red', 'NOT all hold')}`);
  }
  if (!result.ok) {
    const failed = result.stages.filter((stage) => !stage.ok).map((stage) => stage.stage);
    throw new TahError('verify.mismatch', `${dir} does not hold: ${failed.join(', ')}.`, { hint: 'See the table for the stages that differ.' });
  }
}

function printStage(stage: StageResult, terminal: Terminal): void {
  const largest = stage.largest === null ? '' : stage.largest.toExponential(2);
  const tolerance = stage.tolerance === null ? 'exact' : stage.tolerance.toExponential(0);
  const line = `${stage.stage.padEnd(34)} ${largest.padStart(18)} ${tolerance.padStart(10)} ${`${stage.agreed}/${stage.total}`.padStart(17)}`;
  terminal.print(stage.ok ? line : terminal.style('red', `${line}  FAILS`));
  if (!stage.ok) for (const failure of stage.failures) terminal.print(`    ${failure}`);
}
