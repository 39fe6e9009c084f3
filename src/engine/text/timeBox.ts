/**
 * A hard time limit for synchronous work that runs on foreign input (regular expressions, templates).
 * Knows: Node's vm can terminate JavaScript from outside, whatever function it is in, also inside a regular expression's
 * backtracking. Knows nothing of the work. It guards time only: the work runs with its own rights and must bound its memory.
 */

import { createContext, Script, type Context } from 'node:vm';

interface Box extends Context {
  work?: () => unknown;
}

const box: Box = createContext(Object.create(null) as object);
const script = new Script('work()');

/**
 * The result of `work`, or `onTimeout()` thrown when it is not done after `milliseconds`. What `work` throws passes through.
 * Terminated work leaves what it was changing half done.
 */
export function runWithin<T>(milliseconds: number, work: () => T, onTimeout: () => Error): T {
  // The result goes past the context, so that it keeps its type. A nested call reads its own work before it runs.
  const result: { value?: T } = {};
  box.work = () => {
    result.value = work();
  };
  try {
    script.runInContext(box, { timeout: milliseconds });
  } catch (error) {
    // Made in the other context, so it is no instance of this one's Error.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw onTimeout();
    throw error;
  } finally {
    delete box.work;
  }
  return result.value as T;
}
