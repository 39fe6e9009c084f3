// The worker around the check: nothing that stands in a formula may hold up or break the caller.
import { build } from 'esbuild';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyseFormula, checkAnswer, compareAnswers } from '../../../src/answer/checker.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tah-check-'));
const workerPath = path.join(folder, 'checkWorker.cjs');

function fakeWorker(name: string, code: string): string {
  const file = path.join(folder, `${name}.cjs`);
  writeFileSync(file, `const { parentPort } = require('node:worker_threads'); parentPort.on('message', () => { ${code} });`);
  return file;
}

beforeAll(async () => {
  await build({ entryPoints: [path.resolve('src/checkWorker.ts')], outfile: workerPath, bundle: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'error' });
});
afterAll(() => { rmSync(folder, { recursive: true }); });

describe('checkAnswer', () => {
  it('gives the result of the bundled worker, again and again', async () => {
    for (const [answer, state] of [['x = 5', 'verified'], ['x = 4', 'contradicted'], ['x = 5', 'verified']] as const) {
      expect((await checkAnswer('Solve 3x + 5 = 20 for x', answer, { workerPath, timeoutMs: 20_000 })).state).toBe(state);
    }
  });

  it('compares in the worker too, and says nothing when the time is over', async () => {
    expect(await compareAnswers('1/2', '0.5', { workerPath, timeoutMs: 20_000 })).toBe(true);
    expect(await compareAnswers('1/2', '0.6', { workerPath, timeoutMs: 20_000 })).toBe(false);
    expect(await compareAnswers('1', '1', { workerPath: fakeWorker('compareLoop', 'for (;;);'), timeoutMs: 200 })).toBeNull();
  });

  it('keeps apart checks that run at the same time', async () => {
    const answers = Array.from({ length: 6 }, (_, i) => i);
    const checks = await Promise.all(answers.map((i) => checkAnswer(`${i} + 1`, '3', { workerPath, timeoutMs: 20_000 })));
    expect(checks.map((check) => check.state)).toEqual(answers.map((i) => (i === 2 ? 'verified' : 'contradicted')));
  });

  it.each([
    ['9^9^9^9', '1'], ['1', '9^{9^{9^9}}'], ['2^(10^9)', '7'], ['100000! ', '1'], [`${'1+'.repeat(5000)}1`, '5001'], ['('.repeat(10_000), '1'], [`${'('.repeat(4000)}1${')'.repeat(4000)}`, '1'],
    [`Solve ${Array.from({ length: 60 }, (_, i) => `(x+${i})`).join('')} = 0`, 'x = 0'], [`\\sqrt{${'9'.repeat(600)}}`, '3'], [Array.from({ length: 26 }, (_, i) => `(a+b+c+${i})^9`).join(''), '1'],
    ['x'.repeat(10_000), '1'], ['\\frac{'.repeat(2000), '1'], ['sin(10^900)', '0'], ['10^(-10^9)', '0'], ['{'.repeat(9999), '['.repeat(9999)], ['1,'.repeat(5000), '1,'.repeat(5000)], ['convert '.repeat(1200), '1'],
  ])('ends in time for a problem such as %j', async (problem, answer) => {
    const start = performance.now();
    const check = await checkAnswer(problem, answer, { workerPath, timeoutMs: 5000 });
    expect(performance.now() - start).toBeLessThan(6000);
    expect(check.reason).not.toMatch(/check failed/);
    if (!problem.startsWith('1+')) expect(check.state).not.toBe('verified');
  });

  it('stops a worker that runs for ever', async () => {
    const check = await checkAnswer('1', '1', { workerPath: fakeWorker('loop', 'for (;;);'), timeoutMs: 300 });
    expect(check).toEqual({ state: 'unchecked', reason: 'The check took longer than 0.3 seconds and was stopped.', why: [{ kind: 'check-too-slow', args: ['0.3'] }] });
  });

  it.each([
    ['throws', "throw new Error('broken')", /failed: broken/], ['exits', 'process.exit(3)', /exit code 3/], ['says nonsense', "parentPort.postMessage({ state: 'sure' })", /no result/],
    ['eats memory', 'const all = []; for (;;) all.push(new Array(1e5).fill(1.5));', /too much memory/],
  ])('turns a worker that %s into an unchecked answer', async (name, code, reason) => {
    const check = await checkAnswer('1', '1', { workerPath: fakeWorker(name.replace(/ /g, ''), code), timeoutMs: 30_000 });
    expect(check.state).toBe('unchecked');
    expect(check.reason).toMatch(reason);
  });

  it('says that the worker is missing instead of throwing', async () => {
    expect((await checkAnswer('1', '1', { workerPath: path.join(folder, 'nowhere.cjs') })).state).toBe('unchecked');
  });

  it('stops at once when it is aborted, before or while it runs', async () => {
    const abort = new AbortController();
    const running = checkAnswer('1', '1', { workerPath: fakeWorker('wait', ''), timeoutMs: 30_000, signal: abort.signal });
    abort.abort();
    expect(await running).toEqual({ state: 'unchecked', reason: 'The check was stopped.', why: [{ kind: 'check-stopped' }] });
    expect((await checkAnswer('1', '1', { workerPath, signal: abort.signal })).reason).toBe('The check was stopped.');
  });
});

describe('analyseFormula', () => {
  it('gives the facts of the bundled worker, which loads computer algebra only now', async () => {
    expect(await analyseFormula('x^2-5x+6=0', { workerPath, timeoutMs: 60_000 })).toMatchObject({ kind: 'equation', facts: [{ kind: 'solutions', solutions: ['x = 2', 'x = 3'], all: true }] });
  });

  it.each(['9^{9^{9^9}}', String.raw`\sum_{k=1}^{10^{9}} k`, String.raw`\binom{10^6}{5\cdot 10^5}`, String.raw`\frac{1}{`.repeat(150), 'x^{'.repeat(200)])('ends within its time, whatever the formula: %s', async (tex) => {
    const known = await analyseFormula(tex, { workerPath, timeoutMs: 5000 });
    expect([undefined, 'check-too-slow', 'check-out-of-memory']).toContain(known.stopped?.kind);
  });
});
