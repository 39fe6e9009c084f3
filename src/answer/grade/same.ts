/**
 * Are two answers the same, as Math-Verify decides it? Not symmetric: the first one is the reference, whose form the
 * answer follows (x = 5 is 5, (1, 2) is a point where a list was wanted). Decimals count when they agree with the
 * reference to six places. Far more lenient than equivalence.ts, which is what users see; it is for benchmarks only.
 */

import { equalExpressions } from '../equality.ts';
import { some, sum, negative, type Expr } from '../expression.ts';
import { numericValue, relativeDifference } from '../numeric.ts';
import { exactOf } from '../exact.ts';
import { decided } from '../undecided.ts';
import { fractionOf } from './values.ts';
import { nameOf, type Form, type Sign } from './form.ts';

type Relation = Extract<Form, { kind: 'relation' }>;
const PLACES = 6;
const DIGITS = '1e-15';

export function sameForm(gold: Form, answer: Form): boolean {
  const [reference, given] = followed(gold, answer);
  if (reference.kind === 'relation' && given.kind === 'relation') return sameRelation(reference, given);
  if (reference.kind === 'relation') return given.kind === 'interval' || given.kind === 'union' || given.kind === 'set' ? sameAsSet(reference, given) : false;
  if (given.kind === 'relation') return false;
  if (reference.kind === 'matrix' || given.kind === 'matrix') return reference.kind === 'matrix' && given.kind === 'matrix' && sameMatrix(reference.rows, given.rows);
  if (reference.kind === 'value' && given.kind === 'value') return sameValue(reference.expr, given.expr);
  return sameSet(reference, given);
}

/** Both as the reference's form asks for: without "x =" where it has none. */
function followed(gold: Form, answer: Form): readonly [Form, Form] {
  const [goldAssigns, answerAssigns] = [assigns(gold), assigns(answer)];
  const reference = goldAssigns ? ends(gold) : gold;
  const given = answerAssigns ? ends(answer) : answer;
  if (isEquation(answer) && !isEquation(gold)) return [reference, last(given)];
  return goldAssigns && !isEquation(answer) ? [last(reference), given] : [reference, given];
}

function isEquation(form: Form): form is Relation {
  return form.kind === 'relation' && form.signs.every((sign) => sign === '=');
}

/** x = 5, x + y = 4: only letters on the left. */
function assigns(form: Form): form is Relation {
  if (!isEquation(form)) return false;
  const [left] = form.sides;
  if (left?.kind === 'tuple' || left?.kind === 'interval') return true;
  return left?.kind === 'value' && !some(left.expr, (part) => part.kind === 'number' || part.kind === 'negative' || part.kind === 'percent' || (part.kind === 'symbol' && nameOf(part) === null));
}

/** a = b = c as a = c. */
function ends(form: Form): Form {
  if (form.kind !== 'relation') return form;
  const [first] = form.sides;
  const end = form.sides.at(-1);
  return first === undefined || end === undefined ? form : { kind: 'relation', sides: [first, end], signs: ['='] };
}
function last(form: Form): Form {
  return form.kind === 'relation' ? (form.sides.at(-1) ?? form) : form;
}

/* Values */

function sameValue(gold: Expr, answer: Expr): boolean {
  const [goldName, answerName] = [wordOf(gold), wordOf(answer)];
  // A word is one symbol in \text{…} and a product of letters without.
  if (nameOf(gold) !== null || nameOf(answer) !== null) return goldName !== null && goldName === answerName;
  if (decided(() => equalExpressions(gold, answer)) === true) return true;
  if (samePercent(gold, answer)) return true;
  const rounded = isDecimal(gold) || isDecimal(answer);
  const [left, right] = [numericValue(gold), numericValue(answer)];
  if (left === null || right === null) return false;
  // Six places, but whole numbers are exact.
  if (rounded) return !isWhole(gold) && !isWhole(answer) && left.toDecimalPlaces(PLACES).eq(right.toDecimalPlaces(PLACES));
  return !isNumber(gold) && !isNumber(answer) && relativeDifference(left, right).lt(DIGITS);
}

/** 9 % is 9. */
function samePercent(gold: Expr, answer: Expr): boolean {
  if (gold.kind !== 'percent' && answer.kind !== 'percent') return false;
  const of = (expr: Expr): Expr => (expr.kind === 'percent' ? expr.of : expr);
  return isWhole(of(gold)) && isWhole(of(answer)) && decided(() => equalExpressions(of(gold), of(answer))) === true;
}

function isWhole(expr: Expr): boolean {
  return fractionOf(expr)?.d === 1n;
}
function isNumber(expr: Expr): boolean {
  return fractionOf(expr) !== null || isDecimal(expr);
}
function isDecimal(expr: Expr): boolean {
  if (expr.kind === 'negative' || expr.kind === 'percent') return isDecimal(expr.of);
  return expr.kind === 'number' && expr.written === 'decimal';
}

/** Letters in a row as one word. */
function wordOf(expr: Expr): string | null {
  if (expr.kind === 'symbol' && expr.name === 'e') return 'e';
  if (expr.kind !== 'product') return nameOf(expr);
  const parts = expr.factors.map(wordOf);
  return parts.every((part) => part !== null) ? parts.join('') : null;
}

function sameMatrix(gold: readonly (readonly Expr[])[], answer: readonly (readonly Expr[])[]): boolean {
  return gold.length === answer.length && gold.every((row, i) => row.length === answer[i]?.length && row.every((expr, j) => sameEntry(expr, answer[i]?.[j])));
}
function sameEntry(gold: Expr, answer: Expr | undefined): boolean {
  return answer !== undefined && sameValue(gold, answer);
}

/* Relations */

const MIRROR: Readonly<Partial<Record<Sign, Sign>>> = { '=': '=', '<': '>', '>': '<', '<=': '>=', '>=': '<=' };

function sameRelation(gold: Relation, answer: Relation): boolean {
  if (gold.signs.length !== answer.signs.length) return false;
  return gold.signs.every((sign, index) => {
    const other = answer.signs[index];
    const [a, b] = [difference(gold, index), difference(answer, index)];
    if (a === null || b === null) return sameSides(gold, answer, index);
    if (other === sign && sameValue(a, b)) return true;
    if (other === MIRROR[sign] && sameValue(a, negative(b))) return true;
    return sign === '=' && other === '=' && sameSolutions(a, b);
  });
}

function difference(relation: Relation, index: number): Expr | null {
  const [left, right] = [relation.sides[index], relation.sides[index + 1]];
  return left?.kind === 'value' && right?.kind === 'value' ? sum([left.expr, negative(right.expr)]) : null;
}
function sameSides(gold: Relation, answer: Relation, index: number): boolean {
  return [index, index + 1].every((at) => {
    const [a, b] = [gold.sides[at], answer.sides[at]];
    return a !== undefined && b !== undefined && sameForm(a, b);
  });
}

/** Equations that are a multiple of each other, after roots that stand alone are squared. */
function sameSolutions(a: Expr, b: Expr): boolean {
  return decided(() => {
    const [left, right] = [exactOf(squared(a)).over, exactOf(squared(b)).over];
    const [key, term] = [...left][0] ?? [];
    const partner = key === undefined ? undefined : right.get(key);
    if (term === undefined || partner === undefined || left.size !== right.size) return false;
    return [...left].every(([name, { coefficient: c }]) => {
      const other = right.get(name)?.coefficient;
      return other !== undefined && c.n * term.coefficient.d * other.d * partner.coefficient.n === other.n * c.d * term.coefficient.n * partner.coefficient.d;
    });
  }) ?? false;
}

/** √A - c = 0 as A - c² = 0, for a positive number c. */
function squared(expr: Expr): Expr {
  if (expr.kind !== 'sum' || expr.terms.length !== 2) return expr;
  const [root, number] = expr.terms;
  if (root?.kind !== 'call' || root.name !== 'sqrt' || number?.kind !== 'negative' || numericValue(number.of)?.isPositive() !== true) return expr;
  const [inside] = root.args;
  return inside === undefined ? expr : sum([inside, negative({ kind: 'power', base: number.of, exponent: { kind: 'number', value: { n: 2n, d: 1n }, written: 'integer' } })]);
}

/** A reference x > 3, -2 < x < 5 and an answer that is a set. */
function sameAsSet(relation: Relation, answer: Form): boolean {
  const set = asInterval(relation);
  return set !== null && sameForm(set, answer);
}

function asInterval({ sides, signs }: Relation): Form | null {
  const infinity: Expr = { kind: 'symbol', name: '∞' };
  const values = sides.flatMap((side) => (side.kind === 'value' ? [side.expr] : []));
  const [a, b, c] = values;
  const [first, second] = signs;
  if (values.length !== sides.length || a === undefined || b === undefined || first === undefined || first === '!=' || first === '=') return null;
  const open = (sign: Sign): boolean => sign === '<' || sign === '>';
  const rises = first.startsWith('<');
  if (c === undefined) {
    const [bound, below] = nameOf(a) !== null && isConstant(b) ? [b, rises] : [a, !rises];
    if (nameOf(a) === null && nameOf(b) === null) return null;
    return below ? { kind: 'interval', from: negative(infinity), to: bound, openLeft: true, openRight: open(first) } : { kind: 'interval', from: bound, to: infinity, openLeft: open(first), openRight: true };
  }
  if (second?.startsWith('<') !== rises || nameOf(b) === null) return null;
  return rises ? { kind: 'interval', from: a, to: c, openLeft: open(first), openRight: open(second) } : { kind: 'interval', from: c, to: a, openLeft: open(second), openRight: open(first) };
}
function isConstant(expr: Expr): boolean {
  return !some(expr, (part) => nameOf(part) !== null);
}

/* Sets, tuples, intervals */

function sameSet(gold: Form, answer: Form): boolean {
  if (gold.kind === 'named' || answer.kind === 'named') return gold.kind === 'named' && answer.kind === 'named' && gold.name === answer.name;
  if (gold.kind === 'interval' && answer.kind === 'interval') return gold.openLeft === answer.openLeft && gold.openRight === answer.openRight && sameValue(gold.from, answer.from) && sameValue(gold.to, answer.to);
  if (gold.kind === 'union' || answer.kind === 'union') return gold.kind === 'union' && answer.kind === 'union' && sameUnordered(gold.items, answer.items);
  // An open interval may have been meant as a point.
  const [left, right] = [asPoint(gold), asPoint(answer)];
  if (left === null || right === null) return false;
  return left.ordered ? sameOrdered(left.items, right.items) : sameUnordered(left.items, right.items);
}

function asPoint(form: Form): { readonly items: readonly Form[]; readonly ordered: boolean } | null {
  switch (form.kind) {
    case 'tuple':
      return { items: form.items, ordered: true };
    case 'interval':
      return form.openLeft && form.openRight ? { items: [{ kind: 'value', expr: form.from }, { kind: 'value', expr: form.to }], ordered: true } : null;
    case 'set':
      return { items: form.items, ordered: false };
    case 'value':
      return { items: [form], ordered: false };
    case 'union':
    case 'named':
    case 'relation':
    case 'matrix':
      return null;
    default:
      return form satisfies never;
  }
}

function sameOrdered(gold: readonly Form[], answer: readonly Form[]): boolean {
  return gold.length === answer.length && gold.every((item, index) => {
    const other = answer[index];
    return other !== undefined && sameForm(item, other);
  });
}

/** Each item has a partner of its own; equal ones count once. */
function sameUnordered(gold: readonly Form[], answer: readonly Form[]): boolean {
  const [left, right] = [distinct(gold), distinct(answer)];
  if (left.length !== right.length) return false;
  const free = new Set(right);
  return left.every((item) => {
    const partner = [...free].find((other) => sameForm(item, other));
    return partner !== undefined && free.delete(partner);
  });
}

function distinct(items: readonly Form[]): readonly Form[] {
  return items.filter((item, index) => !items.slice(0, index).some((before) => item.kind === 'value' && before.kind === 'value' && decided(() => equalExpressions(item.expr, before.expr)) === true));
}
