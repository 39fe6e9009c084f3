/**
 * Checks an answer against its problem, without the model: 'verified' is said only for what computer algebra shows.
 * Pure and synchronous; checker.ts gives it a time limit. Knows no editor and no engine.
 */

import type { AnswerCheck } from '../protocol/answer.ts';
import { readAnswer } from './answerForm.ts';
import { checkCompute, checkConversion } from './checkCompute.ts';
import { checkDerivative, checkRewrite } from './checkRewrite.ts';
import { checkSolve } from './checkSolve.ts';
import type { AnswerForm } from './answerForm.ts';
import { understandProblem } from './problem.ts';
import type { Problem } from './problemKinds.ts';
import { Undecided } from './undecided.ts';
import { unchecked } from './verdict.ts';

export const NOT_A_FORMULA = 'This problem isn’t a formula that can be checked by computer algebra.';

/** Never throws for bad input. May run for long on huge numbers: call it through checkAnswer. */
export function checkAnswerNow(problem: string, answer: string): AnswerCheck {
  try {
    const understood = understandProblem(problem);
    return understood === null ? unchecked(NOT_A_FORMULA) : checkUnderstood(understood, readAnswer(answer));
  } catch (error) {
    if (error instanceof Undecided) return unchecked(`The answer could not be checked: ${error.message}.`);
    if (error instanceof RangeError) return unchecked('The answer could not be checked: it is too large.'); // The call stack or a bigint is exhausted.
    throw error;
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
