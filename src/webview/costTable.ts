/**
 * What a run cost in passes, beside what never and always thinking twice would cost for the same number of tokens:
 * N, N + sent, 2 N. Seconds are shown where they were measured, and never guessed for the others.
 */

import { TEST_ID } from '../protocol/heatmap.ts';
import { element } from './dom.ts';
import type { ScoredRun } from './replay.ts';
import { l10n } from './texts.ts';

interface Cost {
  readonly name: string;
  readonly passes: number;
  readonly seconds: number | null;
  readonly kind: 'bound' | 'run' | 'preview';
}

export function costTable(run: Pick<ScoredRun, 'tokens' | 'model' | 'stats'>, preview: { readonly threshold: number; readonly passes: number } | null): HTMLElement {
  const tokens = run.tokens.length;
  const passes = run.tokens.reduce((sum, { iterCount }) => sum + iterCount, 0);
  const maxIter = run.model?.maxIter ?? 1;
  const seconds = run.stats === null ? null : run.stats.decodeMs / 1000;
  const costs: Cost[] = [{ name: l10n.t('never twice'), passes: tokens, seconds: null, kind: 'bound' }, { name: l10n.t('this run'), passes, seconds, kind: 'run' }];
  if (preview !== null) costs.push({ name: l10n.t('at {0}', Number(preview.threshold.toFixed(3))), passes: preview.passes, seconds: null, kind: 'preview' });
  if (maxIter > 1) costs.push({ name: maxIter === 2 ? l10n.t('always twice') : l10n.t('always {0} passes', maxIter), passes: tokens * maxIter, seconds: null, kind: 'bound' });
  const most = Math.max(1, ...costs.map((cost) => cost.passes));
  const head = element('tr', { children: [l10n.t('Policy'), l10n.t('Passes'), l10n.t('A token'), l10n.t('About'), l10n.t('Seconds'), ''].map((text) => element('th', { text, attributes: text === '' ? {} : { scope: 'col' } })) });
  head.lastElementChild?.replaceWith(element('td'));
  const body = element('tbody', { children: costs.map((cost) => costRow(cost, tokens, most, run.model?.parameters ?? null)) });
  return element('table', { className: 'cost-table', testId: TEST_ID.costTable, children: [element('caption', { className: 'sr-only', text: l10n.t('Cost in passes') }), element('thead', { children: [head] }), body] });
}

function costRow(cost: Cost, tokens: number, most: number, parameters: number | null): HTMLElement {
  const bar = element('span', { className: `bar bar-${cost.kind}`, attributes: { 'aria-hidden': 'true' } });
  bar.style.setProperty('--share', `${((cost.passes / most) * 100).toFixed(1)}%`);
  return element('tr', {
    className: `cost-${cost.kind}`,
    children: [
      element('th', { text: cost.name, attributes: { scope: 'row' } }),
      element('td', { text: String(cost.passes) }),
      element('td', { text: tokens === 0 ? '–' : (cost.passes / tokens).toFixed(2) }),
      element('td', { text: parameters === null ? '–' : flops(2 * parameters * cost.passes), attributes: { title: l10n.t('Two operations a parameter and pass, attention left out') } }),
      element('td', { text: cost.seconds === null ? '–' : cost.seconds.toFixed(1), attributes: { title: l10n.t('Measured; never guessed for another policy') } }),
      element('td', { className: 'cost-bar', children: [bar] }),
    ],
  });
}

function flops(operations: number): string {
  const units = ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP'];
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, operations)) / 3)));
  return `${(operations / 1000 ** unit).toPrecision(3)} ${units[unit] ?? ''}`;
}
