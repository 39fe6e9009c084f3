/**
 * The forms that an answer takes: a value (with a unit), equations, lists, sets, tuples, intervals, text.
 * Reads the writing and splits it; does not compare (equivalence.ts) and does not know the problem (check.ts).
 */

import { expandPlusMinus } from './expression.ts';
import type { Expr } from './expression.ts';
import { normalized } from './lexer.ts';
import { parseExpression } from './parser.ts';
import { Undecided, decided } from './undecided.ts';
import { isAlsoALetter, readQuantities, unitNamed } from './units.ts';
import type { Quantity, Unit } from './units.ts';

export type RelationSign = '<' | '<=' | '>' | '>=' | '!=';

export type AnswerForm =
  /** One value; two where it was written with ±. */
  | { readonly kind: 'value'; readonly values: readonly Expr[]; readonly unit: Unit | null; readonly percent: boolean }
  | { readonly kind: 'quantities'; readonly parts: readonly Quantity[] }
  | { readonly kind: 'equation'; readonly left: Expr; readonly right: readonly Expr[]; readonly unit: Unit | null }
  | { readonly kind: 'relation'; readonly left: Expr; readonly sign: RelationSign; readonly right: Expr }
  /** Separated by commas, "and" or "or" without brackets around. */
  | { readonly kind: 'list'; readonly items: readonly AnswerForm[]; readonly or: boolean }
  | { readonly kind: 'set'; readonly items: readonly AnswerForm[] }
  /** In round or square brackets: a tuple, a point or an interval. */
  | { readonly kind: 'tuple'; readonly items: readonly AnswerForm[]; readonly open: '(' | '['; readonly close: ')' | ']' }
  | { readonly kind: 'union'; readonly items: readonly AnswerForm[] }
  | { readonly kind: 'remainder'; readonly quotient: Expr; readonly remainder: Expr }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'everything' }
  | { readonly kind: 'text'; readonly text: string };

export interface ReadingOptions {
  /** Take a single letter directly behind a number as a unit: 5m. */
  readonly letterUnits: boolean;
  /** Letters of the problem: these are never units. */
  readonly variables?: ReadonlySet<string>;
}

const NOTHING = /^(?:there (?:is|are) )?(?:no (?:real |rational |integer )?solutions?|none|no real roots?|\\emptyset|\\varnothing|∅|\{\s*\}|\\\{\s*\\\}|the empty set|empty set|impossible)$/i;
const EVERYTHING = /^(?:all real numbers|all reals?|\\mathbb\{?R\}?|ℝ|all numbers|every real number|infinitely many(?: solutions)?|\(-\\infty\s*,\s*\+?\\infty\)|(?:[a-z]\s*)?(?:\\in|∈)\s*(?:\\mathbb\{?R\}?|ℝ))$/i;
const CURRENCY: Readonly<Record<string, string>> = { '\\$': '$', $: '$', '€': '€', '£': '£', '¥': '¥', '\\pounds': '£', '\\euro': '€' };

/** @throws Undecided where the text is no form known here */
export function readAnswer(text: string, options: ReadingOptions = { letterUnits: false }): AnswerForm {
  const plain = unwrapped(text);
  if (plain === '') throw new Undecided('answer-empty');
  const words = plain.replace(/\\(?:text|mathrm|textrm)\{([^{}]*)\}/g, '$1').replace(/\\[,; ]/g, ' ').trim();
  if (NOTHING.test(words)) return { kind: 'nothing' };
  if (EVERYTHING.test(words)) return { kind: 'everything' };
  return readPlain(plain, words, options);
}

function readPlain(plain: string, words: string, options: ReadingOptions): AnswerForm {
  const remainder = /^(.+?)\s*,?\s*(?:remainder|rem\.?|r|R)\s*(?:of\s+|=\s*)?(\d+)$/.exec(words);
  if (remainder !== null && /\d\)?$|\d\}$/.test((remainder[1] ?? '').trim())) {
    return { kind: 'remainder', quotient: parseExpression(remainder[1] ?? ''), remainder: parseExpression(remainder[2] ?? '') };
  }
  const unions = splitTop(plain, /^(?:\\cup(?![a-zA-Z])|∪)/);
  if (unions.length > 1) return { kind: 'union', items: unions.map((item) => readAnswer(item, options)) };
  const member = /^[a-zA-Z]\s*(?:\\in(?![a-zA-Z])|∈)\s*(.+)$/s.exec(plain);
  if (member?.[1] !== undefined) return readAnswer(member[1], options);
  const quantities = readQuantities(plain);
  if (quantities !== null && quantities.length > 1) return { kind: 'quantities', parts: quantities };
  const bracketed = readBracketed(plain, options);
  if (bracketed !== null) return bracketed;
  const joined = splitTop(plain, /^(?:\\text\{\s*(?:or|and)\s*,?\s*\}|\\(?:lor|vee|land|wedge)(?![a-zA-Z])|(?<![a-zA-Z])(?:or|and)(?![a-zA-Z])|∨|∧|;|\\\\|,(?!\d{3}(?!\d))|\n)/);
  const items = joined.filter((item) => item.trim() !== '');
  if (items.length > 1) return { kind: 'list', items: items.map((item) => readAnswer(item, options)), or: /(?<![a-zA-Z])or(?![a-zA-Z])|\\lor|\\vee|∨/.test(plain) };
  return readSingle(items[0] ?? plain, words, options);
}

/** Without the dollar signs, boxes and full stop around it. */
export function unwrapped(text: string): string {
  let plain = text.trim();
  for (;;) {
    const before = plain;
    const box = /^\\(?:boxed|fbox)\{([\s\S]*)\}$/.exec(plain);
    if (box?.[1] !== undefined && isBalanced(box[1])) plain = box[1].trim();
    if (/^\$\$[^$]+\$\$$/.test(plain)) plain = plain.slice(2, -2).trim();
    else if (/^\$(?:[^$\\]|\\[^$]|\\\$)+\$$/.test(plain)) plain = plain.slice(1, -1).trim();
    const inline = /^\\[([]([\s\S]*)\\[)\]]$/.exec(plain);
    if (inline?.[1] !== undefined && !/\\[()[\]]/.test(inline[1])) plain = inline[1].trim();
    if (plain === before) break;
  }
  return plain.replace(/\\(?:left|right)(?![a-zA-Z])/g, '').replace(/([^.])\.$/, '$1').replace(/(\d)\{,\}(?=\d{3})/g, '$1,').trim();
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const char of text.replace(/\\[{}]/g, '')) {
    if (char === '{') depth += 1;
    if (char === '}') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** Parts between separators that stand outside of all brackets. */
export function splitTop(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    const rest = depth === 0 ? separator.exec(text.slice(at, at + 40)) : null;
    // The separator may look one character back ("or" inside a word).
    const inWord = rest !== null && /^[a-zA-Z]/.test(rest[0]) && /[a-zA-Z\\]/.test(text.charAt(at - 1));
    const inNumber = rest?.[0] === ',' && /\d/.test(text.charAt(at - 1)) && /^\d{3}(?!\d)/.test(text.slice(at + 1));
    if (rest !== null && !inWord && !inNumber) {
      parts.push(text.slice(start, at));
      at += rest[0].length - 1;
      start = at + 1;
    } else if (char === '\\') at += /[{}()[\]]/.test(text.charAt(at + 1)) ? (depth += text.charAt(at + 1) === '{' ? 1 : text.charAt(at + 1) === '}' ? -1 : 0, 1) : 0;
    else if ('([{'.includes(char)) depth += 1;
    else if (')]}'.includes(char)) depth -= 1;
  }
  return [...parts, text.slice(start)];
}

function readBracketed(plain: string, options: ReadingOptions): AnswerForm | null {
  const set = /^(?:\\\{([\s\S]*)\\\}|\{([\s\S]*)\})$/.exec(plain);
  const comma = /^(?:,|;)/;
  if (set !== null) {
    const inside = set[1] ?? set[2] ?? '';
    if (!isBalanced(inside)) return null;
    if (/(?:\\mid|\||:)/.test(inside)) throw new Undecided('set-by-condition');
    return { kind: 'set', items: splitTop(inside, comma).map((item) => readAnswer(item, options)) };
  }
  const open = plain.charAt(0);
  const close = plain.at(-1);
  if ((open !== '(' && open !== '[') || (close !== ')' && close !== ']')) return null;
  const inside = plain.slice(1, -1);
  if (!enclosesAll(plain)) return null;
  if (/^\s*-?\d{1,3}(?:,\d{3})+\s*$/.test(inside)) throw new Undecided('comma-in-brackets');
  const items = splitTop(inside, comma);
  return items.length < 2 ? null : { kind: 'tuple', items: items.map((item) => readAnswer(item, options)), open, close };
}

/** The first bracket closes at the very end. */
function enclosesAll(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if ('([{'.includes(text.charAt(at))) depth += 1;
    if (')]}'.includes(text.charAt(at))) depth -= 1;
    if (depth === 0 && at < text.length - 1) return false;
  }
  return depth === 0;
}

const RELATION = /^(?:\\(?:leq?|geq?|neq?|lt|gt)(?![a-zA-Z])|<=|>=|!=|[<>≤≥≠])/;

function relationSign(text: string): RelationSign {
  if (/^(?:\\leq?$|<=|≤)/.test(text)) return '<=';
  if (/^(?:\\geq?$|>=|≥)/.test(text)) return '>=';
  if (/^(?:\\neq?$|!=|≠)/.test(text)) return '!=';
  return text === '<' || text === '\\lt' ? '<' : '>';
}

function readSingle(plain: string, words: string, options: ReadingOptions): AnswerForm {
  const sides = splitTop(plain, RELATION);
  if (sides.length === 2) {
    const sign = RELATION.exec(plain.slice(sides[0]?.length ?? 0));
    return { kind: 'relation', left: parseExpression(sides[0] ?? ''), sign: relationSign(sign?.[0] ?? ''), right: parseExpression(sides[1] ?? '') };
  }
  if (sides.length > 2) throw new Undecided('chain-of-inequalities');
  const equals = splitTop(plain, /^=/);
  if (equals.length === 2) return readEquation(equals[0] ?? '', equals[1] ?? '', options);
  if (equals.length > 2) throw new Undecided('several-equals-signs');
  const value = decided(() => readValue(plain, options));
  if (value !== null) return value;
  if (/^[\p{L}\s'.,!-]+$/u.test(words) && /\p{L}{2}/u.test(words)) return { kind: 'text', text: words.toLowerCase().replace(/[.!]+$/, '').replace(/\s+/g, ' ') };
  return readValue(plain, options); // For its reason.
}

/** x = 5 cm: the unit is that of the right side. */
function readEquation(left: string, right: string, options: ReadingOptions): AnswerForm {
  if (right.trim() === '' || right.trim() === '?') return readAnswer(left, options);
  const value = readValue(right, options);
  return { kind: 'equation', left: parseExpression(left), right: value.values, unit: value.unit };
}

const TEXT_UNIT = /\s*\\(?:text|mathrm|textrm|operatorname)\{\s*([^{}]*?)\s*\}(\s*\^\s*\{?([23])\}?)?$/;

function readValue(text: string, options: ReadingOptions = { letterUnits: false }): Extract<AnswerForm, { kind: 'value' }> {
  let plain = text.trim();
  let unit: Unit | null = null;
  const money = /^(-?)\s*(\\\$|\$|€|£|¥|\\pounds|\\euro)\s*(?=[\d\\.])/.exec(plain);
  if (money !== null) {
    unit = unitNamed(CURRENCY[money[2] ?? ''] ?? '');
    plain = `${money[1] ?? ''}${plain.slice(money[0].length)}`;
  }
  const boxed = TEXT_UNIT.exec(plain);
  if (unit === null && boxed !== null && boxed.index > 0) {
    unit = unitNamed(`${boxed[1] ?? ''}${boxed[3] === undefined ? '' : `^${boxed[3]}`}`);
    if (unit !== null) plain = plain.slice(0, boxed.index);
  } else if (unit === null) {
    const bare = /^(.*?[\d})])(\s*)(€|£|¥|¢|[\p{L}²³]+(?:\^\{?[23]\}?)?(?:\/[hs])?)$/su.exec(plain);
    const named = bare === null ? null : unitNamed(bare[3] ?? '');
    if (bare !== null && named !== null && options.variables?.has(bare[3] ?? '') !== true && (!isAlsoALetter(bare[3] ?? '') || options.letterUnits || bare[2] !== '')) {
      unit = named;
      plain = bare[1] ?? '';
    }
  }
  const degrees = /^(.*\d)\s*(?:°|\^\s*\{?\\circ\}?|\\degree)$/s.exec(plain);
  if (unit === null && degrees !== null) {
    unit = unitNamed('°');
    plain = degrees[1] ?? '';
  }
  const percent = /(?:%|\bpercent)\s*$/.test(normalized(plain));
  if (percent) plain = plain.replace(/\s*percent\s*$/, '%');
  return { kind: 'value', values: expandPlusMinus(parseExpression(plain)), unit, percent };
}
