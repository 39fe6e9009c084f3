import { describe, expect, it } from 'vitest';
import { historyRows } from '../../../src/features/history/order.ts';
import { runFileName } from '../../../src/features/history/runFileName.ts';
import type { HistoryEntry } from '../../../src/host/history.ts';
import { keptRun } from '../../fixtures/keptRun.ts';

function entry(id: string, parentId?: string): HistoryEntry {
  return { file: id, run: keptRun({ id, branch: parentId === undefined ? null : { parentId, index: 1, change: { kind: 'passes', iterCount: 2 } } }) };
}

const rows = (...entries: readonly HistoryEntry[]): string[] => historyRows(entries).map(({ entry: { run }, depth }) => `${'-'.repeat(depth)}${run.id}`);

describe('the history', () => {
  it('has each branch below its parent, as deep as it is, in the order of their making; problems the newest first', () => {
    expect(rows(entry('b2', 'a'), entry('c'), entry('b1b', 'b1'), entry('b1', 'a'), entry('a'))).toEqual(['c', 'a', '-b1', '--b1b', '-b2']);
  });

  it('shows a branch whose parent is gone, and loses none to a circle', () => {
    expect(rows(entry('b', 'gone'), entry('a'))).toEqual(['b', 'a']);
    expect(rows(entry('x', 'y'), entry('y', 'x'), entry('z', 'z')).map((row) => row.replace('-', '')).sort()).toEqual(['x', 'y', 'z']);
  });
});

describe('the name of a saved run', () => {
  const named = (problem: string): string => runFileName({ problem, createdAt: '2026-01-02T03:04:05.678Z' });

  it('is made of words of the problem, in any script, and is a name on every system', () => {
    expect(named('Solve 3x + 5 = 20 for x')).toBe('solve-3x-5-20-for-x.tahrun.json');
    expect(named('Löse ∫x²: "a/b\\c"?')).toBe('löse-x²-a-b-c.tahrun.json');
    expect(named('求解方程')).toBe('求解方程.tahrun.json');
  });

  it('is short, whole in its characters, and never empty', () => {
    expect(named('𝑥'.repeat(200))).toBe(`${'𝑥'.repeat(48)}.tahrun.json`);
    expect(named('+ / -')).toBe('run-2026-01-02.tahrun.json');
    expect(named('../../etc/passwd')).toBe('etc-passwd.tahrun.json');
  });
});
