/**
 * A token as the heatmap's list needs it: a hundred bytes instead of the kilobytes of its candidates, so that a panel
 * with 20 000 tokens opens at once and asks for the candidates of the few that someone looks at. Pure.
 */

import type { TokenEvent } from './engine.ts';
import { firstScore, secondThought } from './run.ts';
import type { RunHead, SecondThought } from './run.ts';

export interface TokenRow {
  readonly text: string;
  /** Passes that the prediction of this token had. */
  readonly iterCount: number;
  /** Decider score of the first pass, as it was computed (float32); null where no decider was asked. */
  readonly score: number | null;
  /** What the later passes did; null where there was one pass. */
  readonly thought: SecondThought | null;
  /** The first pass's pick was another token than this one. */
  readonly hard: boolean;
  /** The last pass's pick is this token. */
  readonly right: boolean;
  readonly special: boolean;
}

/** What a page is sent of a run: everything but the candidates of its tokens. */
export interface RunSnapshot {
  readonly head: RunHead;
  readonly rows: readonly TokenRow[];
}

export function tokenRow(token: TokenEvent): TokenRow {
  const score = firstScore(token);
  return {
    text: token.text,
    iterCount: token.iterCount,
    // JSON makes null of what is no number; a page that was streamed to must see the same.
    score: score !== null && Number.isFinite(score) ? score : null,
    thought: secondThought(token),
    hard: token.before[0]?.id !== token.id,
    right: token.after[0]?.id === token.id,
    special: token.special,
  };
}

export function runSnapshot(run: RunHead & { readonly tokens: readonly TokenEvent[] }): RunSnapshot {
  const { tokens, ...head } = run;
  return { head, rows: tokens.map(tokenRow) };
}

/** Which of the eleven colours: tenths of the score; null where there is no decider. */
export function heatBucket(score: number | null): number | null {
  return score === null ? null : Math.min(10, Math.max(0, Math.round(score * 10)));
}

/** How much of the deepest colour each of the eleven has. Style sheets and exports show the same. */
export const HEAT_SHARES: readonly number[] = [0, 0.14, 0.24, 0.34, 0.44, 0.54, 0.64, 0.74, 0.84, 0.92, 1];

/** A token's text as a list shows it: something for those that have none. */
export function visibleText(token: Pick<TokenRow, 'text' | 'special'>): string {
  if (token.special) return '◇';
  if (token.text === '') return '·';
  return printable(token.text);
}

/** Newlines and tabs as signs, control and format characters (bidirectional, zero width) as dots; the rest as it is. */
export function printable(text: string): string {
  return text
    .replace(/\r?\n/g, '⏎')
    .replace(/\t/g, '⇥')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '·');
}
