/**
 * The head of the panel: problem, model, provider with its reason, policy, state, and the buttons that fit the state.
 */

import { TEST_ID } from '../protocol/heatmap.ts';
import type { RunSourceKind } from '../protocol/heatmap.ts';
import { sayTold } from '../protocol/reasons.ts';
import type { Told } from '../protocol/reasons.ts';
import { hasEnded } from '../protocol/run.ts';
import type { Run, RunHead } from '../protocol/run.ts';
import { button, element, icon, iconButton } from './dom.ts';
import { renderInline } from './markdownView.ts';
import { policyText, stateText } from './summary.ts';
import { l10n } from './texts.ts';

export interface HeaderActions {
  readonly onStop: () => void;
  readonly onInsert: () => void;
  readonly onReplace: () => void;
  readonly onCopy: () => void;
  readonly onRetry: () => void;
  readonly onHistory: () => void;
}

type HeaderRun = Pick<Run, 'state' | 'model' | 'provider' | 'policy' | 'endReason'>;

/** A measured text may be a whole document. */
const LONGEST_HEADING = 300;

export class HeaderView {
  readonly node = element('header', { className: 'header' });
  private readonly state = element('span', { className: 'state', testId: TEST_ID.state, attributes: { role: 'status' } });
  private readonly facts = element('div', { className: 'facts-row' });
  private drawn: HeaderRun | null = null;
  private readonly stop: HTMLButtonElement;
  private readonly insert: HTMLButtonElement;
  private readonly replace: HTMLButtonElement;
  private readonly copy: HTMLButtonElement;
  private readonly retry: HTMLButtonElement;

  constructor(private readonly run: Pick<RunHead, 'problem' | 'kind'>, private readonly source: RunSourceKind, actions: HeaderActions) {
    this.stop = button({ icon: 'debug-stop', label: l10n.t('Stop'), testId: TEST_ID.stop, primary: true, onClick: actions.onStop });
    this.insert = button({ icon: 'insert', label: l10n.t('Insert'), testId: TEST_ID.insert, primary: true, onClick: actions.onInsert });
    this.replace = iconButton({ icon: 'replace', label: l10n.t('Replace the problem with the answer'), testId: TEST_ID.replace, onClick: actions.onReplace });
    this.copy = button({ icon: 'copy', label: l10n.t('Copy'), testId: TEST_ID.copy, onClick: actions.onCopy });
    this.retry = button({ icon: 'debug-restart', label: l10n.t('Again'), testId: TEST_ID.again, onClick: actions.onRetry });
    const history = iconButton({ icon: 'history', label: l10n.t('Earlier runs'), testId: TEST_ID.history, onClick: actions.onHistory });
    const buttons = element('div', { className: 'buttons', children: [this.stop, this.insert, this.replace, this.copy, this.retry, history] });
    const meta = element('div', { className: 'meta', children: [this.state, this.facts] });
    this.node.append(element('div', { className: 'title-row', children: [heading(run), buttons] }), meta);
  }

  /** @param hasText whether the model has written something */
  draw(run: HeaderRun, hasText: boolean): void {
    const ended = hasEnded(run);
    const focused = this.stop === document.activeElement;
    this.stop.hidden = ended;
    const answers = this.run.kind !== 'measure';
    this.insert.hidden = !ended || !hasText || !answers;
    this.replace.hidden = this.insert.hidden || this.source === 'file';
    this.copy.hidden = !ended || !hasText || !answers;
    // A run file has no engine to ask again.
    this.retry.hidden = !ended || run.state === 'failed' || this.source === 'file';
    // A button that goes must not take the keyboard's place with it.
    if (focused && ended) [this.insert, this.retry].find((next) => !next.hidden)?.focus();
    const text = stateText(run);
    // Only what is new is written: a screen reader says each change of a status.
    if (this.state.textContent !== text) this.state.textContent = text;
    this.state.dataset['running'] = String(!ended);
    if (this.drawn?.model !== run.model || this.drawn.provider !== run.provider) this.drawFacts(run);
    this.drawn = run;
  }

  private drawFacts(run: HeaderRun): void {
    this.facts.replaceChildren();
    if (run.model !== null) this.facts.append(fact('symbol-namespace', run.model.name, modelTitle(run.model), TEST_ID.model));
    if (run.provider !== null) {
      const inWords = (said: Told): string => sayTold(said, (text, ...values) => l10n.t(text, ...values));
      const rejected = run.provider.rejected.map((other) => `${other.provider}: ${inWords(other)}`);
      this.facts.append(fact('chip', run.model?.endpoint?.host ?? run.provider.provider, [inWords(run.provider), ...rejected].join('\n'), TEST_ID.provider));
    }
    if (run.model !== null) this.facts.append(fact('lightbulb', policyText({ policy: run.policy, model: run.model }), '', TEST_ID.policy));
  }
}

function heading({ problem, kind }: Pick<RunHead, 'problem' | 'kind'>): HTMLElement {
  const cut = problem.length > LONGEST_HEADING && kind === 'measure';
  const text = cut ? `${problem.slice(0, LONGEST_HEADING)}…` : problem;
  const node = element('h1', { className: 'problem', testId: TEST_ID.problem, attributes: { title: text } });
  // A measured text is shown as it was given.
  node.append(kind === 'measure' ? text.replace(/\s+/g, ' ') : renderInline(text));
  return node;
}

function modelTitle(model: NonNullable<Run['model']>): string {
  const { endpoint, parameters, quantization, contextLength } = model;
  if (endpoint !== undefined) return l10n.t('Runs at {0}: the problem is sent there', endpoint.host);
  if (parameters === null || quantization === null || contextLength === null) return '';
  const millions = parameters / 1e6;
  return l10n.t('{0} M parameters, {1}, up to {2} passes a token, context of {3} tokens', millions.toFixed(millions < 10 ? 1 : 0), quantization, model.maxIter, contextLength);
}

function fact(iconName: string, text: string, title: string, testId: string): HTMLElement {
  const node = element('span', { className: 'fact', testId, children: [icon(iconName), element('span', { text })] });
  if (title !== '') {
    node.title = title;
    // A title is for the mouse alone.
    node.append(element('span', { className: 'sr-only', text: title }));
  }
  return node;
}
