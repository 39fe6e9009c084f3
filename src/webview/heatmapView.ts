/**
 * The tokens of a run as coloured cells: append only, one block of the page per line or 200 tokens, so that the
 * browser lays out only the blocks in view. One tab stop, arrow keys move. Colours are CSS classes `heat-0` … `heat-10`;
 * second passes have a double underline, a changed pick a mark, so that neither needs colour.
 */

import type { TokenEvent } from '../protocol/engine.ts';
import { TEST_ID } from '../protocol/heatmap.ts';
import { element } from './dom.ts';
import { l10n } from './texts.ts';
import { tokenCell } from './tokenView.ts';

const BLOCK_TOKENS = 200;

export interface HeatmapEvents {
  /** A token is under the pointer; null: none is. */
  readonly onHover: (index: number | null) => void;
  /** A token was chosen by click, focus or key. */
  readonly onSelect: (index: number) => void;
}

export class HeatmapView {
  readonly node: HTMLElement;
  private readonly cells: HTMLElement[] = [];
  private readonly sent: number[] = [];
  private block: HTMLElement | null = null;
  private focusable: HTMLElement | null = null;
  private hovered: number | null = null;
  private selected: HTMLElement | null = null;

  constructor(private readonly events: HeatmapEvents) {
    this.node = element('div', {
      className: 'tokens',
      testId: TEST_ID.heatmap,
      attributes: { role: 'list', 'aria-label': l10n.t('Tokens, coloured by how hard the model found them') },
    });
    this.node.addEventListener('click', (event) => {
      const index = indexAt(event.target);
      if (index !== null) this.focus(index);
    });
    this.node.addEventListener('focusin', (event) => {
      const index = indexAt(event.target);
      if (index !== null) this.markSelected(index);
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

  append(tokens: readonly TokenEvent[]): void {
    const follow = this.node.scrollTop + this.node.clientHeight >= this.node.scrollHeight - 8;
    for (const token of tokens) this.appendToken(token);
    if (follow && this.selected === null) this.node.scrollTop = this.node.scrollHeight;
  }

  /** Shows the token as selected without moving the focus (after a reload). */
  select(index: number): void {
    this.markSelected(index);
    this.cells[index]?.scrollIntoView({ block: 'nearest' });
  }

  private appendToken(token: TokenEvent): void {
    const cell = tokenCell(token);
    const index = this.cells.length;
    const node = element('span', {
      className: 'token',
      testId: TEST_ID.token,
      text: cell.text,
      attributes: { role: 'listitem', tabindex: '-1', 'aria-label': cell.label, 'data-index': String(index), 'data-iter': String(token.iterCount) },
    });
    if (cell.bucket !== null) node.classList.add(`heat-${cell.bucket}`);
    if (cell.mark) node.classList.add('mark');
    if (cell.sent) node.classList.add('sent');
    if (cell.thought === 'changed the pick') node.classList.add('pick');
    if (cell.thought !== null) node.dataset['thought'] = cell.thought;
    if (cell.sent) this.sent.push(index);
    if (cell.lineBreak === 'before') this.block = null;
    this.block ??= this.startBlock();
    this.block.append(node);
    this.cells.push(node);
    if (this.focusable === null) this.makeFocusable(node);
    if (cell.lineBreak === 'after' || this.block.childElementCount >= BLOCK_TOKENS) this.block = null;
  }

  private startBlock(): HTMLElement {
    const block = element('div', { className: 'line', attributes: { role: 'presentation' } });
    this.node.append(block);
    return block;
  }

  private makeFocusable(node: HTMLElement): void {
    this.focusable?.setAttribute('tabindex', '-1');
    node.setAttribute('tabindex', '0');
    this.focusable = node;
  }

  private focus(index: number): void {
    const node = this.cells[index];
    if (node === undefined) return;
    if (document.activeElement === node) this.markSelected(index);
    else node.focus();
  }

  private markSelected(index: number): void {
    const node = this.cells[index];
    if (node === undefined) return;
    this.selected?.removeAttribute('aria-current');
    node.setAttribute('aria-current', 'true');
    this.selected = node;
    this.makeFocusable(node);
    this.events.onSelect(index);
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
    this.focus(Math.min(this.cells.length - 1, Math.max(0, next)));
  }

  /** Arrows, Home and End; `n` and `p` go to the next and previous token that had a second pass. */
  private nextIndex(key: string, index: number): number | null {
    switch (key) {
      case 'ArrowRight':
        return index + 1;
      case 'ArrowLeft':
        return index - 1;
      case 'ArrowDown':
        return this.rowNeighbour(index, 1);
      case 'ArrowUp':
        return this.rowNeighbour(index, -1);
      case 'Home':
        return 0;
      case 'End':
        return this.cells.length - 1;
      case 'n':
        return this.sent.find((sent) => sent > index) ?? index;
      case 'p':
        return this.sent.findLast((sent) => sent < index) ?? index;
      default:
        return null;
    }
  }

  /** The token of the next or previous row that is nearest in x. */
  private rowNeighbour(index: number, step: 1 | -1): number {
    const from = this.cells[index]?.getBoundingClientRect();
    if (from === undefined) return index;
    let best = index;
    let bestDistance = Infinity;
    let row: number | null = null;
    for (let i = index + step; i >= 0 && i < this.cells.length; i += step) {
      const box = this.cells[i]?.getBoundingClientRect();
      if (box === undefined || Math.abs(box.top - from.top) < from.height / 2) continue;
      row ??= box.top;
      if (Math.abs(box.top - row) > box.height / 2) break;
      const distance = Math.abs(box.left - from.left);
      if (distance < bestDistance) [best, bestDistance] = [i, distance];
    }
    return best;
  }
}

function indexAt(target: EventTarget | null): number | null {
  const cell = target instanceof Element ? target.closest<HTMLElement>('.token') : null;
  const index = cell?.dataset['index'];
  return index === undefined ? null : Number(index);
}
