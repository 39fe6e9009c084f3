/**
 * How much of a growing text is settled, so that a view renders each paragraph once and only the last one again. Pure.
 */

import { scanMath } from './mathSpans.ts';

/** A text this long without a blank line is cut at its last line. */
const LONG = 4000;

/**
 * How many characters at the start of `tail` can no more change in meaning: up to the last blank line that is
 * outside fenced code and display mathematics. Lists stay whole while their items follow each other.
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
  return settled;
}

function opensDisplay(line: string): boolean {
  return line.startsWith('$$') || line.startsWith('\\[') || line.startsWith('\\begin{');
}
