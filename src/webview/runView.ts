/**
 * One run on the page: header, answer, result, heatmap, details. Applies the same changes that the host applied and
 * draws at most once a frame. Knows no transport: what a user does leaves through `RunActions`.
 */

import type { TokenEvent } from '../protocol/engine.ts';
import { TEST_ID } from '../protocol/heatmap.ts';
import { applyToHead, hasEnded } from '../protocol/run.ts';
import type { Run, RunChange, RunHead } from '../protocol/run.ts';
import { AnswerView } from './answerView.ts';
import { DetailsView } from './detailsView.ts';
import { element } from './dom.ts';
import { HeaderView } from './headerView.ts';
import type { HeaderActions } from './headerView.ts';
import { HeatmapView } from './heatmapView.ts';
import { legend } from './legend.ts';
import { drawResult } from './resultView.ts';
import type { ResultActions } from './resultView.ts';
import { addTokens, heatmapSummary, NO_TOKENS } from './summary.ts';
import { l10n } from './texts.ts';
import { tokenDetails } from './tokenView.ts';

export interface RunActions extends HeaderActions, ResultActions {
  readonly onSelect: (index: number) => void;
}

export class RunView {
  readonly node = element('main', { className: 'run', testId: TEST_ID.app });
  private run: RunHead;
  private readonly tokens: TokenEvent[] = [];
  private totals = NO_TOKENS;
  private selected: number | null = null;
  private frame: number | null = null;
  private readonly header: HeaderView;
  private readonly answer = new AnswerView();
  private readonly result = element('section', { className: 'result', attributes: { 'aria-label': l10n.t('Result') } });
  private readonly heatmap: HeatmapView;
  private readonly summary = element('p', { className: 'summary', testId: TEST_ID.heatmapSummary });
  private readonly details = new DetailsView();

  constructor(run: Run, private readonly actions: RunActions) {
    this.run = run;
    this.header = new HeaderView(run.problem, actions);
    this.heatmap = new HeatmapView({
      onHover: (index) => {
        this.showDetails(index ?? this.selected);
      },
      onSelect: (index) => {
        this.selected = index;
        this.showDetails(index);
        actions.onSelect(index);
      },
    });
    const tokenPane = element('div', { className: 'heatmap-body', children: [this.heatmap.node, this.details.node] });
    const heatmapHead = element('div', { className: 'heatmap-head', children: [element('h2', { text: l10n.t('Where it thought twice') }), this.summary, legend()] });
    const heatmapPane = element('section', { className: 'heatmap', attributes: { 'aria-label': l10n.t('Heatmap') }, children: [heatmapHead, tokenPane] });
    const answerPane = element('div', { className: 'answer-pane', children: [this.answer.node, this.result] });
    this.node.append(this.header.node, element('div', { className: 'panes', children: [answerPane, heatmapPane] }));
    this.addTokens(run.tokens);
    this.draw();
  }

  get id(): string {
    return this.run.id;
  }

  apply(change: RunChange): void {
    if (change.type === 'tokens') this.addTokens(change.tokens);
    else this.run = applyToHead(this.run, change);
    this.frame ??= requestAnimationFrame(() => {
      this.draw();
    });
  }

  /** Shows the token as selected, as it was before a reload. */
  select(index: number): void {
    this.heatmap.select(index);
  }

  dispose(): void {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.node.remove();
  }

  private addTokens(tokens: readonly TokenEvent[]): void {
    for (const token of tokens) {
      this.tokens.push(token);
      this.answer.append(token.text);
    }
    this.totals = addTokens(this.totals, tokens);
    this.heatmap.append(tokens);
  }

  private draw(): void {
    this.frame = null;
    this.node.dataset['state'] = this.run.state;
    this.header.draw(this.run, this.tokens.length > 0);
    this.answer.render(!hasEnded(this.run));
    drawResult(this.result, this.run, this.totals, this.actions);
    this.summary.textContent = heatmapSummary(this.totals);
  }

  private showDetails(index: number | null): void {
    const token = index === null ? undefined : this.tokens[index];
    this.details.show(token === undefined ? null : tokenDetails(token, this.threshold()));
  }

  private threshold(): number | null {
    const own = 'threshold' in this.run.policy ? this.run.policy.threshold : undefined;
    return own ?? this.run.model?.threshold ?? null;
  }
}
