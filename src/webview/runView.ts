/**
 * One run on the page: header, relatives, answer, result, heatmap; or its difference from a relative. Applies the same
 * changes that the host applied and draws at most once a frame. Knows no transport: what a user does leaves through
 * `RunActions`.
 */

import type { TokenEvent } from '../protocol/engine.ts';
import type { FamilyMember } from '../protocol/family.ts';
import { TEST_ID } from '../protocol/heatmap.ts';
import { applyToHead, hasEnded } from '../protocol/run.ts';
import type { RunChange, RunHead } from '../protocol/run.ts';
import type { RunSnapshot } from '../protocol/tokenRow.ts';
import { AnswerView } from './answerView.ts';
import { diffView } from './diffView.ts';
import { element } from './dom.ts';
import { FamilyView } from './familyView.ts';
import type { FamilyActions } from './familyView.ts';
import { HeaderView } from './headerView.ts';
import type { HeaderActions } from './headerView.ts';
import { HeatmapPane } from './heatmapPane.ts';
import type { PaneActions, PaneOptions } from './heatmapPane.ts';
import { drawResult } from './resultView.ts';
import type { ResultActions } from './resultView.ts';
import { l10n } from './texts.ts';

export interface RunActions extends HeaderActions, ResultActions, PaneActions, FamilyActions {}

export class RunView {
  readonly node = element('main', { className: 'run', testId: TEST_ID.app });
  private frame: number | null = null;
  private readonly header: HeaderView;
  private readonly family: FamilyView;
  private readonly answer = new AnswerView();
  private readonly result = element('section', { className: 'result' });
  private readonly pane: HeatmapPane;
  private readonly panes: HTMLElement;
  private diff: HTMLElement | null = null;
  private run: RunHead;

  constructor({ head, rows }: RunSnapshot, private readonly actions: RunActions, private readonly options: PaneOptions) {
    this.run = head;
    this.result.setAttribute('aria-label', l10n.t('Result'));
    this.header = new HeaderView(head, options.source, actions);
    this.family = new FamilyView(actions);
    this.pane = new HeatmapPane(head, actions, options);
    const answerPane = element('div', { className: 'answer-pane', children: [this.answer.node, this.result] });
    // A measured text is the user's own: there is no answer to show.
    this.answer.node.hidden = head.kind === 'measure';
    this.panes = element('div', { className: 'panes', children: [answerPane, this.pane.node] });
    this.panes.dataset['kind'] = head.kind;
    this.node.append(this.header.node, this.family.node, this.panes);
    this.pane.addRows(rows);
    for (const row of rows) this.answer.append(row.text);
    this.draw();
  }

  get id(): string {
    return this.run.id;
  }

  apply(change: RunChange): void {
    if (change.type === 'tokens') {
      this.pane.addTokens(change.tokens);
      for (const token of change.tokens) this.answer.append(token.text);
    } else {
      this.run = applyToHead(this.run, change);
    }
    // A part of a long answer that waits for its frame gives way to the whole.
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.draw();
    });
  }

  fill(tokens: readonly TokenEvent[]): void {
    this.pane.fill(tokens);
  }

  drawFamily(members: readonly FamilyMember[]): void {
    this.family.draw(members, this.run.id);
  }

  /** The relative is shown beside this run, in the place of answer and heatmap. */
  compareWith(relative: RunSnapshot): void {
    this.closeDiff();
    const { head } = this.pane.snapshot;
    // The run that the other one comes from stands on the left.
    const pair = head.branch === null || relative.head.branch?.parentId === head.id ? [this.pane.snapshot, relative] as const : [relative, this.pane.snapshot] as const;
    this.diff = diffView(...pair, () => {
      this.closeDiff();
    });
    this.panes.hidden = true;
    this.node.append(this.diff);
    this.diff.focus();
  }

  /** Shows the token as selected, as it was before a reload or is in the document. */
  follow(index: number): void {
    this.pane.follow(index);
  }

  dispose(): void {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.pane.dispose();
    this.node.remove();
  }

  /** The rest of a long answer, a part each frame. */
  private drawAnswer(): void {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.answer.render(!hasEnded(this.run))) this.drawAnswer();
    });
  }

  private closeDiff(): void {
    this.diff?.remove();
    this.diff = null;
    this.panes.hidden = false;
  }

  private draw(): void {
    this.frame = null;
    const { run } = this;
    this.node.dataset['state'] = run.state;
    this.header.draw(run, this.pane.totals.tokens > 0);
    drawResult(this.result, run, this.pane.totals, this.options.source, this.actions);
    this.pane.draw(run);
    if (run.kind !== 'measure' && !this.answer.render(!hasEnded(run))) this.drawAnswer();
  }
}
