/** Guards against marks that lie after an edit: on other text than was measured, or with a score of another context. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FollowedSpans } from '../../../../src/features/difficulty/followedSpans.ts';

interface Change { readonly offset: number; readonly removed: number; readonly text: string }

const edit = ({ offset, removed, text }: Change): { offset: number; removed: number; inserted: number } => ({ offset, removed, inserted: text.length });
const applyTo = (text: string, { offset, removed, text: added }: Change): string => text.slice(0, offset) + added + text.slice(offset + removed);

/** One span a character from `base` on. */
const perCharacter = (text: string, base: number): FollowedSpans => new FollowedSpans(Array.from(text, (_character, i) => ({ start: i, end: i + 1, pieces: [i] })), base);

describe('spans of an edited document', () => {
  it('stand on the character that was measured, or are gone, after any edits', () => {
    const measured = 'abcdefghijklmnopqrstuvwxyz';
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(8), fc.stringMatching(/^[A-Z\n]{0,6}$/)), { maxLength: 12 }), (changes) => {
        const spans = perCharacter(measured, 4);
        let text = `1234${measured}5678`;
        for (const [at, length, added] of changes) {
          const offset = Math.min(at, text.length);
          const change = { offset, removed: Math.min(length, text.length - offset), text: added };
          spans.apply([edit(change)]);
          text = applyTo(text, change);
        }
        for (const span of spans.spans) expect(text.slice(span.start, span.end)).toBe(measured[span.pieces[0] ?? -1]);
        const starts = spans.spans.map(({ start }) => start);
        expect(starts).toEqual([...starts].sort((a, b) => a - b));
      }),
      { numRuns: 1000 },
    );
  });

  it('know that their score is of another text once something before them was changed', () => {
    const spans = perCharacter('abcdef', 0);
    expect(spans.apply([edit({ offset: 3, removed: 1, text: 'X' })])).toBe(true);
    expect(spans.spans.map(({ start, outdated }) => [start, outdated])).toEqual([[0, false], [1, false], [2, false], [4, true], [5, true]]);
  });

  it('move by several edits that were made at once', () => {
    const spans = perCharacter('abcdef', 0);
    spans.apply([edit({ offset: 4, removed: 0, text: 'XX' }), edit({ offset: 0, removed: 1, text: '' })]);
    expect(spans.spans.map(({ pieces, start }) => [pieces[0], start])).toEqual([[1, 0], [2, 1], [3, 2], [4, 5], [5, 6]]);
  });

  it('are found by offset, and a place that is not measured has none', () => {
    const spans = perCharacter('abc', 2);
    expect([1, 2, 4, 5].map((offset) => spans.at(offset)?.pieces[0] ?? null)).toEqual([null, 0, 2, null]);
    spans.apply([edit({ offset: 3, removed: 1, text: 'X' })]);
    expect([2, 3, 4].map((offset) => spans.at(offset)?.pieces[0] ?? null)).toEqual([0, null, 2]);
  });
});
