/**
 * What host and webview of the run panel say to each other. The host owns runs; the webview asks for nothing but
 * what a user did (intents) and what it needs to show that. Every message names its run, so that a late answer never
 * lands in another one. Pure types and constants. Tests find elements of the webview by the `data-testid`s in TEST_ID.
 */

import type { TokenEvent } from './engine.ts';
import type { FamilyMember } from './family.ts';
import type { BranchChange, RunChange } from './run.ts';
import type { RunSnapshot } from './tokenRow.ts';

/** View type of the panel: part of `onWebviewPanel:` activation and of saved window state, so never rename it. */
export const RUN_PANEL = 'thinkAtHard.run';
/** View type of the read-only editor of run files. */
export const RUN_FILE_EDITOR = 'thinkAtHard.runFile';

/** Translations by English text; a text that is missing is shown in English. */
export type Texts = Readonly<Record<string, string>>;

/** `file`: a run file, shown without an engine, so that nothing can be generated from it. */
export type RunSourceKind = 'live' | 'file';

export type HostMessage =
  /** The whole run as it is now; later changes follow. Replaces whatever was shown. */
  | { readonly type: 'snapshot'; readonly run: RunSnapshot; readonly family: readonly FamilyMember[]; readonly source: RunSourceKind; readonly texts: Texts }
  | { readonly type: 'change'; readonly runId: string; readonly change: RunChange }
  /** Tokens that were asked for, whole; the first one's index tells where they belong. */
  | { readonly type: 'tokens'; readonly runId: string; readonly tokens: readonly TokenEvent[] }
  /** The relatives of the run that is shown are others now. */
  | { readonly type: 'family'; readonly runId: string; readonly family: readonly FamilyMember[] }
  /** A relative, to be compared with the run that is shown; null: it is no longer kept. */
  | { readonly type: 'relative'; readonly runId: string; readonly relativeId: string; readonly run: RunSnapshot | null }
  /** The user selected a place in the document of a measured run. */
  | { readonly type: 'select'; readonly runId: string; readonly index: number }
  /** A picture to be drawn as PNG and sent back. */
  | { readonly type: 'draw'; readonly runId: string; readonly svg: string; readonly width: number; readonly height: number }
  /** The panel was restored for a run that the host no longer has. */
  | { readonly type: 'gone'; readonly texts: Texts };

export const EXPORT_FORMATS = ['svg', 'png', 'html', 'csv', 'json'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Colours of the theme, as `#rrggbb`, for an export that looks as the panel does. */
export interface Palette {
  readonly background: string;
  readonly foreground: string;
  readonly muted: string;
  readonly heat: string;
  /** Share of `heat` in the deepest colour, 0 … 1; 0 in high contrast, which shows lines instead. */
  readonly most: number;
}

export type WebviewMessage =
  /** First message of a webview: it shows (or showed, before a reload) this run. */
  | { readonly type: 'ready'; readonly runId: string | null }
  | { readonly type: RunIntent; readonly runId: string }
  /** Tokens `from` … `to - 1` are needed whole. */
  | { readonly type: 'tokens'; readonly runId: string; readonly from: number; readonly to: number }
  | { readonly type: 'regenerate'; readonly runId: string; readonly index: number; readonly change: BranchChange }
  /** Show another run in this panel. */
  | { readonly type: 'show'; readonly runId: string }
  | { readonly type: 'relative'; readonly runId: string; readonly relativeId: string }
  /** Repair the damaged model that the run has failed on. The host knows which: no page names a path. */
  | { readonly type: 'repair'; readonly runId: string }
  /** The user selected a token of a measured run. */
  | { readonly type: 'select'; readonly runId: string; readonly index: number }
  | { readonly type: 'export'; readonly runId: string; readonly format: ExportFormat; readonly palette: Palette }
  /** The picture that was asked for, base64; null: the browser cannot draw one so large. */
  | { readonly type: 'drawn'; readonly runId: string; readonly png: string | null }
  | { readonly type: 'solve' }
  | { readonly type: 'selectModel' }
  | { readonly type: 'showLog' };

/** What a button of the run does: a command of the same meaning takes the run's id. */
export type RunIntent = 'stop' | 'insert' | 'replace' | 'copy' | 'retry' | 'history';

/** Saved with `setState`: enough to ask for the run again and to show it as it was. */
export interface PanelState {
  readonly runId: string;
  readonly selected: number | null;
  /** Whether scores and threshold are unfolded; null: as the page's size suggests. */
  readonly scores: boolean | null;
}

/** `data-testid` of elements that tests and tools may rely on. Also set: `data-state` on `app`, `data-check` on `check`,
 *  `data-index`, `data-iter` and `data-thought` on each `token`; only tokens near the view are in the document. */
export const TEST_ID = {
  app: 'app',
  problem: 'problem',
  model: 'model',
  provider: 'provider',
  policy: 'policy',
  state: 'state',
  stop: 'stop',
  insert: 'insert',
  replace: 'replace',
  copy: 'copy',
  retry: 'retry',
  repair: 'repair',
  again: 'again',
  history: 'history',
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
  selectModel: 'select-model',
  error: 'error',
  heatmap: 'heatmap',
  heatmapSummary: 'heatmap-summary',
  legend: 'legend',
  token: 'token',
  details: 'details',
  candidatesBefore: 'candidates-before',
  candidatesAfter: 'candidates-after',
  thought: 'thought',
  place: 'place',
  take: 'take',
  forcePass: 'force-pass',
  skipPass: 'skip-pass',
  fromHere: 'from-here',
  fromHereThreshold: 'from-here-threshold',
  scores: 'scores',
  histogram: 'histogram',
  costTable: 'cost-table',
  threshold: 'threshold',
  replay: 'replay',
  resetThreshold: 'reset-threshold',
  showDifference: 'show-difference',
  regenerate: 'regenerate',
  nextHard: 'next-hard',
  previousHard: 'previous-hard',
  search: 'search',
  searchCount: 'search-count',
  nextMatch: 'next-match',
  previousMatch: 'previous-match',
  export: 'export',
  family: 'family',
  relative: 'relative',
  compare: 'compare',
  diff: 'diff',
  diffFold: 'diff-fold',
  closeDiff: 'close-diff',
  oracle: 'oracle',
  oracleEffects: 'oracle-effects',
  oracleCell: 'oracle-cell',
  gone: 'gone',
} as const;
