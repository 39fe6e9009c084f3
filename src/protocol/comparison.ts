/**
 * What host and page of a comparison say to each other: one problem under several thinking policies, a column each.
 * Tokens come without their candidates, which the heatmap of each run has. Pure types, readers and constants.
 */

import type { AnswerCheck } from './answer.ts';
import type { EndReason, GenerateStats, ThinkingPolicy, TokenEvent } from './engine.ts';
import type { ErrorData } from './errors.ts';
import type { Texts } from './heatmap.ts';
import type { Comparison, Run, RunState } from './run.ts';
import type { ScopeVerdict } from './scope.ts';

/** View type of the panel: part of `onWebviewPanel:` activation and of saved window state, so never rename it. */
export const COMPARISON_PANEL = 'thinkAtHard.comparison';

export type ComparisonRole = Comparison['role'];

/** `solve`: the model writes an answer under each policy. `measure`: each policy predicts one given text. */
export type ComparisonKind = 'solve' | 'measure';

export interface ComparedToken {
  readonly id: number;
  readonly text: string;
  readonly iterCount: number;
  /** The final prediction's first choice is this token; null where no candidates are known. */
  readonly right: boolean | null;
  /** Natural log; null where it is not known. */
  readonly logprob: number | null;
}

/** Floating-point operations of a run, estimated, and how. */
export interface FlopsEstimate {
  readonly flops: number;
  /** In the user's language. */
  readonly formula: string;
}

/** A column without its tokens. */
export interface ColumnHead {
  readonly role: ComparisonRole;
  /** Null: not started (yet). */
  readonly runId: string | null;
  /** `planned`: waits for the columns before it. `skipped`: all were stopped before it began. */
  readonly state: RunState | 'planned' | 'skipped';
  readonly policy: ThinkingPolicy;
  readonly threshold: number | null;
  readonly endReason: EndReason | null;
  readonly error: ErrorData | null;
  readonly stats: GenerateStats | null;
  readonly answer: string | null;
  readonly check: AnswerCheck | null;
  readonly flops: FlopsEstimate | null;
  /** Whether the problem is within what the model has learned; absent where that is not known. */
  readonly scope?: ScopeVerdict;
}

export interface Column extends ColumnHead {
  readonly tokens: readonly ComparedToken[];
}

export interface ComparisonSnapshot {
  readonly id: string;
  readonly kind: ComparisonKind;
  /** Problem or given text. */
  readonly problem: string;
  readonly columns: readonly Column[];
}

export type ComparisonHostMessage =
  | { readonly type: 'snapshot'; readonly comparison: ComparisonSnapshot; readonly texts: Texts }
  | { readonly type: 'head'; readonly id: string; readonly head: ColumnHead }
  | { readonly type: 'tokens'; readonly id: string; readonly role: ComparisonRole; readonly tokens: readonly ComparedToken[] }
  /** The host has no such comparison any more; the page shows what it saved. `runs`: those that the host still has. */
  | { readonly type: 'unknown'; readonly runs: readonly string[]; readonly texts: Texts };

export type ComparisonWebviewMessage =
  | { readonly type: 'ready'; readonly id: string | null; readonly runs: readonly string[] }
  | { readonly type: 'stop'; readonly id: string }
  | { readonly type: 'again'; readonly kind: ComparisonKind; readonly problem: string }
  | { readonly type: 'heatmap'; readonly runId: string }
  | { readonly type: 'selectModel' }
  | { readonly type: 'showLog' };

/** `data-testid`s of the page. `data-state` on `comparison`, `data-role` on whatever belongs to a column. */
export const COMPARISON_TEST_ID = {
  comparison: 'comparison',
  problem: 'problem',
  state: 'state',
  difference: 'difference',
  stop: 'stop',
  again: 'again',
  rendered: 'rendered',
  asTokens: 'as-tokens',
  table: 'table',
  column: 'column',
  answer: 'answer',
  check: 'check',
  passes: 'passes',
  time: 'time',
  flops: 'flops',
  heatmap: 'heatmap',
  step: 'step',
  cell: 'cell',
  token: 'token',
  error: 'error',
  gone: 'gone',
} as const;

export function comparedToken(token: TokenEvent): ComparedToken {
  return { id: token.id, text: token.special ? '' : token.text, iterCount: token.iterCount, right: token.after[0] === undefined ? null : token.after[0].id === token.id, logprob: token.logprob };
}

export function columnHead(role: ComparisonRole, run: Run, flops: FlopsEstimate | null): ColumnHead {
  const { id, state, policy, model, endReason, error, stats, answer, check, scope } = run;
  return { role, runId: id, state, policy, threshold: model?.threshold ?? null, endReason, error, stats, answer, check, flops, ...(scope === undefined ? {} : { scope }) };
}

const LONGEST_PROBLEM = 1_000_000;

/** A message of the page, checked; null for anything else. */
export function readComparisonMessage(value: unknown): ComparisonWebviewMessage | null {
  if (typeof value !== 'object' || value === null || !('type' in value)) return null;
  switch (value.type) {
    case 'ready': {
      const runs: unknown = 'runs' in value ? value.runs : [];
      if (!('id' in value) || (typeof value.id !== 'string' && value.id !== null) || !Array.isArray(runs)) return null;
      return { type: 'ready', id: value.id, runs: runs.filter((run): run is string => typeof run === 'string') };
    }
    case 'stop':
      return 'id' in value && typeof value.id === 'string' ? { type: 'stop', id: value.id } : null;
    case 'again': {
      const kind = 'kind' in value && (value.kind === 'solve' || value.kind === 'measure') ? value.kind : null;
      const problem = 'problem' in value && typeof value.problem === 'string' && value.problem.length <= LONGEST_PROBLEM ? value.problem : null;
      return kind === null || problem === null ? null : { type: 'again', kind, problem };
    }
    case 'heatmap':
      return 'runId' in value && typeof value.runId === 'string' ? { type: 'heatmap', runId: value.runId } : null;
    case 'selectModel':
    case 'showLog':
      return { type: value.type };
    default:
      return null;
  }
}
