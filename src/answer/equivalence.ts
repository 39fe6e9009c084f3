/**
 * Do two answers mean the same? Values exactly, sets without order, tuples in order, units converted, words by letter.
 * `true` is said only for what is certain; `null` means "could not decide". Knows no problem.
 */

import { readAnswer, unwrapped } from './answerForm.ts';
import type { AnswerForm, RelationSign } from './answerForm.ts';
import { equalExpressions } from './equality.ts';
import { exactOf, differenceOf } from './exact.ts';
import { negative, numberOf, product, sum } from './expression.ts';
import type { Expr } from './expression.ts';
import { generatorsOf } from './polynomial.ts';
import { rational, sign } from './rational.ts';
import type { Rational } from './rational.ts';
import { decided } from './undecided.ts';
import { conversionFactor, totalOf } from './units.ts';

/** Both as they are written, LaTeX or plain. Never throws for bad input: what can't be read is `null`, unless both are the same text. */
export function equivalent(a: string, b: string): boolean | null {
  const forms = decided(() => [readAnswer(a), readAnswer(b)] as const);
  const result = forms === null ? null : decided(() => sameForm(forms[0], forms[1]));
  if (result !== true && hasLetterBehindNumber(a, b)) {
    const asUnits = decided(() => [readAnswer(a, { letterUnits: true }), readAnswer(b, { letterUnits: true })] as const);
    if (asUnits !== null && unitOf(asUnits[0]) !== null && unitOf(asUnits[1]) !== null && decided(() => sameForm(asUnits[0], asUnits[1])) === true) return true;
  }
  return result ?? (sameText(a, b) ? true : null);
}

function hasLetterBehindNumber(a: string, b: string): boolean {
  return /\d[a-zA-Z]\s*$/.test(unwrapped(a)) !== /\d[a-zA-Z]\s*$/.test(unwrapped(b));
}
function sameText(a: string, b: string): boolean {
  const plain = (text: string): string => unwrapped(text).replace(/\s+/g, ' ').replace(/(?<![\p{L}\d]) | (?![\p{L}\d])/gu, '').toLowerCase();
  return plain(a) === plain(b);
}
function unitOf(form: AnswerForm): string | null {
  return form.kind === 'value' ? (form.unit?.dimension ?? null) : null;
}

/** @throws Undecided */
function sameForm(a: AnswerForm, b: AnswerForm): boolean | null {
  if (a.kind === b.kind) return sameKind(a, b);
  return sameMixed(a, b) ?? sameMixed(b, a) ?? null;
}

function sameKind(a: AnswerForm, b: AnswerForm): boolean | null {
  switch (a.kind) {
    case 'value':
      return b.kind === 'value' ? sameValues(a, b) : null;
    case 'quantities':
      return b.kind === 'quantities' ? sameTotals(totalOf(a.parts), totalOf(b.parts)) : null;
    case 'equation':
      return b.kind === 'equation' ? sameEquation(a, b) : null;
    case 'relation':
      return b.kind === 'relation' ? sameRelation(a, b) : null;
    case 'list':
    case 'set':
    case 'union':
      return b.kind === a.kind ? sameUnordered(a.items, b.items) : null;
    case 'tuple':
      return b.kind === 'tuple' ? (a.open === b.open && a.close === b.close ? sameOrdered(a.items, b.items) : sameOrdered(a.items, b.items) === false ? false : sameInterval(a, b)) : null;
    case 'remainder':
      return b.kind === 'remainder' ? both(equalExpressions(a.quotient, b.quotient), equalExpressions(a.remainder, b.remainder)) : null;
    case 'nothing':
    case 'everything':
      return true;
    case 'text':
      return b.kind === 'text' ? a.text === b.text : null;
    default:
      return a satisfies never;
  }
}

/** (1,2) and [1,2] differ as intervals and are the same as points: of numbers that ascend nothing is said but "no". */
function sameInterval(a: Extract<AnswerForm, { kind: 'tuple' }>, b: Extract<AnswerForm, { kind: 'tuple' }>): boolean | null {
  return a.items.length === 2 && b.items.length === 2 ? false : null;
}

/** `a` of another kind than `b`; null where these two kinds are never the same or it isn't known. */
function sameMixed(a: AnswerForm, b: AnswerForm): boolean | null {
  if (b.kind === 'nothing' || b.kind === 'everything') return a.kind === 'text' ? null : a.kind === 'union' && b.kind === 'everything' ? null : false;
  if (a.kind === 'equation' && b.kind === 'value') return sameValues({ kind: 'value', values: assigned(a)?.values ?? [], unit: null, percent: false }, b, assigned(a) === null);
  if (a.kind === 'set' && b.kind === 'list') return sameUnordered(a.items, b.items.map(bare));
  if (a.kind === 'set' && b.kind === 'value') return b.values.length > 1 || a.items.length === 1 ? sameUnordered(a.items, separate(b)) : false;
  if (a.kind === 'set' && b.kind === 'equation') return sameUnordered(a.items, separate(bare(b)));
  if (a.kind === 'list' && (b.kind === 'value' || b.kind === 'equation')) {
    const several = separate(b);
    return several.length > 1 ? sameUnordered(a.items.map(bare), several.map(bare)) : false;
  }
  if (a.kind === 'tuple' && b.kind === 'set') return false;
  if (a.kind === 'tuple' && b.kind === 'list') return sameOrdered(a.items, inOrderOfNames(b.items));
  if (a.kind === 'tuple' && (b.kind === 'value' || b.kind === 'equation')) return false;
  if (a.kind === 'quantities' && b.kind === 'value') return sameQuantityAndValue(a, b);
  if (a.kind === 'remainder' && b.kind === 'value') return a.remainder.kind === 'number' && a.remainder.value.n === 0n ? equalExpressions(a.quotient, b.values[0] ?? a.quotient) : null;
  return null;
}

const both = (a: boolean | null, b: boolean | null): boolean | null => (a === false || b === false ? false : a === null || b === null ? null : true);

/** x = 5 or 5 = x: the name and the values; null for any other equation. */
export function assigned(form: AnswerForm): { readonly name: string; readonly values: readonly Expr[] } | null {
  if (form.kind !== 'equation') return null;
  if (form.left.kind === 'symbol') return { name: form.left.name, values: form.right };
  const [only] = form.right;
  return only?.kind === 'symbol' && form.right.length === 1 ? { name: only.name, values: [form.left] } : null;
}

/** x = 5 as 5. */
function bare(form: AnswerForm): AnswerForm {
  const value = assigned(form);
  return value === null ? form : { kind: 'value', values: value.values, unit: null, percent: false };
}
/** ±3 as 3 and -3. */
function separate(form: AnswerForm): AnswerForm[] {
  const value = bare(form);
  return value.kind === 'value' ? value.values.map((one) => ({ ...value, values: [one] })) : [form];
}
/** "y = 1, x = 2" as 2, 1, so that it can be compared with (2, 1). */
function inOrderOfNames(items: readonly AnswerForm[]): readonly AnswerForm[] {
  const named = items.map((item) => ({ item, name: assigned(item)?.name }));
  if (named.some(({ name }) => name === undefined)) return items.map(bare);
  return named.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)).map(({ item }) => bare(item));
}

type Value = Extract<AnswerForm, { kind: 'value' }>;

function sameValues(a: Value, b: Value, opaque = false): boolean | null {
  if (opaque) return null;
  if (a.values.length !== b.values.length || a.values.length > 1) return sameUnordered(separate(a), separate(b));
  const [left, right] = [a.values[0], b.values[0]];
  if (left === undefined || right === undefined) return null;
  if (a.unit === null || b.unit === null) return equalExpressions(left, right);
  const factor = conversionFactor(a.unit, b.unit);
  return factor === null ? false : equalExpressions(product([left, numberOf(factor)]), right);
}

function sameTotals(a: ReturnType<typeof totalOf>, b: ReturnType<typeof totalOf>): boolean | null {
  if (a === null || b === null) return null;
  return a.unit.dimension === b.unit.dimension && equalExpressions(numberOf(a.value), numberOf(b.value)) === true;
}
function sameQuantityAndValue(a: Extract<AnswerForm, { kind: 'quantities' }>, b: Value): boolean | null {
  const total = totalOf(a.parts);
  const [value] = b.values;
  if (total === null || value === undefined || b.unit === null) return null;
  if (b.unit.dimension !== total.unit.dimension) return false;
  return equalExpressions(numberOf(total.value), product([value, numberOf(b.unit.size)]));
}

function sameOrdered(a: readonly AnswerForm[], b: readonly AnswerForm[]): boolean | null {
  if (a.length !== b.length) return false;
  return a.reduce<boolean | null>((all, item, i) => {
    const other = b[i];
    return both(all, other === undefined ? false : sameForm(item, other));
  }, true);
}

/** As sets: each item has a partner on the other side. */
function sameUnordered(a: readonly AnswerForm[], b: readonly AnswerForm[]): boolean | null {
  const [left, right] = [a.flatMap(separateInList), b.flatMap(separateInList)];
  const covered = (from: readonly AnswerForm[], to: readonly AnswerForm[]): boolean | null =>
    from.reduce<boolean | null>((all, item) => {
      const verdicts = to.map((other) => sameForm(item, other));
      return both(all, verdicts.includes(true) ? true : verdicts.includes(null) ? null : false);
    }, true);
  const forth = covered(left, right);
  return forth === false ? false : both(forth, covered(right, left));
}
function separateInList(item: AnswerForm): AnswerForm[] {
  if (item.kind === 'value') return separate(item);
  return item.kind === 'equation' && item.right.length > 1 ? item.right.map((one) => ({ ...item, right: [one] })) : [item];
}

function sameEquation(a: Extract<AnswerForm, { kind: 'equation' }>, b: Extract<AnswerForm, { kind: 'equation' }>): boolean | null {
  const [left, right] = [assigned(a), assigned(b)];
  if (left !== null && right !== null && left.name === right.name) return sameUnordered(separate(a), separate(b));
  if (left !== null && right !== null && left.values.every(isNumber) && right.values.every(isNumber)) return false;
  const [first, second] = [a.right[0], b.right[0]];
  if (first === undefined || second === undefined || a.right.length > 1 || b.right.length > 1) return null;
  const ratio = ratioOf(difference(a.left, first), difference(b.left, second));
  return ratio === null ? null : ratio !== 'none';
}
function isNumber(expr: Expr): boolean {
  return generatorsOf(exactOf(expr).over).size === 0;
}
function difference(left: Expr, right: Expr): Expr {
  return sum([left, negative(right)]);
}

/** The rational number k ≠ 0 with a = k·b for polynomials a and b; 'none' where there is none; null where it isn't known. */
function ratioOf(a: Expr, b: Expr): Rational | 'none' | null {
  const [left, right] = [exactOf(a), exactOf(b)];
  if (generatorsOf(left.under).size + generatorsOf(right.under).size > 0) return null;
  const [key, term] = [...left.over][0] ?? [];
  const partner = key === undefined ? undefined : right.over.get(key);
  if (term === undefined) return right.over.size === 0 ? rational(1n) : 'none';
  if (partner === undefined) return 'none';
  const k = rational(term.coefficient.n * partner.coefficient.d, term.coefficient.d * partner.coefficient.n);
  const remains = differenceOf(left, exactOf(product([numberOf(k), b])));
  return remains.size === 0 ? k : 'none';
}

const MIRROR: Readonly<Record<RelationSign, RelationSign>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=', '!=': '!=' };

function sameRelation(a: Extract<AnswerForm, { kind: 'relation' }>, b: Extract<AnswerForm, { kind: 'relation' }>): boolean | null {
  const ratio = ratioOf(difference(a.left, a.right), difference(b.left, b.right));
  if (ratio === null) return null;
  if (ratio === 'none') return ratioIsLinear(a) && ratioIsLinear(b) ? false : null;
  return (sign(ratio) > 0 ? a.sign : MIRROR[a.sign]) === b.sign;
}
/** Only of x compared with a number it is certain that different ones mean different sets. */
function ratioIsLinear(form: Extract<AnswerForm, { kind: 'relation' }>): boolean {
  return (form.left.kind === 'symbol' && isNumber(form.right)) || (form.right.kind === 'symbol' && isNumber(form.left));
}
