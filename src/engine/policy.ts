/** Who thinks again: the decision after each pass, for every policy. Pure. */
import type { ThinkingPolicy } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';

export interface DecisionInput {
  readonly position: number;
  /** Passes that the position has had, 1 … maxIter - 1. */
  readonly iterCount: number;
  /** The decider's probability after the last pass, float32; null where it was not computed. */
  readonly probability: number | null;
  /** Whether the first pass's top-1 is the token that follows; null where no text is given. */
  readonly firstPassRight: boolean | null;
}

/** True if the position goes on to another pass. @param threshold the checkpoint's */
export function continues(policy: ThinkingPolicy, threshold: number, input: DecisionInput): boolean {
  switch (policy.kind) {
    case 'never':
      return false;
    case 'always':
      return true;
    case 'decider':
      return aboveThreshold(input, policy.threshold ?? threshold);
    case 'depths': {
      const wanted = policy.iterCounts[input.position];
      return wanted === undefined || wanted === null ? aboveThreshold(input, policy.threshold ?? threshold) : wanted > input.iterCount;
    }
    case 'oracle':
      // IterLabelDecider: 0 and -100 (no label) mean one pass.
      return (policy.labels[input.position] ?? 1) > input.iterCount;
    case 'self-oracle':
      return input.iterCount === 1 && input.firstPassRight === false;
    default:
      return policy satisfies never;
  }
}

/** The reference compares float32 with float32, strictly greater. */
function aboveThreshold(input: DecisionInput, threshold: number): boolean {
  return input.probability !== null && Math.fround(input.probability) > Math.fround(threshold);
}

/** True if the policy can do without the decider and without a second pass anywhere. */
export function isPlain(policy: ThinkingPolicy): boolean {
  return policy.kind === 'never';
}

/** @throws TahError engine.bad-request, model.no-decider */
export function checkPolicy(policy: ThinkingPolicy, hasDecider: boolean): void {
  const threshold = 'threshold' in policy ? policy.threshold : undefined;
  if (threshold !== undefined && !Number.isFinite(threshold)) {
    throw new TahError('engine.bad-request', `The threshold must be a number, not ${threshold}.`, { subject: 'threshold', hint: 'Use a value from 0 to 1; a token is sent when its score is greater.' });
  }
  if (!hasDecider && (threshold !== undefined || policy.kind === 'always')) {
    throw new TahError('model.no-decider', 'This is a plain model: it has no second pass.', { subject: policy.kind, hint: 'Use the policy "never", or a Think-at-Hard checkpoint.' });
  }
}
