/**
 * The pane that explains one token: what the decider said, what the first pass would have picked, what the second
 * pass pushed up or down, where the token stands in the text, and what can be generated anew from it.
 * Draws a TokenDetails; computes nothing.
 */

import { TEST_ID } from '../protocol/heatmap.ts';
import type { BranchChange, SecondThought } from '../protocol/run.ts';
import { printable } from '../protocol/tokenRow.ts';
import { candidateTable } from './candidateTable.ts';
import { button, element } from './dom.ts';
import { l10n } from './texts.ts';
import { thoughtText } from './tokenCell.ts';
import type { Fact, TokenDetails } from './tokenView.ts';

/** The token in the source text of the answer. */
export interface TextPlace {
  readonly before: string;
  readonly token: string;
  readonly after: string;
}

/** What a branch may change at a token; null where nothing can be generated from the run. */
export interface BranchOptions {
  readonly maxIter: number;
  /** Suggested for "from here with threshold"; null for a plain model. */
  readonly threshold: number | null;
}

export interface DetailsActions {
  readonly onRegenerate: (index: number, change: BranchChange) => void;
}

export class DetailsView {
  readonly node = element('aside', { className: 'details', testId: TEST_ID.details, attributes: { tabindex: '0' } });
  private shown: TokenDetails | null = null;

  constructor(private readonly actions: DetailsActions) {
    this.node.setAttribute('aria-label', l10n.t('Token details'));
    this.showHint();
  }

  /** Whether the keyboard is in one of its buttons or fields. */
  get isUsed(): boolean {
    return document.activeElement !== this.node && this.node.contains(document.activeElement);
  }

  showHint(): void {
    this.shown = null;
    this.node.replaceChildren(element('p', { className: 'hint', text: l10n.t('Point at a token, or move with the arrow keys, to see why it was thought over.') }));
  }

  /** The candidates are on their way: what is shown stays, so that nothing flickers. */
  showLoading(): void {
    if (this.shown === null) this.node.replaceChildren(element('p', { className: 'hint', text: l10n.t('Reading the token…') }));
  }

  show(details: TokenDetails, place: TextPlace, branch: BranchOptions | null): void {
    // A button that is drawn anew would lose the keyboard.
    if (this.isUsed && this.shown?.index === details.index) return;
    this.shown = details;
    const onTake = branch === null ? null : ({ id, text }: { readonly id: number; readonly text: string }): void => {
      this.actions.onRegenerate(details.index, { kind: 'token', id, text });
    };
    const title = element('div', { className: 'details-title', children: [element('code', { className: 'details-token', text: details.title }), badge(details.thought), placeLine(place)] });
    const lists = element('div', { className: 'candidate-lists' });
    lists.append(candidateTable(details.after === null ? l10n.t('Candidates') : l10n.t('First pass'), details.before, TEST_ID.candidatesBefore, onTake));
    if (details.after !== null) lists.append(candidateTable(l10n.t('After the second pass'), details.after, TEST_ID.candidatesAfter, onTake));
    const side = element('div', { className: 'details-side', children: [factList(details.why)] });
    if (branch !== null) side.append(this.branchActions(details, branch));
    side.append(factList(details.facts));
    this.node.replaceChildren(element('div', { className: 'details-grid', children: [title, side, lists] }));
  }

  private branchActions(details: TokenDetails, { maxIter, threshold }: BranchOptions): HTMLElement {
    const node = element('div', { className: 'branch-actions', attributes: { role: 'group', 'aria-label': l10n.t('Regenerate from this token') } });
    const passes = (iterCount: number): void => {
      this.actions.onRegenerate(details.index, { kind: 'passes', iterCount });
    };
    if (maxIter > 1 && details.iterCount === 1) {
      node.append(button({ icon: 'debug-step-over', label: l10n.t('Force a second pass here'), testId: TEST_ID.forcePass, onClick: () => { passes(2); } }));
    }
    if (details.iterCount > 1) {
      node.append(button({ icon: 'debug-step-out', label: l10n.t('Skip the second pass here'), testId: TEST_ID.skipPass, onClick: () => { passes(1); } }));
    }
    if (maxIter > 1 && threshold !== null) node.append(this.thresholdAction(details.index, threshold));
    return node;
  }

  private thresholdAction(index: number, threshold: number): HTMLElement {
    const input = element('input', { className: 'number', testId: TEST_ID.fromHereThreshold, attributes: { type: 'number', min: '0', max: '1', step: 'any', 'aria-label': l10n.t('Threshold from here on, 0 to 1'), required: '' } });
    input.value = String(Number(threshold.toFixed(3)));
    const form = element('form', { className: 'threshold-form', attributes: { novalidate: '' } });
    const go = button({ icon: 'git-branch', label: l10n.t('From here with threshold'), testId: TEST_ID.fromHere, onClick: () => {
      const value = input.valueAsNumber;
      const valid = Number.isFinite(value) && value >= 0 && value <= 1;
      input.setAttribute('aria-invalid', String(!valid));
      if (valid) this.actions.onRegenerate(index, { kind: 'threshold', threshold: value });
      else input.focus();
    } });
    form.append(go, input);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      go.click();
    });
    return form;
  }
}

function placeLine(place: TextPlace): HTMLElement {
  const node = element('span', { className: 'place', testId: TEST_ID.place, attributes: { title: l10n.t('Place in the text') } });
  node.append(printable(place.before), element('mark', { text: printable(place.token) }), printable(place.after));
  return node;
}

function factList(facts: readonly Fact[]): HTMLElement {
  const list = element('dl', { className: 'facts' });
  for (const fact of facts) list.append(element('div', { children: [element('dt', { text: fact.label }), element('dd', { text: fact.value })] }));
  return list;
}

function badge(thought: SecondThought | null): HTMLElement {
  const text = thought === null ? l10n.t('one pass') : thoughtText(thought);
  const kind = thought === 'changed the pick' ? 'pick' : (thought ?? 'none');
  return element('span', { className: `badge badge-${kind}`, testId: TEST_ID.thought, text });
}
