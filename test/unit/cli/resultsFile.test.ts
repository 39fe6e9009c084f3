// Results of an evaluation that outlive it: nothing is solved twice, nothing of other settings is taken, half a line is done again.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ResultsFile } from '../../../src/cli/resultsFile.ts';
import type { ProblemResult } from '../../../src/eval/evaluate.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'tah-results-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

const result = (id: string): ProblemResult => ({
  id, family: 'all', question: 'naïve ÷', reference: '1', text: 't', answer: '1', exact: true, refused: false, outside: null, check: { state: 'unchecked', reason: 'r' },
  wrongButVerified: false, secondPasses: { sent: 0, kept: 0, changed: 0, changedThePick: 0 }, stats: null, thresholds: null, endReason: 'stop-token', error: null,
});

describe('ResultsFile', () => {
  it('gives back what was kept, and goes on behind a line that was cut off', () => {
    const file = path.join(folder, 'new', 'a.jsonl');
    const first = new ResultsFile(file, { model: 'm' });
    first.add(result('1'));
    first.add(result('2'));
    first.add(result('2'));
    appendFileSync(file, '{"id":"3","fam');
    const second = new ResultsFile(file, { model: 'm' });
    expect([...second.done.keys()]).toEqual(['1', '2']);
    second.add(result('3'));
    expect([...new ResultsFile(file, { model: 'm' }).done.values()]).toEqual([result('1'), result('2'), result('3')]);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(5);
  });

  it('refuses results of other settings, and a file that holds something else, and leaves both as they are', () => {
    const file = path.join(folder, 'b.jsonl');
    new ResultsFile(file, { model: 'm' }).add(result('1'));
    const before = readFileSync(file, 'utf8');
    expect(() => new ResultsFile(file, { model: 'other' })).toThrow(/another model, task or setting/);
    expect(readFileSync(file, 'utf8')).toBe(before);
    writeFileSync(file, `${before}no result\n`);
    expect(() => new ResultsFile(file, { model: 'm' })).toThrow(/no result: no result/);
  });
});
