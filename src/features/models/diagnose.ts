/**
 * `Think-at-Hard: Diagnose…`: a report as an untitled Markdown document, for an issue: what runs here, on what and why,
 * and a short run of the bundled model as proof. Collects; src/diagnosis says what a report is and what never leaves.
 */

import { arch, cpus, freemem, homedir, hostname, platform, release, totalmem, userInfo } from 'node:os';
import * as vscode from 'vscode';
import { withCancellableProgress } from '../../host/cancellableProgress.ts';
import { formatBytes } from '../../host/downloads.ts';
import { describeRuntime } from '../../host/engineRuntime.ts';
import { logError, recentErrors, registerCommand } from '../../host/errors.ts';
import type { Services } from '../../host/services.ts';
import { SECTION } from '../../host/settings.ts';
import { privacyFilter, renderReport } from '../../host/diagnosis.ts';
import type { Named, Report } from '../../host/diagnosis.ts';
import type { ProviderInfo } from '../../protocol/engine.ts';
import { TahError } from '../../protocol/errors.ts';

/** Enough to show that the engine runs and how fast. */
const PROBE = { problem: '12 + 7', maxTokens: 48 } as const;
/** Settings whose values are the user's own places and names: that they are set is all that is told. */
const PLACES: ReadonlySet<string> = new Set(['model', 'modelFolders', 'nodePath', 'hubUrl', 'cudaMirror', 'nodeMirror']);

const KINDS_OF_REMOTE: ReadonlySet<string> = new Set(['ssh-remote', 'wsl', 'dev-container', 'attached-container', 'codespaces', 'tunnel']);

export function registerDiagnose(services: Services): vscode.Disposable {
  return registerCommand(services.log, 'thinkAtHard.diagnose', async () => {
    const title = vscode.l10n.t('Diagnose: a short run of the bundled model…');
    const text = await withCancellableProgress(title, (_, signal) => diagnose(services, signal));
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: 'markdown', content: text }));
  });
}

async function diagnose(services: Services, signal: AbortSignal): Promise<string> {
  const { models, broken } = await services.models.list();
  // Providers are tested again, unless a run holds the model that they would be tested for.
  if (services.runs.running() === null) {
    await services.forgetProviders();
    // An engine that ends instead has nothing loaded any more, and the report tells of it among the errors.
    await services.engine.unload().catch((error: unknown) => { logError(services.log, error); });
  }
  const { selfCheck, provider } = await checkItself(services, signal);
  const status = await services.engine.status();
  const cuda = await services.cuda.offer();
  const report: Report = {
    versions: versions(services),
    system: system(),
    engine: engineLines(services, status.residentBytes),
    providers: [...(provider === null ? [] : [{ name: provider.provider, value: `used: ${provider.reason}` }, ...provider.rejected.map((other) => ({ name: other.provider, value: `not used: ${other.reason}` }))]), { name: 'CUDA runtime', value: cuda === null ? 'not offered here' : cuda.kind === 'fetch' ? 'not fetched' : cuda.kind }],
    // The id of an imported model is its folder's name, which may hold the host of a mirror.
    models: models.map(({ id, name, source, quantization, parameters, maxIter, hash }) => ({ id: source === 'bundled' ? id : name, source, quantization, parameters, maxIter, hash })),
    brokenModels: broken.map(({ error }) => error.code),
    settings: changedSettings(),
    errors: errorLines(services),
    selfCheck,
  };
  const places = [...services.settings().modelFolders, services.settings().model ?? '', services.settings().nodePath ?? ''];
  const token = await services.hubTokens.get(services.settings().hubUrl).catch(() => null);
  const filter = privacyFilter({ home: homedir(), userName: userInfo().username, hostName: hostname(), secrets: [...places.filter((place) => /[\\/]/.test(place)), token ?? ''] });
  return renderReport(report, filter);
}

function versions({ extensionVersion }: Services): readonly Named[] {
  const { node, electron } = process.versions;
  return [
    { name: 'Think-at-Hard', value: extensionVersion },
    { name: 'VS Code', value: `${vscode.version} (${vscode.env.appName}, ${vscode.env.uiKind === vscode.UIKind.Web ? 'browser' : 'desktop'}${remoteText(vscode.env.remoteName)})` },
    { name: 'Extension host', value: electron === undefined ? `Node ${node}` : `Electron ${electron} (Node ${node})` },
  ];
}

/** A remote's kind is told; its name may be that of a machine. */
function remoteText(name: string | undefined): string {
  if (name === undefined) return '';
  return KINDS_OF_REMOTE.has(name) ? `, ${name}` : ', remote';
}

function system(): readonly Named[] {
  return [
    { name: 'System', value: `${platform()} ${release()} ${arch()}` },
    { name: 'Processor', value: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}` },
    { name: 'Memory', value: `${formatBytes(totalmem())}, ${formatBytes(freemem())} free` },
  ];
}

function engineLines({ engine }: Services, residentBytes: number): readonly Named[] {
  const { state } = engine;
  const now = state.kind === 'ready' ? `running on ${state.runtime}, ${formatBytes(residentBytes)} of memory` : state.kind === 'crashed' ? `ended unexpectedly: ${state.reason}` : state.kind;
  const runtimes = engine.runtimes().map(({ runtime, state: how, reason }) => ({ name: describeRuntime(runtime), value: reason === null ? how : `${how}: ${reason}` }));
  return [{ name: 'State', value: now }, ...runtimes];
}

/** Those of the user and the machine; a workspace's own may name projects, and none of these can be set there. */
function changedSettings(): readonly Named[] {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  const changed: Named[] = [];
  for (const key of Object.keys(configuration)) {
    const found = configuration.inspect(key);
    const value = found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
    if (value === undefined || JSON.stringify(value) === JSON.stringify(found?.defaultValue)) continue;
    changed.push({ name: `${SECTION}.${key}`, value: PLACES.has(key) || typeof value === 'object' || typeof value === 'string' && !isOption(value) ? '(set)' : JSON.stringify(value) });
  }
  return changed;
}

/** A word of ours, as the choices of a setting are. */
function isOption(value: string): boolean {
  return /^[a-z0-9]{1,12}$/.test(value);
}

function errorLines({ runs }: Services): Report['errors'] {
  const lines: { code: string; count: number; last: string }[] = recentErrors().map(({ code, count, last }) => ({ code, count, last: last.toISOString() }));
  const failed = runs.ids().flatMap((id) => runs.get(id)?.error?.code ?? []);
  for (const code of new Set(failed)) lines.push({ code: `${code} (of a run)`, count: failed.filter((other) => other === code).length, last: '-' });
  return lines;
}

async function checkItself(services: Services, signal: AbortSignal): Promise<{ readonly selfCheck: Report['selfCheck']; readonly provider: ProviderInfo | null }> {
  let provider: ProviderInfo | null = null;
  try {
    const model = await services.models.resolve(null);
    const request = { model: model.path, prompt: { kind: 'chat', messages: [{ role: 'user', content: PROBE.problem }] }, policy: { kind: 'never' }, maxTokens: PROBE.maxTokens } as const;
    for await (const event of services.engine.generate(request, signal)) {
      if (event.type === 'start') provider = event.provider;
      if (event.type !== 'end') continue;
      const { tokens, loadMs, tokensPerSecond } = event.stats;
      return { provider, selfCheck: { ok: true, text: `${model.id}: ${tokens} tokens, ${tokensPerSecond.toFixed(0)} tokens/s, loaded in ${loadMs.toFixed(0)} ms` } };
    }
    return { provider, selfCheck: { ok: false, text: 'The engine ended the run without saying why.' } };
  } catch (thrown) {
    const error = TahError.from(thrown);
    if (error.code === 'cancelled') throw error;
    return { provider, selfCheck: { ok: false, text: `${error.code}: ${error.message}` } };
  }
}
