/**
 * Polynomials in any number of generators over the rationals, in a normal form: equal polynomials have equal maps.
 *
 * A generator is a variable ("x"), a prime whose roots occur ("#2": #2^(1/2) is √2), the imaginary unit ("#i"), or an
 * opaque part that has no normal form ("~sin(x)"). Exponents are counted in 1/60, so √2·∛2 has a normal form too.
 * Products of fractional powers of distinct primes are linearly independent over the rationals (Besicovitch 1940), so
 * a polynomial without opaque generators is zero only if its map is empty.
 */

import { ONE, add, equals, multiply, negate, power, rational, showRational } from './rational.ts';
import type { Rational } from './rational.ts';
import { TOO_LARGE, Undecided } from './undecided.ts';

/** An exponent of one, in the unit of exponents. */
export const WHOLE = 60;
const MAX_TERMS = 4000;
const MAX_PRODUCTS = 400_000;

export interface Term {
  readonly coefficient: Rational;
  /** Generator → exponent in 1/60; never 0. */
  readonly powers: ReadonlyMap<string, number>;
}
export type Polynomial = ReadonlyMap<string, Term>;

function keyOf(powers: ReadonlyMap<string, number>): string {
  return [...powers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, exponent]) => `${name}^${exponent}`).join('*');
}

/** Takes whole powers out of primes' roots and reduces i² = -1. */
function reduced(coefficient: Rational, powers: ReadonlyMap<string, number>): Term {
  let factor = coefficient;
  const left = new Map<string, number>();
  for (const [name, exponent] of powers) {
    if (exponent === 0) continue;
    if (name === '#i') {
      if (exponent % WHOLE !== 0) throw new Undecided('root-of-imaginary');
      const turns = (((exponent / WHOLE) % 4) + 4) % 4;
      if (turns >= 2) factor = negate(factor);
      if (turns % 2 === 1) left.set(name, WHOLE);
    } else if (name.startsWith('#')) {
      const whole = Math.floor(exponent / WHOLE);
      if (whole !== 0) factor = multiply(factor, power(rational(BigInt(name.slice(1))), BigInt(whole)));
      if (exponent - whole * WHOLE !== 0) left.set(name, exponent - whole * WHOLE);
    } else {
      if (Math.abs(exponent) > 1e9) throw new Undecided(TOO_LARGE);
      left.set(name, exponent);
    }
  }
  return { coefficient: factor, powers: left };
}

function collected(terms: Iterable<Term>): Polynomial {
  const map = new Map<string, Term>();
  for (const term of terms) {
    const key = keyOf(term.powers);
    const before = map.get(key);
    const coefficient = before === undefined ? term.coefficient : add(before.coefficient, term.coefficient);
    if (coefficient.n === 0n) map.delete(key);
    else map.set(key, { coefficient, powers: term.powers });
    if (map.size > MAX_TERMS) throw new Undecided(TOO_LARGE);
  }
  return map;
}

export function constant(value: Rational): Polynomial {
  return collected([{ coefficient: value, powers: new Map() }]);
}
export function generator(name: string, exponent = WHOLE): Polynomial {
  return collected([reduced(ONE, new Map([[name, exponent]]))]);
}
export const ONE_POLYNOMIAL = constant(ONE);

export function addPolynomials(...all: readonly Polynomial[]): Polynomial {
  return collected(all.flatMap((p) => [...p.values()]));
}
export function scaled(p: Polynomial, by: Rational): Polynomial {
  return collected([...p.values()].map((term) => ({ ...term, coefficient: multiply(term.coefficient, by) })));
}
export function multiplyPolynomials(a: Polynomial, b: Polynomial): Polynomial {
  if (a.size * b.size > MAX_PRODUCTS) throw new Undecided(TOO_LARGE);
  const products: Term[] = [];
  for (const left of a.values()) {
    for (const right of b.values()) {
      const powers = new Map(left.powers);
      for (const [name, exponent] of right.powers) powers.set(name, (powers.get(name) ?? 0) + exponent);
      products.push(reduced(multiply(left.coefficient, right.coefficient), powers));
    }
  }
  return collected(products);
}
export function subtractPolynomials(a: Polynomial, b: Polynomial): Polynomial {
  return addPolynomials(a, scaled(b, negate(ONE)));
}
export function powerOfPolynomial(base: Polynomial, exponent: number): Polynomial {
  let result = ONE_POLYNOMIAL;
  let square = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiplyPolynomials(result, square);
    if (left > 1) square = multiplyPolynomials(square, square);
  }
  return result;
}

/** The rational number that it is, or null. */
export function constantValue(p: Polynomial): Rational | null {
  if (p.size === 0) return rational(0n);
  const only = p.get('');
  return p.size === 1 && only !== undefined ? only.coefficient : null;
}

export function generatorsOf(p: Polynomial): Set<string> {
  return new Set([...p.values()].flatMap((term) => [...term.powers.keys()]));
}
/** False where a part without a normal form occurs: then a polynomial that isn't empty may still be zero. */
export function isDecisive(p: Polynomial): boolean {
  return ![...generatorsOf(p)].some((name) => name.startsWith('~'));
}

/**
 * Coefficients in one variable, constant term first; null where the variable occurs in a root, below a fraction line
 * or in an opaque part.
 */
export function coefficientsIn(p: Polynomial, variable: string): Polynomial[] | null {
  const rows: Term[][] = [];
  for (const term of p.values()) {
    for (const name of term.powers.keys()) if (name.startsWith('~') && name.includes(variable)) return null;
    const exponent = (term.powers.get(variable) ?? 0) / WHOLE;
    if (!Number.isInteger(exponent) || exponent < 0 || exponent > 1000) return null;
    const powers = new Map(term.powers);
    powers.delete(variable);
    (rows[exponent] ??= []).push({ ...term, powers });
  }
  return Array.from(rows, (row: Term[] | undefined) => collected(row ?? []));
}

/** The same, where all coefficients are rational numbers. */
export function rationalCoefficients(p: Polynomial, variable: string): Rational[] | null {
  const rows = coefficientsIn(p, variable)?.map(constantValue) ?? null;
  return rows === null || rows.includes(null) ? null : rows.filter((row) => row !== null);
}

export function samePolynomial(a: Polynomial, b: Polynomial): boolean {
  return a.size === b.size && [...a].every(([key, term]) => {
    const other = b.get(key);
    return other !== undefined && equals(other.coefficient, term.coefficient);
  });
}

/** A text that is the same for equal polynomials. */
export function polynomialKey(p: Polynomial): string {
  return [...p].map(([key, term]) => `${term.coefficient.n.toString()}/${term.coefficient.d.toString()}*${key}`).sort().join('+');
}

/** Plain text for a reason: "x^2 - 5x + 6"; null where the normal form is not fit to be shown. */
export function showPolynomial(p: Polynomial): string | null {
  if (p.size === 0) return '0';
  if (p.size > 12 || !isDecisive(p)) return null;
  const total = (term: Term): number => [...term.powers].reduce((all, [name, exponent]) => all + (name.startsWith('#') ? 0 : exponent), 0);
  const parts: string[] = [];
  for (const term of [...p.values()].sort((a, b) => total(b) - total(a))) {
    const letters: string[] = [];
    for (const [name, exponent] of [...term.powers].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const whole = exponent % WHOLE === 0;
      if (name === '#i') letters.push('i');
      else if (name.startsWith('#')) {
        if (exponent !== WHOLE / 2) return null;
        letters.push(`√${name.slice(1)}`);
      } else if (whole) letters.push(exponent === WHOLE ? name : `${name}^${exponent / WHOLE}`);
      else if (exponent === WHOLE / 2) letters.push(`√${name}`);
      else return null;
    }
    const { coefficient } = term;
    const minus = coefficient.n < 0n;
    const size = minus ? negate(coefficient) : coefficient;
    const number = letters.length > 0 && equals(size, ONE) ? '' : size.d === 1n || letters.length === 0 ? showRational(size) : `(${showRational(size)})`;
    parts.push(parts.length === 0 ? `${minus ? '-' : ''}${number}${letters.join('')}` : `${minus ? ' - ' : ' + '}${number}${letters.join('')}`);
  }
  return parts.join('');
}
