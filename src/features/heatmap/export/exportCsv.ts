/**
 * The tokens of a run as a table for a spreadsheet (RFC 4180, UTF-8 with a mark). A spreadsheet takes a cell that
 * starts with `=` or its like for a formula; a text of the model that does gets an apostrophe in front. Pure.
 */

import type { Candidate, TokenEvent } from '../../../protocol/engine.ts';
import { firstScore, oracleVerdict, secondThought } from '../../../protocol/run.ts';
import type { Run } from '../../../protocol/run.ts';
import { thresholdOf } from './exportedRun.ts';

const COLUMNS = [
  'token', 'position', 'id', 'text', 'passes', 'score', 'threshold', 'second_pass', 'first_before', 'first_before_probability', 'first_after', 'first_after_probability',
  'logprob', 'entropy_before', 'entropy_after', 'milliseconds', 'special',
] as const;

export function exportCsv(run: Run): string {
  const threshold = thresholdOf(run);
  const measured = run.kind === 'measure';
  const header = measured ? [...COLUMNS, 'oracle'] : COLUMNS;
  const lines = run.tokens.map((token) => [...tokenCells(token, threshold), ...(measured ? [oracleVerdict(token)] : [])].join(','));
  return `\ufeff${[header.join(','), ...lines].join('\r\n')}\r\n`;
}

function tokenCells(token: TokenEvent, threshold: number | null): string[] {
  const [before] = token.before;
  const [after] = token.after;
  return [
    String(token.index + 1), String(token.position), String(token.id), textCell(token.text), String(token.iterCount),
    numberCell(firstScore(token)), numberCell(threshold), textCell(secondThought(token) ?? ''),
    ...candidateCells(before), ...candidateCells(after),
    numberCell(token.logprob), numberCell(token.entropyBefore), numberCell(token.entropyAfter), numberCell(token.elapsedMs), String(token.special),
  ];
}

function candidateCells(candidate: Candidate | undefined): string[] {
  return candidate === undefined ? ['', ''] : [textCell(candidate.text), numberCell(Math.exp(candidate.logprob))];
}

function numberCell(value: number | null): string {
  return value === null || !Number.isFinite(value) ? '' : String(value);
}

/** Quoted; never a formula, also behind white space, which spreadsheets trim. */
export function textCell(text: string): string {
  const safe = /^\s*[=+\-@\t\r|]/.test(text) ? `'${text}` : text;
  return `"${safe.replace(/"/g, '""')}"`;
}
