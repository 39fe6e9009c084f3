/**
 * Facts of a formula: compute-engine proposes, and nothing is shown that the second opinion does not confirm: this
 * room's own parser has to read the formula the same way, and mathjs has to find the same numbers at sample points.
 * Synchronous and possibly slow: runs in the check worker under its time limit. Never throws for bad input.
 */

import { reason } from '../../protocol/reasons.ts';
import { parseExpression } from '../parser.ts';
import { some, variablesOf } from '../expression.ts';
import { Undecided } from '../undecided.ts';
import { readTerm } from './algebra.ts';
import type { Term } from './algebra.ts';
import { equationFacts, systemFacts } from './equationFacts.ts';
import { expressionFacts, numberFacts } from './expressionFacts.ts';
import { UNREAD } from './formulaFacts.ts';
import type { FormulaFacts } from './formulaFacts.ts';
import { agree } from './numbers.ts';
import { plainTex, sidesOf, systemLines } from './plainTex.ts';
import { mathJsonOf } from './secondReading.ts';
import type { Side } from './side.ts';

const LONGEST = 2000;
/** Operators that this room's parser doesn't know; compute-engine's reading of them stands alone. */
const BEYOND = /"(?:Sum|Product|Integrate|Limit|D)"/;
const UNKNOWN = /"(?:Error|Text|String|Tuple|Sequence|Pair|PlusMinus|Apply|Derivative|Hold|Over\w+|Subscript|Prime|Star|Conjugate|Congruent|Matrix|Function)"/;

export function analyseFormula(tex: string): FormulaFacts {
  if (tex.length > LONGEST) return { ...UNREAD, reason: reason('too-long', String(LONGEST)) };
  try {
    return analysed(plainTex(tex));
  } catch (error) {
    if (error instanceof Undecided) return { ...UNREAD, reason: error.because };
    if (error instanceof RangeError) return { ...UNREAD, reason: reason('too-large') }; // The call stack or a bigint is exhausted.
    throw error;
  }
}

function analysed(tex: string): FormulaFacts {
  const lines = systemLines(tex);
  if (lines !== null) {
    const pairs = lines.map((line) => sidesOf(line));
    if (pairs.some((sides) => sides?.length !== 2)) throw new Undecided('not-a-system');
    return systemFacts(pairs.map((sides) => (sides ?? []).map(readSide)));
  }
  const sides = sidesOf(tex);
  if (sides === null) return relationFacts(tex);
  const [left = '', right = ''] = sides;
  if (sides.length === 1) return single(readSide(left));
  if (sides.length > 2) throw new Undecided('several-equals-signs');
  const named = /^\\?[a-zA-Z]+\s*(?:\\left)?\(\s*(\\?[a-zA-Z]+)\s*(?:\\right)?\)$/.exec(left.trim());
  const isFunction = /^(?:[a-zA-Z]|\\[a-z]+)\s*(?:\\left)?\(/.test(left.trim()) && !/^\\(?:sin|cos|tan|ln|log|exp|sqrt|frac)/.test(left.trim());
  if (named !== null && isFunction) return asFunction(readSide(right), (named[1] ?? '').replace('\\', ''));
  return equationFacts(readSide(left), readSide(right));
}

function single(side: Side): FormulaFacts {
  return side.term.letters.length === 0 ? numberFacts(side) : expressionFacts(side, 'expression');
}

function asFunction(side: Side, variable: string): FormulaFacts {
  if (side.term.letters.length === 0) return { ...numberFacts(side), kind: 'function' };
  return { ...expressionFacts(side, 'function', variable) };
}

/** Read, but nothing is claimed of it. */
function relationFacts(tex: string): FormulaFacts {
  const term = readTerm(tex);
  return term === null ? UNREAD : { ...UNREAD, kind: 'relation', variables: term.letters };
}

/** @throws Undecided where it can't be read, or not for certain */
function readSide(tex: string): Side {
  const term = readTerm(tex);
  if (term === null) throw new Undecided('unknown-part');
  const json = JSON.stringify(term.json);
  const beyond = BEYOND.test(json);
  if (!beyond && UNKNOWN.test(json)) throw new Undecided('unknown-part');
  if (beyond) return { term, expr: null };
  const expr = parseExpression(tex);
  if (some(expr, (part) => part.kind === 'plus-minus')) throw new Undecided('plus-minus-two');
  const names = [...new Set([...term.letters, ...variablesOf(expr)])];
  if (names.length > 0 || !hasNoNumber(term)) {
    if (!agree(term.json, mathJsonOf(expr), names)) throw new Undecided('two-readings');
  }
  return { term, expr };
}

/** Values beyond floating point can't be compared; this room's exact arithmetic is certain of them anyway. */
function hasNoNumber({ json }: Term): boolean {
  return /"Factorial"|\d{16}|"Power",(?:\[[^\]]*\]|\d+),\d{3}/.test(JSON.stringify(json));
}
