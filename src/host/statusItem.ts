/**
 * The one status bar item: model, provider and what is going on; its tooltip says why this provider and not another,
 * what the engine runs on, and how much memory it has. Also keeps the context keys that `when` clauses of the commands
 * use. Names and reasons come from models and systems: they are appended as text, never as Markdown.
 */

import * as vscode from 'vscode';
import { formatBytes } from '../hub/progress.ts';
import { endpointName } from '../protocol/engine.ts';
import type { ModelInfo, ProviderInfo } from '../protocol/engine.ts';
import { sayReason, sayTold } from '../protocol/reasons.ts';
import type { Told } from '../protocol/reasons.ts';
import type { EngineClient } from './engineClient.ts';
import { runtimeInWords } from './engineRuntime.ts';
import { logError } from './errors.ts';
import type { RunPhase, Runs } from './runs.ts';
import { SECTION } from './settings.ts';

/** Commands that the tooltip's links may call. */
const LINKS = ['thinkAtHard.selectModel', 'thinkAtHard.unload', 'thinkAtHard.diagnose', 'thinkAtHard.showLog'] as const;

export class StatusItem implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('thinkAtHard.status', vscode.StatusBarAlignment.Right, 50);
  readonly #subscriptions: readonly { dispose(): unknown }[];
  #last: { readonly model: ModelInfo; readonly provider: ProviderInfo } | null = null;
  /** As the engine last said it; null while it is not running. */
  #memory: { readonly bytes: number; readonly loaded: boolean } | null = null;

  constructor(
    private readonly engine: EngineClient,
    private readonly runs: Runs,
    private readonly log: vscode.LogOutputChannel,
    /** The setting of the model: an endpoint is told before its first use. */
    private readonly chosen: () => string | null,
  ) {
    this.#item.name = 'Think-at-Hard';
    this.#subscriptions = [
      runs.onDidChange(({ change }) => {
        if (change.type !== 'start') return;
        this.#last = { model: change.model, provider: change.provider };
        this.refresh();
      }),
      runs.onDidChangePhase(({ phase }) => {
        if (phase === 'ended') this.refresh();
        else this.#draw();
      }),
      engine.onDidChangeState(() => { this.refresh(); }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (!event.affectsConfiguration(`${SECTION}.model`)) return;
        this.#last = null;
        this.#draw();
      }),
    ];
    this.#draw();
  }

  /** Asks the engine, where it runs, how much memory it has now. */
  refresh(): void {
    this.#draw();
    if (this.engine.state.kind !== 'ready') {
      this.#memory = null;
      return;
    }
    this.engine.status().then(
      ({ residentBytes, loaded }) => {
        this.#memory = { bytes: residentBytes, loaded: loaded !== null };
        this.#draw();
      },
      (error: unknown) => { logError(this.log, error); },
    );
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#item.dispose();
  }

  #draw(): void {
    const runId = this.runs.running();
    const hasRun = this.runs.ids().length > 0;
    this.#item.text = this.#text(runId === null ? null : this.runs.phase(runId));
    this.#item.tooltip = this.#tooltip();
    this.#item.command = hasRun ? 'thinkAtHard.showPanel' : 'thinkAtHard.selectModel';
    this.#item.show();
    void vscode.commands.executeCommand('setContext', 'thinkAtHard.running', runId !== null);
    void vscode.commands.executeCommand('setContext', 'thinkAtHard.hasRun', hasRun);
  }

  #text(phase: RunPhase | null): string {
    if (phase === 'loading') return `$(loading~spin) ${vscode.l10n.t('Loading model…')}`;
    const name = this.#name();
    if (phase === 'thinking' || phase === 'waiting') return `$(loading~spin) ${name}`;
    return this.engine.state.kind === 'crashed' ? `$(warning) ${name}` : `$(lightbulb) ${name}`;
  }

  #name(): string {
    if (this.#last === null) {
      const endpoint = endpointName(this.chosen() ?? '');
      return endpoint === null ? 'Think-at-Hard' : vscode.l10n.t('Think-at-Hard · sends to {0}', endpoint);
    }
    const { model, provider } = this.#last;
    return model.endpoint === undefined ? `${model.name} · ${provider.provider}` : vscode.l10n.t('{0} · at {1}', model.name, model.endpoint.host);
  }

  #endpointLines(): readonly string[] {
    const at = this.#last === null ? endpointName(this.chosen() ?? '') : this.#last.model.endpoint?.host;
    return at === null || at === undefined ? [] : [vscode.l10n.t('Your text is sent to {0}.', at)];
  }

  #tooltip(): vscode.MarkdownString {
    const lines = [...this.#endpointLines(), engineText(this.engine), ...this.#memoryLines(), ...this.#providerLines(), ...this.#runtimeLines()];
    const tooltip = new vscode.MarkdownString();
    tooltip.isTrusted = { enabledCommands: LINKS };
    for (const line of lines) tooltip.appendText(line).appendMarkdown('\n\n');
    const links = [
      link(vscode.l10n.t('Select Model…'), 'thinkAtHard.selectModel'),
      ...(this.#memory?.loaded === true ? [link(vscode.l10n.t('Unload'), 'thinkAtHard.unload')] : []),
      link(vscode.l10n.t('Diagnose'), 'thinkAtHard.diagnose'),
      link(vscode.l10n.t('Show Log'), 'thinkAtHard.showLog'),
    ];
    return tooltip.appendMarkdown(links.join(' · '));
  }

  #memoryLines(): readonly string[] {
    if (this.#memory === null) return [];
    const bytes = formatBytes(this.#memory.bytes);
    return [this.#memory.loaded ? vscode.l10n.t('Memory: {0}, with the model loaded', bytes) : vscode.l10n.t('Memory: {0}, no model loaded', bytes)];
  }

  #providerLines(): readonly string[] {
    if (this.#last === null) return [];
    const { provider } = this.#last;
    return [vscode.l10n.t('Runs on {0}: {1}', provider.provider, inWords(provider)), ...provider.rejected.map((other) => vscode.l10n.t('Not on {0}: {1}', other.provider, inWords(other)))];
  }

  /** Programs that were tried for the engine and failed; the one in use is in the first line. */
  #runtimeLines(): readonly string[] {
    return this.engine.runtimes().flatMap(({ runtime, state, reason, why }) => {
      if (state !== 'rejected') return [];
      return [vscode.l10n.t('Not started with {0}: {1}', sayReason(runtimeInWords(runtime), translate), inWords({ reason: reason ?? '', ...(why === undefined ? {} : { why }) }))];
    });
  }
}

function translate(text: string, ...values: string[]): string {
  return vscode.l10n.t(text, ...values);
}

function inWords(said: Told): string {
  return sayTold(said, translate);
}

function link(label: string, command: (typeof LINKS)[number]): string {
  return `[${label}](command:${command})`;
}

function engineText(engine: EngineClient): string {
  const { state } = engine;
  switch (state.kind) {
    case 'stopped':
      return vscode.l10n.t('Engine not running; it starts at the next use.');
    case 'starting':
      return vscode.l10n.t('Engine starting…');
    case 'ready':
      return vscode.l10n.t('Engine running on {0} (process {1}).', state.runtime, state.pid);
    case 'crashed':
      return vscode.l10n.t('Engine ended unexpectedly: {0}', inWords(state));
    default:
      return state satisfies never;
  }
}
