/** A value that was to be computed, or converted to another unit: compared exactly, and it must be worked out. */

import type { AnswerCheck } from '../protocol/answer.ts';
import { reason } from '../protocol/reasons.ts';
import type { AnswerForm } from './answerForm.ts';
import { singleExpression } from './checkRewrite.ts';
import { equalExpressions } from './equality.ts';
import { assigned } from './equivalence.ts';
import { primeFactors } from './exact.ts';
import { literalValue, numberOf, product, show, some, sum } from './expression.ts';
import type { Expr } from './expression.ts';
import type { Problem } from './problemKinds.ts';
import { divide, gcd, multiply, rational, showRational } from './rational.ts';
import type { Rational } from './rational.ts';
import { decided } from './undecided.ts';
import { totalOf } from './units.ts';
import { contradicted, isRoundedValue, shownValue, unchecked, verified } from './verdict.ts';

type Compute = Extract<Problem, { kind: 'compute' }>;

export function checkCompute(problem: Compute, answer: AnswerForm): AnswerCheck {
  if (answer.kind === 'remainder') return checkRemainder(problem, answer);
  const named = assigned(answer);
  const form = named?.values.length === 1 ? ({ kind: 'value', values: named.values, unit: null, percent: false } as const) : answer;
  if (form.kind === 'list' && form.items.length === 2 && problem.remainder === 'asked') return checkPair(problem, form.items);
  const given = singleExpression(form);
  // Asked "what percent", both 25 and 25 % name the same share.
  const value = problem.percent && !(form.kind === 'value' && form.percent) ? ({ kind: 'percent', of: given } as const) : given;
  const equal = equalExpressions(value, problem.expr);
  const shown = show(problem.expr);
  if (equal === null) return unchecked(reason('value-undecided', show(given), shown));
  if (!equal) return wrongValue(problem, given);
  if (named !== null) return unchecked(reason('value-named', named.name));
  if (!problem.lowest && problem.expr.kind !== 'number' && given.kind === problem.expr.kind && show(given) === shown) return unchecked(reason('repeats-question'));
  if (!isWorkedOut(given)) return unchecked(reason('equal-not-worked-out', show(given), shown));
  if (problem.remainder === 'asked' && !isWhole(given)) return unchecked(reason('remainder-asked'));
  if (problem.lowest && !isLowest(given)) return contradicted(reason('not-lowest-terms', show(given), shown, shownValue(problem.expr)));
  return verified(problem.percent ? reason('percent-is', shown, show(given).replace('%', '')) : reason('value-is', shown, shownValue(problem.expr)));
}

function wrongValue(problem: Compute, given: Expr): AnswerCheck {
  if (problem.percent && equalExpressions(given, problem.expr) === true) return unchecked(reason('share-not-percent', show(given)));
  const target = problem.percent ? product([problem.expr, numberOf(100)]) : problem.expr;
  if (isRoundedValue(given, target)) return unchecked(reason('rounded-value', show(given), shownValue(target)));
  return contradicted(reason(problem.percent ? 'percent-is-not' : 'value-is-not', show(problem.expr), shownValue(target), show(given)));
}

function isWhole(expr: Expr): boolean {
  return literalValue(expr)?.d === 1n;
}

/** A number, a fraction, a root, a multiple of π, or a sum of such: nothing that could still be calculated. */
export function isWorkedOut(expr: Expr): boolean {
  if (expr.kind === 'sum') return expr.terms.filter((term) => literalValue(term) !== null).length <= 1 && expr.terms.every((term) => isFinalTerm(term) && term.kind !== 'sum') && !hasLikeRoots(expr.terms);
  return isFinalTerm(expr);
}
function isFinalTerm(expr: Expr): boolean {
  if (literalValue(expr) !== null) return true;
  switch (expr.kind) {
    case 'negative':
      return isFinalTerm(expr.of);
    case 'symbol':
      return true;
    case 'quotient':
      return expr.under.kind === 'number' && expr.under.value.d === 1n && (isWorkedOut(expr.over) && literalValue(expr.over) === null);
    case 'product':
      return isScientific(expr) || (expr.factors.filter((factor) => literalValue(factor) !== null).length <= 1 && expr.factors.every((factor) => literalValue(factor) !== null || isAtom(factor)) && rootsIn(expr).length <= 1);
    case 'call':
    case 'power':
      return isAtom(expr);
    case 'sum':
    case 'number':
    case 'percent':
    case 'plus-minus':
      return false;
    default:
      return expr satisfies never;
  }
}
function isAtom(expr: Expr): boolean {
  if (expr.kind === 'symbol') return true;
  if (expr.kind === 'power') return expr.base.kind === 'symbol' && literalValue(expr.exponent) !== null;
  if (expr.kind === 'call' && expr.name === 'degrees') return expr.args.every((arg) => literalValue(arg) !== null);
  return expr.kind === 'call' && (expr.name === 'sqrt' || expr.name === 'root') && hasLowestRadicand(expr);
}
/** √12 can still be written 2√3. */
function hasLowestRadicand({ name, args }: Extract<Expr, { kind: 'call' }>): boolean {
  const [of, index] = args;
  if (of?.kind !== 'number' || of.value.d !== 1n || of.value.n < 2n) return false;
  const degree = name === 'sqrt' ? 2n : index?.kind === 'number' ? index.value.n : 0n;
  const factors = decided(() => primeFactors(of.value.n));
  return factors?.every(([, count]) => BigInt(count) < degree) ?? false;
}
function rootsIn(expr: Expr): Expr[] {
  return expr.kind === 'product' ? expr.factors.filter((factor) => factor.kind === 'call') : expr.kind === 'call' ? [expr] : expr.kind === 'negative' ? rootsIn(expr.of) : [];
}
function hasLikeRoots(terms: readonly Expr[]): boolean {
  const roots = terms.flatMap(rootsIn).map(show);
  return new Set(roots).size !== roots.length;
}
function isScientific(expr: Extract<Expr, { kind: 'product' }>): boolean {
  const [mantissa, scale] = expr.factors;
  return expr.factors.length === 2 && mantissa?.kind === 'number' && scale?.kind === 'power' && scale.base.kind === 'number' && scale.base.value.n === 10n && literalValue(scale.exponent) !== null;
}

function isLowest(expr: Expr): boolean {
  return !some(expr, (part) => part.kind === 'quotient' && part.over.kind === 'number' && part.under.kind === 'number' && (part.under.value.n === 1n || gcd(part.over.value.n, part.under.value.n) !== 1n))
    && !(expr.kind === 'quotient' && literalValue(expr) !== null && gcd(topOf(expr.over), topOf(expr.under)) !== 1n);
}
function topOf(expr: Expr): bigint {
  return expr.kind === 'negative' ? topOf(expr.of) : expr.kind === 'number' ? expr.value.n : 1n;
}

// ---- division with remainder ----

function checkRemainder(problem: Compute, answer: Extract<AnswerForm, { kind: 'remainder' }>): AnswerCheck {
  const { expr } = problem;
  if (problem.remainder === 'no' || expr.kind !== 'quotient') return unchecked(reason('no-remainder'));
  const [value, by, times, rest] = [literalValue(expr.over), literalValue(expr.under), literalValue(answer.quotient), literalValue(answer.remainder)];
  if (value === null || by === null || times === null || rest === null || value.d !== 1n || by.d !== 1n || by.n <= 0n || value.n < 0n) return unchecked(reason('remainder-of-whole'));
  const shown = `${showRational(times)}·${showRational(by)} + ${showRational(rest)}`;
  const total = sum([product([numberOf(times), numberOf(by)]), numberOf(rest)]);
  if (times.d !== 1n || rest.d !== 1n || equalExpressions(total, numberOf(value)) !== true) return contradicted(reason('value-is-not', shown, shownValue(total), showRational(value)));
  if (rest.n < 0n || rest.n >= by.n) return contradicted(reason('remainder-too-large', shown, showRational(value), showRational(by)));
  return verified(reason('value-is', shown, showRational(value)));
}
function checkPair(problem: Compute, items: readonly AnswerForm[]): AnswerCheck {
  const [quotient, remainder] = items.map(singleExpression);
  return quotient === undefined || remainder === undefined ? unchecked(reason('no-quotient')) : checkRemainder(problem, { kind: 'remainder', quotient, remainder });
}

// ---- units ----

export function checkConversion(problem: Extract<Problem, { kind: 'convert' }>, answer: AnswerForm): AnswerCheck {
  const total = totalOf(problem.from);
  const [only] = problem.to;
  if (total === null || only === undefined) return unchecked(reason('units-differ'));
  const text = problem.from.map(({ value, unit }) => `${showRational(value)} ${unit.name}`).join(' ');
  if (answer.kind === 'quantities') {
    const given = totalOf(answer.parts);
    const named = answer.parts.every(({ unit }) => problem.to.some((wanted) => wanted.name === unit.name));
    if (given?.unit.dimension !== total.unit.dimension || divide(given.value, rational(1n)).n * total.value.d !== total.value.n * given.value.d) return contradicted(reason('not-the-amount', text));
    const [large, ...small] = [...answer.parts].sort((a, b) => Number(b.unit.size.n / b.unit.size.d - a.unit.size.n / a.unit.size.d));
    const carried = large !== undefined && small.every((part) => isBelow(part.value, part.unit.size, large.unit.size));
    return named && carried ? verified(reason('same-amount', text)) : unchecked(reason('other-units'));
  }
  if (problem.to.length > 1) return unchecked(reason('not-in-units', problem.to.map(({ name }) => name).join(', ')));
  const target = divide(total.value, only.size);
  const given = singleExpression(answer);
  if (answer.kind === 'value' && answer.unit !== null && answer.unit.name.toLowerCase() !== only.name.toLowerCase()) return contradicted(reason('other-unit', answer.unit.name, only.name));
  const equal = equalExpressions(given, numberOf(target));
  if (equal === true) return isWorkedOut(given) ? verified(reason('value-is', text, `${showRational(target)} ${only.name}`)) : unchecked(reason('not-worked-out'));
  return equal === false ? contradicted(reason('value-is-not', text, `${showRational(target)} ${only.name}`, show(given))) : unchecked(reason('not-compared'));
}
function isBelow(value: Rational, size: Rational, limit: Rational): boolean {
  const amount = multiply(value, size);
  return amount.n * limit.d < limit.n * amount.d && amount.n >= 0n;
}
