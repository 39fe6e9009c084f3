/**
 * Decider against self-oracle for a measured text: a table of four counts; each is a button that makes "next" and
 * "previous" step through its tokens. Draws; oracle.ts counts.
 */

import type { OracleVerdict } from '../protocol/engine.ts';
import { TEST_ID } from '../protocol/heatmap.ts';
import { secondPassEffects } from '../protocol/run.ts';
import type { TokenRow } from '../protocol/tokenRow.ts';
import { element } from './dom.ts';
import { oracleCounts, oracleRates, VERDICTS } from './oracle.ts';
import { l10n } from './texts.ts';
import { formatPercent } from './tokenCell.ts';

export class OracleView {
  readonly node = element('section', { className: 'oracle', testId: TEST_ID.oracle, attributes: { 'aria-label': l10n.t('Decider against oracle') } });
  private readonly cells: Readonly<Record<OracleVerdict, HTMLButtonElement>>;
  private readonly rates = element('p', { className: 'oracle-rates' });
  private readonly effects = element('p', { className: 'oracle-rates', testId: TEST_ID.oracleEffects });
  private chosen: OracleVerdict | null = null;

  constructor(private readonly onFilter: (verdict: OracleVerdict | null) => void) {
    this.cells = { 'hard-sent': this.cell('hard-sent'), 'hard-missed': this.cell('hard-missed'), 'easy-sent': this.cell('easy-sent'), 'easy-skipped': this.cell('easy-skipped') };
    const head = element('tr', { children: [element('td'), columnHead(l10n.t('sent to a second pass')), columnHead(l10n.t('not sent'))] });
    const table = element('table', {
      className: 'oracle-table',
      children: [
        element('caption', { text: l10n.t('Decider against oracle: hard is where the first pass would have picked another token') }),
        element('thead', { children: [head] }),
        element('tbody', { children: [this.row(l10n.t('hard'), ['hard-sent', 'hard-missed']), this.row(l10n.t('easy'), ['easy-sent', 'easy-skipped'])] }),
      ],
    });
    this.node.append(table, this.rates, this.effects);
  }

  get filter(): OracleVerdict | null {
    return this.chosen;
  }

  update(rows: readonly TokenRow[]): void {
    const counts = oracleCounts(rows);
    for (const verdict of VERDICTS) {
      const cell = this.cells[verdict];
      cell.textContent = l10n.t('{0} ({1})', counts[verdict], formatPercent(rows.length === 0 ? 0 : counts[verdict] / rows.length));
      cell.setAttribute('aria-label', `${verdictText(verdict)}: ${cell.textContent}`);
      cell.disabled = counts[verdict] === 0;
    }
    const { precision, recall } = oracleRates(counts);
    this.rates.textContent = [
      recall === null ? l10n.t('No token was hard.') : l10n.t('{0} of the hard tokens were sent.', formatPercent(recall)),
      precision === null ? l10n.t('No token was sent.') : l10n.t('{0} of the sent tokens were hard.', formatPercent(precision)),
    ].join(' ');
    const { corrected, unrepaired, overthought, needless } = secondPassEffects(rows);
    this.effects.textContent = precision === null ? '' : l10n.t('Second passes: {0} corrected, {1} left wrong, {2} overthought (right before, wrong after), {3} needless.', corrected, unrepaired, overthought, needless);
  }

  private cell(verdict: OracleVerdict): HTMLButtonElement {
    const node = element('button', { className: 'oracle-cell', testId: TEST_ID.oracleCell, attributes: { type: 'button', 'aria-pressed': 'false', 'data-verdict': verdict } });
    node.addEventListener('click', () => {
      this.chosen = this.chosen === verdict ? null : verdict;
      for (const other of VERDICTS) this.cells[other].setAttribute('aria-pressed', String(other === this.chosen));
      this.onFilter(this.chosen);
    });
    return node;
  }

  private row(name: string, verdicts: readonly OracleVerdict[]): HTMLElement {
    const cells = verdicts.map((verdict) => element('td', { children: [this.cells[verdict]] }));
    return element('tr', { children: [element('th', { text: name, attributes: { scope: 'row' } }), ...cells] });
  }
}

function columnHead(text: string): HTMLElement {
  return element('th', { text, attributes: { scope: 'col' } });
}

export function verdictText(verdict: OracleVerdict): string {
  switch (verdict) {
    case 'hard-sent':
      return l10n.t('hard and sent');
    case 'hard-missed':
      return l10n.t('hard and missed');
    case 'easy-sent':
      return l10n.t('easy and sent');
    case 'easy-skipped':
      return l10n.t('easy and skipped');
    default:
      return verdict satisfies never;
  }
}
