/**
 * What host and webview of the run panel say to each other. The host owns runs; the webview asks for nothing but
 * what a user did (intents). Every message names its run, so that a late answer never lands in another one.
 * Pure types and constants. Tests find elements of the webview by the `data-testid`s in TEST_ID.
 */

import type { Run, RunChange } from './run.ts';

/** View type of the panel: part of `onWebviewPanel:` activation and of saved window state, so never rename it. */
export const RUN_PANEL = 'thinkAtHard.run';

/** Translations by English text; a text that is missing is shown in English. */
export type Texts = Readonly<Record<string, string>>;

export type HostMessage =
  /** The whole run as it is now; later changes follow. Replaces whatever was shown. */
  | { readonly type: 'snapshot'; readonly run: Run; readonly texts: Texts }
  | { readonly type: 'change'; readonly runId: string; readonly change: RunChange }
  /** The panel was restored for a run that the host no longer has. */
  | { readonly type: 'gone'; readonly texts: Texts };

export type WebviewMessage =
  /** First message of a webview: it shows (or showed, before a reload) this run. */
  | { readonly type: 'ready'; readonly runId: string | null }
  | { readonly type: 'stop'; readonly runId: string }
  | { readonly type: 'insert'; readonly runId: string }
  | { readonly type: 'copy'; readonly runId: string }
  | { readonly type: 'retry'; readonly runId: string }
  | { readonly type: 'solve' }
  | { readonly type: 'showLog' };

/** Saved with `setState`: enough to ask for the run again. */
export interface PanelState {
  readonly runId: string;
  readonly selected: number | null;
}

/** `data-testid` of elements that tests and tools may rely on. Also set: `data-state` on `app`, `data-check` on `check`,
 *  `data-index`, `data-iter` and `data-thought` on each `token`. */
export const TEST_ID = {
  app: 'app',
  problem: 'problem',
  model: 'model',
  provider: 'provider',
  policy: 'policy',
  state: 'state',
  stop: 'stop',
  insert: 'insert',
  copy: 'copy',
  retry: 'retry',
  again: 'again',
  solve: 'solve',
  showLog: 'show-log',
  answerText: 'answer-text',
  thinkingText: 'thinking-text',
  answerBox: 'answer-box',
  check: 'check',
  checkReason: 'check-reason',
  cost: 'cost',
  scope: 'scope',
  scopeReason: 'scope-reason',
  scopeSubjects: 'scope-subjects',
  error: 'error',
  heatmap: 'heatmap',
  heatmapSummary: 'heatmap-summary',
  legend: 'legend',
  token: 'token',
  details: 'details',
  candidatesBefore: 'candidates-before',
  candidatesAfter: 'candidates-after',
  thought: 'thought',
  gone: 'gone',
} as const;

const RUN_INTENTS = ['stop', 'insert', 'copy', 'retry'] as const;

/** A message of the webview, checked; null for anything else. */
export function readWebviewMessage(value: unknown): WebviewMessage | null {
  if (typeof value !== 'object' || value === null || !('type' in value)) return null;
  if (value.type === 'showLog' || value.type === 'solve') return { type: value.type };
  const runId: unknown = 'runId' in value ? value.runId : undefined;
  if (value.type === 'ready') return typeof runId === 'string' || runId === null ? { type: 'ready', runId } : null;
  const intent = RUN_INTENTS.find((name) => name === value.type);
  return intent === undefined || typeof runId !== 'string' ? null : { type: intent, runId };
}

/** Saved panel state, checked; null for anything else. */
export function readPanelState(value: unknown): PanelState | null {
  if (typeof value !== 'object' || value === null || !('runId' in value) || typeof value.runId !== 'string') return null;
  const selected = 'selected' in value && typeof value.selected === 'number' ? value.selected : null;
  return { runId: value.runId, selected };
}
