/**
 * Exact rational numbers over bigint, always in lowest terms with a positive denominator.
 * Knows a size limit: a result of more than MAX_BITS bits throws `Undecided`, so that no calculation runs away.
 */

import { TOO_LARGE, Undecided, Undefined } from './undecided.ts';

export interface Rational {
  readonly n: bigint;
  /** > 0 */
  readonly d: bigint;
}

const MAX_BITS = 40_000;
const LIMIT = 1n << BigInt(MAX_BITS);

export const ONE: Rational = { n: 1n, d: 1n };

export function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function bounded(n: bigint): bigint {
  if (n > LIMIT || n < -LIMIT) throw new Undecided(TOO_LARGE);
  return n;
}

/** n/d. @throws Undefined where d is 0 */
export function rational(n: bigint | number, d: bigint | number = 1n): Rational {
  const [top, bottom] = [BigInt(n), BigInt(d)];
  if (bottom === 0n) throw new Undefined('divides-by-zero');
  if (bottom === 1n) return { n: bounded(top), d: 1n };
  const common = gcd(top, bottom) * (bottom < 0n ? -1n : 1n);
  return { n: bounded(top / common), d: bounded(bottom / common) };
}

export function add(a: Rational, b: Rational): Rational {
  return a.d === 1n && b.d === 1n ? rational(a.n + b.n) : rational(a.n * b.d + b.n * a.d, a.d * b.d);
}
export function negate(a: Rational): Rational {
  return { n: -a.n, d: a.d };
}
export function subtract(a: Rational, b: Rational): Rational {
  return add(a, negate(b));
}
export function multiply(a: Rational, b: Rational): Rational {
  return rational(a.n * b.n, a.d * b.d);
}
export function divide(a: Rational, b: Rational): Rational {
  return rational(a.n * b.d, a.d * b.n);
}
export function equals(a: Rational, b: Rational): boolean {
  return a.n === b.n && a.d === b.d;
}
export function sign(a: Rational): -1 | 0 | 1 {
  return a.n > 0n ? 1 : a.n < 0n ? -1 : 0;
}
export function compare(a: Rational, b: Rational): -1 | 0 | 1 {
  return sign(subtract(a, b));
}
export function absolute(a: Rational): Rational {
  return a.n < 0n ? negate(a) : a;
}
export function isInteger(a: Rational): boolean {
  return a.d === 1n;
}
export function bits(n: bigint): number {
  return (n < 0n ? -n : n).toString(16).length * 4;
}

/** a^k for a whole k. @throws Undefined for 0^k with k < 0 */
export function power(a: Rational, k: bigint): Rational {
  if (k < 0n) return power(divide(ONE, a), -k);
  if (a.d === 1n && (a.n === 0n || a.n === 1n)) return k === 0n ? ONE : a;
  if (a.d === 1n && a.n === -1n) return k % 2n === 0n ? ONE : a;
  if (k > BigInt(MAX_BITS) || (Math.max(bits(a.n), bits(a.d)) - 4) * Number(k) > MAX_BITS) throw new Undecided(TOO_LARGE);
  return { n: bounded(a.n ** k), d: bounded(a.d ** k) };
}

/** A decimal such as "12.034" (digits and at most one point), exactly. */
export function fromDecimal(text: string): Rational {
  const [whole = '', part = ''] = text.split('.');
  if (whole.length + part.length > 10_000) throw new Undecided(TOO_LARGE);
  return rational(BigInt(`${whole}${part}` || '0'), 10n ** BigInt(part.length));
}

/** "5", "-3/4": how a number is shown in a reason. */
export function showRational(a: Rational): string {
  const text = a.d === 1n ? a.n.toString() : `${a.n.toString()}/${a.d.toString()}`;
  return text.length > 60 ? `${text.slice(0, 28)}…${text.slice(-28)}` : text;
}
