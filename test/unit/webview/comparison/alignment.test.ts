/** Guards against a comparison that loses a step, shows it twice or out of order, or points at the wrong first difference. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignSteps, firstDifference } from '../../../../src/webview/comparison/alignment.ts';
import { stepsOf } from '../../../../src/webview/comparison/steps.ts';

const tokens = (...texts: readonly string[]): { id: number; text: string }[] => texts.map((text) => ({ id: text.charCodeAt(0), text }));

describe('aligned steps', () => {
  const column = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 8 });

  it('hold every step of every column once, in its order', () => {
    fc.assert(
      fc.property(fc.array(column, { minLength: 1, maxLength: 4 }), (columns) => {
        const rows = alignSteps(columns);
        columns.forEach((steps, c) => {
          expect(rows.map((row) => row[c] ?? null).filter((step) => step !== null)).toEqual(steps.map((_step, i) => i));
        });
        for (const row of rows) expect(row).toHaveLength(columns.length);
        for (const row of rows) expect(row.some((step) => step !== null)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('keep an equal beginning in equal rows', () => {
    fc.assert(
      fc.property(column, fc.array(column, { minLength: 2, maxLength: 4 }), (start, ends) => {
        const rows = alignSteps(ends.map((end) => [...start, ...end]));
        start.forEach((_step, i) => {
          expect(rows[i]).toEqual(ends.map(() => i));
        });
      }),
      { numRuns: 100 },
    );
  });

  it('meet again where they are equal after a difference', () => {
    expect(alignSteps([['a', 'x', 'z'], ['a', 'y', 'y2', 'z'], ['a', 'z']])).toEqual([[0, 0, 0], [1, 1, null], [null, 2, null], [2, 3, 1]]);
  });

  it('of a column that has not begun leave its cells empty', () => {
    expect(alignSteps([['a', 'b'], []])).toEqual([[0, null], [1, null]]);
  });
});

describe('steps of a text', () => {
  it('are its lines, each token in exactly one, blank lines in none', () => {
    const list = tokens('Step 1\n', '\n', 'x = ', '2\n', 'en', 'd');
    expect(stepsOf(list)).toEqual([{ text: 'Step 1', from: 0, to: 1 }, { text: 'x = 2', from: 1, to: 4 }, { text: 'end', from: 4, to: 6 }]);
  });

  it('keep display mathematics and code whole, closed or not', () => {
    expect(stepsOf(tokens('a\n$$\nx\n\ny\n$$\nb\n```\n1\n\n2\n```\nc\n\\[\nz')).map(({ text }) => text)).toEqual(['a', '$$\nx\n\ny\n$$', 'b', '```\n1\n\n2\n```', 'c', '\\[\nz']);
  });

  it('cover every token whatever the text', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '\n', '$$', '```\n', ' ', '\\[', '\\]', ''), { maxLength: 20 }), (texts) => {
        const list = tokens(...texts);
        const steps = stepsOf(list);
        const covered = steps.flatMap(({ from, to }) => Array.from({ length: to - from }, (_unused, i) => from + i));
        if (steps.length > 0) expect(covered).toEqual(list.map((_token, i) => i));
      }),
      { numRuns: 150 },
    );
  });
});

describe('the first difference', () => {
  it('is the first token that two texts do not share', () => {
    expect(firstDifference([{ tokens: tokens('a', 'b', 'c'), ended: true }, { tokens: tokens('a', 'x', 'c'), ended: true }])).toBe(1);
    expect(firstDifference([{ tokens: tokens('a', 'b'), ended: true }, { tokens: tokens('a', 'b'), ended: true }])).toBeNull();
  });

  it('is none while one is only not as far as the other, and the end where one has ended', () => {
    expect(firstDifference([{ tokens: tokens('a', 'b'), ended: false }, { tokens: tokens('a', 'b', 'c'), ended: true }])).toBeNull();
    expect(firstDifference([{ tokens: tokens('a', 'b'), ended: true }, { tokens: tokens('a', 'b', 'c'), ended: true }])).toBe(2);
    expect(firstDifference([{ tokens: [], ended: false }, { tokens: tokens('a'), ended: true }])).toBeNull();
  });
});
