/**
 * The second opinion: an expression's value at a point, in decimals of 60 digits (decimal.js). Real numbers only.
 * Knows nothing of the normal forms of exact.ts, so that a mistake in one shows in the other.
 */

import { Decimal } from 'decimal.js';
import { some, variablesOf } from './expression.ts';
import type { Expr, FunctionName } from './expression.ts';

const Real = Decimal.clone({ precision: 60, maxE: 100_000, minE: -100_000 });
type Real = Decimal;

const NO_VALUE = new Real(NaN);
const POINTS = 12;
const NEEDED = 4;
/** Relative differences: below the first two values agree, above the second they differ, between nothing is said. */
const AGREE = new Real('1e-40');
const DIFFER = new Real('1e-30');

/** NaN where there is no real value, or none that can be had cheaply. */
function valueAt(expr: Expr, point: ReadonlyMap<string, Real>): Real {
  switch (expr.kind) {
    case 'number':
      return new Real(expr.value.n.toString()).div(expr.value.d.toString());
    case 'symbol':
      if (expr.name === 'π') return PI;
      if (expr.name === 'e') return Real.exp(1);
      return expr.name === 'i' || expr.name === '∞' ? NO_VALUE : (point.get(expr.name) ?? NO_VALUE);
    case 'sum':
      return expr.terms.map((term) => valueAt(term, point)).reduce((a, b) => a.plus(b));
    case 'product':
      return expr.factors.map((factor) => valueAt(factor, point)).reduce((a, b) => (a.isZero() || b.isZero() ? a.times(b) : notVanished(a.times(b))));
    case 'quotient':
      return ratioAt(valueAt(expr.over, point), valueAt(expr.under, point));
    case 'negative':
      return valueAt(expr.of, point).negated();
    case 'percent':
      return valueAt(expr.of, point).div(100);
    case 'plus-minus':
      return NO_VALUE;
    case 'power':
      return powerAt(expr.base, expr.exponent, point);
    case 'call':
      return call(expr.name, expr.args.map((arg) => valueAt(arg, point)));
    default:
      return expr satisfies never;
  }
}

/** A result too small to be held is not zero: 10^(-10^9) has no value here. */
function notVanished(value: Real): Real {
  return value.isZero() ? NO_VALUE : value;
}
function ratioAt(over: Real, under: Real): Real {
  return over.isZero() ? over.div(under) : notVanished(over.div(under));
}

function powerAt(base: Expr, exponent: Expr, point: ReadonlyMap<string, Real>): Real {
  const from = valueAt(base, point);
  const by = valueAt(exponent, point);
  if (from.isZero() && by.isZero()) return NO_VALUE;
  if (from.isNegative() && !by.isInteger()) {
    const odd = exponent.kind === 'quotient' && exponent.under.kind === 'number' && exponent.under.value.d === 1n && exponent.under.value.n % 2n === 1n;
    const top = odd ? valueAt(exponent.over, point) : NO_VALUE;
    if (!top.isInteger()) return NO_VALUE;
    const size = from.negated().pow(by);
    return notVanished(top.mod(2).isZero() ? size : size.negated());
  }
  return from.isZero() ? from.pow(by) : notVanished(from.pow(by));
}

/** Trigonometric series get slow and inexact far from zero. */
function near(value: Real): Real {
  return value.abs().lt(1e6) ? value : NO_VALUE;
}

/** At a pole, rounding leaves a huge number where there is no value: tan 90°. */
function offPole(value: Real): Real {
  return value.abs().lt(1e20) ? value : NO_VALUE;
}

const ONE = new Real(1);
const PI = Real.acos(-1);

/** null: no opinion ("log" is base 10 for some and e for others; whole-number functions are exact.ts's alone). */
const FUNCTIONS: Readonly<Record<FunctionName, ((a: Real, b: Real, all: readonly Real[]) => Real) | null>> = {
  sqrt: (a) => a.sqrt(),
  root: (a, b) => (a.isNegative() ? (b.mod(2).eq(1) ? a.negated().pow(ONE.div(b)).negated() : NO_VALUE) : a.pow(ONE.div(b))),
  abs: (a) => a.abs(),
  ln: (a) => (a.gt(0) ? a.ln() : NO_VALUE),
  log: null,
  logBase: (a, b) => (a.gt(0) && b.gt(0) ? a.ln().div(b.ln()) : NO_VALUE),
  exp: (a) => notVanished(a.exp()),
  sin: (a) => near(a).sin(),
  cos: (a) => near(a).cos(),
  tan: (a) => offPole(near(a).tan()),
  cot: (a) => offPole(ONE.div(near(a).tan())),
  sec: (a) => offPole(ONE.div(near(a).cos())),
  csc: (a) => offPole(ONE.div(near(a).sin())),
  asin: (a) => a.asin(),
  acos: (a) => a.acos(),
  atan: (a) => a.atan(),
  sinh: (a) => near(a).sinh(),
  cosh: (a) => near(a).cosh(),
  tanh: (a) => near(a).tanh(),
  floor: (a) => a.floor(),
  ceil: (a) => a.ceil(),
  max: (_a, _b, all) => Real.max(...all),
  min: (_a, _b, all) => Real.min(...all),
  degrees: (a) => a.times(PI).div(180),
  factorial: null,
  binomial: null,
  gcd: null,
  lcm: null,
  mod: null,
};

function call(name: FunctionName, args: readonly Real[]): Real {
  const [a = NO_VALUE, b = NO_VALUE] = args;
  return FUNCTIONS[name]?.(a, b, args) ?? NO_VALUE;
}

/** The same points for the same names in every run: a linear congruence, values in (-3, 3) and never simple fractions. */
function pointsFor(names: readonly string[]): Map<string, Real>[] {
  let state = 12_345;
  const next = (): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648);
  return Array.from({ length: names.length === 0 ? 1 : POINTS }, (_, index) => {
    const positive = index % 2 === 0;
    return new Map(names.map((name) => [name, new Real(next()).plus('0.123456789123456789').div('715827882.7').times(positive ? 1 : index % 4 === 1 ? -1 : next() % 2 === 0 ? 1 : -1)]));
  });
}

export function relativeDifference(a: Real, b: Real): Real {
  const size = Real.max(a.abs(), b.abs());
  return size.isZero() ? size : a.minus(b).abs().div(size);
}

/** Do both agree at many points (or as numbers, where there are no variables)? null: too few points, or too close to say. */
export function agreeNumerically(a: Expr, b: Expr): boolean | null {
  const names = [...new Set([...variablesOf(a), ...variablesOf(b)])];
  if (some(a, isOutside) || some(b, isOutside)) return null;
  let seen = 0;
  for (const point of pointsFor(names)) {
    const [left, right] = [valueAt(a, point), valueAt(b, point)];
    if (left.isFinite() !== right.isFinite() && names.length > 0) continue;
    if (!left.isFinite() || !right.isFinite()) continue;
    const difference = relativeDifference(left, right);
    if (difference.gt(DIFFER)) return left.abs().lt(1e-20) && right.abs().lt(1e-20) ? null : false;
    if (difference.gt(AGREE)) return null;
    seen += 1;
  }
  return seen >= Math.min(NEEDED, names.length === 0 ? 1 : NEEDED) ? true : null;
}

function isOutside(part: Expr): boolean {
  return part.kind === 'symbol' && (part.name === 'i' || part.name === '∞');
}

/** Value of an expression without variables, or null. */
export function numericValue(expr: Expr): Real | null {
  const value = valueAt(expr, new Map());
  return value.isFinite() ? value : null;
}

/** An exact residue stands beside huge or tiny numbers: 60 digits can't tell 10^-200 from nothing. */
export function hasExtremeNumbers(expr: Expr): boolean {
  return some(expr, (part) => {
    if (part.kind === 'number') return part.value.n.toString().length > 15 || part.value.d.toString().length > 15;
    if (part.kind === 'power') return isLarge(part.exponent);
    return part.kind === 'call' && part.name === 'exp' && part.args.some(isLarge);
  });
}

function isLarge(exponent: Expr): boolean {
  if (variablesOf(exponent).length > 0) return some(exponent, (part) => part.kind === 'power' || (part.kind === 'number' && part.value.n > 12n * part.value.d));
  const value = numericValue(exponent);
  return value === null || value.abs().gt(12);
}
