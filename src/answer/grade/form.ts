/** The forms that a benchmark's grader tells apart. Wider than the answer check's: nothing is refused as ambiguous here. */

import type { Expr } from '../expression.ts';

export type Sign = '=' | '<' | '<=' | '>' | '>=' | '!=';

export type Form =
  | { readonly kind: 'value'; readonly expr: Expr }
  /** A list without brackets, or a set; equal items count once. */
  | { readonly kind: 'set'; readonly items: readonly Form[] }
  | { readonly kind: 'tuple'; readonly items: readonly Form[] }
  | { readonly kind: 'interval'; readonly from: Expr; readonly to: Expr; readonly openLeft: boolean; readonly openRight: boolean }
  | { readonly kind: 'union'; readonly items: readonly Form[] }
  /** Numbers by a sign's name: \mathbb{Z}. */
  | { readonly kind: 'named'; readonly name: string }
  /** a = b, a < b < c: one sign less than sides. */
  | { readonly kind: 'relation'; readonly sides: readonly Form[]; readonly signs: readonly Sign[] }
  | { readonly kind: 'matrix'; readonly rows: readonly (readonly Expr[])[] };

/** A letter or a word; the prefix keeps it apart from the constants of expressions (i and e are letters here). */
export function letter(name: string): Expr {
  return { kind: 'symbol', name: `_${name.toLowerCase()}` };
}

export const INFINITY: Expr = { kind: 'symbol', name: '∞' };
export const EULER: Expr = { kind: 'symbol', name: 'e' };
export const PI: Expr = { kind: 'symbol', name: 'π' };

/** The name of a letter or word, without its prefix and its mark; null for anything else. */
export function nameOf(expr: Expr): string | null {
  return expr.kind === 'symbol' && expr.name.startsWith('_') ? expr.name.slice(1).replace(/\*$/, '') : null;
}
