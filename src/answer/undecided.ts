/**
 * How the answer room says "this can't be decided": thrown deep inside a calculation, turned into `null` or an
 * 'unchecked' result by equivalence.ts and check.ts. It never leaves the room.
 */

export class Undecided extends Error {
  override readonly name = 'Undecided';
}

/** A value that does not exist, such as 1/0: different from not being able to find it. */
export class Undefined extends Undecided {}

export const TOO_LARGE = 'the numbers in it are too large to check';

/** Result of `body`, or null when it can't be decided. Any other error is a fault and goes on. */
export function decided<T>(body: () => T): T | null {
  try {
    return body();
  } catch (error) {
    if (error instanceof Undecided) return null;
    throw error;
  }
}
