/**
 * The order in which a history is read: the newest problem first, and below each run its branches, the oldest first,
 * as deep as they go. A comparison's runs stand together. Pure.
 */

import type { HistoryEntry } from '../../host/history.ts';

export interface HistoryRow {
  readonly entry: HistoryEntry;
  /** 0: no branch, or one whose parent is no longer kept. */
  readonly depth: number;
}

/** @param entries newest first */
export function historyRows(entries: readonly HistoryEntry[]): readonly HistoryRow[] {
  const kept = new Set(entries.map(({ run }) => run.id));
  const branches = new Map<string, HistoryEntry[]>();
  const roots: HistoryEntry[] = [];
  for (const entry of entries) {
    const parentId = entry.run.branch?.parentId;
    if (parentId === undefined || parentId === entry.run.id || !kept.has(parentId)) roots.push(entry);
    else branches.set(parentId, [entry, ...(branches.get(parentId) ?? [])]);
  }
  const rows: HistoryRow[] = [];
  const seen = new Set<string>();
  const add = (entry: HistoryEntry, depth: number): void => {
    if (seen.has(entry.run.id)) return;
    seen.add(entry.run.id);
    rows.push({ entry, depth });
    for (const branch of branches.get(entry.run.id) ?? []) add(branch, depth + 1);
  };
  for (const root of roots) add(root, 0);
  // Two files that call each other parent, which no window writes, are shown all the same.
  for (const entry of entries) add(entry, 0);
  return rows;
}
