/**
 * Main of the comparison's page: receives the columns from the host, shows them, sends what the user does. Saves the
 * comparison itself, so that it is still there after a reload, when the host may no longer have its runs.
 */

import { COMPARISON_TEST_ID } from '../../protocol/comparison.ts';
import type { ComparisonHostMessage, ComparisonSnapshot, ComparisonWebviewMessage } from '../../protocol/comparison.ts';
import { element } from '../dom.ts';
import { l10n, setTexts } from '../texts.ts';
import { ComparisonView } from './comparisonView.ts';
import { readSavedComparison, saveComparison } from './savedComparison.ts';
import type { SavedComparison } from './savedComparison.ts';

interface Host {
  postMessage(message: ComparisonWebviewMessage): void;
  getState(): unknown;
  setState(state: SavedComparison): void;
}

declare function acquireVsCodeApi(): Host;

/** While texts stream, the state is saved once in so many milliseconds. */
const SAVE_MS = 1000;

const host = acquireVsCodeApi();
let view: ComparisonView | null = null;
let saving: ReturnType<typeof setTimeout> | null = null;

function saveSoon(): void {
  saving ??= setTimeout(() => {
    saving = null;
    if (view !== null) host.setState(saveComparison(view.snapshot));
  }, SAVE_MS);
}

/** @param canOpen whether the host still has a run */
function show(comparison: ComparisonSnapshot, canOpen: (runId: string) => boolean): void {
  view?.dispose();
  view = new ComparisonView(comparison, {
    canOpen,
    onHeatmap: (runId) => {
      host.postMessage({ type: 'heatmap', runId });
    },
    onStop: () => {
      host.postMessage({ type: 'stop', id: comparison.id });
    },
    onAgain: () => {
      host.postMessage({ type: 'again', kind: comparison.kind, problem: comparison.problem });
    },
    onSelectModel: () => {
      host.postMessage({ type: 'selectModel' });
    },
    onDraw: saveSoon,
  });
  document.body.replaceChildren(view.node);
}

function showGone(): void {
  const text = l10n.t('This comparison is no longer there. Select a problem and choose Think-at-Hard: Compare Thinking Policies.');
  document.body.replaceChildren(element('main', { className: 'gone', testId: COMPARISON_TEST_ID.gone, children: [element('p', { text })] }));
}

window.addEventListener('message', (event: MessageEvent<ComparisonHostMessage>) => {
  const message = event.data;
  switch (message.type) {
    case 'snapshot':
      setTexts(message.texts);
      show(message.comparison, () => true);
      break;
    case 'head':
      if (view?.snapshot.id === message.id) view.applyHead(message.head);
      break;
    case 'tokens':
      if (view?.snapshot.id === message.id) view.addTokens(message.role, message.tokens);
      break;
    case 'unknown': {
      setTexts(message.texts);
      const saved = readSavedComparison(host.getState());
      if (saved === null) showGone();
      else show(saved, (runId) => message.runs.includes(runId));
      break;
    }
    default:
      message satisfies never;
  }
});

const saved = readSavedComparison(host.getState());
const runs = saved?.columns.flatMap(({ runId }) => (runId === null ? [] : [runId])) ?? [];
host.postMessage({ type: 'ready', id: saved?.id ?? null, runs });
