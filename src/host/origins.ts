/**
 * Where a run's problem stood: a document and the offset after it, kept right while the document is edited, so that
 * an answer lands below its problem. Pure: it is told of edits.
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
}

/** One replaced range of an edit, in offsets of the document before it. */
export interface Edit {
  readonly offset: number;
  readonly removed: number;
  readonly inserted: number;
}

export class Origins {
  private readonly byRun = new Map<string, Origin>();

  set(runId: string, origin: Origin): void {
    this.byRun.set(runId, origin);
  }

  get(runId: string): Origin | null {
    return this.byRun.get(runId) ?? null;
  }

  /** A run that is solved again, or branched off, stands where the first one stood. */
  copy(fromRunId: string, toRunId: string): void {
    const origin = this.byRun.get(fromRunId);
    if (origin !== undefined) this.byRun.set(toRunId, origin);
  }

  /** The run is no longer kept. */
  forget(runId: string): void {
    this.byRun.delete(runId);
  }

  applyEdits(uri: string, edits: readonly Edit[]): void {
    for (const [runId, origin] of this.byRun) {
      if (origin.uri !== uri) continue;
      const start = origin.start === undefined ? {} : { start: shiftStart(origin.start, edits) };
      this.byRun.set(runId, { uri, text: origin.text, offset: shiftOffset(origin.offset, edits), ...start });
    }
  }
}

const HEAD_LENGTH = 100;

export function markOf(text: string): TextMark {
  return { head: text.slice(0, HEAD_LENGTH), length: text.length, sha256: createHash('sha256').update(text).digest('hex') };
}

export function isMarked(text: string, { length, sha256 }: TextMark): boolean {
  return text.length === length && markOf(text).sha256 === sha256;
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
