/**
 * Replays another threshold on stored scores: which predictions would be sent to a second pass, and what that costs.
 * Exact, because a query of a first pass never sees a key of a second one: the scores of first passes do not depend on
 * what was sent. What the text would then be is not known, only where it could first be another one. Pure.
 */

import type { GenerateStats, ModelInfo } from '../protocol/engine.ts';

/** A prediction: its passes and the decider's score of its first pass. */
export interface Scored {
  readonly iterCount: number;
  readonly score: number | null;
}

/** What scores, threshold and cost are computed from. */
export interface ScoredRun {
  readonly tokens: readonly Scored[];
  readonly prompt: readonly Scored[];
  readonly model: ModelInfo | null;
  readonly stats: GenerateStats | null;
  /** The decider's threshold in this run; null where none was used. */
  readonly threshold: number | null;
  /** The text was given, so that no threshold could make another one. */
  readonly measured: boolean;
  /** Something can be generated from it now. */
  readonly branches: boolean;
}

export interface Replay {
  readonly tokens: number;
  /** Predictions that would be sent. */
  readonly sent: number;
  /** Passes, if each that is sent has two. */
  readonly passes: number;
  /** Sent now and not then, or the other way round. */
  readonly changed: number;
  /** Predictions inside the prompt that would change. */
  readonly promptChanged: number;
  /** First token whose prediction could be another one; null where all are the same. */
  readonly firstDifference: number | null;
}

/** The reference compares float32 with float32, strictly greater. */
export function wouldBeSent({ score }: Scored, threshold: number): boolean {
  return score !== null && Math.fround(score) > Math.fround(threshold);
}

/**
 * @param prompt the rows of the prompt; the last one made the prediction of token 0 and counts there
 */
export function replay(tokens: readonly Scored[], prompt: readonly Scored[], threshold: number): Replay {
  let promptChanged = 0;
  for (let i = 0; i < prompt.length - 1; i++) {
    const row = prompt[i];
    if (row !== undefined && wouldBeSent(row, threshold) !== row.iterCount > 1) promptChanged++;
  }
  let sent = 0;
  let changed = 0;
  let firstDifference: number | null = null;
  tokens.forEach((token, index) => {
    const then = wouldBeSent(token, threshold);
    const differs = then !== token.iterCount > 1;
    if (then) sent++;
    if (differs) changed++;
    // A second pass sees the second passes before it; a first pass sees none of them.
    if (differs || (then && promptChanged > 0)) firstDifference ??= index;
  });
  return { tokens: tokens.length, sent, passes: tokens.length + sent, changed, promptChanged, firstDifference };
}

export type Replayable =
  | { readonly kind: 'exact' }
  /** More than two passes: what a second pass scores depends on what else was sent. */
  | { readonly kind: 'second-pass-only'; readonly maxIter: number }
  | { readonly kind: 'no'; readonly why: 'plain-model' | 'no-scores' | 'no-model' | 'no-tokens' };

export function replayable(tokens: readonly Scored[], maxIter: number | null): Replayable {
  if (maxIter === null) return { kind: 'no', why: 'no-model' };
  if (maxIter === 1) return { kind: 'no', why: 'plain-model' };
  if (tokens.length === 0) return { kind: 'no', why: 'no-tokens' };
  if (tokens.every(({ score }) => score === null)) return { kind: 'no', why: 'no-scores' };
  return maxIter === 2 ? { kind: 'exact' } : { kind: 'second-pass-only', maxIter };
}

/** Counts of scores in `bins` equal parts of 0 … 1; the last part holds 1. Tokens without a score are left out. */
export function scoreHistogram(tokens: readonly Scored[], bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const { score } of tokens) {
    if (score === null) continue;
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(score * bins)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}
