/**
 * What the heatmap's list shows of a token, as plain values: text, colour bucket, marks, label. Knows the colours'
 * scale (0 … 10) but no colour, and no DOM. Coloured is the token that was chosen by the refined prediction
 * (method.md, "hard token").
 */

import type { SecondThought } from '../protocol/run.ts';
import { heatBucket, printable, visibleText } from '../protocol/tokenRow.ts';
import type { TokenRow } from '../protocol/tokenRow.ts';
import { l10n } from './texts.ts';

export interface TokenCell {
  readonly text: string;
  /** 0 … 10: tenths of the decider's score; null where there is no decider. */
  readonly bucket: number | null;
  readonly sent: boolean;
  readonly thought: SecondThought | null;
  /** Special tokens and tokens that complete no character: shown as a mark. */
  readonly mark: boolean;
  /** For a screen reader. */
  readonly label: string;
}

export function tokenCell(row: TokenRow): TokenCell {
  const { score, thought } = row;
  const parts = [spokenText(row)];
  if (score !== null) parts.push(l10n.t('score {0}', formatScore(score)));
  if (thought !== null) parts.push(l10n.t('{0} passes', row.iterCount), thoughtText(thought));
  return {
    text: visibleText(row),
    bucket: heatBucket(score),
    sent: row.iterCount > 1,
    thought,
    mark: row.special || row.text === '',
    label: parts.join(', '),
  };
}

/** Spaces at the ends as signs: a token is often nothing else, or differs from another by one. */
export function withSpaces(text: string): string {
  return text.replace(/^ +| +$/g, (spaces) => '␣'.repeat(spaces.length));
}

function spokenText(token: Pick<TokenRow, 'text' | 'special'>): string {
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

export function formatScore(score: number): string {
  return score > 0 && score < 0.001 ? '<0.001' : fixed(score, 3);
}

/** JSON makes null of what is no finite number; a dash says that there is none. */
export function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '<0.1 %';
  return `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}
