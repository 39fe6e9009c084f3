// @vitest-environment happy-dom
// Text of a model that was made to hang the panel: each is drawn within seconds, whole or while it streams.
import { describe, expect, it } from 'vitest';
import { scanMath } from '../../../src/webview/mathSpans.ts';
import { mathElement } from '../../../src/webview/mathElement.ts';
import { renderInline, renderMarkdown } from '../../../src/webview/markdownView.ts';
import { settledLength } from '../../../src/webview/settledText.ts';

const LENGTH = 100_000;
const LIMIT_MS = 5000;
const PIECES = ['\\(', '\\[', '$', '$a ', '$$ ', '$$ \n\n', '\\boxed{', '\\boxed ', '\\begin{', '\\begin{align}', '$5 and ', '`', '```\n', '*a **b ', '[', '![', '[a](', '<', '<a', '&', '|', '> ', '- ', '\n\n', '\\', '_a', '~~', '1. ', '#', 'a', ' '];

/** Of Node, in which this browser code is tested. Microseconds. */
declare const process: { cpuUsage(since?: { user: number }): { user: number } };

/** Of the processor: what else the machine does is no fault of the text. */
function milliseconds(body: () => void): number {
  const started = process.cpuUsage();
  body();
  return process.cpuUsage(started).user / 1000;
}

describe('100 000 characters', { timeout: 20_000 }, () => {
  it.each(PIECES)('of %j are scanned in time', (piece) => {
    const text = piece.repeat(LENGTH / piece.length);
    for (const growing of [true, false]) {
      expect(milliseconds(() => {
        settledLength(text);
        for (let at = 0; at < text.length; at++) scanMath(text, at, growing);
      })).toBeLessThan(LIMIT_MS);
    }
  });

  it.each(PIECES)('of %j are drawn in time', (piece) => {
    const text = piece.repeat(LENGTH / piece.length);
    expect(milliseconds(() => renderMarkdown(text, true))).toBeLessThan(LIMIT_MS);
    expect(milliseconds(() => renderMarkdown(text, false))).toBeLessThan(LIMIT_MS);
  });
});

it.each(['\\boxed{', '\\sqrt{', '\\frac{', '{', '^{', '\\left(', '\\text{', '\\begin{pmatrix}', '\\overbrace{'])('a formula of %j many times is drawn or shown as its source in time', (piece) => {
  const depth = Math.floor(9000 / (piece.length + 1));
  expect(milliseconds(() => mathElement(piece.repeat(depth) + 'x' + '}'.repeat(depth), false))).toBeLessThan(LIMIT_MS);
});

it('a character that reorders the text is shown as a mark, in text, formula and answer', () => {
  expect(renderMarkdown('a \u202e51\u202c $x\u2067$', false).textContent).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  expect(renderInline('\u202e51').textContent).toBe('\ufffd51');
});
