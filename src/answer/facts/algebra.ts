/**
 * The computer algebra system as this room uses it: TeX in, MathJSON and TeX out. The only file that knows
 * compute-engine. Its results are suggestions: analyse.ts shows those that the second opinion confirms.
 */

import { ComputeEngine } from '@cortex-js/compute-engine';
import type { Json } from './numbers.ts';

type Boxed = NonNullable<ReturnType<ComputeEngine['parse']>>;

export interface Term {
  readonly json: Json;
  /** Operator, or '' for a number or a letter. */
  readonly head: string;
  readonly letters: readonly string[];
  readonly tex: string;
}

let engine: ComputeEngine | null = null;

function algebra(): ComputeEngine {
  engine ??= new ComputeEngine();
  return engine;
}

function termOf(boxed: Boxed): Term {
  return {
    json: boxed.json,
    head: Array.isArray(boxed.json) ? boxed.operator : '',
    letters: [...boxed.unknowns].sort(),
    get tex() {
      return shownTex(boxed.latex);
    },
  };
}

/** TeX as anyone writes it, without commands that only compute-engine knows. */
function shownTex(latex: string): string {
  return latex.replace(/\\exponentialE/g, 'e').replace(/\\imaginaryI/g, 'i').replace(/\\differentialD/g, 'd').replace(/\\(?:tilde\\infty|top|bot)\b/g, '?').replace(/(\d)\\,(?=\d)/g, '$1');
}

/** null where it can't be read whole. */
export function readTerm(tex: string): Term | null {
  const read = algebra().parse(tex);
  return read.isValid ? termOf(read) : null;
}

function boxed(json: Json): Boxed {
  return algebra().expr(json as Parameters<ComputeEngine['expr']>[0]);
}

export function simplified(json: Json): Term {
  return termOf(boxed(json).simplify());
}
export function evaluated(json: Json): Term {
  return termOf(boxed(json).evaluate());
}
export function expanded(json: Json): Term {
  return termOf(boxed(['Expand', json]).evaluate());
}
export function factored(json: Json): Term {
  return termOf(boxed(['Factor', json]).evaluate());
}
export function derivativeOf(json: Json, letter: string): Term {
  return termOf(boxed(['D', json, letter]).evaluate().simplify());
}
/** Values of one letter. Empty: none was found, which doesn't say that there is none. */
export function solutionsOf(json: Json, letter: string): readonly Term[] {
  const found: unknown = boxed(json).solve(letter);
  return Array.isArray(found) ? (found as readonly Boxed[]).map(termOf) : [];
}
