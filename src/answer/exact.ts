/**
 * Exact values: expression tree → quotient of two polynomials in normal form. Rationals, roots of rationals, i and
 * rational functions are decided for certain; what has no normal form (sin x, 2^x) becomes an opaque generator.
 * Knows no decimals: numeric.ts is the independent second opinion.
 */

import type { Expr, FunctionName } from './expression.ts';
import {
  ONE_POLYNOMIAL, WHOLE, addPolynomials, constant, constantValue, generator, generatorsOf, isDecisive, multiplyPolynomials, polynomialKey, powerOfPolynomial, samePolynomial, scaled,
  subtractPolynomials,
} from './polynomial.ts';
import type { Polynomial } from './polynomial.ts';
import { ONE, absolute, compare, divide, gcd, isInteger, multiply, negate, power, rational, sign } from './rational.ts';
import type { Rational } from './rational.ts';
import { TOO_LARGE, Undecided, Undefined } from './undecided.ts';

/** over / under; `under` is not the zero polynomial, and keeps every denominator that occurred (nothing is cancelled). */
export interface Exact {
  readonly over: Polynomial;
  readonly under: Polynomial;
}

const whole = (p: Polynomial): Exact => ({ over: p, under: ONE_POLYNOMIAL });
const ofRational = (value: Rational): Exact => whole(constant(value));

function divided(a: Exact, b: Exact): Exact {
  if (b.over.size === 0) throw new Undefined('divides-by-zero');
  return simplified({ over: multiplyPolynomials(a.over, b.under), under: multiplyPolynomials(a.under, b.over) });
}
/** A constant denominator is divided out; that is all. */
function simplified(value: Exact): Exact {
  const under = constantValue(value.under);
  return under === null ? value : whole(scaled(value.over, divide(ONE, under)));
}

/** @throws Undecided, and Undefined where the expression has no value */
export function exactOf(expr: Expr): Exact {
  switch (expr.kind) {
    case 'number':
      return ofRational(expr.value);
    case 'symbol':
      if (expr.name === '∞') throw new Undecided('infinity');
      return whole(expr.name === 'i' ? generator('#i') : generator(expr.name));
    case 'sum':
      return sumOf(expr.terms.map(exactOf));
    case 'product':
      return expr.factors.map(exactOf).reduce((a, b) => simplified({ over: multiplyPolynomials(a.over, b.over), under: multiplyPolynomials(a.under, b.under) }));
    case 'quotient':
      return divided(exactOf(expr.over), exactOf(expr.under));
    case 'negative': {
      const of = exactOf(expr.of);
      return { over: scaled(of.over, negate(ONE)), under: of.under };
    }
    case 'percent':
      return divided(exactOf(expr.of), ofRational(rational(100n)));
    case 'plus-minus':
      throw new Undecided('plus-minus-two');
    case 'power':
      return raised(exactOf(expr.base), exactOf(expr.exponent));
    case 'call':
      return called(expr.name, expr.args.map(exactOf));
    default:
      return expr satisfies never;
  }
}

function sumOf(terms: readonly Exact[]): Exact {
  const simple = terms.filter((term) => term.under === ONE_POLYNOMIAL);
  let total = whole(addPolynomials(...simple.map((term) => term.over)));
  for (const term of terms) {
    if (term.under === ONE_POLYNOMIAL) continue;
    total = samePolynomial(total.under, term.under)
      ? { over: addPolynomials(total.over, term.over), under: total.under }
      : { over: addPolynomials(multiplyPolynomials(total.over, term.under), multiplyPolynomials(term.over, total.under)), under: multiplyPolynomials(total.under, term.under) };
  }
  return simplified(total);
}

export function rationalOf(value: Exact): Rational | null {
  return value.under === ONE_POLYNOMIAL ? constantValue(value.over) : null;
}

function raised(base: Exact, exponent: Exact): Exact {
  const by = rationalOf(exponent);
  if (by === null) return opaque('power', [base, exponent]);
  if (isInteger(by)) return wholePower(base, by.n);
  return rootPower(base, by);
}

function wholePower(base: Exact, k: bigint): Exact {
  if (k === 0n) {
    if (base.over.size === 0) throw new Undefined('zero-to-zero');
    return whole(ONE_POLYNOMIAL);
  }
  const value = rationalOf(base);
  if (value !== null) return ofRational(power(value, k));
  if (k < 0n) return divided(whole(ONE_POLYNOMIAL), wholePower(base, -k));
  if (k > 1000n) throw new Undecided(TOO_LARGE);
  return { over: powerOfPolynomial(base.over, Number(k)), under: base.under === ONE_POLYNOMIAL ? ONE_POLYNOMIAL : powerOfPolynomial(base.under, Number(k)) };
}

/** base^(p/q) with q > 1. Of a negative number: the real root where q is odd, i times the root where q is 2. */
function rootPower(base: Exact, by: Rational): Exact {
  if (BigInt(WHOLE) % by.d !== 0n || by.n > 1000n || by.n < -1000n) return opaque('power', [base, ofRational(by)]);
  if (by.n < 0n) return divided(whole(ONE_POLYNOMIAL), rootPower(base, negate(by)));
  const value = rationalOf(base);
  if (value !== null) return whole(rootOfRational(value, by));
  const only = base.over.size === 1 && base.under === ONE_POLYNOMIAL ? [...base.over.values()][0] : undefined;
  const [name, exponent] = only === undefined ? [undefined, 0] : ([...only.powers][0] ?? [undefined, 0]);
  if (only === undefined || name === undefined || only.powers.size !== 1 || name.startsWith('#') || exponent !== WHOLE || sign(only.coefficient) < 0) return opaque('power', [base, ofRational(by)]);
  return whole(multiplyPolynomials(rootOfRational(only.coefficient, by), generator(name, (WHOLE / Number(by.d)) * Number(by.n))));
}

function rootOfRational(value: Rational, by: Rational): Polynomial {
  if (value.n === 0n) return constant(value);
  if (value.n < 0n) {
    const positive = rootOfRational(absolute(value), by);
    if (by.d % 2n === 1n) return by.n % 2n === 0n ? positive : scaled(positive, negate(ONE));
    if (by.d !== 2n) throw new Undecided('even-root-of-negative');
    return multiplyPolynomials(powerOfPolynomial(generator('#i'), Number(by.n)), positive);
  }
  let result = ONE_POLYNOMIAL;
  const step = (WHOLE / Number(by.d)) * Number(by.n);
  for (const [part, direction] of [[value.n, 1], [value.d, -1]] as const) {
    for (const [prime, count] of primeFactors(part)) result = multiplyPolynomials(result, generator(`#${prime.toString()}`, direction * count * step));
  }
  return result;
}

const TRIAL_LIMIT = 100_000n;

/** Prime factors with multiplicity. @throws Undecided where a large factor can't be split by trial division */
export function primeFactors(value: bigint): [bigint, number][] {
  const factors: [bigint, number][] = [];
  let left = value;
  for (let p = 2n; p * p <= left && p <= TRIAL_LIMIT; p += p === 2n ? 1n : 2n) {
    let count = 0;
    for (; left % p === 0n; count += 1) left /= p;
    if (count > 0) factors.push([p, count]);
  }
  if (left > TRIAL_LIMIT * TRIAL_LIMIT) throw new Undecided(TOO_LARGE);
  if (left > 1n) factors.push([left, 1]);
  return factors;
}

function keyOf(value: Exact): string {
  return `(${polynomialKey(value.over)})/(${polynomialKey(value.under)})`;
}
function opaque(name: string, args: readonly Exact[]): Exact {
  return whole(generator(`~${name}(${args.map(keyOf).join(',')})`));
}

function called(name: FunctionName, args: readonly Exact[]): Exact {
  const [first] = args;
  if (first === undefined) throw new Undecided('function-without-argument');
  if (name === 'sqrt') return rootPower(first, rational(1n, 2n));
  if (name === 'root') {
    const index = args[1] === undefined ? null : rationalOf(args[1]);
    if (index === null || !isInteger(index) || index.n < 2n) throw new Undecided('root-index');
    return rootPower(first, rational(1n, index.n));
  }
  if (name === 'degrees') return divided(simplified({ over: multiplyPolynomials(first.over, generator('π')), under: first.under }), ofRational(rational(180n)));
  if (name === 'exp') return raised(whole(generator('e')), first);
  const values = args.map(rationalOf);
  const numbers = values.filter((value) => value !== null);
  if (numbers.length !== values.length) return opaque(name, args);
  const calculate = AT_NUMBERS[name];
  return calculate === undefined ? opaque(name, args) : ofRational(calculate(numbers));
}

/** Functions with an exact value at rational numbers; the others stay opaque. */
const AT_NUMBERS: Readonly<Partial<Record<FunctionName, (numbers: readonly Rational[]) => Rational>>> = {
  abs: ([a = ONE]) => absolute(a),
  floor: ([a = ONE]) => rational(floorOf(a)),
  ceil: ([a = ONE]) => rational(-floorOf(negate(a))),
  max: (numbers) => numbers.reduce((x, y) => (compare(x, y) >= 0 ? x : y)),
  min: (numbers) => numbers.reduce((x, y) => (compare(x, y) <= 0 ? x : y)),
  gcd: (numbers) => rational(integers(numbers).reduce(gcd)),
  lcm: (numbers) => rational(integers(numbers).reduce((x, y) => (x === 0n || y === 0n ? 0n : (x / gcd(x, y)) * y))),
  mod: (numbers) => modulo(numbers),
  factorial: ([a = ONE]) => factorial(a),
  binomial: ([a = ONE, b = ONE]) => binomial(a, b),
};

function modulo(numbers: readonly Rational[]): Rational {
  const [value = 0n, by = 1n] = integers(numbers);
  if (by <= 0n) throw new Undefined('modulus');
  return rational(((value % by) + by) % by);
}
function floorOf(value: Rational): bigint {
  const cut = value.n / value.d;
  return value.n < 0n && cut * value.d !== value.n ? cut - 1n : cut;
}
function integers(numbers: readonly Rational[]): bigint[] {
  if (!numbers.every(isInteger)) throw new Undefined('whole-numbers-needed');
  return numbers.map((number) => number.n);
}
function factorial(value: Rational): Rational {
  const [n = -1n] = integers([value]);
  if (n < 0n) throw new Undefined('factorial-of');
  if (n > 2000n) throw new Undecided(TOO_LARGE);
  let result = 1n;
  for (let k = 2n; k <= n; k += 1n) result *= k;
  return rational(result);
}
function binomial(a: Rational, b: Rational): Rational {
  const [n = 0n, k = 0n] = integers([a, b]);
  if (n < 0n || k < 0n) throw new Undecided('binomial-of');
  if (k > 2000n && n - k > 2000n) throw new Undecided(TOO_LARGE);
  const least = k < n - k ? k : n - k;
  let result = k > n ? rational(0n) : ONE;
  for (let j = 1n; j <= least; j += 1n) result = multiply(result, rational(n - least + j, j));
  return result;
}

/** a - b as one fraction's numerator: empty iff equal (where decisive). */
export function differenceOf(a: Exact, b: Exact): Polynomial {
  if (a.under === ONE_POLYNOMIAL && b.under === ONE_POLYNOMIAL) return subtractPolynomials(a.over, b.over);
  return subtractPolynomials(multiplyPolynomials(a.over, b.under), multiplyPolynomials(b.over, a.under));
}

/** Certain equality or difference; null where parts without a normal form stand in the way. */
export function exactlyEqual(a: Expr, b: Expr): boolean | null {
  const difference = differenceOf(exactOf(a), exactOf(b));
  if (difference.size === 0) return true;
  const names = generatorsOf(difference);
  return isDecisive(difference) && !(names.has('π') && names.has('e')) ? false : null;
}
