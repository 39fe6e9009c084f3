/**
 * Scores and threshold of a run, foldable: the histogram of scores over the slider that cuts it, what a threshold would
 * send, what that costs against never and always thinking twice, and "regenerate from here". Says "would be sent",
 * never "would have said". Draws; replay.ts computes.
 */

import { TEST_ID } from '../protocol/heatmap.ts';
import type { BranchChange } from '../protocol/run.ts';
import { costTable } from './costTable.ts';
import { button, element } from './dom.ts';
import { histogram, paintThreshold } from './histogram.ts';
import { replay, replayable, scoreHistogram } from './replay.ts';
import type { Replay, Replayable, ScoredRun } from './replay.ts';
import { l10n } from './texts.ts';
import { formatPercent, formatScore } from './tokenCell.ts';

export interface ScoresActions {
  /** Another threshold is looked at; null: the run's own again. */
  readonly onPreview: (threshold: number | null, firstDifference: number | null) => void;
  readonly onGo: (index: number) => void;
  readonly onRegenerate: (index: number, change: BranchChange) => void;
  readonly onToggle: (open: boolean) => void;
}

const BINS = 40;
const STEP = 0.001;

export class ScoresView {
  readonly node: HTMLDetailsElement;
  private readonly chart = element('div', { className: 'histogram', testId: TEST_ID.histogram });
  private readonly slider = element('input', { className: 'slider', testId: TEST_ID.threshold, attributes: { type: 'range', min: '0', max: '1', step: String(STEP) } });
  private readonly value = element('output', { className: 'threshold-value' });
  private readonly note = element('p', { className: 'replay', testId: TEST_ID.replay, attributes: { 'aria-live': 'polite' } });
  private readonly actionsRow = element('div', { className: 'replay-actions' });
  private readonly costs = element('div', { className: 'costs' });
  private readonly control: HTMLElement;
  private readonly reset: HTMLButtonElement;
  private readonly show: HTMLButtonElement;
  private readonly regenerate: HTMLButtonElement;
  private run: ScoredRun | null = null;
  /** Looked at; null: the run's own. */
  private preview: number | null = null;
  private result: Replay | null = null;
  private drawnTokens = -1;

  constructor(open: boolean, private readonly actions: ScoresActions) {
    this.slider.setAttribute('aria-label', l10n.t('Threshold: a token would be sent to a second pass when its score is greater'));
    this.slider.addEventListener('input', () => {
      this.look(this.slider.valueAsNumber);
    });
    this.reset = button({ icon: 'discard', label: l10n.t('Reset'), testId: TEST_ID.resetThreshold, onClick: () => { this.look(null); } });
    this.show = button({ icon: 'arrow-right', label: l10n.t('Show it'), testId: TEST_ID.showDifference, onClick: () => {
      if (this.result?.firstDifference != null) actions.onGo(this.result.firstDifference);
    } });
    this.regenerate = button({ icon: 'git-branch', label: l10n.t('Regenerate from here'), testId: TEST_ID.regenerate, onClick: () => {
      const index = this.result?.firstDifference;
      if (index != null && this.preview !== null) actions.onRegenerate(index, { kind: 'threshold', threshold: this.preview });
    } });
    this.actionsRow.append(this.show, this.regenerate, this.reset);
    const scale = element('div', { className: 'slider-row', children: [element('span', { text: l10n.t('Threshold') }), this.value] });
    this.control = element('div', { className: 'threshold-control', children: [this.chart, this.slider, scale] });
    const says = element('div', { className: 'replay-says', children: [this.note, this.actionsRow] });
    this.node = element('details', {
      className: 'scores',
      testId: TEST_ID.scores,
      children: [element('summary', { text: l10n.t('Scores, threshold and cost') }), element('div', { className: 'scores-body', children: [this.control, says, this.costs] })],
    });
    this.node.open = open;
    this.node.addEventListener('toggle', () => {
      actions.onToggle(this.node.open);
      this.redraw();
    });
  }

  update(run: ScoredRun): void {
    this.run = run;
    this.redraw();
  }

  /** The threshold that is looked at. */
  get previewed(): number | null {
    return this.preview;
  }

  private look(threshold: number | null): void {
    this.preview = threshold;
    this.redraw();
    this.actions.onPreview(threshold, this.result?.firstDifference ?? null);
  }

  private redraw(): void {
    const { run } = this;
    if (run === null || !this.node.open) return;
    const can = replayable(run.tokens, run.model?.maxIter ?? null);
    const threshold = this.preview ?? run.threshold ?? run.model?.threshold ?? null;
    this.control.hidden = can.kind === 'no' || threshold === null;
    this.result = can.kind === 'no' || threshold === null ? null : replay(run.tokens, run.prompt, threshold);
    if (threshold !== null && !this.control.hidden) this.drawControl(run, threshold);
    this.note.textContent = noteText(can, run, this.preview, this.result);
    const different = this.preview !== null && this.result?.firstDifference != null;
    this.show.hidden = !different;
    this.regenerate.hidden = !different || !run.branches;
    this.reset.hidden = this.preview === null;
    this.costs.replaceChildren(costTable(run, this.preview === null || this.result === null ? null : { threshold: this.preview, passes: this.result.passes }));
  }

  private drawControl(run: ScoredRun, threshold: number): void {
    if (this.drawnTokens !== run.tokens.length) {
      this.drawnTokens = run.tokens.length;
      this.chart.replaceChildren(histogram(scoreHistogram(run.tokens, BINS)));
    }
    paintThreshold(this.chart, threshold);
    if (this.slider.valueAsNumber !== threshold) this.slider.value = String(threshold);
    const text = formatScore(threshold);
    this.slider.setAttribute('aria-valuetext', text);
    this.value.textContent = text;
  }
}

function noteText(can: Replayable, run: ScoredRun, preview: number | null, result: Replay | null): string {
  if (can.kind === 'no') return whyNot(can.why);
  if (result === null) return '';
  if (preview === null) return l10n.t('Move the threshold to see which tokens would be sent. The scores are stored, so this is exact and needs no model.');
  const share = formatPercent(result.tokens === 0 ? 0 : result.sent / result.tokens);
  const lines = [l10n.t('With threshold {0}, {1} of {2} tokens would be sent ({3}).', formatScore(preview), result.sent, result.tokens, share)];
  if (can.kind === 'second-pass-only') lines.push(l10n.t('This model may take {0} passes: only the second can be replayed, because later scores depend on what else was sent.', can.maxIter));
  lines.push(differenceText(run, result));
  return lines.join(' ');
}

function differenceText(run: ScoredRun, { firstDifference, changed, promptChanged }: Replay): string {
  if (run.measured) return changed === 0 ? l10n.t('These are the ones that were sent.') : l10n.t('That is another choice at {0} tokens; the text is given and stays.', changed);
  if (firstDifference === null) return l10n.t('These are the ones that were sent: the text could not differ.');
  const where = l10n.t('The text could first differ at token {0}.', firstDifference + 1);
  return promptChanged === 0 ? where : `${where} ${l10n.t('{0} tokens of the problem would change as well; a branch keeps their passes.', promptChanged)}`;
}

function whyNot(why: Extract<Replayable, { kind: 'no' }>['why']): string {
  switch (why) {
    case 'plain-model':
      return l10n.t('This is a plain model without a decider: there are no scores to replay.');
    case 'no-scores':
      return l10n.t('The decider was not asked in this run, so there are no scores to replay. Choose another thinking policy to have them.');
    case 'no-model':
    case 'no-tokens':
      return l10n.t('Scores appear with the first tokens.');
    default:
      return why satisfies never;
  }
}
