/**
 * How many different solutions a polynomial equation has: over the rationals, dense coefficients, constant term first.
 * Real roots are counted with Sturm's theorem, so no root has to be found.
 */

import { add, divide, equals, isInteger, multiply, negate, rational, sign, subtract } from './rational.ts';
import type { Rational } from './rational.ts';
import { TOO_LARGE, Undecided } from './undecided.ts';

export type Coefficients = readonly Rational[];

function trimmed(p: Coefficients): Rational[] {
  const copy = [...p];
  while (copy.at(-1)?.n === 0n) copy.pop();
  return copy;
}
function derivativeOf(p: Coefficients): Rational[] {
  return p.slice(1).map((value, i) => multiply(value, rational(i + 1)));
}
function monic(p: Coefficients): Rational[] {
  const lead = p.at(-1);
  return lead === undefined ? [] : p.map((value) => divide(value, lead));
}

/** Quotient and remainder of a by b (b not zero). */
function divideBy(a: Coefficients, b: Coefficients): { readonly quotient: Rational[]; readonly remainder: Rational[] } {
  let rest = trimmed(a);
  const by = trimmed(b);
  const lead = by.at(-1);
  if (lead === undefined) throw new Undecided('polynomial-by-zero');
  const quotient: Rational[] = Array.from({ length: Math.max(0, rest.length - by.length + 1) }, () => rational(0n));
  while (rest.length >= by.length && rest.length > 0) {
    const shift = rest.length - by.length;
    const factor = divide(rest.at(-1) ?? lead, lead);
    quotient[shift] = factor;
    rest = trimmed(rest.map((value, i) => (i < shift ? value : subtract(value, multiply(factor, by[i - shift] ?? rational(0n))))).slice(0, -1));
  }
  return { quotient, remainder: rest };
}

function commonDivisor(a: Coefficients, b: Coefficients): Rational[] {
  let [x, y] = [monic(trimmed(a)), monic(trimmed(b))];
  while (y.length > 0) [x, y] = [y, monic(divideBy(x, y).remainder)];
  return x;
}

/** The same roots, each once, without those of `excluded`. */
export function distinctRoots(p: Coefficients, excluded: Coefficients): Rational[] {
  if (p.length > 60) throw new Undecided(TOO_LARGE);
  let result = divideBy(p, commonDivisor(p, derivativeOf(p))).quotient;
  result = divideBy(result, commonDivisor(result, excluded)).quotient;
  return trimmed(result);
}

/** Number of real roots of a polynomial without multiple roots. */
export function realRootCount(p: Coefficients): number {
  const chain: Rational[][] = [trimmed(p), trimmed(derivativeOf(p))];
  for (;;) {
    const [a, b] = [chain.at(-2) ?? [], chain.at(-1) ?? []];
    if (b.length === 0) break;
    chain.push(divideBy(a, b).remainder.map(negate));
  }
  const changes = (signs: readonly number[]): number => signs.filter((s) => s !== 0).reduce((count, s, i, all) => count + (i > 0 && s !== all[i - 1] ? 1 : 0), 0);
  const atInfinity = (direction: 1 | -1): number[] => chain.map((q) => { const lead = q.at(-1); return lead === undefined ? 0 : sign(lead) * (direction === -1 && q.length % 2 === 0 ? -1 : 1); });
  return changes(atInfinity(-1)) - changes(atInfinity(1));
}

function valueOf(p: Coefficients, at: Rational): Rational {
  return [...p].reverse().reduce((total, value) => add(multiply(total, at), value), rational(0n));
}

/** Rational roots p/q of a polynomial, by trying divisors; only where the coefficients are small. */
export function rationalRoots(p: Coefficients): Rational[] {
  const scale = p.reduce((all, value) => all * value.d, 1n);
  const whole = trimmed(p).map((value) => multiply(value, rational(scale)));
  const roots: Rational[] = [];
  const lowest = whole.find((value) => value.n !== 0n);
  const lead = whole.at(-1);
  if (lowest === undefined || lead === undefined || !whole.every(isInteger)) return roots;
  if (whole[0]?.n === 0n) roots.push(rational(0n));
  for (const top of divisorsOf(lowest.n)) {
    for (const bottom of divisorsOf(lead.n)) {
      for (const root of [rational(top, bottom), rational(-top, bottom)]) {
        if (valueOf(whole, root).n === 0n && !roots.some((known) => equals(known, root))) roots.push(root);
      }
    }
  }
  return roots;
}

function divisorsOf(value: bigint): bigint[] {
  const size = value < 0n ? -value : value;
  if (size > 1_000_000n) throw new Undecided(TOO_LARGE);
  const found: bigint[] = [];
  for (let d = 1n; d * d <= size; d += 1n) if (size % d === 0n) found.push(d, size / d);
  return found;
}
