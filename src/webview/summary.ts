/**
 * One-line summaries of a run: cost, share sent, state, policy. Counts grow with the tokens (append only), so that a
 * summary of thousands of tokens is free. Pure.
 */

import type { EndReason, GenerateStats, ThinkingPolicy } from '../protocol/engine.ts';
import { missingData } from '../protocol/run.ts';
import type { MissingDatum, Run } from '../protocol/run.ts';
import type { TokenRow } from '../protocol/tokenRow.ts';
import { l10n } from './texts.ts';
import { formatPercent } from './tokenCell.ts';

/** Running totals over the tokens of a run. */
export interface Totals {
  readonly tokens: number;
  readonly passes: number;
  readonly sent: number;
  readonly changedPick: number;
}

export const NO_TOKENS: Totals = { tokens: 0, passes: 0, sent: 0, changedPick: 0 };

export function addTokens(totals: Totals, tokens: readonly Pick<TokenRow, 'iterCount' | 'thought'>[]): Totals {
  let { passes, sent, changedPick } = totals;
  for (const token of tokens) {
    passes += token.iterCount;
    if (token.iterCount > 1) sent++;
    if (token.thought === 'changed the pick') changedPick++;
  }
  return { tokens: totals.tokens + tokens.length, passes, sent, changedPick };
}

/** @param passesKnown false where the run's passes are not: nothing is said of them then */
export function heatmapSummary(totals: Totals, passesKnown: boolean): string {
  if (totals.tokens === 0) return l10n.t('No tokens yet');
  const tokens = totals.tokens === 1 ? l10n.t('1 token') : l10n.t('{0} tokens', totals.tokens);
  if (!passesKnown) return tokens;
  return [
    tokens,
    l10n.t('{0} sent to a second pass ({1})', totals.sent, formatPercent(totals.sent / totals.tokens)),
    l10n.t('pick changed at {0}', totals.changedPick),
    l10n.t('{0} passes a token', (totals.passes / totals.tokens).toFixed(2)),
  ].join(' · ');
}

/** @param passesKnown as in `heatmapSummary` */
export function costText(stats: GenerateStats, totals: Totals, passesKnown: boolean): string {
  const share = totals.tokens === 0 ? 0 : totals.sent / totals.tokens;
  return [
    ...(passesKnown ? [l10n.t('{0} passes a token', stats.passesPerToken.toFixed(2)), l10n.t('{0} thought over', formatPercent(share))] : []),
    l10n.t('{0} tokens/s', stats.tokensPerSecond.toFixed(stats.tokensPerSecond < 10 ? 1 : 0)),
    l10n.t('{0} tokens in {1} s', stats.tokens, ((stats.prefillMs + stats.decodeMs) / 1000).toFixed(1)),
  ].join(' · ');
}

/** What is asked of a model may not be what it does: a plain one has no second pass, and an endpoint may not tell. */
export function policyText({ policy, model }: { readonly policy: ThinkingPolicy; readonly model: NonNullable<Run['model']> }): string {
  if (missingData({ model }).includes('passes')) return l10n.t('thinking policy not known: the server does not tell');
  if (model.maxIter === 1) return l10n.t('plain model: one pass a token');
  switch (policy.kind) {
    case 'decider': {
      const threshold = policy.threshold ?? model.threshold;
      return threshold === null ? l10n.t('thinks twice where hard') : l10n.t('thinks twice where score > {0}', Number(threshold.toFixed(3)));
    }
    case 'never':
      return l10n.t('never thinks twice');
    case 'always':
      return l10n.t('always thinks twice');
    case 'depths':
      return l10n.t('passes chosen by hand');
    case 'oracle':
    case 'self-oracle':
      return l10n.t('passes by oracle');
    default:
      return policy satisfies never;
  }
}

export function stateText(run: Pick<Run, 'state' | 'model' | 'endReason'>): string {
  switch (run.state) {
    case 'waiting':
      return l10n.t('Waiting for the run before it…');
    case 'running':
      return run.model === null ? l10n.t('Loading model…') : l10n.t('Thinking…');
    case 'done':
      return run.endReason === null ? l10n.t('Done') : endText(run.endReason);
    case 'stopped':
      return l10n.t('Stopped');
    case 'failed':
      return l10n.t('Failed');
    default:
      return run.state satisfies never;
  }
}

function endText(reason: EndReason): string {
  switch (reason) {
    case 'stop-token':
    case 'stop-text':
    case 'end-of-text':
      return l10n.t('Done');
    case 'max-tokens':
      return l10n.t('Cut off: token limit of the settings reached');
    case 'context-limit':
      return l10n.t('Cut off: the model\'s context is full');
    default:
      return reason satisfies never;
  }
}

/** What an endpoint does not send, so that nobody takes a pale heatmap for an easy text. */
export function missingText(missing: readonly MissingDatum[], endpoint: string): string {
  return l10n.t('{0} does not send {1}: what needs them is not shown.', endpoint, missing.map(datumText).join(', '));
}

function datumText(datum: MissingDatum): string {
  switch (datum) {
    case 'tokens':
      return l10n.t('tokens (a piece is text as it arrived)');
    case 'candidates':
      return l10n.t('candidates');
    case 'passes':
      return l10n.t('passes and scores');
    case 'entropy':
      return l10n.t('entropy');
    case 'ids':
      return l10n.t('token ids');
    default:
      return datum satisfies never;
  }
}
