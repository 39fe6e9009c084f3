/**
 * The one status bar item: model, provider and what is going on; its tooltip says why this provider.
 * Also keeps the context keys that `when` clauses of the commands use.
 */

import * as vscode from 'vscode';
import type { ModelInfo, ProviderInfo } from '../protocol/engine.ts';
import type { EngineClient } from './engineClient.ts';
import type { RunPhase, Runs } from './runs.ts';

export function createStatusItem(engine: EngineClient, runs: Runs): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('thinkAtHard.status', vscode.StatusBarAlignment.Right, 50);
  item.name = 'Think-at-Hard';
  let last: { model: ModelInfo; provider: ProviderInfo } | null = null;
  const draw = (): void => {
    const runId = runs.running();
    item.text = statusText(engine, runId === null ? null : runs.phase(runId), last);
    item.tooltip = tooltip(engine, last);
    item.command = runs.ids().length > 0 ? 'thinkAtHard.showPanel' : 'thinkAtHard.selectModel';
    item.show();
    void vscode.commands.executeCommand('setContext', 'thinkAtHard.running', runId !== null);
    void vscode.commands.executeCommand('setContext', 'thinkAtHard.hasRun', runs.ids().length > 0);
  };
  const subscriptions = [
    runs.onDidChange(({ change }) => {
      if (change.type !== 'start') return;
      last = { model: change.model, provider: change.provider };
      draw();
    }),
    runs.onDidChangePhase(draw),
    engine.onDidChangeState(draw),
  ];
  draw();
  return vscode.Disposable.from(item, ...subscriptions);
}

function statusText(engine: EngineClient, phase: RunPhase | null, last: { model: ModelInfo; provider: ProviderInfo } | null): string {
  if (phase === 'loading') return `$(loading~spin) ${vscode.l10n.t('Loading model…')}`;
  const name = last === null ? 'Think-at-Hard' : `${last.model.name} · ${last.provider.provider}`;
  if (phase === 'thinking' || phase === 'waiting') return `$(loading~spin) ${name}`;
  return engine.state.kind === 'crashed' ? `$(warning) ${name}` : `$(lightbulb) ${name}`;
}

function tooltip(engine: EngineClient, last: { model: ModelInfo; provider: ProviderInfo } | null): string {
  const lines = [engineText(engine)];
  if (last !== null) {
    lines.push(vscode.l10n.t('Runs on {0}: {1}', last.provider.provider, last.provider.reason));
    for (const { provider, reason } of last.provider.rejected) lines.push(vscode.l10n.t('Not on {0}: {1}', provider, reason));
  }
  return lines.join('\n');
}

function engineText(engine: EngineClient): string {
  const { state } = engine;
  switch (state.kind) {
    case 'stopped':
      return vscode.l10n.t('Engine not running; it starts at the next use.');
    case 'starting':
      return vscode.l10n.t('Engine starting…');
    case 'ready':
      return vscode.l10n.t('Engine running (process {0}).', state.pid);
    case 'crashed':
      return vscode.l10n.t('Engine ended unexpectedly: {0}', state.reason);
    default:
      return state satisfies never;
  }
}
