/** The three verdicts with their reasons, and the values that several checks show in them. */

import { answerCheck } from '../protocol/answer.ts';
import type { AnswerCheck } from '../protocol/answer.ts';
import { reason } from '../protocol/reasons.ts';
import type { Reason, ReasonPart } from '../protocol/reasons.ts';
import { exactOf, rationalOf } from './exact.ts';
import { show } from './expression.ts';
import type { Expr } from './expression.ts';
import { numericValue } from './numeric.ts';
import { ONE_POLYNOMIAL, showPolynomial } from './polynomial.ts';
import { showRational } from './rational.ts';
import { decided } from './undecided.ts';

export function verified(...why: readonly Reason[]): AnswerCheck {
  return answerCheck('verified', why);
}
export function contradicted(...why: readonly Reason[]): AnswerCheck {
  return answerCheck('contradicted', why);
}
export function unchecked(...why: readonly Reason[]): AnswerCheck {
  return answerCheck('unchecked', why);
}

/** The value in its shortest exact writing: "19/12", "2√2", "x^2 + 1"; a decimal or the expression itself where there is none. */
export function shownValue(expr: Expr): ReasonPart {
  const exact = decided(() => exactOf(expr));
  const rational = exact === null ? null : rationalOf(exact);
  if (rational !== null) return showRational(rational);
  const polynomial = exact?.under === ONE_POLYNOMIAL ? showPolynomial(exact.over) : null;
  if (polynomial !== null) return polynomial;
  const value = decided(() => numericValue(expr));
  if (value === null) return show(expr);
  const whole = value.round();
  return value.minus(whole).abs().lt(1e-40) && whole.abs().lt(1e15) ? whole.toFixed() : reason('about', value.toSignificantDigits(6).toString());
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
