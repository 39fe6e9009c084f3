/**
 * The notice that a question is outside of what the model has learned: why, what it can do, and where more can be had.
 * Draws a verdict; decides nothing.
 */

import type { CheckState } from '../protocol/answer.ts';
import { TEST_ID } from '../protocol/heatmap.ts';
import type { OutsideReason, ScopeVerdict } from '../protocol/scope.ts';
import { button, element, icon } from './dom.ts';
import { l10n } from './texts.ts';

/** Null where there is nothing to say. @param check of the run's answer, null while there is none */
export function scopeNotice(scope: ScopeVerdict | undefined, check: CheckState | null, onSelectModel: () => void): HTMLElement | null {
  if (scope?.state !== 'outside') return null;
  const { reason, subjects } = scope;
  const text = element('div', {
    className: 'scope-text',
    children: [
      element('p', { className: 'scope-title', text: l10n.t('Outside of what this model has learned') }),
      element('p', { testId: TEST_ID.scopeReason, text: reasonText(reason) }),
      element('p', { testId: TEST_ID.scopeSubjects, text: l10n.t('It has learned: {0}.', subjects.map(({ title }) => title).join(', ')) }),
      element('p', { text: l10n.t('For other questions choose a larger model.') }),
      button({ icon: 'server', label: l10n.t('Select Model…'), testId: TEST_ID.selectModel, onClick: onSelectModel }),
    ],
  });
  if (check === 'verified') text.lastElementChild?.before(element('p', { text: l10n.t('Computer algebra could verify the answer all the same.') }));
  return element('div', { className: 'scope', testId: TEST_ID.scope, attributes: { role: 'status', 'data-reason': reason.kind }, children: [icon('warning'), text] });
}

function reasonText(reason: OutsideReason): string {
  switch (reason.kind) {
    case 'nothing-asked':
      return l10n.t('There is no word, number or formula in the question.');
    case 'words':
      return l10n.t('It does not know: {0}.', reason.words.slice(0, 6).join(', '));
    case 'signs':
      return l10n.t('It does not know: {0}.', reason.signs.slice(0, 6).join(', '));
    case 'number':
      return l10n.t('{0} is beyond the numbers that it has learned with.', reason.number);
    case 'together':
      return l10n.t('It knows the parts of the question, but not together.');
    case 'too-long':
      return l10n.t('The question is longer than any that it has learned.');
    case 'refused':
      return l10n.t('The model itself says so.');
    default:
      return reason satisfies never;
  }
}
