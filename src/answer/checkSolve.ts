/**
 * A solution is put back into the equation, and counted: a solution that is missing is as wrong as one too many.
 * Knows equations and systems; does not know how their solutions were found.
 */

import type { AnswerCheck } from '../protocol/answer.ts';
import { reason } from '../protocol/reasons.ts';
import type { Reason } from '../protocol/reasons.ts';
import type { AnswerForm } from './answerForm.ts';
import { equalExpressions } from './equality.ts';
import { differenceOf, exactOf } from './exact.ts';
import { negative, numberOf, show, some, substitute, variablesOf } from './expression.ts';
import type { Expr } from './expression.ts';
import { assigned } from './equivalence.ts';
import { solveLinearSystem } from './linearSystem.ts';
import { coefficientsIn, constantValue, generatorsOf, isDecisive, rationalCoefficients } from './polynomial.ts';
import type { Equation, Problem } from './problemKinds.ts';
import { showRational } from './rational.ts';
import { distinctRoots, rationalRoots, realRootCount } from './roots.ts';
import { Undecided, Undefined, decided } from './undecided.ts';
import { contradicted, shownValue, unchecked, verified } from './verdict.ts';
import { numericValue, relativeDifference } from './numeric.ts';

type Solve = Extract<Problem, { kind: 'solve' }>;

/** What an answer gives for one unknown; `name` is null where it wasn't written. */
interface Given {
  readonly name: string | null;
  readonly value: Expr;
}

export function checkSolve(problem: Solve, answer: AnswerForm): AnswerCheck {
  const names = [...new Set(problem.equations.flatMap(({ left, right }) => [...variablesOf(left), ...variablesOf(right)]))].sort();
  if (names.length === 0) return unchecked(reason('no-unknown'));
  const wanted = problem.wanted ?? (names.length === problem.equations.length ? names : null);
  if (wanted?.every((name) => names.includes(name)) !== true) return unchecked(reason('unknowns-unclear'));
  const [equation] = problem.equations;
  const [unknown] = wanted;
  if (equation === undefined || unknown === undefined) return unchecked(reason('no-equation'));
  if (problem.equations.length > 1) return checkSystem(problem.equations, names, wanted, answer);
  if (wanted.length > 1) return unchecked(reason('too-few-equations'));
  return checkEquation(equation, unknown, answer);
}

// ---- one equation, one unknown ----

function checkEquation(equation: Equation, unknown: string, answer: AnswerForm): AnswerCheck {
  if (answer.kind === 'nothing') return checkNoSolution(equation, unknown);
  if (answer.kind === 'everything') return checkIdentity(equation, unknown);
  const given = givenValues(answer);
  if (given === null) return unchecked(reason('not-a-value', unknown));
  const other = given.find(({ name }) => name !== null && name !== unknown);
  if (other !== undefined) return contradicted(reason('other-unknown', other.name ?? '', unknown));
  if (given.some(({ value }) => variablesOf(value).includes(unknown))) return unchecked(reason('unknown-left', unknown));
  const letters = new Set([...variablesOf(equation.left), ...variablesOf(equation.right)]);
  const foreign = given.flatMap(({ value }) => variablesOf(value)).find((name) => !letters.has(name));
  if (foreign !== undefined) return unchecked(reason('foreign-letter', foreign)); // x = πn for every whole n.
  if (given.some(({ value }) => !isWorkedOut(value))) return unchecked(reason('not-worked-out'));
  const found: Reason[] = [];
  for (const { value } of given) {
    const put = putBack(equation, new Map([[unknown, value]]), `${unknown} = ${show(value)}`);
    if (put.kind === 'not-equal') return put.check;
    found.push(reason('sides-equal', put.shown));
  }
  return checkComplete(equation, unknown, given.map(({ value }) => value), found);
}

/** A solution is a number or a term, not a task: 15/3 is let pass, 20 - 5 is not. */
function isWorkedOut(value: Expr): boolean {
  return !some(value, (part) => part.kind === 'sum' && part.terms.filter((term) => variablesOf(term).length === 0 && !some(term, (x) => x.kind === 'symbol' || x.kind === 'call' || x.kind === 'power')).length > 1);
}

type Put =
  /** `shown`: the two sides with the values in them. */
  | { readonly kind: 'equal'; readonly shown: string }
  | { readonly kind: 'not-equal'; readonly check: AnswerCheck };

function putBack(equation: Equation, values: ReadonlyMap<string, Expr>, shown: string): Put {
  const no = (check: AnswerCheck): Put => ({ kind: 'not-equal', check });
  const [left, right] = [substitute(equation.left, values), substitute(equation.right, values)];
  let equal: boolean | null;
  try {
    differenceOf(exactOf(left), exactOf(right)); // Sees a division by zero.
    equal = equalExpressions(left, right);
  } catch (error) {
    if (error instanceof Undefined) return no(contradicted(reason('no-value-with', shown, error.because)));
    if (!(error instanceof Undecided)) throw error;
    equal = null;
  }
  const text = `${show(left)} = ${show(right)}`;
  if (equal === true) return { kind: 'equal', shown: text };
  if (equal === null) return no(unchecked(reason('sides-undecided', text)));
  const [a, b] = [decided(() => numericValue(left)), decided(() => numericValue(right))];
  const rounded = [...values.values()].some((value) => some(value, (part) => part.kind === 'number' && part.written === 'decimal'));
  if (rounded && a !== null && b !== null && (relativeDifference(a, b).lt(0.02) || a.minus(b).abs().lt(0.02))) return no(unchecked(reason('solves-about', shown, text)));
  return no(contradicted(reason('solves-not', shown, show(equation.left), shownValue(left), show(equation.right), shownValue(right))));
}

/** Are all solutions given? The given ones solve the equation already. */
function checkComplete(equation: Equation, unknown: string, values: readonly Expr[], found: readonly Reason[]): AnswerCheck {
  const different: Expr[] = [];
  for (const value of values) {
    const verdicts = different.map((known) => equalExpressions(known, value));
    if (verdicts.includes(null)) return unchecked(...found, reason('same-solutions-undecided'));
    if (!verdicts.includes(true)) different.push(value);
  }
  const { over, under } = fractionOf(equation);
  const rows = coefficientsIn(over, unknown);
  if (rows === null || !isDecisive(over)) return unchecked(...found, reason('others-unchecked'));
  if (rows.length === 0) return contradicted(reason(constantValue(under) === null ? 'every-defined-not-only' : 'every-number-not-only', `${unknown} = ${different.map(show).join(', ')}`));
  if (different.length === rows.length - 1) return verified(...found);
  const [p, q] = [rationalCoefficients(over, unknown), rationalCoefficients(under, unknown)];
  if (p === null || q === null) return unchecked(...found, reason('others-unchecked'));
  const roots = distinctRoots(p, q);
  const complex = different.some((value) => generatorsOf(exactOf(value).over).has('#i'));
  const count = complex ? roots.length - 1 : realRootCount(roots);
  if (different.length >= count) return count === roots.length - 1 ? verified(...found) : verified(...found, reason('no-other-real'));
  const missing = (decided(() => rationalRoots(roots)) ?? []).filter((root) => !different.some((value) => equalExpressions(value, numberOf(root)) === true));
  const incomplete = missing.length === 0 ? reason('incomplete', String(count)) : reason('incomplete-missing', String(count), missing.map((root) => `${unknown} = ${showRational(root)}`).join(', '));
  return contradicted(incomplete, ...found);
}

function fractionOf(equation: Equation): ReturnType<typeof exactOf> {
  return exactOf({ kind: 'sum', terms: [equation.left, negative(equation.right)] });
}

function checkNoSolution(equation: Equation, unknown: string): AnswerCheck {
  const { over, under } = fractionOf(equation);
  const [p, q] = [rationalCoefficients(over, unknown), rationalCoefficients(under, unknown)];
  if (p === null || q === null) return unchecked(reason('none-unchecked'));
  if (p.length === 0) return contradicted(reason('every-number'));
  const roots = distinctRoots(p, q);
  const count = realRootCount(roots);
  if (count === 0) return verified(reason(roots.length > 1 ? 'no-real-solution' : 'no-solution'));
  return contradicted(count === 1 ? reason('has-one-solution') : reason('has-solutions', String(count)));
}

function checkIdentity(equation: Equation, unknown: string): AnswerCheck {
  const { over, under } = fractionOf(equation);
  if (over.size === 0) return constantValue(under) === null ? unchecked(reason('equal-where-defined')) : verified(reason('equal-for-every', unknown));
  return isDecisive(over) ? contradicted(reason('not-equal-for-every')) : unchecked(reason('identity-undecided'));
}

/** The single values of an answer, with the names they were given. null: another form. */
function givenValues(answer: AnswerForm): Given[] | null {
  switch (answer.kind) {
    case 'value':
      return answer.values.map((value) => ({ name: null, value }));
    case 'equation': {
      const named = assigned(answer);
      return named === null ? null : named.values.map((value) => ({ name: named.name, value }));
    }
    case 'list':
    case 'set': {
      const parts = answer.items.map(givenValues);
      return parts.includes(null) ? null : parts.flatMap((part) => part ?? []);
    }
    case 'tuple':
    case 'quantities':
    case 'relation':
    case 'union':
    case 'remainder':
    case 'nothing':
    case 'everything':
    case 'text':
      return null;
    default:
      return answer satisfies never;
  }
}

// ---- systems ----

function checkSystem(equations: readonly Equation[], names: readonly string[], wanted: readonly string[], answer: AnswerForm): AnswerCheck {
  const solution = solveLinearSystem(equations, names);
  if (answer.kind === 'nothing') {
    if (solution === null) return unchecked(reason('none-unchecked'));
    return solution.kind === 'none' ? verified(reason('system-contradicts')) : contradicted(reason('system-has-solution'));
  }
  const tuple = answer.kind === 'tuple' && answer.open === '(' && answer.close === ')';
  const items = tuple ? givenValues({ kind: 'list', items: answer.items, or: false }) : givenValues(answer);
  if (items === null) return unchecked(reason('gives-not', wanted.join(', ')));
  const values = namedValues(items, wanted);
  if ('kind' in values) return contradicted(values);
  if ([...values.keys()].some((name) => !names.includes(name))) return contradicted(reason('unknown-letter'));
  const missing = wanted.filter((name) => !values.has(name));
  if (missing.length > 0) return contradicted(reason('unknown-missing', missing.join(', ')));
  if (![...values.values()].every((value) => isWorkedOut(value) && variablesOf(value).length === 0)) return unchecked(reason('not-worked-out'));
  if (solution?.kind === 'one') for (const [name, value] of solution.values) if (!values.has(name)) values.set(name, numberOf(value));
  const shown = [...values].map(([name, value]) => `${name} = ${show(value)}`).join(', ');
  const found: string[] = [];
  for (const equation of equations) {
    const put = putBack(equation, values, shown);
    if (put.kind === 'not-equal') return put.check;
    found.push(put.shown);
  }
  const equal = reason('sides-equal', found.join(', '));
  if (solution === null) return unchecked(equal, reason('others-unchecked'));
  return solution.kind === 'one' ? verified(equal) : contradicted(reason('system-has-more'), equal);
}

/** Pairs values with unknowns: by their names, or in the order of the unknowns. A reason says what is wrong. */
function namedValues(items: readonly Given[], wanted: readonly string[]): Map<string, Expr> | Reason {
  const values = new Map<string, Expr>();
  const named = items.some(({ name }) => name !== null);
  if (!named && items.length !== wanted.length) return reason('count-of-values', String(items.length), String(wanted.length));
  for (const [i, { name, value }] of items.entries()) {
    const key = named ? name : (wanted[i] ?? null);
    if (key === null) return reason('values-unassigned');
    if (values.has(key) && equalExpressions(values.get(key) ?? value, value) !== true) return reason('two-values', key);
    values.set(key, value);
  }
  return values;
}
