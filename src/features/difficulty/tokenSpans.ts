/**
 * Where the tokens of a measured text stand in it, in UTF-16 offsets. Knows how tokens become text (characters that
 * are split over tokens, special tokens without text, tokenizers that compose accents) and trusts nothing: a token
 * whose text is not what stands at its place is not placed, and neither is any token after it. Pure.
 */

import type { Candidate } from '../../protocol/engine.ts';

/** A token, as far as its place depends on it. */
export interface TokenPiece {
  /** The text that it completes; '' for a special token and for the first parts of a split character. */
  readonly text: string;
  readonly special: boolean;
  /** How a special token is written; null where nobody knows. */
  readonly literal: string | null;
}

/** A part of the text that one token stands for, or several that share a character. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
  /** Indices of the pieces, in order; at least one. */
  readonly pieces: readonly number[];
}

export interface Placement {
  /** In the order of the text, none empty, none overlapping another. */
  readonly spans: readonly TokenSpan[];
  /** How many pieces at the end have no place. */
  readonly unplaced: number;
}

/** The text as the tokenizer may have seen it, and the way back. */
interface Source {
  readonly text: string;
  /** Offset in the measured text of the start and of the end of what stands at `index`. */
  readonly startOf: (index: number) => number;
  readonly endOf: (index: number) => number;
}

/** Special tokens are `<|name|>`, `<name>` or `[NAME]`. */
const SPECIAL = /<[^<>\s]{1,60}>|\[[A-Z_]{1,30}\]/y;

export function placeTokens(text: string, pieces: readonly TokenPiece[]): Placement {
  // What can't be UTF-8 reaches the tokenizer as U+FFFD, which is as long.
  const whole = text.replace(/\p{Surrogate}/gu, '\ufffd');
  const plain = placeIn({ text: whole, startOf: (index) => index, endOf: (index) => index }, pieces);
  if (plain.unplaced === 0 || whole.normalize('NFC') === whole) return plain;
  const composed = placeIn(composedSource(whole), pieces);
  return composed.unplaced < plain.unplaced ? composed : plain;
}

function placeIn(source: Source, pieces: readonly TokenPiece[]): Placement {
  const spans: { start: number; end: number; pieces: number[] }[] = [];
  let at = 0;
  /** Pieces that complete nothing: they belong to the next one that does. */
  let waiting: number[] = [];
  for (const [index, piece] of pieces.entries()) {
    const length = lengthAt(source.text, at, piece, pieces[index + 1]);
    if (length === null) return { spans, unplaced: pieces.length - index + waiting.length };
    waiting.push(index);
    if (length === 0) continue;
    const [start, end] = [source.startOf(at), source.endOf(at + length)];
    const last = spans.at(-1);
    if (last !== undefined && start < last.end) {
      last.pieces.push(...waiting);
      last.end = Math.max(last.end, end);
    } else {
      spans.push({ start, end, pieces: waiting });
    }
    waiting = [];
    at += length;
  }
  return { spans, unplaced: waiting.length };
}

/** How much of the text at `at` is the piece's; null where something else stands there. */
function lengthAt(text: string, at: number, piece: TokenPiece, next: TokenPiece | undefined): number | null {
  if (!piece.special) return text.startsWith(piece.text, at) ? piece.text.length : null;
  SPECIAL.lastIndex = at;
  const written = [piece.literal, SPECIAL.exec(text)?.[0]].filter((literal) => literal != null).filter((literal) => text.startsWith(literal, at));
  // One that the tokenizer added by itself (a start of text) is written nowhere.
  const lengths = [...written.map((literal) => literal.length), 0];
  const fits = lengths.find((length) => next === undefined || next.special || text.startsWith(next.text, at + length));
  return fits ?? lengths[0] ?? 0;
}

/** As composed (NFC) by a tokenizer: where a cluster changes its length, all of it belongs together. */
function composedSource(text: string): Source {
  const starts: number[] = [];
  const ends: number[] = [];
  let composed = '';
  for (const { segment, index } of new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text)) {
    const cluster = segment.normalize('NFC');
    for (let unit = 0; unit < cluster.length; unit++) {
      const same = cluster === segment;
      starts.push(same ? index + unit : index);
      ends.push(same ? index + unit + 1 : index + segment.length);
    }
    composed += cluster;
  }
  return { text: composed, startOf: (index) => starts[index] ?? text.length, endOf: (index) => ends[index - 1] ?? 0 };
}

/** How a special token is written, where a list of candidates names it. */
export function literalOf(id: number, lists: readonly (readonly Candidate[])[]): string | null {
  return lists.flat().find((candidate) => candidate.id === id)?.text ?? null;
}
