/** The search field over the tokens: count, next and previous. Draws and listens; search.ts finds. */

import { TEST_ID } from '../protocol/heatmap.ts';
import { element, iconButton } from './dom.ts';
import { findMatches, stepMatch } from './search.ts';
import type { Match } from './search.ts';
import { l10n } from './texts.ts';
import type { TokenStore } from './tokenStore.ts';

export interface SearchActions {
  /** Where the user is. */
  readonly current: () => number | null;
  readonly onGo: (index: number) => void;
  /** The matches are others now. */
  readonly onMatches: () => void;
}

export class SearchView {
  readonly node = element('div', { className: 'search', attributes: { role: 'search' } });
  private readonly input = element('input', { className: 'input', testId: TEST_ID.search, attributes: { type: 'search', placeholder: l10n.t('Find in the text'), 'aria-label': l10n.t('Find in the text'), spellcheck: 'false' } });
  private readonly count = element('span', { className: 'search-count', testId: TEST_ID.searchCount, attributes: { role: 'status' } });
  private readonly buttons: readonly HTMLButtonElement[];
  private matches: readonly Match[] = [];
  private readonly tokens = new Set<number>();
  private at: number | null = null;

  constructor(private readonly store: TokenStore, private readonly actions: SearchActions) {
    this.buttons = [
      iconButton({ icon: 'arrow-up', label: l10n.t('Previous match'), testId: TEST_ID.previousMatch, onClick: () => { this.step(-1); } }),
      iconButton({ icon: 'arrow-down', label: l10n.t('Next match'), testId: TEST_ID.nextMatch, onClick: () => { this.step(1); } }),
    ];
    this.node.append(this.input, this.count, ...this.buttons);
    this.input.addEventListener('input', () => {
      this.refresh();
    });
    this.input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.step(event.shiftKey ? -1 : 1);
      else if (event.key === 'Escape') this.clear();
      else return;
      event.preventDefault();
    });
    this.draw();
  }

  /** The text has grown. */
  refresh(): void {
    const at = this.at === null ? null : this.matches[this.at];
    this.matches = findMatches(this.store, this.input.value);
    this.at = at === undefined || at === null ? null : this.matches.findIndex(({ from }) => from === at.from);
    if (this.at === -1) this.at = null;
    this.tokens.clear();
    for (const { from, to } of this.matches) for (let i = from; i <= to; i++) this.tokens.add(i);
    this.draw();
    this.actions.onMatches();
  }

  get isActive(): boolean {
    return this.input.value.trim() !== '';
  }

  classesOf(index: number): readonly string[] {
    if (!this.tokens.has(index)) return [];
    const current = this.at === null ? undefined : this.matches[this.at];
    return current !== undefined && index >= current.from && index <= current.to ? ['match', 'match-current'] : ['match'];
  }

  private step(step: 1 | -1): void {
    const from = this.at === null ? this.actions.current() : (this.matches[this.at]?.from ?? null);
    this.at = stepMatch(this.matches, from, step);
    const match = this.at === null ? undefined : this.matches[this.at];
    this.draw();
    this.actions.onMatches();
    if (match !== undefined) this.actions.onGo(match.from);
  }

  private clear(): void {
    this.input.value = '';
    this.refresh();
  }

  private draw(): void {
    const total = this.matches.length;
    this.count.textContent = !this.isActive ? '' : total === 0 ? l10n.t('No results') : this.at === null ? l10n.t('{0} found', total) : l10n.t('{0} of {1}', this.at + 1, total);
    for (const node of this.buttons) node.disabled = total === 0;
  }
}
