/**
 * How the answer room says "this can't be decided": thrown deep inside a calculation, turned into `null` or an
 * 'unchecked' result by equivalence.ts and check.ts. It never leaves the room.
 */

import { reason, sayReason } from '../protocol/reasons.ts';
import type { Reason, ReasonKind, ReasonPart } from '../protocol/reasons.ts';

export class Undecided extends Error {
  override readonly name = 'Undecided';
  readonly because: Reason;

  /** @param kind of a part of a sentence that goes on after "because" */
  constructor(kind: ReasonKind, ...args: readonly ReasonPart[]) {
    const because = reason(kind, ...args);
    super(sayReason(because));
    this.because = because;
  }
}

/** A value that does not exist, such as 1/0: different from not being able to find it. */
export class Undefined extends Undecided {}

export const TOO_LARGE = 'too-large-numbers' satisfies ReasonKind;

/** Result of `body`, or null when it can't be decided. Any other error is a fault and goes on. */
export function decided<T>(body: () => T): T | null {
  try {
    return body();
  } catch (error) {
    if (error instanceof Undecided) return null;
    throw error;
  }
}
