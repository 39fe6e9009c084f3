/** A place in a document, as commands and links name it: an address and offsets, never text. Pure. */

export interface DocumentPlace {
  /** URI of the document, or of the cell of a notebook. */
  readonly uri: string;
  /** UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
}

/** The arguments of a command, from a link or another extension; null where they are no place. */
export function readPlace(args: readonly unknown[]): DocumentPlace | null {
  const [uri, start, end] = args;
  if (typeof uri !== 'string' || !isOffset(start) || !isOffset(end) || end < start) return null;
  return { uri, start, end };
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
