/**
 * Checks an answer against its problem, without the model: 'verified' is said only for what computer algebra shows.
 * Pure and synchronous; checker.ts gives it a time limit. Knows no editor and no engine.
 */

import type { AnswerCheck } from '../protocol/answer.ts';
import { reason } from '../protocol/reasons.ts';
import { readAnswer } from './answerForm.ts';
import { checkCompute, checkConversion } from './checkCompute.ts';
import { checkDerivative, checkRewrite } from './checkRewrite.ts';
import { checkSolve } from './checkSolve.ts';
import type { AnswerForm } from './answerForm.ts';
import { variablesOf } from './expression.ts';
import type { Expr } from './expression.ts';
import { understandProblem } from './problem.ts';
import type { Problem } from './problemKinds.ts';
import { Undecided } from './undecided.ts';
import { unchecked } from './verdict.ts';

/** Never throws for bad input. May run for long on huge numbers: call it through checkAnswer. */
export function checkAnswerNow(problem: string, answer: string): AnswerCheck {
  try {
    const understood = understandProblem(problem);
    return understood === null ? unchecked(reason('not-a-formula')) : checkUnderstood(understood, withoutUnit(understood, readAnswer(answer, { letterUnits: false, variables: lettersOf(understood) })));
  } catch (error) {
    if (error instanceof Undecided) return unchecked(reason('unchecked-because', error.because));
    if (error instanceof RangeError) return unchecked(reason('unchecked-because', reason('too-large'))); // The call stack or a bigint is exhausted.
    throw error;
  }
}

/**
 * A formula has no units: an answer in degrees is that angle, a sum of money is let pass (the problem's own dollar sign
 * was read as one of mathematics), and any other unit was made up.
 */
function withoutUnit(problem: Problem, answer: AnswerForm): AnswerForm {
  if (problem.kind === 'convert' || (answer.kind !== 'value' && answer.kind !== 'equation') || answer.unit === null) return answer;
  const { name, dimension } = answer.unit;
  if (dimension.startsWith('money:')) return { ...answer, unit: null };
  if (dimension !== 'angle') throw new Undecided('answer-in-unit', name);
  const inRadians = (of: Expr): Expr => ({ kind: 'call', name: 'degrees', args: [of] });
  return answer.kind === 'value' ? { ...answer, values: answer.values.map(inRadians), unit: null } : { ...answer, right: answer.right.map(inRadians), unit: null };
}

/** The variables of the problem. */
function lettersOf(problem: Problem): ReadonlySet<string> {
  switch (problem.kind) {
    case 'compute':
    case 'rewrite':
    case 'differentiate':
      return new Set(variablesOf(problem.expr));
    case 'solve':
      return new Set(problem.equations.flatMap(({ left, right }) => [...variablesOf(left), ...variablesOf(right)]));
    case 'convert':
      return new Set();
    default:
      return problem satisfies never;
  }
}

function checkUnderstood(problem: Problem, answer: AnswerForm): AnswerCheck {
  switch (problem.kind) {
    case 'compute':
      return checkCompute(problem, answer);
    case 'solve':
      return checkSolve(problem, answer);
    case 'rewrite':
      return checkRewrite(problem, answer);
    case 'differentiate':
      return checkDerivative(problem, answer);
    case 'convert':
      return checkConversion(problem, answer);
    default:
      return problem satisfies never;
  }
}
