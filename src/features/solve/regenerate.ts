/**
 * "Regenerate from here": a run again from one of its tokens on with one change, asked for by a view or step by step
 * in the palette. What a branch computes is host/runsBranch's; how it is shown, the panel's.
 */

import * as vscode from 'vscode';
import type { Services } from '../../host/services.ts';
import { phrase, TahError } from '../../protocol/errors.ts';
import { firstScore, readBranchChange } from '../../protocol/run.ts';
import type { BranchChange, Run } from '../../protocol/run.ts';
import type { TokenEvent } from '../../protocol/engine.ts';

/** @param index, change from a view; the palette has neither, and asks. */
export async function regenerate(services: Services, parent: Run, index: unknown, change: unknown): Promise<void> {
  const wanted = index === undefined && change === undefined ? await ask(parent) : { index: readIndex(index), change: readChange(change) };
  if (wanted === undefined) return;
  if (parent.model === null) throw new TahError('input.empty', phrase('This run has no tokens to regenerate from.'), { hint: phrase('Wait for its first token, or solve the problem again.') });
  const settings = services.settings();
  const model = await services.models.withWeightsOf(parent.model, settings.model);
  const id = services.runs.branch(parent.id, wanted.index, wanted.change, { model: model.path, provider: settings.provider, maxTokens: settings.maxTokens });
  services.origins.copy(parent.id, id);
}

function readIndex(value: unknown): number {
  if (typeof value === 'number') return value;
  throw new TahError('engine.bad-request', phrase('Regenerate needs the number of a token.'), { subject: 'index' });
}

function readChange(value: unknown): BranchChange {
  const change = readBranchChange(value);
  if (change !== null) return change;
  throw new TahError('engine.bad-request', phrase('Regenerate needs a change: a threshold, a number of passes, or another token.'), { subject: 'change' });
}

async function ask(parent: Run): Promise<{ readonly index: number; readonly change: BranchChange } | undefined> {
  const title = vscode.l10n.t('Regenerate from here');
  const tokens = parent.tokens.map((token) => ({ label: `$(${token.iterCount > 1 ? 'debug-step-back' : 'circle-small'}) ${shown(token.text)}`, description: describe(token), token }));
  if (tokens.length === 0) throw new TahError('input.empty', phrase('This run has no tokens to regenerate from.'), { hint: phrase('Wait for its first token, or solve the problem again.') });
  const from = await vscode.window.showQuickPick(tokens, { title, placeHolder: vscode.l10n.t('The token from which the text is written again'), matchOnDescription: true });
  if (from === undefined) return undefined;
  const change = await vscode.window.showQuickPick(changes(parent, from.token), { title, placeHolder: vscode.l10n.t('What is to be different there') });
  if (change === undefined) return undefined;
  const chosen = change.change === 'threshold' ? await askThreshold(title, parent) : change.change;
  return chosen === undefined ? undefined : { index: from.token.index, change: chosen };
}

function describe(token: TokenEvent): string {
  const score = firstScore(token);
  const passes = token.iterCount === 1 ? vscode.l10n.t('one pass') : vscode.l10n.t('{0} passes', token.iterCount);
  return [`#${token.index}`, passes, ...(score === null ? [] : [vscode.l10n.t('score {0}', score.toFixed(2))])].join(' · ');
}

interface ChangeItem extends vscode.QuickPickItem {
  readonly change: BranchChange | 'threshold';
}

function changes(parent: Run, token: TokenEvent): ChangeItem[] {
  const maxIter = parent.model?.maxIter ?? 1;
  const items: ChangeItem[] = [];
  if (maxIter > 1) {
    if (token.iterCount > 1) items.push({ label: vscode.l10n.t('Skip the second pass'), change: { kind: 'passes', iterCount: 1 } });
    if (token.iterCount < maxIter) items.push({ label: vscode.l10n.t('Force a second pass'), change: { kind: 'passes', iterCount: token.iterCount + 1 } });
    items.push({ label: vscode.l10n.t('Another threshold…'), change: 'threshold' });
  }
  for (const { id, text, logprob } of token.after) {
    if (id !== token.id) items.push({ label: vscode.l10n.t('Take {0} instead', shown(text)), description: `${(100 * Math.exp(logprob)).toFixed(1)} %`, change: { kind: 'token', id, text } });
  }
  return items;
}

async function askThreshold(title: string, parent: Run): Promise<BranchChange | undefined> {
  const own = 'threshold' in parent.policy ? parent.policy.threshold : undefined;
  const text = await vscode.window.showInputBox({
    title,
    prompt: vscode.l10n.t('A token gets a second pass when its score is greater than this, from 0 to 1'),
    value: String(own ?? parent.model?.threshold ?? 0.5),
    validateInput: (value) => (readThreshold(value) === null ? vscode.l10n.t('A number from 0 to 1') : null),
  });
  const threshold = text === undefined ? null : readThreshold(text);
  return threshold === null ? undefined : { kind: 'threshold', threshold };
}

function readThreshold(text: string): number | null {
  const value = text.trim() === '' ? NaN : Number(text.replace(',', '.'));
  return value >= 0 && value <= 1 ? value : null;
}

/** White space is seen, and no `$(icon)` is made of a token. */
function shown(text: string): string {
  return JSON.stringify(text).replaceAll('$(', '$ (');
}
