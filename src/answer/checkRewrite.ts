/** Expanded, factored, simplified, differentiated: is the answer equal, and is it in the form that was asked for? */

import type { AnswerCheck } from '../protocol/answer.ts';
import { reason } from '../protocol/reasons.ts';
import type { AnswerForm } from './answerForm.ts';
import { derivative } from './derivative.ts';
import { equalExpressions } from './equality.ts';
import { exactOf } from './exact.ts';
import { childrenOf, show, some, variablesOf } from './expression.ts';
import type { Expr } from './expression.ts';
import { constantValue, rationalCoefficients } from './polynomial.ts';
import type { Problem } from './problemKinds.ts';
import { gcd } from './rational.ts';
import { rationalRoots } from './roots.ts';
import { Undecided } from './undecided.ts';
import { contradicted, shownValue, unchecked, verified } from './verdict.ts';

export function checkRewrite(problem: Extract<Problem, { kind: 'rewrite' }>, answer: AnswerForm): AnswerCheck {
  const given = singleExpression(answer);
  const equal = equalExpressions(given, problem.expr);
  if (equal === null) return unchecked(reason('equal-undecided'));
  if (!equal) return contradicted(problem.how === 'factor' || shownValue(problem.expr) === show(problem.expr) ? reason('not-equal', show(problem.expr)) : reason('not-equal-which-is', show(problem.expr), shownValue(problem.expr)));
  const same = reason('is-equal', show(given), show(problem.expr));
  switch (problem.how) {
    case 'expand':
      return isExpanded(given) ? verified(same) : unchecked(same, reason('not-expanded'));
    case 'simplify':
      return isExpanded(given) || isSimpleQuotient(given) ? verified(same) : unchecked(same, reason('simplest-unchecked'));
    case 'factor':
      return isFactored(given) ? verified(same) : unchecked(same, reason('factored-unshown'));
    default:
      return problem.how satisfies never;
  }
}

export function checkDerivative(problem: Extract<Problem, { kind: 'differentiate' }>, answer: AnswerForm): AnswerCheck {
  const expected = derivative(problem.expr, problem.variable);
  const given = singleExpression(answer.kind === 'equation' && answer.right[0] !== undefined && answer.right.length === 1 && isNameOfDerivative(answer.left) ? { kind: 'value', values: answer.right, unit: null, percent: false } : answer);
  const equal = equalExpressions(given, expected);
  if (equal === null) return unchecked(reason('derivative-undecided'));
  return equal ? verified(reason('derivative-is', show(problem.expr), shownValue(expected))) : contradicted(reason('derivative-is-not', show(problem.expr), shownValue(expected), show(given)));
}
function isNameOfDerivative(left: Expr): boolean {
  return left.kind === 'symbol';
}

/** @throws Undecided where the answer is no single expression */
export function singleExpression(answer: AnswerForm): Expr {
  const [only] = answer.kind === 'value' ? answer.values : [];
  if (answer.kind !== 'value' || only === undefined || answer.values.length > 1) throw new Undecided('not-one-expression');
  return only;
}

/** A sum of monomials, like terms collected. */
function isExpanded(expr: Expr): boolean {
  const terms = expr.kind === 'sum' ? expr.terms : [expr];
  const exact = exactOf(expr);
  if (constantValue(exact.under) === null) return false;
  return terms.every(isMonomial) && terms.length === Math.max(1, exact.over.size);
}
function isMonomial(term: Expr): boolean {
  const of = term.kind === 'negative' ? term.of : term;
  const factors = of.kind === 'product' ? of.factors : of.kind === 'quotient' ? [of.over, of.under] : [of];
  const names = factors.flatMap(variablesOf);
  return !some(of, (part) => part.kind === 'sum' || part.kind === 'call') && new Set(names).size === names.length && factors.filter((factor) => variablesOf(factor).length === 0).length <= (of.kind === 'quotient' ? 2 : 1);
}
function isSimpleQuotient(expr: Expr): boolean {
  const of = expr.kind === 'negative' ? expr.of : expr;
  if (of.kind !== 'quotient' || !isExpanded(of.over) || !isExpanded(of.under)) return false;
  const names = variablesOf(of);
  const [only] = names;
  if (only === undefined || names.length > 1) return false;
  const [top, bottom] = [of.over, of.under].map((part) => rationalCoefficients(exactOf(part).over, only));
  if (!top || !bottom) return false;
  const shared = [...top, ...bottom].filter((value) => value.n !== 0n);
  if (shared.some((value) => value.d !== 1n) || shared.reduce((all, value) => gcd(all, value.n), 0n) !== 1n) return false;
  return !rationalRoots(bottom).some((root) => rationalRoots(top).some((other) => other.n === root.n && other.d === root.d)) && Math.min(top.length, bottom.length) <= 2;
}

/** A product whose factors can't be split: numbers, letters, linear terms, quadratics without rational roots. */
function isFactored(expr: Expr): boolean {
  const of = expr.kind === 'negative' ? expr.of : expr;
  const factors = of.kind === 'product' ? of.factors : [of];
  return factors.every((factor) => {
    const base = factor.kind === 'power' && factor.exponent.kind === 'number' ? factor.base : factor;
    if (childrenOf(base).length === 0) return true;
    const names = variablesOf(base);
    const [only] = names;
    const row = only === undefined || names.length > 1 ? null : rationalCoefficients(exactOf(base).over, only);
    if (row === null || row.length > 3 || row.some((value) => value.d !== 1n)) return false;
    if (row.reduce((all, value) => gcd(all, value.n), 0n) !== 1n) return false;
    return row.length <= 2 || rationalRoots(row).length === 0;
  });
}
