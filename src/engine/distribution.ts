/**
 * What a vector of logits says as a probability distribution, at temperature 1 and over the whole vocabulary.
 * Knows plain sums in float64 and nothing of sampling. Logits below the maximum by more than NEGLIGIBLE are left out
 * of the sums: even 10^6 of them are below float64's resolution of the result.
 */

import { TahError } from '../protocol/errors.ts';

/** e^-60 is 9e-27. */
const NEGLIGIBLE = 60;

export interface Distribution {
  /** ln Σ exp(logit) */
  readonly logSumExp: number;
  /** Nats. */
  readonly entropy: number;
}

/**
 * Index of the largest logit, the first one where several are equal. `logits` float32 [vocab]; -Infinity is a token that is out.
 * @throws TahError engine.run-failed where there is a NaN or +Infinity, or no finite logit at all
 */
export function argmax(logits: Float32Array): number {
  let best = -1;
  let max = -Infinity;
  let total = 0;
  for (let id = 0; id < logits.length; id++) {
    const value = logits[id] ?? NaN;
    // -Infinity times 0 is NaN, so that it must be skipped; NaN and Infinity must not.
    if (value !== -Infinity) total += value * 0;
    if (value > max) {
      max = value;
      best = id;
    }
  }
  if (best < 0 || total !== 0) throw noNumbers();
  return best;
}

function noNumbers(): TahError {
  return new TahError('engine.run-failed', 'The model returned logits that are no numbers.', {
    hint: 'The weights may be damaged, or the provider computes wrongly: run "tah verify", or choose the provider "cpu".',
    subject: 'logits',
  });
}

/** As a graph says it of its own logits. @throws as argmax */
export function checked({ logSumExp, entropy }: Distribution): Distribution {
  if (!Number.isFinite(logSumExp) || !Number.isFinite(entropy)) throw noNumbers();
  return { logSumExp, entropy: Math.max(0, entropy) };
}

/** Both numbers from one exponential per logit. `logits` float32 [vocab]. @throws as argmax */
export function distributionOf(logits: Float32Array): Distribution {
  const max = logits[argmax(logits)] ?? NaN;
  let sum = 0;
  let moment = 0;
  for (const logit of logits) {
    const distance = logit - max;
    if (distance < -NEGLIGIBLE) continue;
    const weight = Math.exp(distance);
    sum += weight;
    moment += weight * distance;
  }
  const logSum = Math.log(sum);
  return { logSumExp: max + logSum, entropy: Math.max(0, logSum - moment / sum) };
}
