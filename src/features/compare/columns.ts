/** From runs to the columns that the page of a comparison shows. Pure: it is given the runs and the translations. */

import { columnHead, comparedToken } from '../../protocol/comparison.ts';
import type { Column, ColumnHead, ComparisonSnapshot, FlopsEstimate } from '../../protocol/comparison.ts';
import { hasEnded } from '../../protocol/run.ts';
import type { Run } from '../../protocol/run.ts';
import type { KnownComparison } from './comparisons.ts';
import { flopsOf } from './flops.ts';
import type { ModelShape } from './flops.ts';

/** Of `vscode.l10n`. */
export interface Translations {
  readonly t: (message: string, ...values: (string | number)[]) => string;
}

type KnownColumn = KnownComparison['columns'][number];

export function snapshotOf(known: KnownComparison, runs: (id: string) => Run | null, estimate: (run: Run) => FlopsEstimate | null): ComparisonSnapshot {
  return { id: known.id, kind: known.kind, problem: known.problem, columns: known.columns.map((column) => columnOf(column, runs, estimate)) };
}

function columnOf(column: KnownColumn, runs: (id: string) => Run | null, estimate: (run: Run) => FlopsEstimate | null): Column {
  const run = column.runId === null ? null : runs(column.runId);
  return { ...headOf(column, run, estimate), tokens: run?.tokens.map(comparedToken) ?? [] };
}

/** @param run null: not started, or no longer kept */
export function headOf({ role, policy, runId, skipped }: KnownColumn, run: Run | null, estimate: (run: Run) => FlopsEstimate | null): ColumnHead {
  if (run !== null) return columnHead(role, run, estimate(run));
  const state = skipped || runId !== null ? 'skipped' : 'planned';
  return { role, runId: null, state, policy, threshold: null, endReason: null, error: null, stats: null, answer: null, check: null, flops: null };
}

/** Of a run that has ended; what is still being written has no sum yet. */
export function estimateFlops(l10n: Translations, shape: ModelShape | null, run: Run): FlopsEstimate | null {
  if (shape === null || !hasEnded(run) || run.tokens.length === 0) return null;
  const formula = l10n.t(
    'An estimate over prompt and text. Each pass: 2 × {0} parameters + 4 × {1} layers × {2} heads × {3} dimensions × positions attended to. LoRA and decider, below 3 %, are left out.',
    shape.parameters,
    shape.layers,
    shape.heads,
    shape.headDim,
  );
  return { flops: flopsOf(shape, run), formula };
}
