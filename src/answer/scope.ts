/**
 * Is a question within what a small model has learned? Decided from the model's own declaration: the words, signs and
 * sizes of numbers of its training questions, which of them occur together, and the sentence with which it refuses.
 * Reads a question as `training/tah_training/scope.py` does. Pure; knows no file.
 */

import type { OutsideReason, ScopeVerdict, Subject } from '../protocol/scope.ts';

/** `subjects.json`: what a model declares of itself. */
export interface DeclaredSubjects {
  readonly subjects: readonly Subject[];
  /** The sentence that the model was trained to refuse with. */
  readonly refusal: string;
  readonly scope: {
    /** Names of people, lower case: all count as one kind. */
    readonly names: readonly string[];
    /** Kinds of pieces that its questions are made of, sorted by code unit. */
    readonly kinds: readonly string[];
    /** For each kind the largest number in a question with it; -1 where too few had it. */
    readonly largest: readonly number[];
    /** Base64 bits of the upper triangle, row by row: do two kinds share a question? */
    readonly together: string;
    /** Pieces of the longest question. */
    readonly longest: number;
  };
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const REPLACED: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/[⁰¹²³⁴-⁹]+/gu, (found) => `^${Array.from(found, (sign) => SUPERSCRIPTS.indexOf(sign)).join('')}`],
  [/\*\*/gu, '^'],
  [/\\\\/gu, ' '],
  [/\\(?:cdot|times)(?![a-z])|[×·⋅]/gu, ' * '],
  [/\\div(?![a-z])|÷/gu, ' / '],
  [/[−–]/gu, '-'],
  [/\\[dt]frac(?![a-z])/gu, '\\frac'],
  [/\\(?:left|right)(?![a-z])/gu, ' '],
  [/√/gu, '\\sqrt '],
  [/∛/gu, 'cbrt '],
  [/(?<![a-z])sqrt(?![a-z])/gu, '\\sqrt'],
  [/\\(?=[()[\],;: \\%])/gu, ' '],
  [/[’‘]/gu, "'"],
];
const PIECE = /\\+[a-z]+|\p{L}+(?:'\p{L}+)?|\p{Nd}+(?:\.\p{Nd}+)?|\S/gu;
const STRUCTURE: ReadonlySet<string> = new Set(['{', '}', '$']);
const NAME = '<name>';

export interface Piece {
  readonly text: string;
  /** Right after the piece before it. */
  readonly glued: boolean;
}

/** Lower-case words, LaTeX commands, signs and numbers of a question, in order; brackets of LaTeX left out. */
export function piecesOf(question: string): readonly Piece[] {
  let text = question.toLowerCase();
  for (const [pattern, by] of REPLACED) text = typeof by === 'string' ? text.replace(pattern, () => by) : text.replace(pattern, by);
  const found: Piece[] = [];
  let end = -1;
  for (const match of text.matchAll(PIECE)) {
    const [piece] = match;
    if (!STRUCTURE.has(piece)) found.push({ text: piece, glued: match.index === end });
    end = match.index + piece.length;
  }
  return found;
}

/** What a piece counts as: itself, or its class (a number by its digits). */
function kindOf(piece: string): string {
  if (!isNumber(piece)) return piece;
  const [whole = '', part] = piece.split('.');
  return part === undefined ? `<${whole.length}>` : `<${whole.length}.${part.length}>`;
}

/**
 * How formulas are built: `#x` a letter right after a number, `#!` and `y'` a sign right after what it changes, `<2>^3`
 * what is raised to what, `^3=` a power in an equation, `<letters 2>`.
 */
export function patternsOf(pieces: readonly Piece[]): readonly string[] {
  const coefficients: string[] = [];
  const powers: string[] = [];
  const signs = pieces.filter(({ text }) => !isWord(text)).length;
  const letters = new Set(pieces.filter(({ text }) => isLetter(text)).map(({ text }) => text));
  for (const [i, { text, glued }] of pieces.entries()) {
    const before = pieces[i - 1]?.text ?? '';
    const after = pieces[i + 1]?.text;
    if (glued && isLetter(text) && isNumber(before)) coefficients.push(`#${text}`);
    // At the end of a longer question it is the mark of whoever asks: "12 + 5!" is taken for a sum.
    const isFactorial = text === '!' && ((after ?? '!') !== '!' || signs === 2);
    if (glued && (isFactorial || text === "'") && (before === ')' || isNumber(before) || isLetter(before))) coefficients.push(`${isNumber(before) ? '#' : before}${text}`);
    if (text === '^' && before !== '' && after !== undefined) powers.push(`${kindOf(before)}^${after}`);
  }
  return [...coefficients, ...powers, ...equationPowers(pieces.map(({ text }) => text)), `<letters ${letters.size}>`];
}

/**
 * `^3=` for every power of a letter in an equation with a number right before its sign of equality: `x^3 - 8 = 0`,
 * `0 = x^3 - 8`. A definition (`f(x) = x^3`) or a value to put in (`x^3 at x = 2`) has a letter or a bracket there, an
 * open question (`x^3 + 2 = ?`) nothing after it.
 */
function equationPowers(texts: readonly string[]): readonly string[] {
  const signs = [-1, ...texts.flatMap((text, i) => (text === '=' ? [i] : [])), texts.length];
  return signs.slice(1, -1).flatMap((at, i) => {
    const left = texts.slice((signs[i] ?? -1) + 1, at);
    const right = texts.slice(at + 1, signs[i + 2]);
    const isEquation = isNumber(left.at(-1) ?? '') && right.length > 0 && right[0] !== '?';
    const both = isEquation ? [...left, '=', ...right] : [];
    return both.flatMap((text, j) => (text === '^' && isLetter(both[j - 1] ?? '') && j + 1 < both.length ? [`^${both[j + 1] ?? ''}=`] : []));
  });
}

const isLetter = (piece: string): boolean => /^[a-z]$/.test(piece);
const isNumber = (piece: string): boolean => /^\p{Nd}/u.test(piece);
const isWord = (piece: string): boolean => /^\p{L}/u.test(piece);
/** Signs that mean mathematics: one that the model has never seen changes the question. */
const isMathSign = (piece: string): boolean => piece.startsWith('\\') || /^[\p{Sm}°_&#@]$/u.test(piece);

/** How much of a question may be strange; found on validation questions and on texts of other kinds. */
const LIMITS = { strangeWords: 1, wordsForOneStrange: 10, names: 2, longer: 1.3, larger: 1.2, strangePairs: 0.04, pairs: 2 } as const;

/** What a question consists of, as far as the model knows it. */
interface Reading {
  readonly pieces: readonly string[];
  /** Piece -> the kind that it counts as; strange ones are left out. */
  readonly kinds: ReadonlyMap<string, number>;
  readonly patterns: readonly number[];
}

export class ScopeJudge {
  private readonly index: ReadonlyMap<string, number>;
  private readonly names: ReadonlySet<string>;
  private readonly bits: Uint8Array;

  constructor(private readonly declared: DeclaredSubjects) {
    this.index = new Map(declared.scope.kinds.map((kind, i) => [kind, i]));
    this.names = new Set(declared.scope.names);
    this.bits = Uint8Array.from(atob(declared.scope.together), (sign) => sign.charCodeAt(0));
  }

  /** Before the model has written anything. */
  judgeQuestion(question: string): ScopeVerdict {
    const reason = this.reasonAgainst(question);
    return reason === null ? { state: 'inside' } : this.outside(reason);
  }

  /** What the model's own text adds: null where it doesn't refuse. */
  judgeText(text: string): ScopeVerdict | null {
    const plain = (words: string): string => words.replace(/\s+/g, ' ').trim().toLowerCase();
    return plain(text).includes(plain(this.declared.refusal)) ? this.outside({ kind: 'refused' }) : null;
  }

  private outside(reason: OutsideReason): ScopeVerdict {
    return { state: 'outside', reason, subjects: this.declared.subjects };
  }

  private reasonAgainst(question: string): OutsideReason | null {
    const found = piecesOf(question);
    const pieces = found.map(({ text }) => text);
    if (!pieces.some((piece) => isNumber(piece) || isWord(piece))) return { kind: 'nothing-asked' };
    if (pieces.length > this.declared.scope.longest * LIMITS.longer) return { kind: 'too-long' };
    const patterns = patternsOf(found);
    const signs = [...pieces.filter(isMathSign).filter((piece) => !this.index.has(piece)), ...patterns.filter((pattern) => !this.index.has(pattern))];
    if (signs.length > 0) return { kind: 'signs', signs: [...new Set(signs)].map((sign) => readable(sign, pieces)) };
    const reading: Reading = { pieces, kinds: this.known(question, pieces), patterns: patterns.flatMap((pattern) => this.index.get(pattern) ?? []) };
    const words = pieces.filter((piece) => !reading.kinds.has(piece) && !isNumber(piece));
    const all = pieces.filter(isWord).length;
    if (words.length > LIMITS.strangeWords || (words.length > 0 && all < LIMITS.wordsForOneStrange)) return { kind: 'words', words: [...new Set(words)] };
    return this.tooLarge(reading) ?? this.neverTogether([...new Set([...reading.kinds.values(), ...reading.patterns])]);
  }

  private known(question: string, pieces: readonly string[]): ReadonlyMap<string, number> {
    const known = new Map<string, number>();
    const name = this.index.get(NAME);
    let strangers = LIMITS.names as number;
    for (const piece of new Set(pieces)) {
      const found = this.names.has(piece) ? name : (this.index.get(kindOf(piece)) ?? this.misspelt(piece));
      if (found !== undefined) known.set(piece, found);
      else if (name !== undefined && strangers > 0 && looksLikeName(piece, question)) {
        strangers--;
        known.set(piece, name);
      }
    }
    return known;
  }

  /** A known word that differs by one letter. */
  private misspelt(piece: string): number | undefined {
    if (!isWord(piece) || piece.length < 6) return undefined;
    for (const [kind, i] of this.index) if (kind.length > 5 && kind.startsWith(piece.charAt(0)) && isOneEditAway(piece, kind)) return i;
    return undefined;
  }

  private tooLarge({ pieces, kinds }: Reading): OutsideReason | null {
    const { largest } = this.declared.scope;
    const numbers = pieces.filter(isNumber);
    const [number] = [...numbers].sort((a, b) => Number(b) - Number(a));
    if (number === undefined) return null;
    for (const [piece, i] of kinds) {
      const limit = largest[i] ?? -1;
      if (limit >= 0 && !isNumber(piece) && Number(number) > limit * LIMITS.larger) return { kind: 'number', number, beside: piece, largest: limit };
    }
    // A number of more digits, or of more decimals, than any that was learned.
    const strange = numbers.find((piece) => !kinds.has(piece));
    return strange === undefined ? null : { kind: 'number', number: strange, beside: strange, largest: Math.max(...largest) };
  }

  private neverTogether(kinds: readonly number[]): OutsideReason | null {
    let strange = 0;
    let pair: readonly [string, string] | null = null;
    const sorted = [...kinds].sort((a, b) => a - b);
    for (const [at, first] of sorted.entries()) {
      for (const second of sorted.slice(at + 1)) {
        if (this.together(first, second)) continue;
        strange++;
        pair ??= [this.declared.scope.kinds[first] ?? '', this.declared.scope.kinds[second] ?? ''];
      }
    }
    const pairs = (kinds.length * (kinds.length - 1)) / 2;
    return pair !== null && strange >= LIMITS.pairs && strange > pairs * LIMITS.strangePairs ? { kind: 'together', pair } : null;
  }

  /** Row-major upper triangle, without the diagonal. */
  private together(first: number, second: number): boolean {
    const count = this.declared.scope.kinds.length;
    const at = first * (count - 1) - (first * (first - 1)) / 2 + (second - first - 1);
    return ((this.bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }
}

/** A pattern as it stands in the question. */
function readable(sign: string, pieces: readonly string[]): string {
  if (sign.startsWith('<letters ')) return [...new Set(pieces.filter(isLetter))].join(', ');
  return sign.replace(/^(?:#|<[^>]*>)/, '').replace(/^(\^.+)=$/, '$1 … =');
}

/** A capitalised word of a question that has a story: who has, gives or buys. */
function looksLikeName(piece: string, question: string): boolean {
  if (!/^[a-z]{3,}$/.test(piece) || !/\bhow (?:many|much|old|far|long)\b/i.test(question)) return false;
  return question.includes(piece.charAt(0).toUpperCase() + piece.slice(1));
}

/** One letter more, less, other, or two neighbours exchanged. */
function isOneEditAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  return left.length <= 1 && right.length <= 1 ? true : left.length === 2 && left === Array.from(right).reverse().join('');
}
