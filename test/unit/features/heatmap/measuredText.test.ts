/** The way from a token to its place in a document and back must end where it began, wherever the text has moved. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { measuredStart, tokenAt, tokenRange } from '../../../../src/features/heatmap/measuredText.ts';
import { longRun } from '../../../e2e/longRun.ts';

function measuredRun(texts: readonly string[]) {
  const [first = '', ...rest] = texts;
  const run = longRun(rest.length);
  return { prompt: run.prompt.map((token) => ({ ...token, text: first })), tokens: run.tokens.map((token, i) => ({ ...token, text: rest[i] ?? '' })) };
}

it('every character of a token leads back to it', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', ' bc', '', '\n', '字')), (texts) => {
      const run = measuredRun(texts);
      run.tokens.forEach((_, index) => {
        const range = tokenRange(run, index);
        for (let offset = range?.start ?? 0; offset < (range?.end ?? 0); offset++) expect(tokenAt(run, offset)).toBe(index);
      });
      expect(tokenAt(run, texts.join('').length)).toBeNull();
    }),
  );
  expect(tokenAt(measuredRun(['first', 'b']), 2)).toBeNull();
  expect(tokenRange(measuredRun(['first', 'b']), 4)).toBeNull();
});

it('finds the text where it has moved to, the one that is meant among equal ones, and none where it is gone', () => {
  expect(measuredStart('x = 1', 'x = 1', null)).toBe(0);
  expect(measuredStart('a\nx = 1\nx = 1', 'x = 1', 13)).toBe(8);
  // The hint is the end without the white space that was measured too.
  expect(measuredStart('a\nx = 1 \nx = 1 ', 'x = 1 ', 14)).toBe(9);
  expect(measuredStart('new lines\nx = 1', 'x = 1', 5)).toBe(10);
  expect(measuredStart('x = 2', 'x = 1', 5)).toBeNull();
  expect(measuredStart('x', '', 0)).toBeNull();
});
