/**
 * A formula where it stands in a document. Offsets are those of the document's text (UTF-16, as an editor counts).
 * Knows no language: each finder of this folder turns one kind of text into these.
 */

export interface Formula {
  /** Of the opening delimiter. */
  readonly start: number;
  /** Behind the closing delimiter. */
  readonly end: number;
  /** Without delimiters; string escapes, comment marks and quote marks of the document are taken off. */
  readonly tex: string;
  readonly display: boolean;
}

/** Longest formula that is found; what is longer is a mistake in the delimiters. */
export const LONGEST_FORMULA = 20_000;

/** A part of a document in which formulas are looked for: [start, end). */
export interface Region {
  readonly start: number;
  readonly end: number;
}

/** The formula around an offset; at its end too, so that a cursor behind it counts. `formulas` are in order and apart. */
export function formulaAround(formulas: readonly Formula[], offset: number): Formula | null {
  let low = 0;
  let high = formulas.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((formulas[middle]?.end ?? Infinity) < offset) low = middle + 1;
    else high = middle;
  }
  const found = formulas[low];
  if (found === undefined || found.start > offset) return null;
  // Between two that touch, the one that starts here is meant.
  const next = formulas[low + 1];
  return found.end === offset && next?.start === offset ? next : found;
}
