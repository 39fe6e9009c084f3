/**
 * Tries again what may work the next time: later and later, as often as the policy says, and at once no more when it
 * is cancelled. What is worth another try is told by a `TransientFailure`. Knows no network.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TahError } from '../protocol/errors.ts';

export interface RetryPolicy {
  /** Failures in a row, without any bytes gained, after which it gives up. */
  readonly attempts: number;
  /** Wait after the n-th failure; the last one for more. */
  readonly delaysMs: readonly number[];
  /** The longest wait that a server may ask for. */
  readonly longestWaitMs: number;
}

export const RETRIES: RetryPolicy = { attempts: 6, delaysMs: [500, 1000, 2000, 5000, 10_000], longestWaitMs: 5 * 60_000 };

/** Failures that are followed by a success don't count; but nothing is tried for ever. */
const MOST_ATTEMPTS = 1000;

/** A failure that may be over soon. `error` is what the user is told if it is not. */
export class TransientFailure extends Error {
  constructor(
    readonly error: TahError,
    readonly details: { /** The server's wish. */ readonly retryAfterMs?: number; /** Something came before it failed. */ readonly gained?: boolean } = {},
  ) {
    super(error.message, { cause: error });
  }
}

export interface Waiting {
  readonly reason: string;
  readonly ms: number;
}

/** @throws TahError what the last attempt failed with, or `cancelled` */
export async function withRetries<T>(policy: RetryPolicy, signal: AbortSignal | undefined, onWait: (waiting: Waiting) => void, attempt: () => Promise<T>): Promise<T> {
  let failures = 0;
  for (let count = 1; ; count++) {
    if (isAborted(signal)) throw cancelledDownload();
    try {
      return await attempt();
    } catch (thrown) {
      if (!(thrown instanceof TransientFailure)) throw thrown;
      failures = thrown.details.gained === true ? 1 : failures + 1;
      const ms = thrown.details.retryAfterMs ?? policy.delaysMs[Math.min(failures, policy.delaysMs.length) - 1] ?? 0;
      if (failures >= policy.attempts || count >= MOST_ATTEMPTS || ms > policy.longestWaitMs) throw thrown.error;
      onWait({ reason: thrown.error.message, ms });
      await sleepUnlessCancelled(ms, signal);
    }
  }
}

/** @throws TahError cancelled */
export async function sleepUnlessCancelled(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw isAborted(signal) ? cancelledDownload() : error;
  }
}

/** A question of its own at each place: the answer changes while something is awaited. */
export function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

export function cancelledDownload(): TahError {
  return new TahError('cancelled', 'The download was cancelled; what is there is kept, and the next download of it goes on from there.');
}
