/**
 * One at a time, in the order of asking: two inferences at once would only slow each other down and double the memory.
 * Knows nothing of what waits in it.
 */

import { cancelled } from '../protocol/streams.ts';

export class SerialQueue {
  #tail: Promise<void> = Promise.resolve();

  /**
   * Waits for one's turn. The caller must call the returned function when done.
   * @throws TahError cancelled, if the signal fires while waiting; the place in the queue is given up.
   */
  async enter(signal?: AbortSignal): Promise<() => void> {
    const before = this.#tail;
    const place = new Promise<() => void>((given) => {
      this.#tail = new Promise<void>((leave) => { given(leave); });
    });
    const leave = await place;
    try {
      await unlessAborted(before, signal);
    } catch (error) {
      // Those behind must still wait for those before.
      void before.then(leave);
      throw error;
    }
    return leave;
  }

  /** Resolves when all that have entered so far have left. */
  drained(): Promise<void> {
    return this.#tail;
  }
}

/** @throws TahError cancelled, if the signal fires before the promise settles */
export async function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  if (signal.aborted) throw cancelled();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => { reject(cancelled()); };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
