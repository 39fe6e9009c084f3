/**
 * Measured spans of a document that is edited: they move with their text, vanish where their text was changed, and
 * remember when the text before them was, because a token's score depends on it. Pure; is told of edits.
 */

import type { Edit } from '../../host/origins.ts';
import type { TokenSpan } from './tokenSpans.ts';

export interface FollowedSpan extends TokenSpan {
  /** The text before it is no longer the one that it was measured with. */
  readonly outdated: boolean;
}

export class FollowedSpans {
  private list: readonly FollowedSpan[];

  /** @param base offset of the measured text in its document */
  constructor(spans: readonly TokenSpan[], base: number) {
    this.list = spans.map(({ start, end, pieces }) => ({ start: start + base, end: end + base, pieces, outdated: false }));
  }

  get spans(): readonly FollowedSpan[] {
    return this.list;
  }

  /** @param edits made at once, in offsets of the document before them @returns whether a span has gone */
  apply(edits: readonly Edit[]): boolean {
    const real = edits.filter(({ removed, inserted }) => removed > 0 || inserted > 0);
    if (real.length === 0) return false;
    const before = this.list.length;
    this.list = this.list.flatMap((span) => followed(span, real));
    return this.list.length < before;
  }

  /** The span that the character at `offset` belongs to; at the end of the text, the last one. */
  at(offset: number): FollowedSpan | null {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.list[middle]?.end ?? Infinity) > offset) high = middle;
      else low = middle + 1;
    }
    const span = this.list[low];
    return span !== undefined && span.start <= offset ? span : null;
  }
}

function followed(span: FollowedSpan, edits: readonly Edit[]): FollowedSpan[] {
  let shift = 0;
  for (const edit of edits) {
    const end = edit.offset + edit.removed;
    if (end <= span.start) shift += edit.inserted - edit.removed;
    else if (edit.offset < span.end) return [];
  }
  const outdated = span.outdated || edits.some((edit) => edit.offset <= span.start);
  return shift === 0 && outdated === span.outdated ? [span] : [{ ...span, start: span.start + shift, end: span.end + shift, outdated }];
}
