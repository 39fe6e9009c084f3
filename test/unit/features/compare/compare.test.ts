/** Guards against runs that overlap and so measure each other, a stop that starts the next run, and costs that count a pass twice. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { estimateFlops, snapshotOf } from '../../../../src/features/compare/columns.ts';
import { Comparisons } from '../../../../src/features/compare/comparisons.ts';
import type { ComparisonPlan } from '../../../../src/features/compare/comparisons.ts';
import { flopsOf, readShape } from '../../../../src/features/compare/flops.ts';
import { placing } from '../../../../src/features/compare/placing.ts';
import { readSubject } from '../../../../src/features/compare/subject.ts';
import { markOf, Origins } from '../../../../src/host/origins.ts';
import { LONGEST_PROBLEM } from '../../../../src/host/problem/problem.ts';
import { Runs } from '../../../../src/host/runs.ts';
import { scriptPage } from '../../../../src/host/webviewPage.ts';
import { readComparisonMessage } from '../../../../src/protocol/comparison.ts';
import type { GenerateRequest } from '../../../../src/protocol/engine.ts';
import { TahError } from '../../../../src/protocol/errors.ts';
import { FakeEngine } from '../../eval/fakeEngine.ts';

const PROBLEM = 'Solve 3x = 15';

function setUp(script: Readonly<Record<string, string>>): { runs: Runs; comparisons: Comparisons; requests: readonly GenerateRequest[]; overlaps: number[] } {
  const engine = new FakeEngine(script);
  const overlaps: number[] = [];
  let running = 0;
  const watched = {
    measure: engine.measure.bind(engine),
    async *generate(request: GenerateRequest, signal?: AbortSignal) {
      overlaps.push(++running);
      try {
        yield* engine.generate(request, signal);
      } finally {
        running--;
      }
    },
  };
  const fail = (error: unknown): never => {
    throw error;
  };
  const runs = new Runs({ engine: watched, extractAnswer: () => null, checkAnswer: () => Promise.resolve({ state: 'unchecked', reason: '' }), onError: fail, frameMs: 1 });
  return { runs, comparisons: new Comparisons(runs, fail), requests: engine.requests, overlaps };
}

const plan: ComparisonPlan = {
  kind: 'solve',
  problem: PROBLEM,
  runs: [{ role: 'never', policy: { kind: 'never' } }, { role: 'decider', policy: { kind: 'decider' } }, { role: 'always', policy: { kind: 'always' } }],
  request: ({ policy }, comparison) => ({ problem: PROBLEM, model: '/m', policy, maxTokens: 50, comparison }),
};

describe('a comparison', () => {
  it('runs one policy after the other, each of its own role', async () => {
    const { runs, comparisons, requests, overlaps } = setUp({ [PROBLEM]: 'x = 5 ' });
    const id = comparisons.start(plan);
    expect(comparisons.get(id)?.columns.map(({ runId }) => runId !== null)).toEqual([true, false, false]);
    await comparisons.whenFinished(id);
    expect(overlaps).toEqual([1, 1, 1]);
    expect(requests.map(({ policy }) => policy.kind)).toEqual(['never', 'decider', 'always']);
    const columns = comparisons.get(id)?.columns ?? [];
    expect(columns.map(({ runId }) => runs.get(runId ?? '')?.comparison)).toEqual(['never', 'decider', 'always'].map((role) => ({ id, role })));
    expect(comparisons.of(columns[2]?.runId ?? '')).toEqual({ id, role: 'always' });
  });

  it.each(['document', 'run'])('has every run at the place of the problem in a %s, as edits between the runs have moved it', async (kind) => {
    const { runs, comparisons } = setUp({ [PROBLEM]: 'x = 5 ' });
    const origins = new Origins();
    const origin = { uri: 'file:///a.md', start: 4, offset: 4 + PROBLEM.length, text: markOf(PROBLEM) };
    origins.set('earlier', origin);
    const place = placing(origins, kind === 'run' ? { runId: 'earlier' } : origin);
    const id = comparisons.start({
      ...plan,
      onStart: (runId) => {
        place(runId);
        origins.applyEdits(origin.uri, [{ offset: 0, removed: 0, inserted: 1 }]);
      },
    });
    await comparisons.whenFinished(id);
    const starts = (comparisons.get(id)?.columns ?? []).map(({ runId }) => origins.get(runId ?? '')?.start);
    expect(starts).toEqual([7, 7, 7]);
    expect(runs.ids()).toHaveLength(3);
  });

  it('stopped during its first run starts no other', async () => {
    const { runs, comparisons, requests } = setUp({ [PROBLEM]: 'a '.repeat(50) });
    const id = comparisons.start(plan);
    comparisons.stop(id);
    await comparisons.whenFinished(id);
    expect(requests.length).toBeLessThanOrEqual(1);
    const known = comparisons.get(id);
    const snapshot = known === null ? null : snapshotOf(known, (runId) => runs.get(runId), () => null);
    expect(snapshot?.columns.map(({ state }) => state)).toEqual(['stopped', 'skipped', 'skipped']);
  });

  it('whose first run fails does not fail twice more', async () => {
    const { runs, comparisons, requests } = setUp({ [PROBLEM]: 'broken' });
    const id = comparisons.start(plan);
    await comparisons.whenFinished(id);
    expect(requests).toHaveLength(1);
    const known = comparisons.get(id);
    const snapshot = known === null ? null : snapshotOf(known, (runId) => runs.get(runId), () => null);
    expect(snapshot?.columns.map(({ state, error }) => [state, error?.code])).toEqual([['failed', 'engine.crashed'], ['skipped', undefined], ['skipped', undefined]]);
  });

  it('sends tokens without their candidates', async () => {
    const { runs, comparisons } = setUp({ [PROBLEM]: 'x = 5! ' });
    const id = comparisons.start(plan);
    await comparisons.whenFinished(id);
    const known = comparisons.get(id);
    const snapshot = known === null ? null : snapshotOf(known, (runId) => runs.get(runId), (run) => estimateFlops({ t: (text) => text }, { parameters: 10, layers: 1, heads: 1, headDim: 1 }, run));
    expect(snapshot?.columns[1]?.tokens).toEqual([
      { id: 1, text: 'x ', iterCount: 1, right: true, logprob: -1 },
      { id: 1, text: '= ', iterCount: 1, right: true, logprob: -1 },
      { id: 1, text: '5 ', iterCount: 2, right: false, logprob: -1 },
    ]);
    expect(snapshot?.columns[1]?.flops?.flops).toBeGreaterThan(0);
  });
});

describe('operations', () => {
  const shape = { parameters: 100, layers: 2, heads: 3, headDim: 4 };
  const prompt = (counts: readonly number[]): { position: number; iterCount: number; id: number; text: string; continueProbability: number[] }[] => counts.map((iterCount, position) => ({ position, iterCount, id: 0, text: '', continueProbability: [] }));
  const token = (position: number, iterCount: number) => ({ index: 0, position, id: 0, text: '', iterCount, continueProbability: [], before: [], after: [], logprob: null, entropyBefore: null, entropyAfter: null, elapsedMs: null, special: false });
  const pass = (position: number): number => 200 + 96 * (position + 1);

  it('count each pass of prompt and text once, and attention by position', () => {
    // The first token's prediction is the pass of the prompt's last row.
    expect(flopsOf(shape, { prompt: prompt([1, 2]), tokens: [token(2, 2), token(3, 1)] })).toBe(pass(0) + 2 * pass(1) + pass(2));
  });

  it('of a measured text count the row before its first token, which the prompt does not', () => {
    expect(flopsOf(shape, { prompt: prompt([0]), tokens: [token(1, 2), token(2, 1)] })).toBe(2 * pass(0) + pass(1));
  });

  it('are not estimated without the shape of the model', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tah-shape-'));
    expect(await readShape(folder)).toBeNull();
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ architecture: { parameters: 5, layers: 1, heads: 1 } }));
    expect(await readShape(folder)).toBeNull();
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ architecture: { parameters: 5, layers: 1, heads: 1, headDim: 8, kind: 'qwen3' } }));
    expect(await readShape(folder)).toEqual({ parameters: 5, layers: 1, heads: 1, headDim: 8 });
    rmSync(folder, { recursive: true });
  });
});

describe('what is compared', () => {
  const none = { get: (): null => null };

  it('is a problem, a given text, or that of a run', async () => {
    const { runs } = setUp({ [PROBLEM]: 'x ' });
    const id = runs.start({ problem: PROBLEM, model: '/m', policy: { kind: 'never' }, maxTokens: 5 });
    await runs.whenFinished(id);
    expect(readSubject(` ${PROBLEM}\n`, none)).toEqual({ kind: 'solve', text: PROBLEM });
    expect(readSubject({ text: ' given ' }, none)).toEqual({ kind: 'measure', text: ' given ' });
    expect(readSubject({ runId: id }, runs)).toEqual({ kind: 'solve', text: PROBLEM });
    expect(readSubject(undefined, none)).toBeNull();
  });

  it.each([['  ', 'input.empty'], ['\u0000', 'input.bad-file'], ['a'.repeat(LONGEST_PROBLEM + 1), 'engine.context-too-long'], [{ runId: 'gone' }, 'input.empty']])('is refused where there is nothing to compare (%#)', (given, code) => {
    let thrown: unknown = null;
    try {
      readSubject(given, none);
    } catch (error) {
      thrown = error;
    }
    expect(TahError.from(thrown).code).toBe(code);
  });
});

describe('the page of the comparison', () => {
  it('allows nothing but its own script and styles, and its addresses stay in their attributes', () => {
    const page = scriptPage({ nonce: 'n1', cspSource: 'https://cdn', script: 'https://x/a.js?"><script>', styles: ['https://x/a.css'], language: 'de', title: '<b>' });
    expect(page).toContain("default-src 'none'; style-src https://cdn; font-src https://cdn; script-src &#39;nonce-n1&#39;".replaceAll('&#39;', "'"));
    expect(page).not.toMatch(/style=|<style|unsafe|<b>/);
    expect(page.match(/<script/g)).toHaveLength(1);
  });

  it.each([null, 5, {}, { type: 'stop' }, { type: 'stop', id: 5 }, { type: 'again', kind: 'x', problem: 'a' }, { type: 'ready', id: 3, runs: [] }, { type: 'heatmap' }])('is not obeyed when it says something else: %j', (value) => {
    expect(readComparisonMessage(value)).toBeNull();
  });

  it('is obeyed in what a user can do', () => {
    expect(readComparisonMessage({ type: 'ready', id: null, runs: ['a', 3] })).toEqual({ type: 'ready', id: null, runs: ['a'] });
    expect(readComparisonMessage({ type: 'again', kind: 'solve', problem: 'p', extra: 1 })).toEqual({ type: 'again', kind: 'solve', problem: 'p' });
  });
});
