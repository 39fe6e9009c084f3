/**
 * At which other thresholds the decider would have done the same. A run is the same token by token where the same
 * positions are sent, so a sweep over thresholds takes its result from there instead of running it again: exact, not an
 * estimate. Pure.
 */

import type { PromptToken } from '../protocol/engine.ts';

/** from ≤ threshold < below; null: no limit on that side. */
export interface ThresholdRange {
  readonly from: number | null;
  readonly below: number | null;
}

/** @param tokens the run's, its prompt included: prompt tokens have second passes too */
export function sameThresholds(tokens: Iterable<Pick<PromptToken, 'iterCount' | 'continueProbability'>>): ThresholdRange {
  let from: number | null = null;
  let below: number | null = null;
  for (const { iterCount, continueProbability } of tokens) {
    for (const [asked, score] of continueProbability.entries()) {
      // Sent on iff its score was greater than the threshold.
      if (asked < iterCount - 1) below = Math.min(below ?? score, score);
      else from = Math.max(from ?? score, score);
    }
  }
  return { from, below };
}

export function isWithin({ from, below }: ThresholdRange, threshold: number): boolean {
  return (from === null || threshold >= from) && (below === null || threshold < below);
}
