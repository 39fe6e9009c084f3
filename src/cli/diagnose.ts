/**
 * `tah diagnose`: what a user can paste into an issue, the same report as in VS Code, with a short run as proof. Paths
 * and names are taken out of it as there.
 */
import os from 'node:os';
import { privacyFilter } from '../diagnosis/privacy.ts';
import { renderReport, type ModelLine, type Report } from '../diagnosis/report.ts';
import { openModelFolder, verifyHashes } from '../engine/modelFolder.ts';
import { listProviders } from '../engine/session.ts';
import { formatBytes } from '../hub/progress.ts';
import type { ProviderInfo } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { cudaLine } from './cudaCommand.ts';
import { localEngine } from './localEngine.ts';
import { collect } from './measure.ts';
import { resolveModel } from './models.ts';
import type { Terminal } from './terminal.ts';
import packageJson from '../../package.json' with { type: 'json' };

/** Enough to show that the engine runs and how fast. */
const PROBE = { problem: '12 + 7', maxTokens: 32 } as const;

export async function diagnose(given: string | undefined, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const faults: { what: string; code: string; message: string }[] = [];
  /** A step that fails is a finding, not the end of the report; a stop is. */
  const step = async <T>(what: string, work: () => Promise<T> | T): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      const { code, message } = TahError.from(error);
      if (code === 'cancelled') throw error;
      faults.push({ what, code, message });
      return null;
    }
  };
  const bundled = await step('providers', () => listProviders());
  const cuda = await step('CUDA runtime', () => cudaLine(signal));
  const folder = await step('model', () => resolveModel(given, terminal, signal));
  const model = folder === null ? null : await step('model', () => inspect(folder, given === undefined));
  const run = folder === null ? null : await step('a short run', () => shortRun(folder, terminal, signal));
  const provider = run?.provider ?? null;
  const report: Report = {
    versions: [{ name: 'Think-at-Hard', value: packageJson.version }, { name: 'Runtime', value: `Node ${process.versions.node}` }],
    system: [
      { name: 'System', value: `${os.platform()} ${os.release()} ${os.arch()}` },
      { name: 'Processor', value: `${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown'}` },
      { name: 'Memory', value: `${formatBytes(os.totalmem())}, ${formatBytes(os.freemem())} free` },
    ],
    engine: [{ name: 'Memory', value: formatBytes(process.memoryUsage.rss()) }],
    providers: [{ name: 'In this build', value: bundled?.join(', ') ?? 'none' }, ...(provider === null ? [] : providerLines(provider)), { name: 'CUDA runtime', value: cuda ?? 'unknown' }],
    models: model === null ? [] : [model],
    brokenModels: faults.filter(({ what }) => what === 'model').map(({ code }) => code),
    settings: [],
    errors: faults.map(({ what, code }) => ({ code: `${code} (${what})`, count: 1, last: 'now' })),
    selfCheck: { ok: faults.length === 0, text: run?.text ?? faults.map(({ what, code, message }) => `${what}: ${code}: ${message}`).join('; ') },
  };
  print(report, faults, terminal);
  if (faults.length > 0) throw new TahError('verify.mismatch', `Not everything works: ${[...new Set(faults.map(({ what }) => what))].join(', ')}.`, { hint: 'The report says what.' });
}

function print(report: Report, faults: readonly object[], terminal: Terminal): void {
  const filter = privacyFilter({ home: os.homedir(), userName: os.userInfo().username, hostName: os.hostname() });
  if (terminal.json) terminal.document(filterAll({ ok: faults.length === 0, ...report, faults }, filter));
  else terminal.print(renderReport(report, filter));
}

/** Every text of a document, however deep. */
function filterAll(value: unknown, filter: (text: string) => string): unknown {
  if (typeof value === 'string') return filter(value);
  if (Array.isArray(value)) return value.map((entry) => filterAll(entry, filter));
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, filterAll(entry, filter)]));
  return value;
}

async function inspect(folder: string, bundled: boolean): Promise<ModelLine> {
  const opened = openModelFolder(folder);
  await verifyHashes(opened);
  const { id, quantization, parameters, maxIter, hash } = opened.info;
  return { id, source: bundled ? 'bundled' : 'folder', quantization, parameters, maxIter, hash };
}

async function shortRun(model: string, terminal: Terminal, signal: AbortSignal): Promise<{ readonly provider: ProviderInfo; readonly text: string }> {
  const request = { model, prompt: { kind: 'chat', messages: [{ role: 'user', content: PROBE.problem }] }, policy: { kind: 'never' }, maxTokens: PROBE.maxTokens } as const;
  const { start, end } = await collect(localEngine(terminal).generate(request, signal));
  const { tokens, loadMs, tokensPerSecond } = end.stats;
  return { provider: start.provider, text: `${start.model.id}: ${tokens} tokens, ${tokensPerSecond.toFixed(0)} tokens/s, loaded in ${loadMs.toFixed(0)} ms` };
}

function providerLines({ provider, reason, rejected }: ProviderInfo): Report['providers'] {
  return [{ name: provider, value: `used: ${reason}` }, ...rejected.map((other) => ({ name: other.provider, value: `not used: ${other.reason}` }))];
}
