/**
 * Puts the steps of several texts side by side: the equal beginning row by row, then equal steps in one row and what
 * stands between them in order. Finds the first token in which they differ. Pure.
 */

import type { ComparedToken } from '../../protocol/comparison.ts';

/** One cell a column: the index of its step, or null where it has none here. */
export type Row = readonly (number | null)[];

/** Longest common subsequences of more cells than this are not searched: steps are then paired in order. */
const MOST_CELLS = 1_000_000;

/** Every step of every column is in exactly one row, in its order. */
export function alignSteps(columns: readonly (readonly string[])[]): Row[] {
  let rows: (number | null)[][] = [];
  columns.forEach((steps, column) => {
    const merged: (number | null)[][] = [];
    for (const [row, step] of pairs(rows.map((cells) => textsOf(cells, columns)), steps)) {
      const cells = row === null ? new Array<number | null>(column).fill(null) : (rows[row] ?? []);
      merged.push([...cells, step]);
    }
    rows = merged;
  });
  return rows;
}

function textsOf(cells: readonly (number | null)[], columns: readonly (readonly string[])[]): ReadonlySet<string> {
  return new Set(cells.flatMap((step, column) => (step === null ? [] : [plain(columns[column]?.[step] ?? '')])));
}

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Rows and steps as pairs in order; equal ones meet, and what lies between two meetings is paired as it comes. */
function pairs(rows: readonly ReadonlySet<string>[], steps: readonly string[]): (readonly [number | null, number | null])[] {
  const found: (readonly [number | null, number | null])[] = [];
  let [row, step] = [0, 0];
  for (const [nextRow, nextStep] of [...meetings(rows, steps.map(plain)), [rows.length, steps.length] as const]) {
    while (row < nextRow || step < nextStep) found.push([row < nextRow ? row++ : null, step < nextStep ? step++ : null]);
    if (nextRow < rows.length) found.push([row++, step++]);
  }
  return found;
}

/** A longest list of equal pairs, both sides ascending. */
function meetings(rows: readonly ReadonlySet<string>[], steps: readonly string[]): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  const same = (row: number, step: number): boolean => rows[row]?.has(steps[step] ?? '') === true;
  let start = 0;
  while (start < rows.length && start < steps.length && same(start, start)) found.push([start, start++]);
  const [height, width] = [rows.length - start, steps.length - start];
  if (height * width > MOST_CELLS) return found;
  const longest = Array.from({ length: height + 1 }, () => new Uint32Array(width + 1));
  const at = (i: number, j: number): number => longest[i]?.[j] ?? 0;
  for (let i = height - 1; i >= 0; i--) {
    const line = longest[i];
    if (line === undefined) continue;
    for (let j = width - 1; j >= 0; j--) line[j] = same(start + i, start + j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  for (let i = 0, j = 0; i < height && j < width; ) {
    if (same(start + i, start + j)) found.push([start + i++, start + j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return found;
}

export interface ComparedText {
  readonly tokens: readonly Pick<ComparedToken, 'id' | 'text'>[];
  /** No more tokens will come. */
  readonly ended: boolean;
}

/** Index of the first token in which two of the texts that have begun differ; null while they are equal. */
export function firstDifference(texts: readonly ComparedText[]): number | null {
  const begun = texts.filter(({ tokens }) => tokens.length > 0);
  const longest = Math.max(0, ...begun.map(({ tokens }) => tokens.length));
  for (let i = 0; i < longest; i++) {
    const there = begun.filter(({ tokens, ended }) => i < tokens.length || ended);
    const ids = new Set(there.map(({ tokens }) => keyOf(tokens[i])));
    if (there.length > 1 && ids.size > 1) return i;
  }
  return null;
}

/** Ids, or the text where an endpoint sends no ids. */
function keyOf(token: Pick<ComparedToken, 'id' | 'text'> | undefined): string {
  if (token === undefined) return 'end';
  return token.id < 0 ? `text ${token.text}` : String(token.id);
}
