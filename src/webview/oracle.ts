/**
 * Decider against self-oracle over a measured text: how often a hard prediction was sent, and what that costs. Pure.
 */

import type { OracleVerdict } from '../protocol/engine.ts';
import type { TokenRow } from '../protocol/tokenRow.ts';

export const VERDICTS: readonly OracleVerdict[] = ['hard-sent', 'hard-missed', 'easy-sent', 'easy-skipped'];

export type OracleCounts = Readonly<Record<OracleVerdict, number>>;

/** As `oracleVerdict` of protocol/run.ts says of the whole event. */
export function rowVerdict(row: Pick<TokenRow, 'hard' | 'iterCount'>): OracleVerdict {
  const sent = row.iterCount > 1;
  if (row.hard) return sent ? 'hard-sent' : 'hard-missed';
  return sent ? 'easy-sent' : 'easy-skipped';
}

export function oracleCounts(rows: readonly Pick<TokenRow, 'hard' | 'iterCount'>[]): OracleCounts {
  const counts = { 'hard-sent': 0, 'hard-missed': 0, 'easy-sent': 0, 'easy-skipped': 0 };
  for (const row of rows) counts[rowVerdict(row)]++;
  return counts;
}

export interface OracleRates {
  /** Share of what was sent that was hard. Null where nothing was sent. */
  readonly precision: number | null;
  /** Share of what was hard that was sent. Null where nothing was hard. */
  readonly recall: number | null;
}

export function oracleRates(counts: OracleCounts): OracleRates {
  const sent = counts['hard-sent'] + counts['easy-sent'];
  const hard = counts['hard-sent'] + counts['hard-missed'];
  return { precision: sent === 0 ? null : counts['hard-sent'] / sent, recall: hard === 0 ? null : counts['hard-sent'] / hard };
}
