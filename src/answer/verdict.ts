/** The three verdicts with their reasons, and the sentences that several checks share. */

import type { AnswerCheck } from '../protocol/answer.ts';
import { exactOf, rationalOf } from './exact.ts';
import { show } from './expression.ts';
import type { Expr } from './expression.ts';
import { numericValue } from './numeric.ts';
import { ONE_POLYNOMIAL, showPolynomial } from './polynomial.ts';
import { showRational } from './rational.ts';
import { decided } from './undecided.ts';

const LONGEST = 400;

function cut(reason: string): string {
  return reason.length <= LONGEST ? reason : `${reason.slice(0, LONGEST / 2)} … ${reason.slice(-LONGEST / 2)}`;
}
export function verified(reason: string): AnswerCheck {
  return { state: 'verified', reason: cut(reason) };
}
export function contradicted(reason: string): AnswerCheck {
  return { state: 'contradicted', reason: cut(reason) };
}
export function unchecked(reason: string): AnswerCheck {
  return { state: 'unchecked', reason: cut(reason) };
}

/** The value in its shortest exact writing: "19/12", "2√2", "x^2 + 1"; a decimal or the expression itself where there is none. */
export function shownValue(expr: Expr): string {
  const exact = decided(() => exactOf(expr));
  const rational = exact === null ? null : rationalOf(exact);
  if (rational !== null) return showRational(rational);
  const polynomial = exact?.under === ONE_POLYNOMIAL ? showPolynomial(exact.over) : null;
  if (polynomial !== null) return polynomial;
  const value = decided(() => numericValue(expr));
  if (value === null) return show(expr);
  const whole = value.round();
  return value.minus(whole).abs().lt(1e-40) && whole.abs().lt(1e15) ? whole.toFixed() : `about ${value.toSignificantDigits(6).toString()}`;
}

/** Do both come near each other (relative 1 %), and is one of them written as a decimal? Then it is a rounded value. */
export function isRoundedValue(answer: Expr, exact: Expr): boolean {
  if (answer.kind === 'negative' && exact.kind === 'negative') return isRoundedValue(answer.of, exact.of);
  const number = answer.kind === 'negative' ? answer.of : answer;
  if (number.kind !== 'number' || number.written !== 'decimal') return false;
  const [a, b] = [decided(() => numericValue(answer)), decided(() => numericValue(exact))];
  if (a === null || b === null) return false;
  const places = a.decimalPlaces();
  return b.toDecimalPlaces(places).eq(a) || b.toDecimalPlaces(places, 1).eq(a);
}
