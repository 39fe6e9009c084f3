/**
 * Finds a text in the tokens of a run: without regard to case, over the borders of tokens, white space as white space.
 * Pure; the store says where a match lies in tokens.
 */

import type { TokenStore } from './tokenStore.ts';

export interface Match {
  /** First and last token that the match touches. */
  readonly from: number;
  readonly to: number;
}

/** Matches in the order of the text, none of them over another. */
export function findMatches(store: Pick<TokenStore, 'text' | 'indexAt'>, query: string): Match[] {
  if (query.trim() === '') return [];
  const parts = query.split(/\s+/).map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  const pattern = new RegExp(parts.join('\\s+'), 'giu');
  const matches: Match[] = [];
  for (const { 0: found, index } of store.text().matchAll(pattern)) {
    if (found === '') continue;
    const from = store.indexAt(index);
    const to = store.indexAt(index + found.length - 1);
    if (from !== null && to !== null) matches.push({ from, to });
  }
  return matches;
}

/** The match to go to from token `index`: the next one after it, or the last one before it, round the ends. */
export function stepMatch(matches: readonly Match[], index: number | null, step: 1 | -1): number | null {
  if (matches.length === 0) return null;
  if (step === 1) {
    const next = matches.findIndex(({ from }) => index === null || from > index);
    return next < 0 ? 0 : next;
  }
  const previous = matches.findLastIndex(({ from }) => index !== null && from < index);
  return previous < 0 ? matches.length - 1 : previous;
}
