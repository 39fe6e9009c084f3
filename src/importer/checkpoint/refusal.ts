/**
 * How this room says no: every refusal names the file, what is wrong with it and what was expected.
 * Knows how to show a foreign value briefly and safely. Does not know any format.
 */
import { TahError, type ErrorCode } from '../../protocol/errors.ts';

/** A file of the checkpoint: `name` relative to its folder, for people; `path` for programs. */
export interface Origin {
  readonly name: string;
  readonly path: string;
}

export interface RefusalDetails {
  /** Tensor or key at fault. */
  readonly subject?: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** @throws TahError always */
export function refuse(code: ErrorCode, origin: Origin, what: string, details: RefusalDetails = {}): never {
  throw new TahError(code, `${origin.name}: ${what}`, { file: origin.path, ...details });
}

const LONGEST_TEXT = 200;
const MOST_ITEMS = 8;

/** A value that came from a file, short enough for a message and never walked deeply. */
export function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return JSON.stringify(value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (!Array.isArray(value)) return 'an object';
  const items: readonly unknown[] = value;
  const flat = items.slice(0, MOST_ITEMS).map((item) => (Array.isArray(item) ? 'an array' : show(item)));
  return `[${flat.join(', ')}${items.length > MOST_ITEMS ? ', …' : ''}]`;
}

export function showShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
