/**
 * The head of the panel: problem, model, provider with its reason, policy, state, and the buttons that fit the state.
 */

import { TEST_ID } from '../protocol/heatmap.ts';
import type { Run } from '../protocol/run.ts';
import { button, element, icon } from './dom.ts';
import { renderInline } from './markdownView.ts';
import { policyText, stateText } from './summary.ts';
import { l10n } from './texts.ts';

export interface HeaderActions {
  readonly onStop: () => void;
  readonly onInsert: () => void;
  readonly onCopy: () => void;
  readonly onRetry: () => void;
}

export class HeaderView {
  readonly node = element('header', { className: 'header' });
  private readonly state = element('span', { className: 'state', testId: TEST_ID.state, attributes: { role: 'status' } });
  private readonly meta = element('div', { className: 'meta' });
  private readonly stop: HTMLButtonElement;
  private readonly insert: HTMLButtonElement;
  private readonly copy: HTMLButtonElement;
  private readonly retry: HTMLButtonElement;

  constructor(problem: string, actions: HeaderActions) {
    const heading = element('h1', { className: 'problem', testId: TEST_ID.problem, attributes: { title: problem } });
    heading.append(renderInline(problem));
    this.stop = button({ icon: 'debug-stop', label: l10n.t('Stop'), testId: TEST_ID.stop, primary: true, onClick: actions.onStop });
    this.insert = button({ icon: 'insert', label: l10n.t('Insert'), testId: TEST_ID.insert, primary: true, onClick: actions.onInsert });
    this.copy = button({ icon: 'copy', label: l10n.t('Copy'), testId: TEST_ID.copy, onClick: actions.onCopy });
    this.retry = button({ icon: 'debug-restart', label: l10n.t('Again'), testId: TEST_ID.again, onClick: actions.onRetry });
    const buttons = element('div', { className: 'buttons', children: [this.stop, this.insert, this.copy, this.retry] });
    this.node.append(element('div', { className: 'title-row', children: [heading, buttons] }), this.meta);
  }

  /** @param hasText whether the model has written something */
  draw(run: Pick<Run, 'state' | 'model' | 'provider' | 'policy' | 'endReason'>, hasText: boolean): void {
    const running = run.state === 'running';
    this.stop.hidden = !running;
    this.insert.hidden = running || !hasText;
    this.copy.hidden = running || !hasText;
    this.retry.hidden = running || run.state === 'failed';
    this.state.textContent = stateText(run);
    this.state.dataset['running'] = String(running);
    this.meta.replaceChildren(this.state);
    if (run.model !== null) this.meta.append(fact('symbol-namespace', run.model.name, modelTitle(run.model), TEST_ID.model));
    if (run.provider !== null) {
      const rejected = run.provider.rejected.map(({ provider, reason }) => `${provider}: ${reason}`);
      this.meta.append(fact('chip', run.provider.provider, [run.provider.reason, ...rejected].join('\n'), TEST_ID.provider));
    }
    this.meta.append(fact('lightbulb', policyText(run.policy, run.model?.threshold ?? null), '', TEST_ID.policy));
  }
}

function modelTitle(model: NonNullable<Run['model']>): string {
  const millions = model.parameters / 1e6;
  return l10n.t('{0} M parameters, {1}, up to {2} passes a token, context of {3} tokens', millions.toFixed(millions < 10 ? 1 : 0), model.quantization, model.maxIter, model.contextLength);
}

function fact(iconName: string, text: string, title: string, testId: string): HTMLElement {
  const node = element('span', { className: 'fact', testId, children: [icon(iconName), element('span', { text })] });
  if (title !== '') node.title = title;
  return node;
}
