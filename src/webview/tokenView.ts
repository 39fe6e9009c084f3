/**
 * What the details show of a token, as plain values: why it was sent, what its passes proposed, and what each moved.
 * Knows no DOM.
 */

import { UNKNOWN_ID } from '../protocol/engine.ts';
import type { Candidate, TokenEvent } from '../protocol/engine.ts';
import { firstScore, secondThought } from '../protocol/run.ts';
import type { SecondThought } from '../protocol/run.ts';
import { printable, visibleText } from '../protocol/tokenRow.ts';
import { l10n } from './texts.ts';
import { fixed, formatPercent, formatScore, withSpaces } from './tokenCell.ts';

/** 0 for a log-probability of minus infinity. */
function probabilityOf({ logprob }: Candidate): number {
  return Number.isFinite(logprob) ? Math.exp(logprob) : 0;
}

export type Move = 'up' | 'down' | 'same' | 'new' | 'none';

export interface CandidateRow {
  readonly rank: number;
  readonly id: number;
  /** The token's own text, for an action on it. */
  readonly text: string;
  /** The text as it is shown. */
  readonly shown: string;
  /** 0 … 1 */
  readonly probability: number;
  /** Against the first pass's order; 'none' in the first pass's own list. */
  readonly move: Move;
  /** The token that was chosen. */
  readonly chosen: boolean;
}

export interface Fact {
  readonly label: string;
  readonly value: string;
}

export interface TokenDetails {
  readonly index: number;
  readonly iterCount: number;
  readonly title: string;
  readonly thought: SecondThought | null;
  /** Why it was sent or not. */
  readonly why: readonly Fact[];
  /** The rest. */
  readonly facts: readonly Fact[];
  readonly before: readonly CandidateRow[];
  /** Null where the token had one pass. */
  readonly after: readonly CandidateRow[] | null;
}

/** @param threshold the decider's; null for a plain model */
export function tokenDetails(token: TokenEvent, threshold: number | null): TokenDetails {
  return {
    index: token.index,
    iterCount: token.iterCount,
    title: token.special ? l10n.t('special token') : withSpaces(visibleText(token)),
    thought: secondThought(token),
    why: whyFacts(token, threshold),
    facts: tokenFacts(token),
    before: candidateRows(token.before, null, token.id),
    after: token.iterCount > 1 ? candidateRows(token.after, token.before, token.id) : null,
  };
}

function whyFacts(token: TokenEvent, threshold: number | null): Fact[] {
  const score = firstScore(token);
  const facts: Fact[] = [{ label: l10n.t('Passes'), value: String(token.iterCount) }];
  if (score !== null) {
    facts.push({ label: l10n.t('Score'), value: token.continueProbability.map(formatScore).join(' → ') });
    if (threshold !== null) {
      const margin = score - threshold;
      facts.push({ label: l10n.t('Threshold'), value: `${formatScore(threshold)} (${margin > 0 ? '+' : '−'}${fixed(Math.abs(margin), 3)})` });
    }
  }
  return facts;
}

function tokenFacts(token: TokenEvent): Fact[] {
  const facts: Fact[] = [];
  const entropies = token.iterCount > 1 ? [token.entropyBefore, token.entropyAfter] : [token.entropyBefore];
  const known = entropies.filter((nats) => nats !== null);
  if (known.length > 0) facts.push({ label: l10n.t('Entropy'), value: `${known.map((nats) => fixed(nats, 2)).join(' → ')} nats` });
  const gaps = (token.iterCount > 1 ? [token.before, token.after] : [token.before]).map(topGap);
  if (gaps.every((gap) => gap !== null)) facts.push({ label: l10n.t('First − second'), value: gaps.map(formatPercent).join(' → ') });
  if (token.logprob !== null) facts.push({ label: l10n.t('Log-probability'), value: fixed(token.logprob, 3) });
  facts.push({ label: l10n.t('Token'), value: l10n.t('{0}, position {1}', token.index + 1, token.position) });
  if (token.id !== UNKNOWN_ID) facts.push({ label: l10n.t('Token id'), value: String(token.id) });
  if (token.elapsedMs !== null) facts.push({ label: l10n.t('Time'), value: `${fixed(token.elapsedMs, 1)} ms` });
  return facts;
}

/** Probability of the first candidate minus that of the second. */
function topGap(candidates: readonly Candidate[]): number | null {
  const [first, second] = candidates;
  return first === undefined || second === undefined ? null : probabilityOf(first) - probabilityOf(second);
}

/** Rows of a top-k list, compared with the list `before` where it is given. */
export function candidateRows(list: readonly Candidate[], before: readonly Candidate[] | null, chosenId: number): CandidateRow[] {
  const oldRank = new Map(before?.map((candidate, rank) => [candidate.id, rank]));
  return list.map((candidate, rank) => ({
    rank: rank + 1,
    id: candidate.id,
    text: candidate.text,
    shown: candidate.text === '' ? '◇' : withSpaces(printable(candidate.text)),
    probability: probabilityOf(candidate),
    move: before === null ? 'none' : moveOf(oldRank.get(candidate.id), rank),
    chosen: candidate.id === chosenId,
  }));
}

function moveOf(oldRank: number | undefined, rank: number): Move {
  if (oldRank === undefined) return 'new';
  if (oldRank === rank) return 'same';
  return oldRank > rank ? 'up' : 'down';
}
