/**
 * What the heatmap shows of a token, as plain values: text, colour bucket, labels, details. Knows the colours' scale
 * (0 … 10) but no colour, and no DOM. Coloured is the token that was chosen by the refined prediction
 * (method.md, "hard token"), which is what a TokenEvent carries.
 */

import { UNKNOWN_ID } from '../protocol/engine.ts';
import type { Candidate, TokenEvent } from '../protocol/engine.ts';
import { firstScore, secondThought } from '../protocol/run.ts';
import type { SecondThought } from '../protocol/run.ts';
import { l10n } from './texts.ts';

export interface TokenCell {
  readonly text: string;
  /** 0 … 10: tenths of the decider's score; null where there is no decider. */
  readonly bucket: number | null;
  readonly sent: boolean;
  readonly thought: SecondThought | null;
  /** Special tokens and tokens that complete no character: shown as a mark. */
  readonly mark: boolean;
  /** The token ends with a new line, or holds one before its own text, which then starts the next line. */
  readonly lineBreak: 'before' | 'after' | 'none';
  /** For a screen reader. */
  readonly label: string;
}

export function tokenCell(token: TokenEvent): TokenCell {
  const score = firstScore(token);
  const thought = secondThought(token);
  const text = visibleText(token);
  const parts = [spokenText(token)];
  if (score !== null) parts.push(l10n.t('score {0}', formatScore(score)));
  if (thought !== null) parts.push(l10n.t('{0} passes', token.iterCount), thoughtText(thought));
  return {
    text,
    bucket: score === null ? null : Math.min(10, Math.max(0, Math.round(score * 10))),
    sent: token.iterCount > 1,
    thought,
    mark: token.special || token.text === '',
    lineBreak: !token.text.includes('\n') ? 'none' : token.text.endsWith('\n') ? 'after' : 'before',
    label: parts.join(', '),
  };
}

/** Newlines and tabs as signs, control and format characters (bidirectional, zero width) as dots; the rest as it is. */
export function visibleText(token: Pick<TokenEvent, 'text' | 'special'>): string {
  if (token.special) return '◇';
  if (token.text === '') return '·';
  return printable(token.text);
}

export function printable(text: string): string {
  return text
    .replace(/\r?\n/g, '⏎')
    .replace(/\t/g, '⇥')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '·');
}

/** Spaces at the ends as signs: a token is often nothing else, or differs from another by one. */
function withSpaces(text: string): string {
  return text.replace(/^ +| +$/g, (spaces) => '␣'.repeat(spaces.length));
}

function spokenText(token: TokenEvent): string {
  if (token.special) return l10n.t('special token');
  if (token.text === '') return l10n.t('part of a character');
  if (/^\n+$/.test(token.text)) return l10n.t('new line');
  return token.text.trim() === '' ? l10n.t('space') : printable(token.text.trim());
}

export function thoughtText(thought: SecondThought): string {
  switch (thought) {
    case 'kept':
      return l10n.t('kept');
    case 'changed':
      return l10n.t('changed');
    case 'changed the pick':
      return l10n.t('changed the pick');
    default:
      return thought satisfies never;
  }
}

function formatScore(score: number): string {
  return score > 0 && score < 0.001 ? '<0.001' : fixed(score, 3);
}

/** JSON makes null of what is no finite number; a dash says that there is none. */
function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

/** 0 for a log-probability of minus infinity. */
function probabilityOf({ logprob }: Candidate): number {
  return Number.isFinite(logprob) ? Math.exp(logprob) : 0;
}

export type Move = 'up' | 'down' | 'same' | 'new' | 'none';

export interface CandidateRow {
  readonly rank: number;
  readonly id: number;
  readonly text: string;
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
  const gap = topGap(token.before);
  if (gap !== null) facts.push({ label: l10n.t('First − second'), value: formatPercent(gap) });
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

export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '<0.1 %';
  return `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

/** Rows of a top-k list, compared with the list `before` where it is given. */
export function candidateRows(list: readonly Candidate[], before: readonly Candidate[] | null, chosenId: number): CandidateRow[] {
  const oldRank = new Map(before?.map((candidate, rank) => [candidate.id, rank]));
  return list.map((candidate, rank) => ({
    rank: rank + 1,
    id: candidate.id,
    text: candidate.text === '' ? '◇' : withSpaces(printable(candidate.text)),
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
