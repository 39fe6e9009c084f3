/**
 * How much of a growing text is settled, so that a view renders each paragraph once and only the last one again. Pure.
 */

import { scanMath } from './mathSpans.ts';

/** A text this long without a blank line is cut at its last line. */
const LONG = 4000;
/** A line this long is cut behind a sentence, or at a space. */
const LONG_LINE = 2000;

/**
 * How many characters at the start of `tail` can no more change in meaning: up to the last blank line that is
 * outside fenced code and display mathematics. Lists stay whole while their items follow each other. Of a line without
 * an end, what is too long to be drawn again with each token.
 */
export function settledLength(tail: string): number {
  let settled = 0;
  let fence: string | null = null;
  let at = 0;
  while (at < tail.length) {
    const newline = tail.indexOf('\n', at);
    if (newline < 0) break;
    const line = tail.slice(at, newline).trim();
    const mark = /^(```+|~~~+)/.exec(line)?.[0] ?? null;
    if (fence !== null) {
      if (mark?.startsWith(fence) === true) fence = null;
    } else if (mark !== null) {
      fence = mark;
    } else if (opensDisplay(line)) {
      const scan = scanMath(tail, tail.indexOf(line, at), true);
      if (scan?.kind === 'pending') return settled;
      if (scan?.kind === 'math') {
        at = Math.max(scan.end, newline + 1);
        continue;
      }
    } else if (line === '' || at - settled > LONG) {
      settled = newline + 1;
    }
    at = newline + 1;
  }
  return fence === null && tail.length - at > LONG_LINE && !opensDisplay(tail.slice(at).trimStart()) ? cutLine(tail, at) : settled;
}

/** A place in the line that begins at `at`; where it has no space, between two characters. */
function cutLine(tail: string, at: number): number {
  const end = at + LONG_LINE;
  const sentence = tail.lastIndexOf('. ', end - 2);
  if (sentence > at) return sentence + 2;
  const space = tail.lastIndexOf(' ', end - 1);
  if (space > at) return space + 1;
  return /[\ud800-\udbff]/.test(tail.charAt(end - 1)) ? end - 1 : end;
}

function opensDisplay(line: string): boolean {
  return line.startsWith('$$') || line.startsWith('\\[') || line.startsWith('\\begin{');
}
