/**
 * Main of the run panel's page: receives a run from the host, shows it, sends what the user does.
 * Saves only the run's id, the selected token and what is unfolded; a reloaded page asks the host for the rest.
 */

import { TEST_ID } from '../protocol/heatmap.ts';
import type { HostMessage, PanelState, RunIntent, WebviewMessage } from '../protocol/heatmap.ts';
import { readPanelState } from '../protocol/heatmapMessages.ts';
import { button, element } from './dom.ts';
import { readPalette } from './palette.ts';
import { drawPng } from './picture.ts';
import { RunView } from './runView.ts';
import type { RunActions } from './runView.ts';
import { l10n, setTexts } from './texts.ts';

interface Host {
  postMessage(message: WebviewMessage): void;
  getState(): unknown;
  setState(state: PanelState): void;
}

declare function acquireVsCodeApi(): Host;

/** Scores are unfolded from the start where the heatmap has a column of its own. */
const WIDE = '(min-width: 1100px) and (min-height: 700px)';

const host = acquireVsCodeApi();
let view: RunView | null = null;

function show(message: Extract<HostMessage, { type: 'snapshot' }>): void {
  const { head } = message.run;
  const before = readPanelState(host.getState());
  let state: PanelState = { runId: head.id, selected: before?.runId === head.id ? before.selected : null, scores: before?.scores ?? null };
  const save = (change: Partial<PanelState>): void => {
    state = { ...state, ...change };
    host.setState(state);
  };
  view?.dispose();
  view = new RunView(message.run, actionsOf(head.id, save), { source: message.source, scoresOpen: state.scores ?? matchMedia(WIDE).matches });
  document.body.replaceChildren(view.node);
  view.drawFamily(message.family);
  save({});
  if (state.selected !== null) view.follow(state.selected);
}

function actionsOf(runId: string, save: (change: Partial<PanelState>) => void): RunActions {
  const send = (type: RunIntent) => (): void => {
    host.postMessage({ type, runId });
  };
  return {
    onStop: send('stop'),
    onInsert: send('insert'),
    onReplace: send('replace'),
    onCopy: send('copy'),
    onRetry: send('retry'),
    onHistory: send('history'),
    onRepair: () => {
      host.postMessage({ type: 'repair', runId });
    },
    onShowLog: () => {
      host.postMessage({ type: 'showLog' });
    },
    onSelectModel: () => {
      host.postMessage({ type: 'selectModel' });
    },
    onSelect: (index) => {
      save({ selected: index });
      host.postMessage({ type: 'select', runId, index });
    },
    onFollow: (index) => {
      save({ selected: index });
    },
    onWant: (from, to) => {
      host.postMessage({ type: 'tokens', runId, from, to });
    },
    onRegenerate: (index, change) => {
      host.postMessage({ type: 'regenerate', runId, index, change });
    },
    onExport: (format) => {
      host.postMessage({ type: 'export', runId, format, palette: readPalette() });
    },
    onScores: (open) => {
      save({ scores: open });
    },
    onShow: (id) => {
      host.postMessage({ type: 'show', runId: id });
    },
    onCompare: (relativeId) => {
      host.postMessage({ type: 'relative', runId, relativeId });
    },
  };
}

function showGone(): void {
  view?.dispose();
  view = null;
  const text = l10n.t('This run is no longer there. It was deleted, or it had not ended when its window was closed.');
  const solve = button({ icon: 'lightbulb', label: l10n.t('Solve a problem'), testId: TEST_ID.solve, primary: true, onClick: () => {
    host.postMessage({ type: 'solve' });
  } });
  document.body.replaceChildren(element('main', { className: 'gone', testId: TEST_ID.gone, children: [element('p', { text }), solve] }));
}

async function draw({ runId, svg, width, height }: Extract<HostMessage, { type: 'draw' }>): Promise<void> {
  // A browser that cannot draw it says so by an exception or by nothing; the host tells the user in both cases.
  const png = await drawPng(svg, width, height).catch((error: unknown) => {
    console.error(error);
    return null;
  });
  host.postMessage({ type: 'drawn', runId, png });
}

function receive(message: HostMessage): void {
  if (message.type === 'snapshot' || message.type === 'gone') {
    setTexts(message.texts);
    if (message.type === 'gone') {
      showGone();
      return;
    }
    // Marks of the browser's own time line: what a profile of a slow page, and the test of a long run, start from.
    performance.mark('thinkAtHard.snapshot');
    show(message);
    requestAnimationFrame(() => {
      performance.mark('thinkAtHard.shown');
    });
    return;
  }
  if (view?.id !== message.runId) return;
  switch (message.type) {
    case 'change':
      view.apply(message.change);
      break;
    case 'tokens':
      view.fill(message.tokens);
      break;
    case 'family':
      view.drawFamily(message.family);
      break;
    case 'relative':
      if (message.run !== null) view.compareWith(message.run);
      break;
    case 'select':
      view.follow(message.index);
      break;
    case 'draw':
      void draw(message);
      break;
    default:
      message satisfies never;
  }
}

window.addEventListener('message', (event: MessageEvent<HostMessage>) => {
  receive(event.data);
});

host.postMessage({ type: 'ready', runId: readPanelState(host.getState())?.runId ?? null });
