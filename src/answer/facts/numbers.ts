/**
 * The second opinion: MathJSON evaluated by mathjs, as numbers at a point. Knows every operator that facts may be
 * shown of; anything else has no value, so nothing that holds it can be confirmed. Sums and integrals are computed
 * from their definition, not from a rule.
 */

import { abs, acos, acosh, add, asin, asinh, atan, atanh, ceil, complex, cos, cosh, cot, csc, divide, exp, floor, gamma, log, multiply, pow, sec, sin, sinh, sqrt, subtract, tan, tanh } from 'mathjs';
import type { Complex } from 'mathjs';
import { decided } from '../undecided.ts';

/** MathJSON without its long forms; foreign, so checked where it is used. */
export type Json = unknown;
export type Values = ReadonlyMap<string, number>;

class NoValue extends Error {}

const CONSTANTS: Readonly<Record<string, Complex>> = { Pi: complex(Math.PI, 0), ExponentialE: complex(Math.E, 0), ImaginaryUnit: complex(0, 1), Half: complex(0.5, 0) };

type Unary = (value: Complex) => unknown;
const UNARY: Readonly<Record<string, Unary>> = {
  Negate: (a) => multiply(a, -1), Sqrt: (a) => sqrt(a), Square: (a) => multiply(a, a), Exp: (a) => exp(a), Ln: (a) => log(a), Abs: (a) => abs(a),
  Sin: (a) => sin(a), Cos: (a) => cos(a), Tan: (a) => tan(a), Cot: (a) => cot(a), Sec: (a) => sec(a), Csc: (a) => csc(a),
  Arcsin: (a) => asin(a), Arccos: (a) => acos(a), Arctan: (a) => atan(a), Sinh: (a) => sinh(a), Cosh: (a) => cosh(a), Tanh: (a) => tanh(a),
  Arsinh: (a) => asinh(a), Arcosh: (a) => acosh(a), Artanh: (a) => atanh(a), Floor: (a) => floor(realOf(a)), Ceil: (a) => ceil(realOf(a)),
  Factorial: (a) => factorialOf(a), Delimiter: (a) => a, Sign: (a) => Math.sign(realOf(a)), Degrees: (a) => multiply(a, Math.PI / 180),
};
const BINARY: Readonly<Record<string, (a: Complex, b: Complex) => unknown>> = {
  Divide: (a, b) => divide(a, nonZero(b)), Rational: (a, b) => divide(a, nonZero(b)), Power: (a, b) => powerOf(a, b), Root: (a, n) => rootOf(a, n), Subtract: (a, b) => subtract(a, b),
  Complex: (a, b) => complex(realOf(a), realOf(b)), Mod: (a, b) => ((realOf(a) % realOf(b)) + realOf(b)) % realOf(b), Binomial: (n, k) => divide(factorialOf(n), asComplex(multiply(factorialOf(k), factorialOf(asComplex(subtract(n, k)))))),
};
const MANY: Readonly<Record<string, (values: readonly number[]) => number>> = {
  GCD: (values) => values.reduce(gcdOf), LCM: (values) => values.reduce((a, b) => (a * b) / gcdOf(a, b)), Max: (values) => Math.max(...values), Min: (values) => Math.min(...values),
};

/** Value at a point; null where there is none, or none that is known here. */
export function numberAt(json: Json, values: Values): Complex | null {
  try {
    const value = decided(() => evaluate(json, values, 0));
    return value === null || !Number.isFinite(value.re) || !Number.isFinite(value.im) ? null : value;
  } catch (error) {
    if (error instanceof NoValue) return null;
    throw error;
  }
}

/** The same, where it is a real number. */
export function realAt(json: Json, values: Values): number | null {
  const value = numberAt(json, values);
  return value === null || Math.abs(value.im) > 1e-9 * Math.max(1, Math.abs(value.re)) ? null : value.re;
}

function evaluate(json: Json, values: Values, depth: number): Complex {
  if (depth > 200) throw new NoValue();
  if (typeof json === 'number') return complex(json, 0);
  if (typeof json === 'string') return symbol(json, values);
  if (typeof json === 'object' && json !== null && 'num' in json && typeof json.num === 'string') return complex(Number(json.num), 0);
  if (!Array.isArray(json) || typeof json[0] !== 'string') throw new NoValue();
  const [head, ...args] = json as [string, ...Json[]];
  if (head === 'Sum' || head === 'Product') return repeated(head, args, values, depth);
  if (head === 'Integrate') return integral(args, values, depth);
  if (head === 'Limit') return limit(args, values, depth);
  const numbers = args.map((arg) => evaluate(arg, values, depth + 1));
  const [a, b] = numbers;
  if (head === 'Add' || head === 'Multiply') return numbers.reduce((x, y) => asComplex(head === 'Add' ? add(x, y) : multiply(x, y)));
  if (head === 'Log' && a !== undefined) return asComplex(divide(log(nonZero(a)), asComplex(log(b ?? complex(10, 0)))));
  const many = MANY[head];
  if (many !== undefined && numbers.length > 0) return complex(many(numbers.map(realOf)), 0);
  const unary = numbers.length === 1 ? UNARY[head] : undefined;
  if (unary !== undefined && a !== undefined) return asComplex(unary(a));
  const binary = numbers.length === 2 ? BINARY[head] : undefined;
  if (binary !== undefined && a !== undefined && b !== undefined) return asComplex(binary(a, b));
  throw new NoValue();
}

function symbol(name: string, values: Values): Complex {
  const value = values.get(name);
  if (value !== undefined) return complex(value, 0);
  const constant = Object.hasOwn(CONSTANTS, name) ? CONSTANTS[name] : undefined;
  if (constant === undefined) throw new NoValue();
  return constant;
}

function asComplex(value: unknown): Complex {
  if (typeof value === 'number') return complex(value, 0);
  if (typeof value === 'object' && value !== null && 're' in value && 'im' in value && typeof value.re === 'number' && typeof value.im === 'number') return complex(value.re, value.im);
  throw new NoValue();
}

function realOf({ re, im }: Complex): number {
  if (Math.abs(im) > 1e-12 * Math.max(1, Math.abs(re))) throw new NoValue();
  return re;
}
function nonZero(value: Complex): Complex {
  if (value.re === 0 && value.im === 0) throw new NoValue();
  return value;
}
function factorialOf(value: Complex): Complex {
  const n = realOf(value);
  if (n < 0 || n > 170) throw new NoValue();
  return complex(Number.isInteger(n) ? Array.from({ length: n }, (_, i) => i + 1).reduce((a, b) => a * b, 1) : gamma(n + 1), 0);
}
/** Real odd roots of negative numbers are real, as schools have it; 0^0 and 0 to a negative power have no value. */
function powerOf(base: Complex, exponent: Complex): unknown {
  if (base.re === 0 && base.im === 0 && exponent.re <= 0) throw new NoValue();
  return pow(base, exponent);
}
function rootOf(value: Complex, index: Complex): unknown {
  const n = realOf(index);
  if (value.im === 0 && value.re < 0 && Number.isInteger(n) && n % 2 === 1) return -((-value.re) ** (1 / n));
  return powerOf(value, complex(1 / n, 0));
}
function gcdOf(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  if (!Number.isSafeInteger(x) || !Number.isSafeInteger(y)) throw new NoValue();
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

/** ["Limits", name, from, to] */
function limits(json: Json, values: Values, depth: number): { readonly name: string; readonly from: number; readonly to: number } {
  if (!Array.isArray(json) || json[0] !== 'Limits' || typeof json[1] !== 'string') throw new NoValue();
  return { name: json[1], from: bound(json[2], values, depth), to: bound(json[3], values, depth) };
}

function bound(json: Json, values: Values, depth: number): number {
  if (json === 'PositiveInfinity') return Infinity;
  return json === 'NegativeInfinity' ? -Infinity : realOf(evaluate(json, values, depth + 1));
}

const MOST_TERMS = 10_000;

function repeated(head: 'Sum' | 'Product', [body, range, ...more]: readonly Json[], values: Values, depth: number): Complex {
  const { name, from, to } = limits(range, values, depth);
  if (more.length > 0 || !Number.isInteger(from) || !Number.isInteger(to) || to - from > MOST_TERMS) throw new NoValue();
  let result = complex(head === 'Sum' ? 0 : 1, 0);
  for (let k = from; k <= to; k += 1) {
    const term = evaluate(body, new Map(values).set(name, k), depth + 1);
    result = asComplex(head === 'Sum' ? add(result, term) : multiply(result, term));
  }
  return result;
}

/** Midpoints of many intervals: no rule of integration, and no value asked for at the ends. */
function integral([body, range, ...more]: readonly Json[], values: Values, depth: number): Complex {
  const { name, from, to } = limits(range, values, depth);
  const integrand = integrandOf(body, name);
  if (more.length > 0 || integrand === null) throw new NoValue();
  const value = (x: number): number => realOf(evaluate(integrand, new Map(values).set(name, x), depth + 1));
  // An endless range becomes a finite one: x = tan u.
  const endless = !Number.isFinite(from) || !Number.isFinite(to);
  const at = endless ? (u: number): number => value(Math.tan(u)) * (1 + Math.tan(u) ** 2) : value;
  const [left, right] = endless ? [Math.atan(from), Math.atan(to)] : [from, to];
  const total = (steps: number): number => {
    const width = (right - left) / steps;
    let area = 0;
    for (let i = 0; i < steps; i += 1) area += at(left + (i + 0.5) * width) * width;
    return area;
  };
  const [coarse, fine] = [total(2000), total(6000)];
  // Midpoint errors shrink with the square of the width: the two together give the limit.
  if (Math.abs(fine - coarse) > 1e-3 * Math.max(1, Math.abs(fine))) throw new NoValue();
  return complex(fine + (fine - coarse) / 8, 0);
}

/** From both sides, which have to come to the same. */
function limit([body, point]: readonly Json[], values: Values, depth: number): Complex {
  const name: unknown = Array.isArray(body) ? body[2] : null;
  const inside = typeof name === 'string' ? integrandOf(body, name) : null;
  if (typeof name !== 'string' || inside === null) throw new NoValue();
  const to = realOf(evaluate(point, values, depth + 1));
  const at = (x: number): number => realOf(evaluate(inside, new Map(values).set(name, x), depth + 1));
  const h = 1e-5;
  const [left, right] = [at(to - h), at(to + h)];
  if (Math.abs(left - right) > 1e-3 * Math.max(1, Math.abs(left))) throw new NoValue();
  return complex((left + right) / 2, 0);
}

/** ["Function", ["Block", body], name] or the body itself; null where it is neither. */
export function integrandOf(json: Json, name: string): Json {
  if (!Array.isArray(json) || json[0] !== 'Function') return json;
  if (json[2] !== name || json.length !== 3) return null;
  const body: Json = json[1];
  return Array.isArray(body) && body[0] === 'Block' ? (body.length === 2 ? body[1] : null) : body;
}

const POINTS = 24;
const NEEDED = 4;
const CLOSE = 1e-8;

/** Points in (-3, 3), the same in every run, never simple fractions. */
export function samplePoints(names: readonly string[]): Map<string, number>[] {
  let state = 20_231;
  const next = (): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  return Array.from({ length: names.length === 0 ? 1 : POINTS }, (_, i) => new Map(names.map((name) => [name, (next() * 2.9 + 0.07) * (i % 3 === 2 && next() < 0.7 ? -1 : 1)])));
}

/** Do both have the same values wherever both have one? False also where there are too few such points. */
export function agree(a: Json, b: Json, names: readonly string[], close = CLOSE): boolean {
  let seen = 0;
  for (const point of samplePoints(names)) {
    const [x, y] = [numberAt(a, point), numberAt(b, point)];
    if (x === null || y === null) continue;
    if (Math.hypot(x.re - y.re, x.im - y.im) > close * Math.max(1e-3, Math.hypot(x.re, x.im), Math.hypot(y.re, y.im))) return false;
    seen += 1;
  }
  return seen >= (names.length === 0 ? 1 : NEEDED);
}

/** Is `slope` the derivative of `json`? By differences, no rule of differentiation. */
export function isSlope(json: Json, slope: Json, name: string, names: readonly string[]): boolean {
  const h = 1e-5;
  let seen = 0;
  for (const point of samplePoints(names)) {
    const x = point.get(name);
    if (x === undefined) return false;
    const [left, right, value] = [realAt(json, new Map(point).set(name, x - h)), realAt(json, new Map(point).set(name, x + h)), realAt(slope, point)];
    if (left === null || right === null || value === null) continue;
    if (Math.abs((right - left) / (2 * h) - value) > 1e-4 * Math.max(1, Math.abs(value))) return false;
    seen += 1;
  }
  return seen >= NEEDED;
}
