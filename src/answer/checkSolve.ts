/**
 * A solution is put back into the equation, and counted: a solution that is missing is as wrong as one too many.
 * Knows equations and systems; does not know how their solutions were found.
 */

import type { AnswerCheck } from '../protocol/answer.ts';
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
  if (names.length === 0) return unchecked('The equation has no unknown.');
  const wanted = problem.wanted ?? (names.length === problem.equations.length ? names : null);
  if (wanted?.every((name) => names.includes(name)) !== true) return unchecked('It is not clear which letters are the unknowns.');
  const [equation] = problem.equations;
  const [unknown] = wanted;
  if (equation === undefined || unknown === undefined) return unchecked('There is no equation.');
  if (problem.equations.length > 1) return checkSystem(problem.equations, names, wanted, answer);
  if (wanted.length > 1) return unchecked('One equation does not determine several unknowns.');
  return checkEquation(equation, unknown, answer);
}

// ---- one equation, one unknown ----

function checkEquation(equation: Equation, unknown: string, answer: AnswerForm): AnswerCheck {
  if (answer.kind === 'nothing') return checkNoSolution(equation, unknown);
  if (answer.kind === 'everything') return checkIdentity(equation, unknown);
  const given = givenValues(answer);
  if (given === null) return unchecked(`The answer is not a value of ${unknown}.`);
  const other = given.find(({ name }) => name !== null && name !== unknown);
  if (other !== undefined) return contradicted(`The answer gives ${other.name ?? ''}, the unknown is ${unknown}.`);
  if (given.some(({ value }) => variablesOf(value).includes(unknown))) return unchecked(`The answer still has ${unknown} in it.`);
  const letters = new Set([...variablesOf(equation.left), ...variablesOf(equation.right)]);
  const foreign = given.flatMap(({ value }) => variablesOf(value)).find((name) => !letters.has(name));
  if (foreign !== undefined) return unchecked(`The answer has the letter ${foreign}, which the problem doesn’t have.`); // x = πn for every whole n.
  if (given.some(({ value }) => !isWorkedOut(value))) return unchecked('The answer is not worked out.');
  const first: string[] = [];
  for (const { value } of given) {
    const put = putBack(equation, new Map([[unknown, value]]), `${unknown} = ${show(value)}`);
    if (put.state !== 'verified') return put;
    first.push(put.reason);
  }
  return checkComplete(equation, unknown, given.map(({ value }) => value), first.join(' '));
}

/** A solution is a number or a term, not a task: 15/3 is let pass, 20 - 5 is not. */
function isWorkedOut(value: Expr): boolean {
  return !some(value, (part) => part.kind === 'sum' && part.terms.filter((term) => variablesOf(term).length === 0 && !some(term, (x) => x.kind === 'symbol' || x.kind === 'call' || x.kind === 'power')).length > 1);
}

export function putBack(equation: Equation, values: ReadonlyMap<string, Expr>, shown: string): AnswerCheck {
  const [left, right] = [substitute(equation.left, values), substitute(equation.right, values)];
  let equal: boolean | null;
  try {
    differenceOf(exactOf(left), exactOf(right)); // Sees a division by zero.
    equal = equalExpressions(left, right);
  } catch (error) {
    if (error instanceof Undefined) return contradicted(`With ${shown} the equation has no value: ${error.message}.`);
    if (!(error instanceof Undecided)) throw error;
    equal = null;
  }
  const text = `${show(left)} = ${show(right)}`;
  if (equal === true) return verified(`${text}: both sides are equal.`);
  if (equal === null) return unchecked(`It could not be decided whether ${text}.`);
  const [a, b] = [decided(() => numericValue(left)), decided(() => numericValue(right))];
  const rounded = [...values.values()].some((value) => some(value, (part) => part.kind === 'number' && part.written === 'decimal'));
  if (rounded && a !== null && b !== null && (relativeDifference(a, b).lt(0.02) || a.minus(b).abs().lt(0.02))) return unchecked(`${shown} solves the equation only approximately: ${text}.`);
  return contradicted(`${shown} does not solve it: ${show(equation.left)} is ${shownValue(left)}, ${show(equation.right)} is ${shownValue(right)}.`);
}

/** Are all solutions given? The given ones solve the equation already. */
function checkComplete(equation: Equation, unknown: string, values: readonly Expr[], reason: string): AnswerCheck {
  const different: Expr[] = [];
  for (const value of values) {
    const verdicts = different.map((known) => equalExpressions(known, value));
    if (verdicts.includes(null)) return unchecked(`${reason} It could not be decided whether two of the solutions are the same.`);
    if (!verdicts.includes(true)) different.push(value);
  }
  const { over, under } = fractionOf(equation);
  const rows = coefficientsIn(over, unknown);
  if (rows === null || !isDecisive(over)) return unchecked(`${reason} Whether there are other solutions could not be checked.`);
  if (rows.length === 0) return contradicted(`Every number${constantValue(under) === null ? ' for which it has a value' : ''} solves the equation, not only ${unknown} = ${different.map(show).join(', ')}.`);
  if (different.length === rows.length - 1) return verified(reason);
  const [p, q] = [rationalCoefficients(over, unknown), rationalCoefficients(under, unknown)];
  if (p === null || q === null) return unchecked(`${reason} Whether there are other solutions could not be checked.`);
  const roots = distinctRoots(p, q);
  const complex = different.some((value) => generatorsOf(exactOf(value).over).has('#i'));
  const count = complex ? roots.length - 1 : realRootCount(roots);
  if (different.length >= count) return verified(count === roots.length - 1 ? reason : `${reason} There are no other real solutions.`);
  const missing = (decided(() => rationalRoots(roots)) ?? []).filter((root) => !different.some((value) => equalExpressions(value, numberOf(root)) === true));
  return contradicted(`The answer is not complete: there are ${count} solutions${missing.length === 0 ? '' : `, and ${missing.map((root) => `${unknown} = ${showRational(root)}`).join(', ')} is missing`}. ${reason}`);
}

function fractionOf(equation: Equation): ReturnType<typeof exactOf> {
  return exactOf({ kind: 'sum', terms: [equation.left, negative(equation.right)] });
}

function checkNoSolution(equation: Equation, unknown: string): AnswerCheck {
  const { over, under } = fractionOf(equation);
  const [p, q] = [rationalCoefficients(over, unknown), rationalCoefficients(under, unknown)];
  if (p === null || q === null) return unchecked('Whether there is no solution could not be checked.');
  if (p.length === 0) return contradicted('Every number solves the equation.');
  const roots = distinctRoots(p, q);
  const count = realRootCount(roots);
  if (count === 0) return verified(roots.length > 1 ? 'The equation has no real solution.' : 'The equation has no solution.');
  return contradicted(`The equation has ${count} real ${count === 1 ? 'solution' : 'solutions'}.`);
}

function checkIdentity(equation: Equation, unknown: string): AnswerCheck {
  const { over, under } = fractionOf(equation);
  if (over.size === 0) return constantValue(under) === null ? unchecked('Both sides are equal, but not defined for every number.') : verified(`Both sides are equal for every ${unknown}.`);
  return isDecisive(over) ? contradicted('The two sides are not equal for every number.') : unchecked('It could not be decided whether both sides are always equal.');
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
    if (solution === null) return unchecked('Whether there is no solution could not be checked.');
    return solution.kind === 'none' ? verified('The equations contradict each other, so there is no solution.') : contradicted('The system has a solution.');
  }
  const tuple = answer.kind === 'tuple' && answer.open === '(' && answer.close === ')';
  const items = tuple ? givenValues({ kind: 'list', items: answer.items, or: false }) : givenValues(answer);
  if (items === null) return unchecked(`The answer does not give ${wanted.join(', ')}.`);
  const values = namedValues(items, wanted);
  if (typeof values === 'string') return contradicted(values);
  if ([...values.keys()].some((name) => !names.includes(name))) return contradicted('The answer names a letter that is not in the equations.');
  const missing = wanted.filter((name) => !values.has(name));
  if (missing.length > 0) return contradicted(`The answer is not complete: ${missing.join(', ')} is missing.`);
  if (![...values.values()].every((value) => isWorkedOut(value) && variablesOf(value).length === 0)) return unchecked('The answer is not worked out.');
  if (solution?.kind === 'one') for (const [name, value] of solution.values) if (!values.has(name)) values.set(name, numberOf(value));
  const shown = [...values].map(([name, value]) => `${name} = ${show(value)}`).join(', ');
  const reasons: string[] = [];
  for (const equation of equations) {
    const put = putBack(equation, values, shown);
    if (put.state !== 'verified') return put;
    reasons.push(put.reason.replace(/: both sides are equal\.$/, ''));
  }
  const reason = `${reasons.join(' and ')}: both sides are equal.`;
  if (solution === null) return unchecked(`${reason} Whether there are other solutions could not be checked.`);
  return solution.kind === 'one' ? verified(reason) : contradicted(`The system has more solutions than this one. ${reason}`);
}

/** Pairs values with unknowns: by their names, or in the order of the unknowns. A text says what is wrong. */
function namedValues(items: readonly Given[], wanted: readonly string[]): Map<string, Expr> | string {
  const values = new Map<string, Expr>();
  const named = items.some(({ name }) => name !== null);
  if (!named && items.length !== wanted.length) return `The answer has ${items.length} values for ${wanted.length} unknowns.`;
  for (const [i, { name, value }] of items.entries()) {
    const key = named ? name : (wanted[i] ?? null);
    if (key === null) return 'The answer does not say which unknown each value belongs to.';
    if (values.has(key) && equalExpressions(values.get(key) ?? value, value) !== true) return `The answer gives two values for ${key}.`;
    values.set(key, value);
  }
  return values;
}
