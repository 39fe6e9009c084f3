/** `tah record-self-test`: writes what the CPU answers as the self-test of a checkpoint's providers. */
import fs from 'node:fs';
import path from 'node:path';
import { LoadedModel } from '../engine/loadedModel.ts';
import { replaySteps } from '../engine/providers/replay.ts';
import { SELF_TEST_FORMAT, toleranceFor, type SelfTest } from '../engine/providers/selfTest.ts';
import { TahError } from '../protocol/errors.ts';
import { SELF_TEST_FILE } from '../protocol/manifest.ts';
import type { Terminal } from './terminal.ts';

const PROBLEM = 'Solve 3x + 5 = 20 for x';
/** Of the solution: a second pass is among them. */
const TOKENS = 64;
/** Tokens of the self-test before the first second pass, which is then tested as late as it comes in the solution, and after it. */
const BEFORE = 3;
const AFTER = 4;
/** Enough for every digit that a tolerance can see. */
const DIGITS = 6;

/** @param model folder of a Think-at-Hard model @param checkpoint the folder that it was imported from */
export async function recordSelfTest(model: string, checkpoint: string, terminal: Terminal): Promise<void> {
  const loaded = await LoadedModel.open(model, 'cpu');
  try {
    const { manifest } = loaded;
    if (manifest.tah === null) throw new TahError('model.no-decider', `${model} is a plain model: there are no second passes to test.`, { file: model, hint: 'Give a Think-at-Hard model.' });
    const problem = loaded.promptIds({ kind: 'chat', messages: [{ role: 'user', content: PROBLEM }] });
    const solution: number[] = [];
    const passes: number[] = [];
    for (let i = 0; i < TOKENS; i++) {
      const last = (await replaySteps(loaded.session, manifest, [...problem, ...solution], [])).at(-1);
      solution.push(last?.ids[0] ?? 0);
      passes.push(last?.iterCount ?? 0);
    }
    const hard = passes.findIndex((count) => count > 1);
    if (hard < 0) throw new Error('no token of the solution has a second pass: choose another problem');
    const first = Math.max(0, hard - BEFORE);
    const prompt = [...problem, ...solution.slice(0, first)];
    const steps = await replaySteps(loaded.session, manifest, prompt, solution.slice(first, hard + AFTER));
    const test: SelfTest = { format: SELF_TEST_FORMAT, prompt, tolerance: toleranceFor(manifest.quantization.kind), threshold: manifest.tah.decider.threshold, steps: steps.map(rounded) };
    const file = path.join(checkpoint, SELF_TEST_FILE);
    fs.writeFileSync(file, `${JSON.stringify(test)}\n`);
    terminal.print(`${file}: ${steps.length} steps, ${steps.filter(({ iterCount }) => iterCount > 1).length} with a second pass`);
  } finally {
    await loaded.close();
  }
}

function rounded(step: SelfTest['steps'][number]): SelfTest['steps'][number] {
  const round = (value: number): number => Number(value.toFixed(DIGITS));
  return { ...step, probabilities: step.probabilities.map(round), values: step.values.map(round) };
}
