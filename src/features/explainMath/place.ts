/** Where a formula is, as commands and links name it: a document and offsets, never its text. Pure. */

export interface FormulaPlace {
  readonly uri: string;
  readonly start: number;
  readonly end: number;
}

/** The arguments of a command, from a link or another extension; null where they are no place. */
export function readPlace(args: readonly unknown[]): FormulaPlace | null {
  const [uri, start, end] = args;
  if (typeof uri !== 'string' || !isOffset(start) || !isOffset(end) || end < start) return null;
  return { uri, start, end };
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** The address of a command link: everything in it is encoded, so that it can't end the link. */
export function commandLink(command: string, { uri, start, end }: FormulaPlace): string {
  return `command:${command}?${encodeURIComponent(JSON.stringify([uri, start, end])).replace(/[()'!*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)}`;
}
