/**
 * The pane that explains one token: what the decider said, what the first pass would have picked, and what the second
 * pass pushed up or down. Draws a TokenDetails; computes nothing.
 */

import type { SecondThought } from '../protocol/run.ts';
import { TEST_ID } from '../protocol/heatmap.ts';
import { element, icon } from './dom.ts';
import { l10n } from './texts.ts';
import { formatPercent, thoughtText } from './tokenView.ts';
import type { CandidateRow, Fact, Move, TokenDetails } from './tokenView.ts';

const SHOWN_CANDIDATES = 8;

export class DetailsView {
  readonly node = element('aside', { className: 'details', testId: TEST_ID.details, attributes: { tabindex: '0' } });

  constructor() {
    this.node.setAttribute('aria-label', l10n.t('Token details'));
    this.show(null);
  }

  show(details: TokenDetails | null): void {
    if (details === null) {
      this.node.replaceChildren(element('p', { className: 'hint', text: l10n.t('Point at a token, or move with the arrow keys, to see why it was thought over.') }));
      return;
    }
    const title = element('div', { className: 'details-title', children: [element('code', { className: 'details-token', text: details.title }), badge(details.thought)] });
    const lists = element('div', { className: 'candidate-lists' });
    lists.append(candidateTable(details.after === null ? l10n.t('Candidates') : l10n.t('First pass'), details.before, TEST_ID.candidatesBefore));
    if (details.after !== null) lists.append(candidateTable(l10n.t('After the second pass'), details.after, TEST_ID.candidatesAfter));
    this.node.replaceChildren(element('div', { className: 'details-grid', children: [title, factList(details.why), lists, factList(details.facts)] }));
  }
}

function factList(facts: readonly Fact[]): HTMLElement {
  const list = element('dl', { className: 'facts' });
  for (const fact of facts) list.append(element('div', { children: [element('dt', { text: fact.label }), element('dd', { text: fact.value })] }));
  return list;
}

function badge(thought: SecondThought | null): HTMLElement {
  const text = thought === null ? l10n.t('one pass') : thoughtText(thought);
  const kind = thought === 'changed the pick' ? 'pick' : (thought ?? 'none');
  return element('span', { className: `badge badge-${kind}`, testId: TEST_ID.thought, text });
}

function candidateTable(title: string, rows: readonly CandidateRow[], testId: string): HTMLElement {
  const body = element('tbody');
  for (const row of rows.slice(0, SHOWN_CANDIDATES)) body.append(candidateRow(row));
  return element('table', { className: 'candidates', testId, children: [element('caption', { text: title }), body] });
}

function candidateRow(row: CandidateRow): HTMLElement {
  const bar = element('span', { className: 'bar', attributes: { 'aria-hidden': 'true' } });
  bar.style.setProperty('--share', `${(row.probability * 100).toFixed(1)}%`);
  const text = element('td', { className: 'candidate', children: [element('code', { text: row.text })] });
  if (row.chosen) text.append(element('span', { className: 'chosen', text: l10n.t('chosen') }));
  return element('tr', {
    className: row.chosen ? 'is-chosen' : '',
    children: [
      element('td', { className: 'rank', text: String(row.rank) }),
      text,
      element('td', { className: 'share', text: formatPercent(row.probability) }),
      element('td', { className: 'bar-cell', children: [bar] }),
      moveCell(row.move),
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
