/**
 * The texts of all columns side by side: a row a step, rendered or token by token. Keeps the rows that have not
 * changed, so that a text that streams does not redraw what stands above it.
 */

import { COMPARISON_TEST_ID } from '../../protocol/comparison.ts';
import type { Column, ComparedToken, ComparisonKind } from '../../protocol/comparison.ts';
import { element, icon } from '../dom.ts';
import { renderMarkdown } from '../markdownView.ts';
import { printable } from '../../protocol/tokenRow.ts';
import { l10n } from '../texts.ts';
import { alignSteps } from './alignment.ts';
import type { Row } from './alignment.ts';
import { isOver, tableCell } from './factRows.ts';
import { stepsOf } from './steps.ts';
import type { Step } from './steps.ts';

export type StepLook = 'rendered' | 'tokens';

export interface StepRowsInput {
  readonly kind: ComparisonKind;
  readonly columns: readonly Column[];
  readonly look: StepLook;
  /** Index of the first token that differs; null while they are equal. */
  readonly difference: number | null;
}

interface DrawnRow {
  readonly key: string;
  readonly node: HTMLElement;
}

export class StepRows {
  readonly node = element('tbody', { className: 'steps', attributes: { role: 'rowgroup' } });
  private drawn: readonly DrawnRow[] = [];

  draw(input: StepRowsInput): void {
    const steps = input.columns.map(({ tokens }) => stepsOf(tokens));
    const rows = alignSteps(steps.map((list) => list.map(({ text }) => text)));
    const marked = rows.findIndex((row) => holdsDifference(row, steps, input));
    const next = rows.map((row, i): DrawnRow => {
      const key = keyOf(row, steps, input, i, i === marked);
      const old = this.drawn[i];
      return old?.key === key ? old : { key, node: this.row(row, steps, input, i, i === marked) };
    });
    next.forEach(({ node }, i) => {
      const old = this.drawn[i];
      if (old === undefined) this.node.append(node);
      else if (old.node !== node) old.node.replaceWith(node);
    });
    for (const { node } of this.drawn.slice(next.length)) node.remove();
    this.drawn = next;
  }

  private row(row: Row, steps: readonly (readonly Step[])[], input: StepRowsInput, index: number, marked: boolean): HTMLElement {
    const head = element('th', { className: 'step-label', attributes: { scope: 'row', role: 'rowheader' }, children: [element('span', { text: l10n.t('Step {0}', index + 1) })] });
    if (marked) head.append(element('span', { className: 'difference-mark', children: [icon('git-compare'), element('span', { text: l10n.t('First difference') })] }));
    const cells = input.columns.map((column, c) => {
      const step = row[c] ?? null;
      return tableCell(column, [this.cell(column, step === null ? null : (steps[c]?.[step] ?? null), input)]);
    });
    return element('tr', { className: marked ? 'step difference' : 'step', testId: COMPARISON_TEST_ID.step, attributes: { role: 'row' }, children: [head, ...cells] });
  }

  private cell(column: Column, step: Step | null, { kind, look, difference }: StepRowsInput): HTMLElement {
    const node = element('div', { className: look === 'tokens' ? 'cell cell-tokens' : 'cell markdown', testId: COMPARISON_TEST_ID.cell });
    if (step === null) return node;
    if (look === 'rendered') {
      const growing = !isOver(column) && step.to === column.tokens.length;
      node.append(renderMarkdown(stepText(step.text), growing));
      return node;
    }
    for (let i = step.from; i < step.to; i++) {
      const token = column.tokens[i];
      if (token !== undefined && token.text !== '') node.append(tokenNode(token, i === difference, kind));
    }
    return node;
  }
}

/** Marks of a model that thinks aloud are shown as words. */
function stepText(text: string): string {
  return text.replace(/<\/?think>/g, (mark) => (mark === '<think>' ? `*${l10n.t('Thinking')}*\n\n` : `*${l10n.t('Answer')}*\n\n`));
}

function tokenNode(token: ComparedToken, differs: boolean, kind: ComparisonKind): HTMLElement {
  const text = printable(token.text);
  const node = element(differs ? 'mark' : 'span', { className: 'token', testId: COMPARISON_TEST_ID.token, text, attributes: { 'data-iter': String(token.iterCount) } });
  const notes: string[] = [];
  if (differs) notes.push(l10n.t('First difference'));
  if (token.iterCount > 1) notes.push(l10n.t('{0} passes', token.iterCount));
  if (kind === 'measure' && token.right === false) notes.push(l10n.t('not the model\'s first choice'));
  if (token.iterCount > 1) node.classList.add('sent');
  if (kind === 'measure' && token.right === false) node.classList.add('wrong');
  if (notes.length > 0) node.title = notes.join(', ');
  return node;
}

/** Given texts are the same in every column: there is no difference to mark. */
function holdsDifference(row: Row, steps: readonly (readonly Step[])[], { difference, kind }: StepRowsInput): boolean {
  if (difference === null || kind === 'measure') return false;
  return row.some((step, column) => {
    const place = step === null ? undefined : steps[column]?.[step];
    return place !== undefined && difference >= place.from && difference < place.to;
  });
}

/** Equal keys draw equal rows. */
function keyOf(row: Row, steps: readonly (readonly Step[])[], { columns, look, difference }: StepRowsInput, index: number, marked: boolean): string {
  const cells = row.map((step, column) => {
    const place = step === null ? undefined : steps[column]?.[step];
    if (place === undefined) return '';
    const tokens = columns[column]?.tokens ?? [];
    const growing = place.to === tokens.length && columns[column] !== undefined && !isOver(columns[column]);
    const passes = look === 'tokens' ? tokens.slice(place.from, place.to).map(({ iterCount }) => iterCount).join('') : '';
    return `${place.from} ${place.to} ${String(growing)} ${passes} ${place.text}`;
  });
  return [look, String(index), String(marked), look === 'tokens' ? String(difference) : '', ...cells].join('\n');
}
