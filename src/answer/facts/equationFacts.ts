/** Facts of equations: solutions that were put back in, whether they are all, and a picture of both sides. */

import { reason } from '../../protocol/reasons.ts';
import { exactOf, exactlyEqual } from '../exact.ts';
import { negative } from '../expression.ts';
import type { Expr } from '../expression.ts';
import { solveLinearSystem } from '../linearSystem.ts';
import { rationalCoefficients } from '../polynomial.ts';
import { rational } from '../rational.ts';
import { distinctRoots, rationalRoots, realRootCount } from '../roots.ts';
import { decided } from '../undecided.ts';
import { readTerm, solutionsOf } from './algebra.ts';
import type { Term } from './algebra.ts';
import { expressionFacts, numberFacts } from './expressionFacts.ts';
import { letterTex, rationalTex } from './exprTex.ts';
import { UNREAD } from './formulaFacts.ts';
import type { Fact, FormulaFacts } from './formulaFacts.ts';
import { agree, numberAt, samplePoints } from './numbers.ts';
import type { Json } from './numbers.ts';
import { plotOf } from './plot.ts';
import type { Side } from './side.ts';

const MOST_LETTERS = 4;
const LONGEST_SHOWN = 200;

export function equationFacts(left: Side, right: Side): FormulaFacts {
  const letters = [...new Set([...left.term.letters, ...right.term.letters])].sort();
  const base = { ...UNREAD, kind: 'equation', variables: letters } as const;
  const always = left.expr === null || right.expr === null ? null : alwaysEqual(left.expr, right.expr);
  if (letters.length === 0) return { ...base, ...trueOrFalse(left, right, always) };
  if (always === true) return { ...base, facts: [{ kind: 'always-true' }] };
  const [only] = letters;
  if (left.term.head === '' && left.term.letters.length === 1 && right.term.letters.length === 0) return { ...numberFacts(right), kind: 'equation', variables: letters };
  if (letters.length === 1 && only !== undefined) return { ...base, ...oneLetter(left, right, only) };
  const given = left.term.letters.length === 1 && left.term.head === '' && !right.term.letters.includes(left.term.letters[0] ?? '');
  if (given && right.term.letters.length === 1) {
    // y = …: the right side as a function, drawn and differentiated.
    const facts = expressionFacts(right, 'function');
    return { ...facts, variables: letters, facts: [...facts.facts, ...rearranged(left, right, letters)] };
  }
  return { ...base, facts: rearranged(left, right, letters) };
}

function alwaysEqual(left: Expr, right: Expr): boolean | null {
  return decided(() => exactlyEqual(left, right));
}

function trueOrFalse(left: Side, right: Side, exact: boolean | null): Pick<FormulaFacts, 'facts' | 'reason'> {
  const [a, b] = [numberAt(left.term.json, new Map()), numberAt(right.term.json, new Map())];
  const near = a !== null && b !== null && agree(left.term.json, right.term.json, [], 1e-9);
  if (exact !== null) return { facts: [{ kind: exact ? 'holds' : 'holds-not' }], reason: null };
  if (a === null || b === null) return { facts: [], reason: reason('no-confirmed-value') };
  return near ? { facts: [{ kind: 'holds' }], reason: null } : { facts: [{ kind: 'holds-not' }], reason: null };
}

function equationJson(left: Side, right: Side): Json {
  return ['Equal', left.term.json, right.term.json];
}

interface Solved {
  readonly tex: string;
  readonly value: number | null;
  readonly real: boolean;
}

function oneLetter(left: Side, right: Side, letter: string): Pick<FormulaFacts, 'facts' | 'plot' | 'reason'> {
  const found = solved(left, right, letter);
  const count = realSolutionCount(left, right, letter);
  const real = found.filter((solution) => solution.real);
  const reals = count !== null && count < real.length ? [] : real;
  const facts: Fact[] = [];
  if (count === 0) facts.push({ kind: 'no-real-solution' });
  else if (reals.length > 0) facts.push({ kind: 'solutions', solutions: reals.map(({ tex, value }) => `${letterTex(letter)} ${/\d\.\d{9}/.test(tex) && value !== null ? `\\approx ${Number(value.toPrecision(8))}` : `= ${tex}`}`), all: count === null ? null : count === reals.length });
  const marked = reals.flatMap(({ value }) => (value === null ? [] : [value]));
  const curves = [left, right].map(({ term }) => ({ json: term.json, tex: term.tex }));
  const plot = left.expr === null || right.expr === null ? null : plotOf({ variable: letter, variableTex: letterTex(letter), curves, interesting: marked, marked });
  return { facts, plot, reason: facts.length === 0 ? reason('no-confirmed-solution') : null };
}

/** Proposals of compute-engine and rational roots of our own, each put back into the equation. */
function solved(left: Side, right: Side, letter: string): Solved[] {
  const proposals = [...solutionsOf(equationJson(left, right), letter), ...ownRoots(left, right, letter)];
  const kept: Solved[] = [];
  for (const proposal of proposals) {
    const value = numberAt(proposal.json, new Map());
    if (value === null || proposal.letters.length > 0 || proposal.tex.length > LONGEST_SHOWN) continue;
    const put = (json: Json): Json => replaced(json, letter, proposal.json);
    if (!agree(put(left.term.json), put(right.term.json), [], 1e-7) && !bothNearZero(put(left.term.json), put(right.term.json))) continue;
    const real = Math.abs(value.im) < 1e-9;
    if (kept.some((other) => other.value !== null && real && Math.abs(other.value - value.re) < 1e-9 * Math.max(1, Math.abs(value.re)))) continue;
    kept.push({ tex: proposal.tex, value: real ? value.re : null, real });
  }
  return kept.sort((a, b) => (a.value ?? Infinity) - (b.value ?? Infinity));
}

/** sin π is 1e-16 in floating point, and so is 0. */
function bothNearZero(a: Json, b: Json): boolean {
  const [x, y] = [numberAt(a, new Map()), numberAt(b, new Map())];
  return x !== null && y !== null && Math.hypot(x.re - y.re, x.im - y.im) < 1e-10;
}

function replaced(json: Json, letter: string, by: Json): Json {
  if (json === letter) return by;
  return Array.isArray(json) ? (json as Json[]).map((part, i) => (i === 0 ? part : replaced(part, letter, by))) : json;
}

function polynomialRoots(left: Side, right: Side, letter: string): ReturnType<typeof distinctRoots> | null {
  const { expr: a } = left;
  const { expr: b } = right;
  if (a === null || b === null) return null;
  return decided(() => {
    const { over, under } = exactOf({ kind: 'sum', terms: [a, negative(b)] });
    const [p, q] = [rationalCoefficients(over, letter), rationalCoefficients(under, letter)];
    return p === null || q === null || p.length === 0 ? null : distinctRoots(p, q);
  });
}

function realSolutionCount(left: Side, right: Side, letter: string): number | null {
  const roots = polynomialRoots(left, right, letter);
  return roots === null ? null : realRootCount(roots);
}

function ownRoots(left: Side, right: Side, letter: string): readonly Term[] {
  const roots = polynomialRoots(left, right, letter);
  const found = roots === null ? [] : (decided(() => rationalRoots(roots)) ?? []);
  return found.map((root) => readTerm(rationalTex(root))).filter((term) => term !== null);
}

/** The equation solved for each of its letters, as far as every solution fits at sample points. */
function rearranged(left: Side, right: Side, letters: readonly string[]): Fact[] {
  if (letters.length > MOST_LETTERS) return [];
  const shown = `${left.term.tex}=${right.term.tex}`;
  return letters.flatMap((letter): Fact[] => {
    const found = solutionsOf(equationJson(left, right), letter).filter(({ letters: used, tex }) => !used.includes(letter) && tex.length <= LONGEST_SHOWN);
    const good = found.filter((solution) => fits(left, right, letter, solution.json, letters));
    if (good.length === 0 || good.length > 2) return [];
    const tex = `${letterTex(letter)} = ${good.map((solution) => solution.tex).join(`\\quad\\text{or}\\quad ${letterTex(letter)} = `)}`;
    return tex.replace(/\s/g, '') === shown.replace(/\s/g, '') || (left.term.head === '' && left.term.json === letter) ? [] : [{ kind: 'rearranged', tex }];
  });
}

function fits(left: Side, right: Side, letter: string, solution: Json, letters: readonly string[]): boolean {
  const others = letters.filter((name) => name !== letter);
  let seen = 0;
  for (const point of samplePoints(others)) {
    const value = numberAt(solution, point);
    if (value === null || Math.abs(value.im) > 1e-9) continue;
    const at = new Map(point).set(letter, value.re);
    const [a, b] = [numberAt(left.term.json, at), numberAt(right.term.json, at)];
    if (a === null || b === null) continue;
    if (Math.hypot(a.re - b.re, a.im - b.im) > 1e-7 * Math.max(1, Math.hypot(a.re, a.im))) return false;
    seen += 1;
  }
  return seen >= 3;
}

/** Linear systems, solved exactly by this room. */
export function systemFacts(equations: readonly (readonly Side[])[]): FormulaFacts {
  const pairs = equations.flatMap(([left, right]) => (left?.expr == null || right?.expr == null ? [] : [{ left: left.expr, right: right.expr }]));
  const letters = [...new Set(equations.flatMap((sides) => sides.flatMap(({ term }) => term.letters)))].sort();
  const base = { ...UNREAD, kind: 'system', variables: letters } as const;
  const solution = pairs.length < equations.length ? null : decided(() => solveLinearSystem(pairs, letters));
  if (solution === null) return { ...base, reason: reason('only-linear-systems') };
  if (solution.kind === 'none') return { ...base, facts: [{ kind: 'never-true' }] };
  if (solution.kind === 'many') return { ...base, reason: reason('several-solutions') };
  const values = [...solution.values];
  const at = new Map(values.map(([name, { n, d }]) => [name, Number(n) / Number(d)]));
  const confirmed = equations.every(([left, right]) => {
    const [a, b] = [numberAt(left?.term.json, at), numberAt(right?.term.json, at)];
    return a !== null && b !== null && Math.abs(a.re - b.re) < 1e-7 * Math.max(1, Math.abs(a.re));
  });
  if (!confirmed) return { ...base, reason: reason('no-confirmed-solution') };
  const solutions = values.map(([name, value]) => `${letterTex(name)} = ${rationalTex(rational(value.n, value.d))}`);
  return { ...base, facts: [{ kind: 'solutions', solutions, all: true }] };
}
