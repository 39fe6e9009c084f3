/** The rows above the steps: answer, check, cost and the way to the heatmap, a cell a column. Draws; decides nothing. */

import { COMPARISON_TEST_ID } from '../../protocol/comparison.ts';
import type { Column, ComparisonKind } from '../../protocol/comparison.ts';
import { checkReason } from '../../protocol/answer.ts';
import type { CheckState } from '../../protocol/answer.ts';
import { sayErrorInLine } from '../../protocol/errorTexts.ts';
import { hasEnded } from '../../protocol/run.ts';
import { button, element, icon } from '../dom.ts';
import { renderInline } from '../markdownView.ts';
import { mathElement } from '../mathElement.ts';
import { l10n } from '../texts.ts';
import { againstText, costOf, expectedText, flopsText, perTokenText, roleText, sumText, surpriseText, timeText } from './columnText.ts';

export interface FactActions {
  readonly onHeatmap: (runId: string) => void;
  /** Whether the host still has the run. */
  readonly canOpen: (runId: string) => boolean;
}

interface Fact {
  readonly label: () => string;
  readonly title?: () => string;
  readonly cell: (column: Column, actions: FactActions) => HTMLElement;
  readonly only?: ComparisonKind;
}

const ID = COMPARISON_TEST_ID;

const FACTS: readonly Fact[] = [
  { label: () => l10n.t('Answer'), cell: answerCell, only: 'solve' },
  { label: () => l10n.t('Check'), cell: checkCell, only: 'solve' },
  { label: () => l10n.t('Expected'), title: () => l10n.t('Tokens of the text that were the model\'s first choice'), cell: ({ tokens }) => text(expectedText(tokens)), only: 'measure' },
  { label: () => l10n.t('Surprise'), title: () => l10n.t('Mean of −ln p over the tokens of the text; lower is better'), cell: ({ tokens }) => text(surpriseText(tokens)), only: 'measure' },
  { label: () => l10n.t('Passes a token'), cell: ({ tokens }) => text(perTokenText(costOf(tokens)), ID.passes) },
  { label: () => l10n.t('Passes N + |S|'), title: () => l10n.t('First passes, one a token, and the second passes'), cell: ({ tokens }) => text(sumText(costOf(tokens))) },
  { label: () => l10n.t('Against N and 2N'), title: () => l10n.t('Passes against never and always thinking twice, for as many tokens'), cell: ({ tokens }) => text(againstText(costOf(tokens))) },
  { label: () => l10n.t('Measured time'), cell: (column) => text(timeText(column), ID.time) },
  { label: () => l10n.t('Operations'), cell: flopsCell },
  { label: () => l10n.t('Heatmap'), cell: heatmapCell },
];

/** @returns rows of a table body */
export function factRows(kind: ComparisonKind, columns: readonly Column[], actions: FactActions): HTMLElement[] {
  return FACTS.filter(({ only }) => only === undefined || only === kind).map(({ label, title, cell }) => {
    const head = element('th', { className: 'fact-label', text: label(), attributes: { scope: 'row', role: 'rowheader', ...(title === undefined ? {} : { title: title() }) } });
    return element('tr', { attributes: { role: 'row' }, children: [head, ...columns.map((column) => tableCell(column, [cell(column, actions)]))] });
  });
}

/** A cell that names its column: where columns are stacked, its head is no longer above it. */
export function tableCell(column: Pick<Column, 'role'>, children: readonly Node[]): HTMLTableCellElement {
  return element('td', { attributes: { role: 'cell', 'data-role': column.role, 'data-label': roleText(column.role) }, children });
}

function text(value: string, testId?: string): HTMLElement {
  return element('span', { text: value, ...(testId === undefined ? {} : { testId }) });
}

function answerCell(column: Column): HTMLElement {
  if (column.answer !== null) {
    const box = element('span', { className: 'answer-box', testId: ID.answer, attributes: { 'data-answer': column.answer } });
    box.append(column.answer.includes('$') ? renderInline(column.answer) : mathElement(column.answer, false));
    return box;
  }
  if (column.error !== null) {
    return element('span', { className: 'column-error', testId: ID.error, text: sayErrorInLine(column.error, (text, ...values) => l10n.t(text, ...values)) });
  }
  return element('span', { className: 'no-answer', testId: ID.answer, text: isOver(column) && column.runId !== null ? l10n.t('No final answer in the text') : '–' });
}

const CHECKS: Readonly<Record<CheckState | 'pending', { readonly icon: string; readonly text: () => string }>> = {
  verified: { icon: 'pass-filled', text: () => l10n.t('Verified') },
  contradicted: { icon: 'error', text: () => l10n.t('Contradicted') },
  unchecked: { icon: 'question', text: () => l10n.t('Could not check') },
  pending: { icon: 'loading', text: () => l10n.t('Checking…') },
};

function checkCell(column: Column): HTMLElement {
  if (column.answer === null) return text('–');
  const state = column.check?.state ?? 'pending';
  const { icon: name, text: label } = CHECKS[state];
  const node = element('span', { className: `check check-${state}`, children: [element('span', { className: 'check-label', testId: ID.check, attributes: { 'data-check': state }, children: [icon(name), element('span', { text: label() })] })] });
  if (column.check !== null) node.append(element('span', { className: 'check-reason', text: checkReason(column.check, (text, ...values) => l10n.t(text, ...values)) }));
  return node;
}

function flopsCell({ flops }: Column): HTMLElement {
  if (flops === null) return text('–');
  return element('span', { className: 'estimate', testId: ID.flops, text: l10n.t('about {0}', flopsText(flops.flops)), attributes: { title: flops.formula, tabindex: '0', 'aria-label': `${l10n.t('about {0}', flopsText(flops.flops))}. ${flops.formula}`, role: 'note' } });
}

function heatmapCell({ runId, role }: Column, { onHeatmap, canOpen }: FactActions): HTMLElement {
  if (runId === null || !canOpen(runId)) return text('–');
  const open = button({ icon: 'symbol-color', label: l10n.t('Open'), testId: ID.heatmap, onClick: () => {
    onHeatmap(runId);
  } });
  open.setAttribute('aria-label', l10n.t('Open {0} in the heatmap', roleText(role)));
  return open;
}

export function isOver(column: Pick<Column, 'state'>): boolean {
  return column.state !== 'planned' && (column.state === 'skipped' || hasEnded({ state: column.state }));
}
