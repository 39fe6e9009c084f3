/**
 * Main of the run panel's page: receives a run from the host, shows it, sends what the user does.
 * Saves only the run's id and the selected token; a reloaded page asks the host for the rest.
 */

import { readPanelState, TEST_ID } from '../protocol/heatmap.ts';
import type { HostMessage, PanelState, WebviewMessage } from '../protocol/heatmap.ts';
import { button, element } from './dom.ts';
import { RunView } from './runView.ts';
import { l10n, setTexts } from './texts.ts';

interface Host {
  postMessage(message: WebviewMessage): void;
  getState(): unknown;
  setState(state: PanelState): void;
}

declare function acquireVsCodeApi(): Host;

const host = acquireVsCodeApi();
let view: RunView | null = null;

function show(message: Extract<HostMessage, { type: 'snapshot' }>): void {
  const { run } = message;
  const before = readPanelState(host.getState());
  const selected = before?.runId === run.id ? before.selected : null;
  view?.dispose();
  const send = (type: 'stop' | 'insert' | 'copy' | 'retry') => (): void => {
    host.postMessage({ type, runId: run.id });
  };
  view = new RunView(run, {
    onStop: send('stop'),
    onInsert: send('insert'),
    onCopy: send('copy'),
    onRetry: send('retry'),
    onShowLog: () => {
      host.postMessage({ type: 'showLog' });
    },
    onSelect: (index) => {
      host.setState({ runId: run.id, selected: index });
    },
  });
  document.body.replaceChildren(view.node);
  host.setState({ runId: run.id, selected });
  if (selected !== null) view.select(selected);
}

function showGone(): void {
  view?.dispose();
  view = null;
  const text = l10n.t('This run is no longer there. Runs are kept while the window is open.');
  const solve = button({ icon: 'lightbulb', label: l10n.t('Solve a problem'), testId: TEST_ID.solve, primary: true, onClick: () => {
    host.postMessage({ type: 'solve' });
  } });
  document.body.replaceChildren(element('main', { className: 'gone', testId: TEST_ID.gone, children: [element('p', { text }), solve] }));
}

window.addEventListener('message', (event: MessageEvent<HostMessage>) => {
  const message = event.data;
  switch (message.type) {
    case 'snapshot':
      setTexts(message.texts);
      show(message);
      break;
    case 'change':
      if (view?.id === message.runId) view.apply(message.change);
      break;
    case 'gone':
      setTexts(message.texts);
      showGone();
      break;
    default:
      message satisfies never;
  }
});

host.postMessage({ type: 'ready', runId: readPanelState(host.getState())?.runId ?? null });
