/** Facts of an expression: its value where it has no letter; else its forms, derivative, domain and picture. */

import { reason } from '../../protocol/reasons.ts';
import { exactOf, rationalOf } from '../exact.ts';
import type { Expr } from '../expression.ts';
import { showRational } from '../rational.ts';
import { decided } from '../undecided.ts';
import { derivativeOf, evaluated, expanded, factored, readTerm, simplified } from './algebra.ts';
import type { Term } from './algebra.ts';
import { domainOf } from './domain.ts';
import { letterTex, rationalTex } from './exprTex.ts';
import { UNREAD } from './formulaFacts.ts';
import type { Fact, FormulaFacts, FormulaKind } from './formulaFacts.ts';
import { agree, isSlope, numberAt } from './numbers.ts';
import type { Json } from './numbers.ts';
import { plotOf } from './plot.ts';
import type { Side } from './side.ts';

const NO_LETTERS = new Map<string, number>();
const LONGEST_SHOWN = 300;

export function numberFacts({ term, expr }: Side): FormulaFacts {
  const fact = valueOf(term, expr);
  // An antiderivative has no letter that is free, but it has no value either.
  if (fact === null && isTask(term.json)) return { ...UNREAD, kind: 'expression', facts: forms(term) };
  return { kind: 'number', variables: [], facts: fact === null ? [] : [fact], plot: null, reason: fact === null ? reason('no-confirmed-value') : null, stopped: null };
}

/** Exact arithmetic of this room is certain; compute-engine's value is taken where mathjs finds the same number. */
function valueOf(term: Term, expr: Expr | null): Fact | null {
  const rational = expr === null ? null : decided(() => rationalOf(exactOf(expr)));
  const number = numberAt(term.json, NO_LETTERS);
  if (rational !== null) {
    const exact = rationalTex(rational);
    if (exact.length <= LONGEST_SHOWN) return { kind: 'value', exact, decimal: rational.d === 1n ? null : decimalOf(number), rounded: 100_000_000n % rational.d !== 0n };
    const digits = showRational(rational);
    return rational.d === 1n ? { kind: 'value', exact: digits.replace('…', '\\ldots '), decimal: null, rounded: false } : null;
  }
  if (number === null) return null;
  const exact = evaluated(term.json);
  const good = exact.letters.length === 0 && exact.tex.length <= LONGEST_SHOWN && agree(term.json, exact.json, [], 1e-6) && !/\d\.\d/.test(exact.tex);
  const decimal = decimalOf(number);
  return good ? { kind: 'value', exact: exact.tex, decimal: decimal === exact.tex ? null : decimal, rounded: true } : { kind: 'value', exact: null, decimal, rounded: true };
}

/** Eight digits, real or complex, as TeX. */
function decimalOf(number: ReturnType<typeof numberAt>): string | null {
  if (number === null) return null;
  const shown = (value: number): string => {
    const [digits = '', exponent] = Number(value.toPrecision(8)).toString().split('e');
    return exponent === undefined ? digits : `${digits}\\cdot 10^{${Number(exponent)}}`;
  };
  const small = 1e-9 * Math.hypot(number.re, number.im);
  if (Math.abs(number.im) <= small) return shown(number.re);
  const imaginary = `${shown(Math.abs(number.im))}i`;
  if (Math.abs(number.re) <= small) return number.im < 0 ? `-${imaginary}` : imaginary;
  return `${shown(number.re)}${number.im < 0 ? '-' : '+'}${imaginary}`;
}

/** @param variable the one that it is a function of, where that is said */
export function expressionFacts({ term, expr }: Side, kind: FormulaKind, variable?: string): FormulaFacts {
  const { letters } = term;
  const of = variable ?? (letters.includes('x') ? 'x' : letters.length === 1 ? letters[0] : undefined);
  const facts: Fact[] = [...forms(term), ...(of === undefined ? [] : slope(term, of))];
  const alone = letters.length === 1 && letters[0] === of;
  const conditions = expr === null || !alone || of === undefined ? null : decided(() => domainOf(expr, of));
  if (conditions !== null) facts.push({ kind: 'domain', conditions });
  const plot = alone && of !== undefined && expr !== null && isContinuous(term.json) ? plotOf({ variable: of, variableTex: letterTex(of), curves: [{ json: term.json, tex: term.tex }], interesting: polesIn(conditions ?? []), marked: [] }) : null;
  return { kind, variables: letters, facts, plot, reason: null, stopped: null };
}

/** Functions of whole numbers are no curves. */
function isContinuous(json: Json): boolean {
  return !/"(?:Factorial|Binomial|GCD|LCM|Mod)"/.test(JSON.stringify(json));
}

/** The other ways to write it, each once and only where it is another one. */
function forms(term: Term): Fact[] {
  const { json, letters } = term;
  const seen = new Set([form(term.tex)]);
  const facts: Fact[] = [];
  const add = (kind: 'simplified' | 'expanded' | 'factored' | 'result', other: Term): void => {
    const { tex } = other;
    if (seen.has(form(tex)) || tex.length > LONGEST_SHOWN || isUgly(tex) || !agree(json, other.json, letters)) return;
    seen.add(form(tex));
    facts.push({ kind, tex });
  };
  if (isTask(json)) {
    const done = evaluated(json);
    return isTask(done.json) || !isConfirmed(json, done) ? [] : [{ kind: 'result', tex: done.tex }];
  }
  add('simplified', simplified(json));
  const sum = expanded(json);
  if (!sum.tex.includes('\\frac')) add('expanded', sum);
  add('factored', factored(json));
  return facts;
}

/** Nobody writes a quotient as a power, or e as a decimal. */
function isUgly(tex: string): boolean {
  return /\^\{-1\}|\d\.\d{6}/.test(tex);
}

function form(tex: string): string {
  return tex.replace(/\\(?:left|right|,|!)|\s/g, '');
}

/** A sum, an integral, a derivative: something to be done. */
function isTask(json: Json): boolean {
  return Array.isArray(json) && /^(?:Sum|Product|Integrate|Limit|D)$/.test(String(json[0]));
}

/** A derivative by its slope, an antiderivative by its own; a sum by its values for whole letters. */
function isConfirmed(json: Json, done: Term): boolean {
  if (!Array.isArray(json)) return false;
  const [head, body, range] = json as Json[];
  if (head === 'D' && typeof range === 'string' && json.length === 3) return isSlope(body, done.json, range, done.letters.includes(range) ? done.letters : [...done.letters, range]);
  if (head === 'Integrate' && Array.isArray(range) && range[2] === 'Nothing' && typeof range[1] === 'string') {
    const name = range[1];
    const integrand: Json = Array.isArray(body) && body[0] === 'Function' && Array.isArray(body[1]) && body[1][0] === 'Block' ? (body[1] as Json[])[1] : body;
    return isSlope(done.json, integrand, name, done.letters);
  }
  return false;
}

function slope(term: Term, variable: string): Fact[] {
  if (isTask(term.json)) return [];
  const written = [derivativeOf(term.json, variable), evaluated(['D', term.json, variable])];
  const derived = written.find(({ tex }) => !isUgly(tex)) ?? written[0];
  if (derived === undefined || JSON.stringify(derived.json).includes('"D"') || derived.tex.length > LONGEST_SHOWN) return [];
  return isSlope(term.json, derived.json, variable, term.letters) ? [{ kind: 'derivative', variable: letterTex(variable), tex: derived.tex }] : [];
}

/** Values that a condition x ≠ 1 or x ≥ 2 names: the picture should show what happens there. */
function polesIn(conditions: readonly string[]): number[] {
  return conditions.flatMap((condition) => {
    const bound = /^\S+ (?:\\neq|\\geq|\\leq|[<>]) (.+)$/.exec(condition)?.[1];
    const term = bound === undefined ? null : readTerm(bound);
    const value = term === null ? null : numberAt(term.json, NO_LETTERS);
    return value === null ? [] : [value.re];
  });
}
