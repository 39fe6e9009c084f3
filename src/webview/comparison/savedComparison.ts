/**
 * What the page keeps with `setState`, so that a comparison is still there when window and host are new: columns with
 * their tokens as `[id, text, passes, right, logprob]`. Pure.
 */

import type { Column, ComparisonSnapshot } from '../../protocol/comparison.ts';

type SavedToken = readonly [number, string, number, boolean | null, number | null];

/** Tokens of a comparison that is larger are not kept; its heads are. */
const MOST_TOKENS = 40_000;

export interface SavedComparison {
  readonly format: 1;
  readonly comparison: Omit<ComparisonSnapshot, 'columns'> & { readonly columns: readonly (Omit<Column, 'tokens'> & { readonly tokens: readonly SavedToken[] })[] };
}

export function saveComparison(comparison: ComparisonSnapshot): SavedComparison {
  const tokens = comparison.columns.reduce((sum, column) => sum + column.tokens.length, 0);
  const columns = comparison.columns.map((column) => ({
    ...column,
    tokens: tokens > MOST_TOKENS ? [] : column.tokens.map((token): SavedToken => [token.id, token.text, token.iterCount, token.right, token.logprob]),
  }));
  return { format: 1, comparison: { ...comparison, columns } };
}

/** Null for anything that this version has not saved. A run that had not ended then will never end now. */
export function readSavedComparison(value: unknown): ComparisonSnapshot | null {
  if (!isSaved(value)) return null;
  const columns = value.comparison.columns.map((column): Column => ({
    ...column,
    state: column.state === 'running' || column.state === 'waiting' ? 'stopped' : column.state === 'planned' ? 'skipped' : column.state,
    tokens: column.tokens.map(([id, text, iterCount, right, logprob]) => ({ id, text, iterCount, right, logprob })),
  }));
  return { ...value.comparison, columns };
}

/** VS Code gives back what this page gave it; a state of another version is told by its format. */
function isSaved(value: unknown): value is SavedComparison {
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== 1 || !('comparison' in value)) return false;
  const { comparison } = value;
  return typeof comparison === 'object' && comparison !== null && 'id' in comparison && typeof comparison.id === 'string' && 'columns' in comparison && Array.isArray(comparison.columns);
}
