/**
 * What computer algebra knows of a formula, as data: kinds of facts with TeX in them, never sentences, so that the
 * one who shows them can say them in the user's language. Types only.
 */

import type { Reason } from '../../protocol/reasons.ts';

export type FormulaKind =
  /** No letter: something to work out. */
  | 'number'
  | 'expression'
  /** Sides with one letter or more, or with none: 2 + 2 = 4. */
  | 'equation'
  | 'system'
  /** f(x) = … or y = …: a letter or function that is given by an expression. */
  | 'function'
  | 'relation'
  /** Computer algebra can't read it, or can't for certain. */
  | 'unread';

export type Fact =
  /** `exact` or `decimal`, or both; `rounded`: the decimal is only about it. */
  | { readonly kind: 'value'; readonly exact: string | null; readonly decimal: string | null; readonly rounded: boolean }
  | { readonly kind: 'simplified' | 'expanded' | 'factored' | 'result'; readonly tex: string }
  | { readonly kind: 'derivative'; readonly variable: string; readonly tex: string }
  /** Of a one-letter equation or system: values by letter. `all`: there are no other real ones; null: not known. */
  | { readonly kind: 'solutions'; readonly solutions: readonly string[]; readonly all: boolean | null }
  | { readonly kind: 'no-real-solution' | 'always-true' | 'never-true' | 'holds' | 'holds-not' }
  /** The equation with the letter alone on its left side. */
  | { readonly kind: 'rearranged'; readonly tex: string }
  /** Conditions under which it has a real value; none: everywhere. */
  | { readonly kind: 'domain'; readonly conditions: readonly string[] };

export interface Curve {
  /** TeX of the expression that is drawn. */
  readonly tex: string;
  /** null: no value there, or out of the picture. */
  readonly points: readonly (readonly [x: number, y: number] | null)[];
}

export interface Plot {
  /** Name of the variable, as TeX. */
  readonly variable: string;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly curves: readonly Curve[];
  /** Solutions, where the curves meet. */
  readonly marks: readonly (readonly [number, number])[];
}

export interface FormulaFacts {
  readonly kind: FormulaKind;
  /** Letters, sorted. */
  readonly variables: readonly string[];
  readonly facts: readonly Fact[];
  readonly plot: Plot | null;
  /** Why it is 'unread', as a part of a sentence that goes on after "because"; null: no particular reason. */
  readonly reason: Reason | null;
  /** Why it was stopped before there was a result; a whole sentence. */
  readonly stopped: Reason | null;
}

export const UNREAD: FormulaFacts = { kind: 'unread', variables: [], facts: [], plot: null, reason: null, stopped: null };
