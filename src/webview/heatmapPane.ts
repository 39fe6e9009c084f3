/**
 * The heatmap of a run with everything around it: summary, legend, search, steps, scores and threshold, oracle table,
 * tokens, details. Brings these views together over one TokenStore; each of them knows nothing of the others.
 */

import type { TokenEvent } from '../protocol/engine.ts';
import { EXPORT_FORMATS, TEST_ID } from '../protocol/heatmap.ts';
import type { ExportFormat, RunSourceKind } from '../protocol/heatmap.ts';
import { firstScore, hasEnded, missingData } from '../protocol/run.ts';
import type { BranchChange, RunHead } from '../protocol/run.ts';
import type { RunSnapshot } from '../protocol/tokenRow.ts';
import { DetailsView } from './detailsView.ts';
import type { BranchOptions, TextPlace } from './detailsView.ts';
import { element, iconButton } from './dom.ts';
import { HeatmapView } from './heatmapView.ts';
import { Legend } from './legend.ts';
import { menuButton } from './menu.ts';
import { rowVerdict } from './oracle.ts';
import { OracleView } from './oracleView.ts';
import { wouldBeSent } from './replay.ts';
import { ScoresView } from './scoresView.ts';
import { SearchView } from './searchView.ts';
import { addTokens, heatmapSummary, missingText, NO_TOKENS } from './summary.ts';
import type { Totals } from './summary.ts';
import { l10n } from './texts.ts';
import { TokenStore } from './tokenStore.ts';
import { tokenDetails } from './tokenView.ts';

export interface PaneActions {
  readonly onSelect: (index: number) => void;
  /** The selection of somebody else is shown. */
  readonly onFollow: (index: number) => void;
  readonly onWant: (from: number, to: number) => void;
  readonly onRegenerate: (index: number, change: BranchChange) => void;
  readonly onExport: (format: ExportFormat) => void;
  readonly onScores: (open: boolean) => void;
}

export interface PaneOptions {
  readonly source: RunSourceKind;
  readonly scoresOpen: boolean;
}

/** Characters beside the token in "place in the text". */
const PLACE = 32;

export class HeatmapPane {
  readonly node = element('section', { className: 'heatmap' });
  private readonly store: TokenStore;
  private readonly heatmap: HeatmapView;
  private readonly details: DetailsView;
  private readonly scores: ScoresView;
  private readonly search: SearchView;
  private readonly oracle: OracleView | null;
  private readonly legend = new Legend();
  private readonly missing = element('p', { className: 'missing' });
  private readonly title = element('h2');
  private readonly summary = element('p', { className: 'summary', testId: TEST_ID.heatmapSummary });
  private readonly steps: readonly HTMLButtonElement[];
  private counted: Totals = NO_TOKENS;
  private drawn = 0;
  private shown: number | null = null;
  private firstDifference: number | null = null;

  constructor(private run: RunHead, actions: PaneActions, private readonly options: PaneOptions) {
    this.node.setAttribute('aria-label', l10n.t('Heatmap'));
    this.store = new TokenStore(actions.onWant);
    this.details = new DetailsView(actions);
    this.heatmap = new HeatmapView({
      onHover: (index) => {
        // Whoever works in the details keeps them.
        if (this.details.isUsed) return;
        this.showDetails(index ?? this.heatmap.current);
      },
      onSelect: (index) => {
        this.showDetails(index);
        actions.onSelect(index);
      },
      onFollow: (index) => {
        this.showDetails(index);
        actions.onFollow(index);
      },
      step: (index, step) => this.next(index, step),
    });
    this.search = new SearchView(this.store, {
      current: () => this.heatmap.current,
      onGo: (index) => {
        this.heatmap.select(index);
      },
      onMatches: () => {
        this.remark();
      },
    });
    this.scores = new ScoresView(options.scoresOpen, {
      ...actions,
      onGo: (index) => {
        this.heatmap.go(index);
      },
      onToggle: actions.onScores,
      onPreview: (threshold, firstDifference) => {
        this.firstDifference = firstDifference;
        this.legend.showPreview(threshold !== null);
        this.remark();
      },
    });
    this.oracle = run.kind === 'measure' ? new OracleView(() => {
      this.remark();
      this.drawSteps();
    }) : null;
    this.steps = [
      iconButton({ icon: 'chevron-left', label: '', testId: TEST_ID.previousHard, onClick: () => { this.step(-1); } }),
      iconButton({ icon: 'chevron-right', label: '', testId: TEST_ID.nextHard, onClick: () => { this.step(1); } }),
    ];
    const exports = menuButton({ icon: 'export', label: l10n.t('Export the heatmap'), testId: TEST_ID.export, items: EXPORT_FORMATS.map((format) => ({ name: format, label: exportText(format), onChoose: () => { actions.onExport(format); } })) });
    const tools = element('div', { className: 'heatmap-tools', children: [element('div', { className: 'steps', children: [...this.steps] }), this.search.node, exports, this.legend.node] });
    const head = element('div', { className: 'heatmap-head', children: [this.title, this.summary] });
    const body = element('div', { className: 'heatmap-body', children: [this.heatmap.node, this.details.node] });
    this.missing.hidden = true;
    this.node.append(head, this.missing, ...(this.oracle === null ? [] : [this.oracle.node]), this.scores.node, tools, body);
  }

  get totals(): Totals {
    return this.counted;
  }

  /** A reader of the text of all tokens, and of the rows for a comparison. */
  get snapshot(): RunSnapshot {
    return { head: this.run, rows: this.store.rows };
  }

  addRows(rows: RunSnapshot['rows']): void {
    this.store.addRows(rows);
    this.counted = addTokens(this.counted, rows);
  }

  addTokens(tokens: readonly TokenEvent[]): void {
    const from = this.store.rows.length;
    this.store.addTokens(tokens);
    this.counted = addTokens(this.counted, this.store.rows.slice(from));
  }

  /** Tokens that were asked for have come. */
  fill(tokens: readonly TokenEvent[]): void {
    this.store.fill(tokens);
    if (this.shown !== null) this.showDetails(this.shown);
  }

  follow(index: number): void {
    this.heatmap.follow(index);
  }

  dispose(): void {
    this.heatmap.dispose();
  }

  draw(run: RunHead): void {
    const ended = hasEnded(run) && !hasEnded(this.run);
    this.run = run;
    const { rows } = this.store;
    const grown = rows.length > this.drawn;
    this.heatmap.append(rows.slice(this.drawn));
    this.drawn = rows.length;
    this.drawKnown();
    if (grown) this.oracle?.update(rows);
    if (grown && this.search.isActive) this.search.refresh();
    this.scores.update({ tokens: rows, prompt: run.prompt.map(({ iterCount, continueProbability }) => ({ iterCount, score: firstScore({ continueProbability }) })), model: run.model, stats: run.stats, threshold: this.threshold(), measured: run.kind === 'measure', branches: this.canBranch() });
    if (ended && this.shown !== null) this.showDetails(this.shown);
    this.drawSteps();
  }

  /** An endpoint may send less than the heatmap shows. */
  private drawKnown(): void {
    const missing = missingData(this.run);
    const passesKnown = !missing.includes('passes');
    const title = this.run.kind === 'measure' ? l10n.t('Where the text is hard') : passesKnown ? l10n.t('Where it thought twice') : l10n.t('Tokens');
    if (this.title.textContent !== title) this.title.textContent = title;
    this.summary.textContent = heatmapSummary(this.counted, passesKnown);
    this.missing.hidden = missing.length === 0;
    this.scores.node.hidden = !passesKnown;
    this.legend.node.hidden = !passesKnown;
    if (!this.missing.hidden) this.missing.textContent = missingText(missing, this.run.model?.endpoint?.name ?? '');
  }

  private drawSteps(): void {
    const filter = this.oracle?.filter ?? null;
    const names = filter === null ? [l10n.t('Previous hard token'), l10n.t('Next hard token')] : [l10n.t('Previous token of the chosen cell'), l10n.t('Next token of the chosen cell')];
    this.steps.forEach((node, i) => {
      const name = names[i] ?? '';
      node.disabled = filter === null && this.counted.sent === 0;
      if (node.title === name) return;
      node.title = name;
      node.setAttribute('aria-label', name);
    });
  }

  private step(step: 1 | -1): void {
    const index = this.next(this.heatmap.current ?? (step === 1 ? -1 : this.store.rows.length), step);
    if (index !== null) this.heatmap.select(index);
  }

  /** The next or previous token of the oracle's cell that is chosen, else one that had a second pass. */
  private next(index: number, step: 1 | -1): number | null {
    for (let i = index + step; i >= 0 && i < this.store.rows.length; i += step) if (this.isWorth(i)) return i;
    return null;
  }

  private isWorth(index: number): boolean {
    const row = this.store.rows[index];
    const filter = this.oracle?.filter ?? null;
    return row !== undefined && (filter === null ? row.iterCount > 1 : rowVerdict(row) === filter);
  }

  private remark(): void {
    const threshold = this.scores.previewed;
    const filter = this.oracle?.filter ?? null;
    this.heatmap.setMarks((index) => {
      const row = this.store.rows[index];
      const marks = [...this.search.classesOf(index)];
      if (row === undefined) return marks;
      if (filter !== null && rowVerdict(row) === filter) marks.push('hit');
      if (threshold === null) return marks;
      const then = wouldBeSent(row, threshold);
      if (then !== row.iterCount > 1) marks.push(then ? 'would' : 'would-not');
      if (index === this.firstDifference && this.run.kind !== 'measure') marks.push('first-difference');
      return marks;
    });
  }

  private showDetails(index: number | null): void {
    this.shown = index;
    if (index === null) {
      this.details.showHint();
      return;
    }
    const token = this.store.event(index);
    if (token === null) this.details.showLoading();
    else this.details.show(tokenDetails(token, this.threshold()), this.place(index), this.branchOptions());
  }

  private place(index: number): TextPlace {
    const text = this.store.text();
    const start = this.store.startOf(index);
    const end = this.store.endOf(index);
    const before = text.slice(Math.max(0, start - PLACE), start);
    const after = text.slice(end, end + PLACE);
    return { before: start > PLACE ? `…${before}` : before, token: text.slice(start, end), after: end + PLACE < text.length ? `${after}…` : after };
  }

  private canBranch(): boolean {
    return this.options.source === 'live' && this.run.kind !== 'measure' && hasEnded(this.run) && this.run.model !== null && this.run.model.endpoint === undefined;
  }

  private branchOptions(): BranchOptions | null {
    const { model } = this.run;
    return model === null || !this.canBranch() ? null : { maxIter: model.maxIter, threshold: this.threshold() };
  }

  private threshold(): number | null {
    const own = 'threshold' in this.run.policy ? this.run.policy.threshold : undefined;
    return own ?? this.run.model?.threshold ?? null;
  }
}

function exportText(format: ExportFormat): string {
  switch (format) {
    case 'svg':
      return l10n.t('Picture (SVG)');
    case 'png':
      return l10n.t('Picture (PNG)');
    case 'html':
      return l10n.t('Page (HTML)');
    case 'csv':
      return l10n.t('Table (CSV)');
    case 'json':
      return l10n.t('Run file (JSON)');
    default:
      return format satisfies never;
  }
}
