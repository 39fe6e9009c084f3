/**
 * One top-k list of a token as a table: probability as number and bar, what moved up or down in words and arrows, and
 * the action that takes another token. Draws CandidateRows; computes nothing.
 */

import { TEST_ID } from '../protocol/heatmap.ts';
import { element, icon, iconButton } from './dom.ts';
import { l10n } from './texts.ts';
import { formatPercent } from './tokenCell.ts';
import type { CandidateRow, Move } from './tokenView.ts';

const SHOWN_CANDIDATES = 8;

/** @param onTake null where nothing can be generated */
export function candidateTable(title: string, rows: readonly CandidateRow[], testId: string, onTake: ((row: CandidateRow) => void) | null): HTMLElement {
  const body = element('tbody');
  for (const row of rows.slice(0, SHOWN_CANDIDATES)) body.append(candidateRow(row, onTake));
  return element('table', { className: 'candidates', testId, children: [element('caption', { text: title }), body] });
}

function candidateRow(row: CandidateRow, onTake: ((row: CandidateRow) => void) | null): HTMLElement {
  const bar = element('span', { className: 'bar', attributes: { 'aria-hidden': 'true' } });
  bar.style.setProperty('--share', `${(row.probability * 100).toFixed(1)}%`);
  const text = element('td', { className: 'candidate', children: [element('code', { text: row.shown })] });
  if (row.chosen) text.append(element('span', { className: 'chosen', text: l10n.t('chosen') }));
  const take = element('td', { className: 'take' });
  if (onTake !== null && !row.chosen) {
    take.append(iconButton({ icon: 'git-branch', label: l10n.t('Take “{0}” here and regenerate', row.shown), testId: TEST_ID.take, onClick: () => {
      onTake(row);
    } }));
  }
  return element('tr', {
    className: row.chosen ? 'is-chosen' : '',
    children: [
      element('td', { className: 'rank', text: String(row.rank) }),
      text,
      element('td', { className: 'share', text: formatPercent(row.probability) }),
      element('td', { className: 'bar-cell', children: [bar] }),
      moveCell(row.move),
      take,
    ],
  });
}

const MOVES: Readonly<Record<Exclude<Move, 'none' | 'same'>, { icon: string; text: () => string }>> = {
  up: { icon: 'arrow-up', text: () => l10n.t('pushed up') },
  down: { icon: 'arrow-down', text: () => l10n.t('pushed down') },
  new: { icon: 'sparkle', text: () => l10n.t('new in the list') },
};

function moveCell(move: Move): HTMLElement {
  const cell = element('td', { className: `move move-${move}` });
  if (move === 'none' || move === 'same') return cell;
  const { icon: name, text } = MOVES[move];
  cell.title = text();
  cell.append(icon(name), element('span', { className: 'sr-only', text: text() }));
  return cell;
}
