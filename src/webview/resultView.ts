/**
 * What came of a run: the final answer with its check and cost, or the error with what to do about it.
 * Draws a run's end; decides nothing.
 */

import { checkReason } from '../protocol/answer.ts';
import type { AnswerCheck, CheckState } from '../protocol/answer.ts';
import { repairableFile } from '../protocol/errors.ts';
import type { ErrorData } from '../protocol/errors.ts';
import { sayError } from '../protocol/errorTexts.ts';
import { TEST_ID } from '../protocol/heatmap.ts';
import type { RunSourceKind } from '../protocol/heatmap.ts';
import { hasEnded, missingData } from '../protocol/run.ts';
import type { Run } from '../protocol/run.ts';
import { button, element, icon } from './dom.ts';
import { renderInline } from './markdownView.ts';
import { mathElement } from './mathElement.ts';
import { scopeNotice } from './scopeView.ts';
import { costText } from './summary.ts';
import type { Totals } from './summary.ts';
import { l10n } from './texts.ts';

type RunEnd = Pick<Run, 'kind' | 'state' | 'answer' | 'check' | 'error' | 'stats' | 'scope' | 'model'>;

export interface ResultActions {
  readonly onRetry: () => void;
  readonly onRepair: () => void;
  readonly onShowLog: () => void;
  readonly onSelectModel: () => void;
}

/** While the model is writing nothing but, where it is so, that the question is outside of its subjects. */
export function drawResult(node: HTMLElement, run: RunEnd, totals: Totals, source: RunSourceKind, actions: ResultActions): void {
  node.replaceChildren();
  const notice = scopeNotice(run.scope, run.check?.state ?? null, actions.onSelectModel);
  if (notice !== null) node.append(notice);
  if (!hasEnded(run)) return;
  if (run.error !== null && run.state === 'failed') node.append(errorBox(run.error, source, actions));
  // A measured text is the user's own: it has no answer of the model.
  if (run.kind !== 'measure' && (run.state !== 'failed' || run.answer !== null)) node.append(answerRow(run));
  if (run.stats !== null) node.append(element('p', { className: 'cost', testId: TEST_ID.cost, text: costText(run.stats, totals, !missingData(run).includes('passes')) }));
}

/** The final answer with the word on its check. */
export function answerRow(run: RunEnd): HTMLElement {
  const row = element('div', { className: 'result-row' });
  if (run.answer === null) {
    row.append(element('span', { className: 'no-answer', testId: TEST_ID.answerBox, text: run.state === 'stopped' ? l10n.t('Stopped before a final answer') : l10n.t('No final answer in the text') }));
    return row;
  }
  const box = element('span', { className: 'answer-box', testId: TEST_ID.answerBox, attributes: { 'data-answer': run.answer } });
  box.append(run.answer.includes('$') ? renderInline(run.answer) : mathElement(run.answer, false));
  row.append(element('span', { className: 'result-label', text: l10n.t('Answer') }), box, checkBadge(run.check));
  return row;
}

const CHECKS: Readonly<Record<CheckState | 'pending', { icon: string; text: () => string }>> = {
  verified: { icon: 'pass-filled', text: () => l10n.t('Verified') },
  contradicted: { icon: 'error', text: () => l10n.t('Contradicted') },
  unchecked: { icon: 'question', text: () => l10n.t('Could not check') },
  pending: { icon: 'loading', text: () => l10n.t('Checking…') },
};

function checkBadge(check: AnswerCheck | null): HTMLElement {
  const state = check?.state ?? 'pending';
  const { icon: name, text } = CHECKS[state];
  const sign = icon(name);
  if (state === 'pending') sign.classList.add('codicon-modifier-spin');
  const label = element('span', { className: 'check-label', testId: TEST_ID.check, attributes: { 'data-check': state }, children: [sign, element('span', { text: text() })] });
  const node = element('span', { className: `check check-${state}`, attributes: { role: 'status' }, children: [label] });
  if (check !== null) node.append(element('span', { className: 'check-reason', testId: TEST_ID.checkReason, text: checkReason(check, (text, ...values) => l10n.t(text, ...values)) }));
  return node;
}

function errorBox(error: ErrorData, source: RunSourceKind, actions: ResultActions): HTMLElement {
  const { sentence, detail } = sayError(error, (text, ...values) => l10n.t(text, ...values));
  const text = element('div', { className: 'error-text', children: [element('p', { className: 'error-message', text: sentence })] });
  if (detail !== null) text.append(element('p', { className: 'error-hint', text: detail }));
  text.append(element('div', { className: 'error-actions', children: errorButtons(repairableFile(error) !== null, source, actions) }));
  return element('div', { className: 'error', testId: TEST_ID.error, attributes: { role: 'alert' }, children: [icon('error'), text] });
}

/** First what helps: to ask a damaged model again is of use only after its repair. */
function errorButtons(mayRepair: boolean, source: RunSourceKind, actions: ResultActions): readonly HTMLElement[] {
  const log = button({ icon: 'output', label: l10n.t('Show Log'), testId: TEST_ID.showLog, onClick: actions.onShowLog });
  // A run file has no engine to ask again, and its model is that of another machine.
  if (source === 'file') return [log];
  const retry = button({ icon: 'debug-restart', label: l10n.t('Try again'), testId: TEST_ID.retry, primary: !mayRepair, onClick: actions.onRetry });
  if (!mayRepair) return [retry, log];
  return [button({ icon: 'tools', label: l10n.t('Repair Model…'), testId: TEST_ID.repair, primary: true, onClick: actions.onRepair }), retry, log];
}
