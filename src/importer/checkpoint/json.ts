/**
 * JSON of a checkpoint: bounded in size, strict UTF-8, no key twice, and an object at the top.
 * Knows how a schema's first complaint becomes a sentence that names file and key. Knows no keys.
 */
import * as z from 'zod';
import type { ErrorCode } from '../../protocol/errors.ts';
import type { CheckpointFolder } from './checkpointFolder.ts';
import { refuse, show, type Origin } from './refusal.ts';

/** Far above any real configuration or tensor list, far below what would hurt. */
export const LARGEST_JSON = 4 * 1024 * 1024;

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws TahError checkpoint.bad-json, and as CheckpointFolder.open */
export function readJsonObject(folder: CheckpointFolder, name: string): JsonObject {
  const file = folder.open(name);
  if (file.size > LARGEST_JSON) refuse('checkpoint.bad-json', file.origin, `${file.size} bytes of JSON; at most ${LARGEST_JSON} are read`);
  const bytes = new Uint8Array(file.size);
  file.readInto(0, bytes);
  return parseJsonObject(bytes, file.origin, 'checkpoint.bad-json');
}

/** @throws TahError with `code` where the bytes aren't one JSON object with distinct keys */
export function parseJsonObject(bytes: Uint8Array, origin: Origin, code: ErrorCode): JsonObject {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 120) : 'unknown reason';
    refuse(code, origin, `not valid JSON (${reason})`, { cause: error, hint: 'Download the file again; it may be cut.' });
  }
  if (!isObject(value)) refuse(code, origin, `a JSON object is expected, but it holds ${Array.isArray(value) ? 'an array' : show(value)}`);
  const twice = firstDuplicateKey(text);
  if (twice !== null) refuse(code, origin, `the key ${show(twice)} occurs twice in one object`, { subject: twice });
  return value;
}

/** Neither absent nor null, which Hugging Face's files treat alike. */
export function given<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first key that an object of the (valid) JSON text repeats: JSON.parse would keep the last one silently. */
export function firstDuplicateKey(text: string): string | null {
  const open: (Set<string> | null)[] = [];
  let keyComes = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      const end = endOfString(text, i);
      const keys = open.at(-1);
      if (keyComes && keys) {
        const key = String(JSON.parse(text.slice(i, end + 1)));
        if (keys.has(key)) return key;
        keys.add(key);
      }
      i = end;
    } else if (c === '{') {
      open.push(new Set());
      keyComes = true;
    } else if (c === '[') {
      open.push(null);
    } else if (c === '}' || c === ']') {
      open.pop();
    } else if (c === ',') {
      keyComes = open.at(-1) instanceof Set;
    } else if (c === ':') {
      keyComes = false;
    }
  }
  return null;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

export interface Place {
  readonly origin: Origin;
  readonly code: ErrorCode;
  /** Key of the object inside the file, such as `adapter_kwargs`. */
  readonly at?: string;
}

/** @throws TahError with `place.code`, naming the key, the value and what was expected */
export function conform<T>(schema: z.ZodType<T>, value: unknown, place: Place): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const steps = issue?.path ?? [];
  const key = [...(place.at === undefined ? [] : [place.at]), ...steps.map(String)].join('.');
  refuse(place.code, place.origin, `${key} ${issue?.message ?? 'is not as expected'}, but is ${show(lookUp(value, steps))}`, { subject: key });
}

function lookUp(value: unknown, steps: readonly PropertyKey[]): unknown {
  let found = value;
  for (const step of steps) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Reflect.get(found, step);
  }
  return found;
}

/** A whole number between bounds. */
export function whole(least: number, most: number): z.ZodType<number> {
  return z.custom<number>((value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most, {
    error: `must be a whole number from ${least} to ${most}`,
  });
}

/** A finite number between bounds, both included. */
export function real(least: number, most: number): z.ZodType<number> {
  return z.custom<number>((value) => typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most, {
    error: `must be a number from ${least} to ${most}`,
  });
}

export function truth(): z.ZodType<boolean> {
  return z.boolean({ error: 'must be true or false' });
}

export function text(): z.ZodType<string> {
  return z.string({ error: 'must be a text' });
}

export function objectOf<T extends z.ZodRawShape>(shape: T): z.ZodObject<T> {
  return z.object(shape, { error: 'must be an object' });
}
