/**
 * The expression tree that a formula is read into, and how a tree is written again in a reason.
 * Knows nothing of notation (parser.ts reads it) and nothing of values (exact.ts and numeric.ts find them).
 */

import { negate, rational, showRational } from './rational.ts';
import type { Rational } from './rational.ts';

export const FUNCTION_NAMES = [
  'sqrt', 'root', 'abs', 'ln', 'log', 'logBase', 'exp', 'sin', 'cos', 'tan', 'cot', 'sec', 'csc', 'asin', 'acos', 'atan',
  'sinh', 'cosh', 'tanh', 'factorial', 'binomial', 'gcd', 'lcm', 'floor', 'ceil', 'max', 'min', 'mod', 'degrees',
] as const;
export type FunctionName = (typeof FUNCTION_NAMES)[number];

export type Expr =
  /** `written`: an integer, a decimal with a point (or scientific), or a mixed number. */
  | { readonly kind: 'number'; readonly value: Rational; readonly written: 'integer' | 'decimal' | 'mixed' }
  /** A variable, or one of the constants 'π', 'e', 'i', '∞'. */
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'sum'; readonly terms: readonly Expr[] }
  | { readonly kind: 'product'; readonly factors: readonly Expr[] }
  | { readonly kind: 'quotient'; readonly over: Expr; readonly under: Expr }
  | { readonly kind: 'power'; readonly base: Expr; readonly exponent: Expr }
  | { readonly kind: 'negative'; readonly of: Expr }
  | { readonly kind: 'percent'; readonly of: Expr }
  /** Two values at once; expandPlusMinus makes two trees of it. */
  | { readonly kind: 'plus-minus'; readonly of: Expr }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Expr[] };

const CONSTANTS: ReadonlySet<string> = new Set(['π', 'e', 'i', '∞']);

export function numberOf(value: Rational | bigint | number): Expr {
  return { kind: 'number', value: typeof value === 'object' ? value : rational(value), written: 'integer' };
}
export function sum(terms: readonly Expr[]): Expr {
  const [only] = terms;
  return only !== undefined && terms.length === 1 ? only : { kind: 'sum', terms };
}
export function product(factors: readonly Expr[]): Expr {
  const [only] = factors;
  return only !== undefined && factors.length === 1 ? only : { kind: 'product', factors };
}
export function quotient(over: Expr, under: Expr): Expr {
  return { kind: 'quotient', over, under };
}
export function negative(of: Expr): Expr {
  return { kind: 'negative', of };
}

export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'symbol':
      return [];
    case 'sum':
      return expr.terms;
    case 'product':
      return expr.factors;
    case 'quotient':
      return [expr.over, expr.under];
    case 'power':
      return [expr.base, expr.exponent];
    case 'negative':
    case 'percent':
    case 'plus-minus':
      return [expr.of];
    case 'call':
      return expr.args;
    default:
      return expr satisfies never;
  }
}

/** The same node over `map(child)`. */
function mapChildren(expr: Expr, map: (child: Expr) => Expr): Expr {
  switch (expr.kind) {
    case 'number':
    case 'symbol':
      return expr;
    case 'sum':
      return { ...expr, terms: expr.terms.map(map) };
    case 'product':
      return { ...expr, factors: expr.factors.map(map) };
    case 'quotient':
      return { ...expr, over: map(expr.over), under: map(expr.under) };
    case 'power':
      return { ...expr, base: map(expr.base), exponent: map(expr.exponent) };
    case 'negative':
    case 'percent':
    case 'plus-minus':
      return { ...expr, of: map(expr.of) };
    case 'call':
      return { ...expr, args: expr.args.map(map) };
    default:
      return expr satisfies never;
  }
}

/** True where `test` holds for the tree or any part of it. */
export function some(expr: Expr, test: (part: Expr) => boolean): boolean {
  return test(expr) || childrenOf(expr).some((child) => some(child, test));
}

/** Names of the variables, sorted. */
export function variablesOf(expr: Expr): string[] {
  const names = new Set<string>();
  some(expr, (part) => {
    if (part.kind === 'symbol' && !CONSTANTS.has(part.name)) names.add(part.name);
    return false;
  });
  return [...names].sort();
}

export function substitute(expr: Expr, values: ReadonlyMap<string, Expr>): Expr {
  if (expr.kind === 'symbol') return values.get(expr.name) ?? expr;
  return mapChildren(expr, (child) => substitute(child, values));
}

/** The one or two expressions that a ± stands for. All ± of one formula take the same sign. */
export function expandPlusMinus(expr: Expr): readonly Expr[] {
  if (!some(expr, (part) => part.kind === 'plus-minus')) return [expr];
  const signed = (plus: boolean, part: Expr): Expr => {
    const mapped = mapChildren(part, (child) => signed(plus, child));
    if (mapped.kind !== 'plus-minus') return mapped;
    return plus ? mapped.of : negative(mapped.of);
  };
  return [signed(true, expr), signed(false, expr)];
}

/** The rational number that a literal stands for: 5, -3, 1/2, 2½, 3.25, 50 %; null for anything to be worked out. */
export function literalValue(expr: Expr): Rational | null {
  if (expr.kind === 'number') return expr.value;
  if (expr.kind === 'negative') {
    const value = literalValue(expr.of);
    return value === null ? null : negate(value);
  }
  if (expr.kind === 'percent') {
    const value = literalValue(expr.of);
    return value === null ? null : rational(value.n, value.d * 100n);
  }
  if (expr.kind !== 'quotient') return null;
  const top = expr.over.kind === 'negative' ? expr.over.of : expr.over;
  const bottom = expr.under.kind === 'negative' ? expr.under.of : expr.under;
  if (top.kind !== 'number' || bottom.kind !== 'number' || top.value.d !== 1n || bottom.value.d !== 1n || bottom.value.n === 0n) return null;
  const flipped = (expr.over.kind === 'negative') !== (expr.under.kind === 'negative');
  const value = rational(top.value.n, bottom.value.n);
  return flipped ? negate(value) : value;
}

const RANK = { sum: 1, negative: 2, product: 3, quotient: 3, power: 5 } as const;

function rankOf(expr: Expr): number {
  switch (expr.kind) {
    case 'number':
      return expr.value.n < 0n ? RANK.negative : expr.value.d !== 1n && expr.written === 'integer' ? RANK.quotient : 9;
    case 'sum':
    case 'negative':
    case 'product':
    case 'quotient':
    case 'power':
      return RANK[expr.kind];
    case 'plus-minus':
      return RANK.negative;
    case 'symbol':
    case 'percent':
    case 'call':
      return 9;
    default:
      return expr satisfies never;
  }
}

function decimalText(value: Rational): string {
  let places = 0;
  let scale = 1n;
  while ((value.n * scale) % value.d !== 0n) {
    places += 1;
    scale *= 10n;
    if (places > 40) return showRational(value);
  }
  const digits = ((value.n < 0n ? -value.n : value.n) * scale) / value.d;
  const text = digits.toString().padStart(places + 1, '0');
  const cut = text.length - places;
  return `${value.n < 0n ? '-' : ''}${text.slice(0, cut)}${places === 0 ? '' : `.${text.slice(cut)}`}`;
}

/** One line of plain text: 3·5 + 5. Brackets where precedence asks for them. */
export function show(expr: Expr): string {
  const inner = (part: Expr, rank: number): string => (rankOf(part) <= rank ? `(${show(part)})` : show(part));
  switch (expr.kind) {
    case 'number':
      return expr.written === 'decimal' ? decimalText(expr.value) : showRational(expr.value);
    case 'symbol':
      return expr.name;
    case 'sum':
      return expr.terms.map((term, i) => (i === 0 ? show(term) : term.kind === 'negative' ? ` - ${inner(term.of, RANK.negative)}` : ` + ${inner(term, RANK.negative)}`)).join('');
    case 'negative':
      return `-${inner(expr.of, RANK.negative)}`;
    case 'product':
      return showProduct(expr.factors, inner);
    case 'quotient':
      return `${inner(expr.over, RANK.negative)}/${inner(expr.under, RANK.quotient)}`;
    case 'power':
      return `${inner(expr.base, RANK.power)}^${inner(expr.exponent, RANK.quotient)}`;
    case 'percent':
      return `${inner(expr.of, RANK.quotient)}%`;
    case 'plus-minus':
      return `±${inner(expr.of, RANK.negative)}`;
    case 'call':
      if (expr.name === 'degrees') return `${expr.args.map((arg) => inner(arg, RANK.quotient)).join('')}°`;
      if (expr.name === 'abs') return `|${expr.args.map(show).join('')}|`;
      return expr.name === 'sqrt' ? `√${expr.args.map((arg) => inner(arg, RANK.power)).join('')}` : `${expr.name}(${expr.args.map(show).join(', ')})`;
    default:
      return expr satisfies never;
  }
}

/** 3·5, but 3x: no sign before a letter, a root or a bracket that follows a number. */
function showProduct(factors: readonly Expr[], inner: (part: Expr, rank: number) => string): string {
  return factors.map((factor, i) => {
    const text = inner(factor, i === 0 ? RANK.sum : RANK.negative);
    return i === 0 ? text : /^[\p{L}√]/u.test(text) ? text : `·${text}`;
  }).join('');
}
