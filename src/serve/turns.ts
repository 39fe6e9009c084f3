/**
 * One engine, many clients: who comes first is served first, a bounded number waits, the others are told when to try
 * again. Who goes away gives up the place. Knows nothing of requests.
 */

import { TahError } from '../protocol/errors.ts';
import { Refusal } from './refusal.ts';

interface Waiting {
  readonly start: () => void;
}

const FIRST_GUESS_MS = 5_000;
const LONGEST_RETRY_S = 120;

export class Turns {
  #busy = false;
  #waiting: Waiting[] = [];
  /** How long a turn takes, as a moving average. */
  #usualMs = FIRST_GUESS_MS;

  /** @param places how many may wait beside the one that is served */
  constructor(private readonly places: number) {}

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Waits for a turn; the caller calls the returned function at its end.
   * @throws Refusal 429 when too many wait; TahError cancelled when the signal fires first
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw new TahError('cancelled', 'Stopped.');
    if (this.#busy) {
      if (this.#waiting.length >= this.places) throw this.#refusal();
      await this.#wait(signal);
    }
    this.#busy = true;
    const started = performance.now();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#usualMs = 0.7 * this.#usualMs + 0.3 * (performance.now() - started);
      const next = this.#waiting.shift();
      // Stays busy for the next one: nobody can come between.
      if (next === undefined) this.#busy = false;
      else next.start();
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        start: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        reject(new TahError('cancelled', 'Stopped.'));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiting);
    });
  }

  #refusal(): Refusal {
    const seconds = Math.min(LONGEST_RETRY_S, Math.max(1, Math.ceil((this.#usualMs * (this.#waiting.length + 1)) / 1000)));
    return new Refusal(429, `The engine is busy and ${this.places} requests wait already. Try again in about ${seconds} s.`, { code: 'engine_busy', headers: { 'retry-after': String(seconds) } });
  }
}
