/**
 * The shapes of problems that can be checked, and how a formula of a problem is read: stricter than one of an answer.
 * Knows no English (phrases.ts) and no answers (check.ts).
 */

import { some, variablesOf } from './expression.ts';
import type { Expr } from './expression.ts';
import { parseExpression } from './parser.ts';
import { Undecided } from './undecided.ts';
import { unitNamed } from './units.ts';
import type { Quantity, Unit } from './units.ts';

export interface Equation {
  readonly left: Expr;
  readonly right: Expr;
}

export type Problem =
  /** `lowest`: asked for in lowest terms or simplest form. `percent`: asked for in percent. `remainder`: asked for with its remainder. */
  | { readonly kind: 'compute'; readonly expr: Expr; readonly lowest: boolean; readonly percent: boolean; readonly remainder: 'asked' | 'allowed' | 'no' }
  /** `wanted`: the unknowns that were asked for by name; null: all. */
  | { readonly kind: 'solve'; readonly equations: readonly Equation[]; readonly wanted: readonly string[] | null }
  | { readonly kind: 'rewrite'; readonly how: 'expand' | 'factor' | 'simplify'; readonly expr: Expr }
  | { readonly kind: 'differentiate'; readonly expr: Expr; readonly variable: string }
  | { readonly kind: 'convert'; readonly from: readonly Quantity[]; readonly to: readonly Unit[] };

const TRIGONOMETRY = new Set(['sin', 'cos', 'tan', 'cot', 'sec', 'csc']);

/** @throws Undecided where it has a ±, or an angle without its unit */
export function readExpression(text: string): Expr {
  const expr = parseExpression(text);
  if (some(expr, (part) => part.kind === 'plus-minus')) throw new Undecided('plus-minus');
  for (const [, word] of text.matchAll(/\d\s*(\p{L}{2,})(?!\s*\()/gu)) if (unitNamed(word ?? '') !== null) throw new Undecided('calculates-with-units');
  if (!text.includes('_') && some(expr, (part) => part.kind === 'symbol' && part.name.includes('_'))) throw new Undecided('number-after-letter');
  if (some(expr, addsPercent)) throw new Undecided('percentage-of-what');
  const unclear = (part: Expr): boolean => part.kind === 'call' && TRIGONOMETRY.has(part.name) && part.args.some((arg) => variablesOf(arg).length === 0 && !some(arg, isAngle) && !isZero(arg));
  if (some(expr, unclear)) throw new Undecided('degrees-or-not');
  return expr;
}
/** 200 + 10 % is 200.1 to some and 220 to others. */
function addsPercent(part: Expr): boolean {
  const isPercent = (term: Expr): boolean => term.kind === 'percent' || (term.kind === 'negative' && isPercent(term.of));
  return part.kind === 'sum' && part.terms.some(isPercent) && !part.terms.every(isPercent);
}
function isAngle(part: Expr): boolean {
  return (part.kind === 'symbol' && part.name === 'π') || (part.kind === 'call' && part.name === 'degrees');
}
function isZero(part: Expr): boolean {
  return part.kind === 'number' && part.value.n === 0n;
}
