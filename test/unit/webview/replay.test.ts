/** A replayed threshold must be what the engine would do: strictly greater in float32, and never blind to the prompt. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replay, replayable, scoreHistogram, wouldBeSent } from '../../../src/webview/replay.ts';
import type { Scored } from '../../../src/webview/replay.ts';

const scored = fc.record({ score: fc.option(fc.float({ min: 0, max: 1, noNaN: true })), iterCount: fc.constantFrom(1, 2) });

/** Word for word: each prediction's passes, and for a second pass the second passes that it sees. */
function naive(tokens: readonly Scored[], prompt: readonly Scored[], threshold: number): { sent: number; first: number | null } {
  const greater = ({ score }: Scored): boolean => score !== null && new Float32Array([score]).some((first) => new Float32Array([threshold]).every((second) => first > second));
  const rowsNow = [...prompt.slice(0, -1), ...tokens].map(({ iterCount }) => iterCount > 1);
  const rowsThen = [...prompt.slice(0, -1), ...tokens].map(greater);
  const inPrompt = Math.max(0, prompt.length - 1);
  const seen = (rows: readonly boolean[], row: number): string => (rows[row] === true ? JSON.stringify(rows.slice(0, row + 1)) : 'first pass');
  let first: number | null = null;
  for (let i = tokens.length - 1; i >= 0; i--) if (seen(rowsNow, inPrompt + i) !== seen(rowsThen, inPrompt + i)) first = i;
  return { sent: rowsThen.slice(inPrompt).filter(Boolean).length, first };
}

describe('a replayed threshold', () => {
  it('sends what a naive recomputation sends, and differs first where that does', () => {
    fc.assert(
      fc.property(fc.array(scored, { maxLength: 30 }), fc.array(scored, { maxLength: 6 }), fc.double({ min: 0, max: 1, noNaN: true }), (tokens, prompt, threshold) => {
        const result = replay(tokens, prompt, threshold);
        const wanted = naive(tokens, prompt, threshold);
        expect([result.sent, result.passes, result.firstDifference]).toEqual([wanted.sent, tokens.length + wanted.sent, wanted.first]);
      }),
      { numRuns: 500 },
    );
  });

  it('of the run itself changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: 0, max: 1, noNaN: true })), fc.double({ min: 0, max: 1, noNaN: true }), (scores, threshold) => {
        const tokens = scores.map((score) => ({ score, iterCount: Math.fround(score) > Math.fround(threshold) ? 2 : 1 }));
        expect(replay(tokens, tokens, threshold)).toMatchObject({ changed: 0, promptChanged: 0, firstDifference: null });
      }),
    );
  });

  it('is compared as float32: 0.1 is not greater than 0.1', () => {
    expect(wouldBeSent({ score: Math.fround(0.1), iterCount: 1 }, 0.1)).toBe(false);
    expect(wouldBeSent({ score: 0.5, iterCount: 1 }, 0.5)).toBe(false);
    expect(wouldBeSent({ score: null, iterCount: 2 }, 0)).toBe(false);
  });

  it('that changes the prompt alone differs first at a second pass, which sees it', () => {
    const prompt = [{ score: 0.6, iterCount: 2 }, { score: 0.1, iterCount: 1 }];
    const tokens = [{ score: 0.1, iterCount: 1 }, { score: 0.2, iterCount: 1 }, { score: 0.9, iterCount: 2 }];
    expect(replay(tokens, prompt, 0.7)).toMatchObject({ changed: 0, promptChanged: 1, firstDifference: 2 });
  });
});

it('says what cannot be replayed', () => {
  const tokens = [{ score: 0.2, iterCount: 1 }];
  expect(replayable(tokens, 2)).toEqual({ kind: 'exact' });
  expect(replayable(tokens, 3)).toEqual({ kind: 'second-pass-only', maxIter: 3 });
  expect(replayable(tokens, 1)).toEqual({ kind: 'no', why: 'plain-model' });
  expect(replayable([{ score: null, iterCount: 1 }], 2)).toEqual({ kind: 'no', why: 'no-scores' });
  expect(replayable([], 2)).toEqual({ kind: 'no', why: 'no-tokens' });
});

it('a histogram counts every score once, 0 and 1 too', () => {
  fc.assert(
    fc.property(fc.array(scored), fc.integer({ min: 1, max: 50 }), (tokens, bins) => {
      expect(scoreHistogram(tokens, bins).reduce((a, b) => a + b, 0)).toBe(tokens.filter(({ score }) => score !== null).length);
    }),
  );
  expect(scoreHistogram([0, 0.25, 0.5, 1].map((score) => ({ score, iterCount: 1 })), 4)).toEqual([1, 1, 1, 1]);
});
