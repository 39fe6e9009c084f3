/** `tah diagnose`: what a user can paste into an issue. No private text: paths are shortened to the home directory. */
import os from 'node:os';
import { createEngine } from '../engine/engine.ts';
import { openModelFolder, verifyHashes } from '../engine/modelFolder.ts';
import { listProviders } from '../engine/session.ts';
import { TahError } from '../protocol/errors.ts';
import { collect } from './measure.ts';
import { resolveModel } from './models.ts';
import type { Terminal } from './terminal.ts';

/** Enough to show that the engine runs and how fast. */
const PROBE = { problem: '12 + 7', maxTokens: 32 } as const;

interface Finding {
  readonly name: string;
  readonly value: string;
  readonly ok: boolean;
}

export async function diagnose(model: string | undefined, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const findings: Finding[] = [];
  const note = (name: string, value: string, ok = true): void => {
    findings.push({ name, value: value.replaceAll(os.homedir(), '~'), ok });
  };
  note('system', `${os.platform()} ${os.release()} ${os.arch()}, ${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown processor'}, ${(os.totalmem() / 1e9).toFixed(0)} GB`);
  note('runtime', `Node ${process.versions.node}${process.versions['electron'] === undefined ? '' : ` in Electron ${process.versions['electron']}`}`);
  await check('providers', note, () => Promise.resolve(listProviders().join(', ')));
  await check('model', note, async () => {
    const folder = openModelFolder(await resolveModel(model, terminal, signal));
    await verifyHashes(folder);
    const { info } = folder;
    return `${info.path}: ${info.name}, ${info.architecture}, ${(info.parameters / 1e6).toFixed(1)}M parameters, ${info.quantization}, ${info.maxIter} passes at most; files whole`;
  });
  await check('a short run', note, async () => {
    const request = { model: await resolveModel(model, terminal, signal), prompt: { kind: 'chat', messages: [{ role: 'user', content: PROBE.problem }] }, policy: { kind: 'never' }, maxTokens: PROBE.maxTokens } as const;
    const { start, end } = await collect(createEngine().generate(request, signal));
    const memory = Math.round(process.memoryUsage.rss() / 1e6);
    return `${end.stats.tokens} tokens on ${start.provider.provider} (${start.provider.reason}), loaded in ${end.stats.loadMs.toFixed(0)} ms, ${end.stats.tokensPerSecond.toFixed(0)} tokens a second, ${memory} MB of memory`;
  });
  if (terminal.json) terminal.document({ ok: findings.every((finding) => finding.ok), findings });
  else for (const finding of findings) terminal.print(`${finding.ok ? terminal.style('green', '✓') : terminal.style('red', '✗')} ${finding.name.padEnd(12)} ${finding.value}`);
  const failed = findings.filter((finding) => !finding.ok);
  if (failed.length > 0) throw new TahError('verify.mismatch', `Not everything works: ${failed.map((finding) => finding.name).join(', ')}.`, { hint: 'See the lines marked ✗.' });
}

/** A step that fails is a finding, not the end of the report; a stop is. */
async function check(name: string, note: (name: string, value: string, ok?: boolean) => void, step: () => Promise<string>): Promise<void> {
  try {
    note(name, await step());
  } catch (error) {
    const failure = TahError.from(error);
    if (failure.code === 'cancelled') throw failure;
    note(name, `${failure.code}: ${failure.message}`, false);
  }
}
