/**
 * A comparison on the page: problem, state, and one table whose columns are the policies: costs and checks first, then
 * the texts step by step. Draws at most once a frame. Knows no transport.
 */

import { COMPARISON_TEST_ID } from '../../protocol/comparison.ts';
import type { Column, ColumnHead, ComparedToken, ComparisonRole, ComparisonSnapshot } from '../../protocol/comparison.ts';
import { button, element } from '../dom.ts';
import { renderInline } from '../markdownView.ts';
import { scopeNotice } from '../scopeView.ts';
import { printable } from '../../protocol/tokenRow.ts';
import { l10n } from '../texts.ts';
import { firstDifference } from './alignment.ts';
import { columnStateText, roleExplanation, roleText } from './columnText.ts';
import { factRows, isOver } from './factRows.ts';
import type { FactActions } from './factRows.ts';
import { StepRows } from './stepRows.ts';
import type { StepLook } from './stepRows.ts';

export interface ComparisonActions extends FactActions {
  readonly onStop: () => void;
  readonly onAgain: () => void;
  readonly onSelectModel: () => void;
  /** Something was drawn: what is to be saved has changed. */
  readonly onDraw: () => void;
}

const ID = COMPARISON_TEST_ID;

export class ComparisonView {
  readonly node = element('main', { className: 'comparison', testId: ID.comparison });
  private readonly state = element('span', { className: 'state', testId: ID.state, attributes: { role: 'status' } });
  private readonly difference = element('p', { className: 'difference-text', testId: ID.difference });
  /** Of all columns: they answer one problem with one model. */
  private readonly scope = element('div', { className: 'scope-place' });
  private readonly heads: HTMLElement;
  private readonly facts = element('tbody', { className: 'fact-rows', attributes: { role: 'rowgroup' } });
  private readonly steps = new StepRows();
  private readonly stop: HTMLButtonElement;
  private readonly again: HTMLButtonElement;
  private readonly looks: Readonly<Record<StepLook, HTMLButtonElement>>;
  private columns: readonly Column[];
  private look: StepLook;
  private frame: number | null = null;

  constructor(
    private readonly comparison: ComparisonSnapshot,
    private readonly actions: ComparisonActions,
  ) {
    this.columns = comparison.columns;
    // Of a given text it is the tokens that differ, not the text.
    this.look = comparison.kind === 'measure' ? 'tokens' : 'rendered';
    this.stop = button({ icon: 'debug-stop', label: l10n.t('Stop all'), testId: ID.stop, primary: true, onClick: actions.onStop });
    this.again = button({ icon: 'debug-restart', label: l10n.t('Compare again'), testId: ID.again, onClick: actions.onAgain });
    this.looks = { rendered: this.lookButton('rendered', 'preview', l10n.t('Rendered'), ID.rendered), tokens: this.lookButton('tokens', 'symbol-string', l10n.t('Tokens'), ID.asTokens) };
    this.heads = element('tr', { attributes: { role: 'row' } });
    this.node.append(this.header(), this.tableRegion());
    this.draw();
  }

  get snapshot(): ComparisonSnapshot {
    return { ...this.comparison, columns: this.columns };
  }

  applyHead(head: ColumnHead): void {
    this.columns = this.columns.map((column) => (column.role === head.role ? { ...head, tokens: column.tokens } : column));
    this.drawSoon();
  }

  addTokens(role: ComparisonRole, tokens: readonly ComparedToken[]): void {
    this.columns = this.columns.map((column) => (column.role === role ? { ...column, tokens: [...column.tokens, ...tokens] } : column));
    this.drawSoon();
  }

  dispose(): void {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
  }

  private header(): HTMLElement {
    const { kind, problem } = this.comparison;
    const heading = element('h1', { className: 'problem', testId: ID.problem, attributes: { title: problem } });
    if (kind === 'measure') heading.textContent = l10n.t('A given text under four policies');
    else heading.append(renderInline(problem));
    const looks = element('div', { className: 'looks', attributes: { role: 'group', 'aria-label': l10n.t('Show the texts') }, children: [this.looks.rendered, this.looks.tokens] });
    const buttons = element('div', { className: 'buttons', children: [looks, this.stop, this.again] });
    const meta = element('div', { className: 'meta', children: [this.state] });
    return element('header', { className: 'header', children: [element('div', { className: 'title-row', children: [heading, buttons] }), meta, this.scope, this.difference] });
  }

  private tableRegion(): HTMLElement {
    const caption = element('caption', { className: 'sr-only', text: l10n.t('Thinking policies side by side: check and cost, then the text step by step') });
    const head = element('thead', { attributes: { role: 'rowgroup' }, children: [this.heads] });
    // The roles are said in full: stacked columns are no table to the browser, but they are one to the reader.
    const table = element('table', { className: `comparison-table columns-${this.columns.length}`, testId: ID.table, attributes: { role: 'table' }, children: [caption, head, this.facts, this.steps.node] });
    return element('div', { className: 'table-region', attributes: { role: 'region', tabindex: '0', 'aria-label': l10n.t('Comparison') }, children: [table] });
  }

  private lookButton(look: StepLook, iconName: string, label: string, testId: string): HTMLButtonElement {
    return button({ icon: iconName, label, testId, onClick: () => {
      this.look = look;
      this.draw();
    } });
  }

  private drawSoon(): void {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  private draw(): void {
    const over = this.columns.every(isOver);
    const focused = document.activeElement === this.stop;
    this.node.dataset['state'] = over ? 'over' : 'running';
    this.stop.hidden = over;
    this.again.hidden = !over;
    // A button that goes must not take the keyboard's place with it.
    if (focused && over) this.again.focus();
    for (const [look, node] of Object.entries(this.looks)) node.setAttribute('aria-pressed', String(look === this.look));
    // Only what is new is written: a screen reader says each change of a status.
    const state = this.stateText();
    if (this.state.textContent !== state) this.state.textContent = state;
    this.state.dataset['running'] = String(!over);
    const difference = firstDifference(this.columns.map((column) => ({ tokens: column.tokens, ended: column.state === 'done' })));
    this.difference.textContent = this.comparison.kind === 'measure' ? '' : this.differenceText(difference, over);
    this.drawScope();
    this.drawHeads();
    this.drawFacts();
    this.steps.draw({ kind: this.comparison.kind, columns: this.columns, look: this.look, difference });
    this.actions.onDraw();
  }

  private drawScope(): void {
    const outside = this.columns.find(({ scope }) => scope?.state === 'outside');
    const check = this.columns.some((column) => column.check?.state === 'verified') ? 'verified' : null;
    const notice = scopeNotice(outside?.scope, check, this.actions.onSelectModel);
    // A status that is drawn anew would be read out anew.
    if (notice !== null && this.scope.textContent !== notice.textContent) this.scope.replaceChildren(notice);
  }

  private drawHeads(): void {
    const heads = this.columns.map((column) => {
      const title = element('span', { className: 'column-title', text: roleText(column.role) });
      const parts = [title, element('span', { className: 'column-explanation', text: roleExplanation(column) }), element('span', { className: `column-state state-${column.state}`, text: columnStateText(column) })];
      return element('th', { className: 'column-head', testId: ID.column, attributes: { scope: 'col', role: 'columnheader', 'data-role': column.role, 'data-state': column.state }, children: parts });
    });
    const corner = element('td', { className: 'corner', attributes: { role: 'cell' } });
    if (key(heads) !== key([...this.heads.children].slice(1))) this.heads.replaceChildren(corner, ...heads);
  }

  private drawFacts(): void {
    const rows = factRows(this.comparison.kind, this.columns, this.actions);
    rows.forEach((row, i) => {
      const old = this.facts.children[i];
      // Cells that say the same stay, and with them the keyboard's place.
      if (old === undefined) this.facts.append(row);
      else if (old.outerHTML !== row.outerHTML) old.replaceWith(row);
    });
  }

  private stateText(): string {
    const index = this.columns.findIndex((column) => !isOver(column));
    const column = this.columns[index];
    if (column !== undefined) return l10n.t('Running {0} ({1} of {2})', roleText(column.role), index + 1, this.columns.length);
    return this.columns.every(({ state }) => state === 'done') ? l10n.t('Done') : this.columns.some(({ state }) => state === 'failed') ? l10n.t('Failed') : l10n.t('Stopped');
  }

  private differenceText(difference: number | null, over: boolean): string {
    const begun = this.columns.filter(({ tokens }) => tokens.length > 0);
    if (begun.length < 2) return '';
    if (difference === null) return over ? l10n.t('The texts are equal, token by token.') : l10n.t('Equal so far, token by token.');
    const tokens = begun.map(({ role, tokens: all }) => `${roleText(role)} “${printable(all[difference]?.text ?? '')}”`);
    return l10n.t('The first {0} tokens are equal; then: {1}', difference, tokens.join(', '));
  }
}

function key(nodes: readonly Element[]): string {
  return nodes.map((node) => node.outerHTML).join('');
}
