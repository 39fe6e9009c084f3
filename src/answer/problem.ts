/**
 * What a typed problem asks, where that is a formula: compute, solve, rewrite, differentiate, convert.
 * Knows only the shapes; phrases.ts reads the English around a formula. A problem that isn't understood in every
 * word is null: a check of half a problem could call a wrong answer right.
 */

import { splitTop } from './answerForm.ts';
import { variablesOf } from './expression.ts';
import { cleaned, divisors, readPhrase, stripped } from './phrases.ts';
import { readExpression } from './problemKinds.ts';
import type { Equation, Problem } from './problemKinds.ts';
import { Undecided, decided } from './undecided.ts';

/** null: not a formula, or not understood for certain. Never throws for bad input. */
export function understandProblem(text: string): Problem | null {
  return decided(() => {
    const plain = cleaned(text);
    return readPhrase(plain) ?? readFormula(plain);
  });
}

/** Whole formulas with only politeness and verbs around them. */
function readFormula(plain: string): Problem {
  if (/[\d)}]\s*!$/.test(plain) && !/^(?:what is )?\d+!$/.test(plain)) throw new Undecided('exclamation-mark');
  if (/(?<![\d.])\d{1,2}:\d{2}(?!\d).*(?<![\d.])\d{1,2}:\d{2}(?!\d)/s.test(plain)) throw new Undecided('times-of-day');
  const { text, verb, wanted, remainder } = stripped(plain);
  const named = divisors(text);
  if (named !== null && wanted === null && !remainder) return named;
  const parts = splitTop(text, /^\s*(?:,(?!\d{3}(?!\d))|;|\n|\\\\|&|and\b)\s*/).map((part) => part.trim()).filter((part) => part !== '');
  if (parts.some((part) => part.includes('=')) || verb === 'roots') {
    if (verb !== 'solve' && verb !== 'roots' && verb !== null) throw new Undecided('equation-is-solved');
    return { kind: 'solve', equations: parts.map((part) => readEquation(part, verb === 'roots' && parts.length === 1)), wanted };
  }
  if (wanted !== null) throw new Undecided('equation-missing');
  const expr = readExpression(text);
  if (variablesOf(expr).length === 0) {
    if (remainder && expr.kind !== 'quotient') throw new Undecided('division-missing');
    const whole = expr.kind === 'quotient' && expr.over.kind === 'number' && expr.under.kind === 'number';
    return { kind: 'compute', expr, lowest: verb === 'simplify', percent: false, remainder: whole ? (remainder ? 'asked' : 'allowed') : 'no' };
  }
  if (remainder || verb === 'solve' || verb === 'compute') throw new Undecided('letter-without-value');
  return { kind: 'rewrite', how: verb === 'expand' || verb === 'factor' ? verb : 'simplify', expr };
}

function readEquation(text: string, polynomialAlone: boolean): Equation {
  const sides = text.split('=');
  const [left = '', right = ''] = sides;
  if (polynomialAlone && sides.length === 1) return { left: readExpression(left), right: readExpression('0') };
  if (sides.length !== 2) throw new Undecided('not-one-equation');
  return { left: readExpression(left), right: readExpression(right) };
}
