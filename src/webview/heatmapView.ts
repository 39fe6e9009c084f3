/**
 * The tokens of a run as coloured cells. Only blocks near the view are in the document; the rest is known by number.
 * One tab stop, arrow keys move. Colours are CSS classes `heat-0` … `heat-10`; second passes have a double underline,
 * a changed pick a mark, so that neither needs colour. Marks of search, threshold and oracle are classes too.
 */

import { TEST_ID } from '../protocol/heatmap.ts';
import type { TokenRow } from '../protocol/tokenRow.ts';
import { element } from './dom.ts';
import { l10n } from './texts.ts';
import { TokenBlocks } from './tokenBlocks.ts';
import { tokenCell } from './tokenCell.ts';
import { rowNeighbour } from './tokenGeometry.ts';
import { TokenWindow } from './tokenWindow.ts';

export interface HeatmapEvents {
  /** A token is under the pointer; null: none is. */
  readonly onHover: (index: number | null) => void;
  /** A token was chosen by click, focus or key. */
  readonly onSelect: (index: number) => void;
  /** A token is shown as selected because somebody else chose it. */
  readonly onFollow: (index: number) => void;
  /** The next or previous token that is worth a look, from `index`. */
  readonly step: (index: number, step: 1 | -1) => number | null;
}

/** Classes of a token beside its own, given by the views around the list. */
export type Marks = (index: number) => readonly string[];

const MARK_CLASSES = ['match', 'match-current', 'hit', 'would', 'would-not', 'first-difference'] as const;
/** Characters of a line and its height in pixels, until the page has been measured. */
const FIRST_GUESS = { character: 8, line: 25 };
const PADDING = 32;

export class HeatmapView {
  readonly node: HTMLElement;
  private readonly rows: TokenRow[] = [];
  private readonly blocks = new TokenBlocks();
  private readonly window: TokenWindow;
  private metrics: typeof FIRST_GUESS | null = null;
  private marks: Marks = () => [];
  /** The token that has the tab stop. */
  private active = 0;
  private selected: number | null = null;
  private hovered: number | null = null;

  constructor(private readonly events: HeatmapEvents) {
    this.node = element('div', {
      className: 'tokens',
      testId: TEST_ID.heatmap,
      attributes: { role: 'listbox', 'aria-label': l10n.t('Tokens, coloured by how hard the model found them'), 'aria-orientation': 'horizontal' },
    });
    this.window = new TokenWindow(this.node, {
      create: (block) => this.createBlock(block),
      estimate: (block, width) => this.estimate(block, width),
    });
    this.node.addEventListener('click', (event) => {
      const index = indexAt(event.target);
      if (index !== null) this.go(index);
    });
    this.node.addEventListener('focusin', (event) => {
      const index = indexAt(event.target);
      if (index !== null && index !== this.selected) this.mark(index, true);
    });
    this.node.addEventListener('pointerover', (event) => {
      this.hover(indexAt(event.target));
    });
    this.node.addEventListener('pointerleave', () => {
      this.hover(null);
    });
    this.node.addEventListener('keydown', (event) => {
      this.onKey(event);
    });
  }

  dispose(): void {
    this.window.dispose();
  }

  /** Draws the rows that follow those that are there. Keeps the end in view while nothing is selected. */
  append(rows: readonly TokenRow[]): void {
    if (rows.length === 0) return;
    const follow = this.selected === null && this.rows.length > 0 && this.window.atEnd;
    for (const row of rows) {
      this.rows.push(row);
      this.blocks.append(row);
    }
    for (const [block, node] of this.window.blocks) {
      for (const cell of node.children) cell.setAttribute('aria-setsize', String(this.rows.length));
      this.fillBlock(block, node);
    }
    this.window.grow(this.blocks.count);
    this.window.pin(this.blocks.blockOf(this.active));
    if (follow) this.window.scrollToEnd();
  }

  /** Selects the token without giving it the keyboard: for a search, or a step. */
  select(index: number): void {
    if (index < 0 || index >= this.rows.length) return;
    this.mark(index, true);
    this.bringIntoView(index);
  }

  /** The same after a reload and for a place in a document: nobody has chosen it here, so that the document is left alone. */
  follow(index: number): void {
    if (index < 0 || index >= this.rows.length) return;
    this.mark(index, false);
    this.bringIntoView(index);
  }

  /** Selects the token and gives it the keyboard. */
  go(index: number): void {
    if (index < 0 || index >= this.rows.length) return;
    this.mark(index, true);
    this.cell(index)?.focus({ preventScroll: true });
    this.bringIntoView(index);
  }

  get current(): number | null {
    return this.selected;
  }

  /** Asks `marks` again for every token in the document. */
  setMarks(marks: Marks): void {
    this.marks = marks;
    for (const block of this.window.blocks.values()) for (const cell of block.children) this.decorate(cell);
  }

  private bringIntoView(index: number): void {
    const block = this.blocks.blockOf(index);
    if (this.window.isNear(block)) this.cell(index)?.scrollIntoView({ block: 'nearest' });
    else this.window.reveal(block);
  }

  private createBlock(block: number): HTMLElement {
    const node = element('div', { className: 'line', attributes: { role: 'presentation' } });
    this.fillBlock(block, node);
    return node;
  }

  /** Adds the tokens of the block that came after it was drawn. */
  private fillBlock(block: number, node: HTMLElement): void {
    const { from, to } = this.blocks.range(block);
    for (let index = from + node.childElementCount; index < to; index++) {
      const row = this.rows[index];
      if (row !== undefined) node.append(this.createCell(row, index));
    }
  }

  private createCell(row: TokenRow, index: number): HTMLElement {
    const cell = tokenCell(row);
    const node = element('span', {
      className: 'token',
      testId: TEST_ID.token,
      text: cell.text,
      attributes: {
        role: 'option', tabindex: index === this.active ? '0' : '-1', 'aria-label': cell.label, 'aria-selected': String(index === this.selected),
        'aria-posinset': String(index + 1), 'aria-setsize': String(this.rows.length), 'data-index': String(index), 'data-iter': String(row.iterCount),
      },
    });
    if (cell.bucket !== null) node.classList.add(`heat-${cell.bucket}`);
    if (cell.mark) node.classList.add('mark');
    if (cell.sent) node.classList.add('sent');
    if (cell.thought === 'changed the pick') node.classList.add('pick');
    if (cell.thought !== null) node.dataset['thought'] = cell.thought;
    this.decorate(node);
    return node;
  }

  private decorate(cell: Element): void {
    const index = indexAt(cell);
    if (index === null) return;
    cell.classList.remove(...MARK_CLASSES);
    cell.classList.add(...this.marks(index));
  }

  private cell(index: number): HTMLElement | null {
    const block = this.blocks.blockOf(index);
    const node = this.window.blocks.get(block)?.children[index - this.blocks.range(block).from];
    return node instanceof HTMLElement ? node : null;
  }

  private mark(index: number, tell: boolean): void {
    const before = this.selected === null ? null : this.cell(this.selected);
    before?.setAttribute('aria-selected', 'false');
    this.cell(this.active)?.setAttribute('tabindex', '-1');
    this.active = index;
    this.selected = index;
    this.window.pin(this.blocks.blockOf(index));
    const cell = this.cell(index);
    cell?.setAttribute('aria-selected', 'true');
    cell?.setAttribute('tabindex', '0');
    if (tell) this.events.onSelect(index);
    else this.events.onFollow(index);
  }

  private hover(index: number | null): void {
    if (index === this.hovered) return;
    this.hovered = index;
    this.events.onHover(index);
  }

  private onKey(event: KeyboardEvent): void {
    const index = indexAt(event.target);
    if (index === null || event.ctrlKey || event.altKey || event.metaKey) return;
    const next = this.nextIndex(event.key, index);
    if (next === null) return;
    event.preventDefault();
    this.go(Math.min(this.rows.length - 1, Math.max(0, next)));
  }

  /** Arrows, Home and End; `n` and `p` go to the next and previous token that is worth a look. */
  private nextIndex(key: string, index: number): number | null {
    switch (key) {
      case 'ArrowRight':
        return index + 1;
      case 'ArrowLeft':
        return index - 1;
      case 'ArrowDown':
        return rowNeighbour(this.near(index), index, 1) ?? this.blocks.range(this.blocks.blockOf(index)).to;
      case 'ArrowUp':
        return rowNeighbour(this.near(index), index, -1) ?? this.blocks.range(this.blocks.blockOf(index)).from - 1;
      case 'Home':
        return 0;
      case 'End':
        return this.rows.length - 1;
      case 'n':
        return this.events.step(index, 1) ?? index;
      case 'p':
        return this.events.step(index, -1) ?? index;
      default:
        return null;
    }
  }

  /** Cells of the token's block and the blocks beside it, by index. */
  private near(index: number): ReadonlyMap<number, Element> {
    const block = this.blocks.blockOf(index);
    const cells = new Map<number, Element>();
    for (const beside of [block - 1, block, block + 1]) {
      const { from } = this.blocks.range(beside);
      Array.from(this.window.blocks.get(beside)?.children ?? []).forEach((cell, i) => cells.set(from + i, cell));
    }
    return cells;
  }

  private estimate(block: number, width: number): number {
    const { from, to } = this.blocks.range(block);
    const { character, line } = this.measure();
    let characters = 0;
    for (let i = from; i < to; i++) characters += this.rows[i]?.text.length ?? 0;
    const perLine = Math.max(1, Math.floor((width - PADDING) / character));
    return line * Math.max(1, Math.ceil(characters / perLine));
  }

  private measure(): typeof FIRST_GUESS {
    if (this.metrics !== null) return this.metrics;
    const probe = element('div', { className: 'line', children: [element('span', { className: 'token', text: '0123456789' })] });
    this.node.append(probe);
    const { width = 0 } = probe.firstElementChild?.getBoundingClientRect() ?? {};
    const { height } = probe.getBoundingClientRect();
    probe.remove();
    if (width === 0 || height === 0) return FIRST_GUESS;
    this.metrics = { character: width / 10, line: height };
    return this.metrics;
  }
}

function indexAt(target: EventTarget | null): number | null {
  const cell = target instanceof Element ? target.closest<HTMLElement>('.token') : null;
  const index = cell?.dataset['index'];
  return index === undefined ? null : Number(index);
}
