/**
 * Where a run's problem stood: a document and the offset after it, kept right while the document is edited, so that
 * an answer lands below its problem, in the next window too. Pure: it is told of edits, and given what keeps it.
 */

import { createHash } from 'node:crypto';

/** A text by which it is known again, whatever its length. */
export interface TextMark {
  /** Its first characters, by which it is looked for. */
  readonly head: string;
  /** UTF-16 units of the whole. */
  readonly length: number;
  readonly sha256: string;
}

export interface Origin {
  /** URI of the document. */
  readonly uri: string;
  /** UTF-16 offset of the end of the problem. */
  readonly offset: number;
  /** Of its beginning; left out where the problem is no one piece of the document. */
  readonly start?: number;
  /** What stood there: the problem; where that is no one piece, the line with `offset`. */
  readonly text: TextMark;
  /** Of an earlier window: the document may have been changed since by anybody, so the text must be looked for. */
  readonly restored?: true;
}

/** One replaced range of an edit, in offsets of the document before it. */
export interface Edit {
  readonly offset: number;
  readonly removed: number;
  readonly inserted: number;
}

export interface OriginsOptions {
  /** What `save` was given by an earlier window; anything else is passed over. */
  readonly saved?: unknown;
  readonly save?: (state: unknown) => PromiseLike<void>;
  readonly onError?: (error: unknown) => void;
  /** How many are kept, the newest; one takes some 300 bytes. Default 200. */
  readonly keep?: number;
  /** Changes of this long are saved at once. Default 500 ms. */
  readonly saveMs?: number;
}

export class Origins {
  private readonly byRun: Map<string, Origin>;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: OriginsOptions = {}) {
    this.byRun = new Map(readSaved(options.saved));
  }

  set(runId: string, origin: Origin): void {
    this.byRun.delete(runId);
    this.byRun.set(runId, origin);
    const oldest = this.byRun.size > (this.options.keep ?? 200) ? this.byRun.keys().next().value : undefined;
    if (oldest !== undefined) this.byRun.delete(oldest);
    this.saveSoon();
  }

  get(runId: string): Origin | null {
    return this.byRun.get(runId) ?? null;
  }

  /** A run that is solved again, or branched off, stands where the first one stood. */
  copy(fromRunId: string, toRunId: string): void {
    const origin = this.byRun.get(fromRunId);
    if (origin !== undefined) this.set(toRunId, origin);
  }

  /** The run is no longer kept anywhere. */
  forget(runId: string): void {
    if (this.byRun.delete(runId)) this.saveSoon();
  }

  /** @param isKept whether the run is still kept somewhere */
  forgetAllBut(isKept: (runId: string) => boolean): void {
    for (const runId of [...this.byRun.keys()]) if (!isKept(runId)) this.forget(runId);
  }

  applyEdits(uri: string, edits: readonly Edit[]): void {
    for (const [runId, origin] of this.byRun) {
      if (origin.uri !== uri) continue;
      const start = origin.start === undefined ? {} : { start: shiftStart(origin.start, edits) };
      this.byRun.set(runId, { ...origin, offset: shiftOffset(origin.offset, edits), ...start });
      this.saveSoon();
    }
  }

  /** Saves now what has changed: the window is about to end. */
  async flush(): Promise<void> {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    await this.options.save?.([...this.byRun].map(([runId, { uri, offset, start, text }]) => ({ runId, uri, offset, start, text })));
  }

  private saveSoon(): void {
    const { save, saveMs = 500, onError } = this.options;
    if (save === undefined) return;
    this.timer ??= setTimeout(() => {
      this.flush().catch((error: unknown) => onError?.(error));
    }, saveMs);
  }
}

function readSaved(saved: unknown): [string, Origin][] {
  if (!Array.isArray(saved)) return [];
  return saved.flatMap((value: unknown): [string, Origin][] => {
    if (!isRecord(value)) return [];
    const { runId, uri, offset, start, text } = value;
    if (typeof runId !== 'string' || typeof uri !== 'string' || !isCount(offset) || !isTextMark(text)) return [];
    return [[runId, { uri, offset, ...(isCount(start) ? { start } : {}), text, restored: true }]];
  });
}

function isTextMark(value: unknown): value is TextMark {
  return isRecord(value) && typeof value['head'] === 'string' && isCount(value['length']) && typeof value['sha256'] === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

const HEAD_LENGTH = 100;

export function markOf(text: string): TextMark {
  return { head: text.slice(0, HEAD_LENGTH), length: text.length, sha256: createHash('sha256').update(text).digest('hex') };
}

export function isMarked(text: string, { length, sha256 }: TextMark): boolean {
  return text.length === length && markOf(text).sha256 === sha256;
}

/** How many places that begin like the text are looked at. */
const MOST_PLACES = 200;

/** Where in a document the text of an origin is now: where it was, else the nearest place that has it; null where it is gone. */
export function findOrigin(document: string, origin: Origin): Origin | null {
  const { uri, text } = origin;
  if (origin.start === undefined) {
    const lineStart = origin.offset === 0 ? 0 : document.lastIndexOf('\n', origin.offset - 1) + 1;
    const lineEnd = /\r?\n|$/g;
    lineEnd.lastIndex = lineStart;
    if (origin.offset <= document.length && isMarked(document.slice(lineStart, lineEnd.exec(document)?.index), text)) return { uri, offset: origin.offset, text };
  }
  // A blank line is everywhere.
  if (text.head.trim() === '') return null;
  const hint = origin.start ?? origin.offset;
  const places: number[] = [];
  for (let at = document.indexOf(text.head); at >= 0; at = document.indexOf(text.head, at + 1)) places.push(at);
  const near = places.sort((a, b) => Math.abs(a - hint) - Math.abs(b - hint)).slice(0, MOST_PLACES);
  const found = near.find((at) => isMarked(document.slice(at, at + text.length), text));
  if (found === undefined) return null;
  return { uri, offset: found + text.length, ...(origin.start === undefined ? {} : { start: found }), text };
}

/** The offset after edits that were made at once. Text inserted exactly at the offset stays behind it. */
export function shiftOffset(offset: number, edits: readonly Edit[]): number {
  let shifted = offset;
  for (const edit of edits) {
    if (edit.offset >= offset) continue;
    // An edit that reaches over the offset leaves it at the end of what it put in.
    const removedBefore = Math.min(edit.removed, offset - edit.offset);
    shifted += edit.inserted - removedBefore;
  }
  return shifted;
}

/** As `shiftOffset`, but text inserted exactly there comes before it: a problem does not grow by what is typed around it. */
function shiftStart(start: number, edits: readonly Edit[]): number {
  const before = edits.reduce((sum, edit) => (edit.offset === start && edit.removed === 0 ? sum + edit.inserted : sum), 0);
  return shiftOffset(start, edits) + before;
}
