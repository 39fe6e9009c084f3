/**
 * Changes a text by pieces that mean something in its language, and by characters that mean something everywhere.
 * The language is the caller's: it gives the pieces.
 */

import type { Random } from '../random.ts';

export const LONGEST = 60_000;

/** Characters and texts that programs stumble over in any language. */
export const ODD: readonly string[] = [
  '\u0000', '\u0007', '\u001b[31m', '\u001b]8;;http://evil.example\u0007x\u001b]8;;\u0007', '\u001b[2J', '\r', '\r\n', '\n', '\n\n', '\t', ' ', '\u00a0', '\u2028', '\u200b', '\u202e', '\u202c', '\u2066', '\u2069', '\ufeff', '\ufffd', '\ud800', '\udc00', '\ud83d\ude00', 'e\u0301\u0301\u0301', '\\', '"', "'", '`', '$', '<', '>', '&', '%', '#', '{', '}', '[', ']', '(', ')', '/', '..', '../', '__proto__', 'constructor', 'toString', 'NaN', '1e999', '-0', '99999999999999999999',
  '<script>globalThis.tahCanary=1</script>', '<img src=x onerror="globalThis.tahCanary=1">', '[x](javascript:globalThis.tahCanary=1)', '[x](command:workbench.action.quit)', '![x](http://evil.example/a.png)', 'javascript:globalThis.tahCanary=1',
];

type Change = (text: string, random: Random, words: Words) => string;

export interface Words {
  /** Pieces of the language. */
  readonly pieces: readonly string[];
  /** What opens and what closes. */
  readonly pairs: readonly (readonly [string, string])[];
  /** Another text of the language. */
  readonly other: string;
}

const CHANGES: readonly Change[] = [
  (text, random, { pieces }) => inserted(text, random.int(text.length + 1), random.pick(pieces)),
  (text, random, { pieces }) => inserted(text, random.int(text.length + 1), random.pick(pieces) + random.pick(pieces)),
  (text, random) => inserted(text, random.int(text.length + 1), random.pick(ODD)),
  (text, random) => { const at = random.int(text.length); return text.slice(0, at) + text.slice(at + random.size(64)); },
  (text, random) => { const at = random.int(text.length); return text.slice(0, at) + random.pick(ODD) + text.slice(at + 1); },
  (text, random) => { const at = random.int(text.length); return inserted(text, at, text.slice(at, at + random.size(200))); },
  (text, random, { other }) => { const from = random.int(other.length); return inserted(text, random.int(text.length + 1), other.slice(from, from + random.size(400))); },
  (text, random) => text.slice(0, random.int(text.length + 1)),
  (text, random) => { const [a, b] = [random.int(text.length), random.int(text.length)].sort((x, y) => x - y); return text.slice(b) + text.slice(a, b) + text.slice(0, a); },
];

/** Rare ones: the same thing very often. */
const FLOODS: readonly Change[] = [
  (text, random, { pieces }) => inserted(text, random.int(text.length + 1), random.pick(pieces).repeat(random.size(5000))),
  (text, random) => inserted(text, random.int(text.length + 1), random.pick(ODD).repeat(random.size(5000))),
  (text, random, { pairs }) => {
    const [open, close] = random.pick(pairs);
    const depth = random.size(10_000);
    const at = random.int(text.length + 1);
    return text.slice(0, at) + open.repeat(depth) + random.pick(['x', '', text.slice(at, at + 50)]) + (random.chance(0.3) ? '' : close.repeat(depth)) + text.slice(at);
  },
  (text, random) => { const at = random.int(text.length); return inserted(text, at, text.slice(at, at + random.size(40)).repeat(random.size(2000))); },
];

/** @param most characters of the result */
export function mutateText(text: string, random: Random, words: Words, most = LONGEST): string {
  let changed = text;
  for (let n = random.size(8); n > 0; n--) changed = random.pick(random.chance(0.04) ? FLOODS : CHANGES)(changed, random, words).slice(0, most);
  return changed;
}

function inserted(text: string, at: number, piece: string): string {
  return text.slice(0, at) + piece + text.slice(at);
}
