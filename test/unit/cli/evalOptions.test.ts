// Options of `tah eval`: lists are checked where they come in, and options that say nothing together are refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { evalCommand } from '../../../src/cli/evalCommand.ts';
import type { EvalCommand } from '../../../src/cli/evalSettings.ts';
import { listOf, thresholds } from '../../../src/cli/options.ts';
import { createTerminal } from '../../../src/cli/terminal.ts';
import { STUDY_POLICIES } from '../../../src/eval/study.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tah-eval-options-'));
afterAll(() => { rmSync(folder, { recursive: true }); });
const task = path.join(folder, 'task.jsonl');
writeFileSync(task, '{"question":"1+1","answer":"2"}\n');

describe('lists', () => {
  it('of thresholds are numbers from 0 to 1', () => {
    expect(thresholds('0.1,0.3, 1')).toEqual([0.1, 0.3, 1]);
    for (const bad of ['', '0.1,', '2', '-0.1', 'half']) expect(() => thresholds(bad), bad).toThrow(/must/);
  });

  it('of policies are known ones, each once', () => {
    expect(listOf(STUDY_POLICIES)('oracle,never,oracle')).toEqual(['oracle', 'never']);
    expect(() => listOf(STUDY_POLICIES)('never,sometimes')).toThrow(/one of never, decider, always, oracle/);
  });
});

describe('options that go with another way to evaluate', () => {
  const options: EvalCommand = { model: folder, policy: { kind: 'decider' }, sampling: {}, maxTokens: 1, provider: 'cpu', results: false, decider: false, mirror: 'https://example.org' };
  it.each<[string, Partial<EvalCommand>]>([
    ['--policies', { policies: ['never'] }],
    ['--thresholds', { thresholds: [0.5] }],
    ['--resume', { out: path.join(folder, 'out'), resume: path.join(folder, 'results.jsonl') }],
    ['--decider', { out: path.join(folder, 'out'), decider: true }],
  ])('%s is refused', async (option, given) => {
    await expect(evalCommand(task, { ...options, ...given }, createTerminal({}), new AbortController().signal)).rejects.toMatchObject({ code: 'input.bad-option', subject: option });
  });
});
