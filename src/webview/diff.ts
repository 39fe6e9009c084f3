/**
 * Two texts of one problem, token by token: what both begin with, then what is equal and what differs, in the order of
 * the text. Knows rows, not runs. Pure.
 */

import { diffArrays } from 'diff';

/** An alignment that takes longer is given up: the rest then stands side by side as it is. */
const LONGEST_MS = 300;

/** Ranges of tokens: `left` of the first text, `right` of the second; in an equal part they have the same texts. */
export interface DiffPart {
  readonly kind: 'equal' | 'changed';
  readonly left: TokenRange;
  readonly right: TokenRange;
}

export interface TokenRange {
  readonly from: number;
  readonly to: number;
}

export interface TextDiff {
  readonly parts: readonly DiffPart[];
  /** Number of tokens that both texts begin with. */
  readonly prefix: number;
  /** Whether everything behind the prefix is aligned. */
  readonly aligned: boolean;
}

export function diffTexts(left: readonly string[], right: readonly string[], longestMs = LONGEST_MS): TextDiff {
  let prefix = 0;
  while (prefix < left.length && prefix < right.length && left[prefix] === right[prefix]) prefix++;
  const parts: DiffPart[] = [];
  if (prefix > 0) parts.push({ kind: 'equal', left: { from: 0, to: prefix }, right: { from: 0, to: prefix } });
  if (prefix === left.length && prefix === right.length) return { parts, prefix, aligned: true };
  const changes = diffArrays(left.slice(prefix), right.slice(prefix), { timeout: longestMs });
  if (changes === undefined) {
    parts.push({ kind: 'changed', left: { from: prefix, to: left.length }, right: { from: prefix, to: right.length } });
    return { parts, prefix, aligned: false };
  }
  return { parts: [...parts, ...alignedParts(changes, prefix)], prefix, aligned: true };
}

/** Removals and additions that touch are one changed part. */
function alignedParts(changes: readonly { readonly count: number; readonly added: boolean; readonly removed: boolean }[], prefix: number): DiffPart[] {
  const parts: DiffPart[] = [];
  let left = prefix;
  let right = prefix;
  for (const { count, added, removed } of changes) {
    const kind = added || removed ? 'changed' : 'equal';
    const leftTo = left + (added ? 0 : count);
    const rightTo = right + (removed ? 0 : count);
    const last = parts.at(-1);
    if (last?.kind === 'changed' && kind === 'changed') {
      parts[parts.length - 1] = { kind, left: { from: last.left.from, to: leftTo }, right: { from: last.right.from, to: rightTo } };
    } else {
      parts.push({ kind, left: { from: left, to: leftTo }, right: { from: right, to: rightTo } });
    }
    left = leftTo;
    right = rightTo;
  }
  return parts;
}
