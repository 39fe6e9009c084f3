import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { ModelStore } from '../../../src/host/models.ts';
import { Runs } from '../../../src/host/runs.ts';
import type { SolveRequest } from '../../../src/host/runs.ts';
import { GREEDY } from '../../../src/protocol/engine.ts';
import type { SamplingOptions, ThinkingPolicy, TokenEvent } from '../../../src/protocol/engine.ts';
import { readBranchChange } from '../../../src/protocol/run.ts';
import type { BranchChange, Run } from '../../../src/protocol/run.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

const VECTORS = path.join(import.meta.dirname, '../../golden/vectors');
let tiny: TinyModel;
/** Up to three passes a token. */
let three: TinyModel;
let plain: TinyModel;
const engine = createEngine();
const runs = new Runs({ engine, extractAnswer: () => null, checkAnswer: () => Promise.reject(new Error('not asked')), onError: (error) => { throw error; } });

beforeAll(async () => {
  tiny = await importTinyModel();
  three = await importTinyModel('fp32', path.join(VECTORS, 'tiny-untied/ckpt'));
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-plain-'));
  for (const name of ['config.json', 'model.safetensors']) fs.copyFileSync(path.join(VECTORS, 'tiny-llama/ckpt', name), path.join(base, name));
  plain = await importTinyModel('fp32', base);
  fs.rmSync(base, { recursive: true });
});
afterAll(async () => {
  await engine.unload();
  for (const model of [tiny, three, plain]) model.remove();
});

const SAMPLED: SamplingOptions = { temperature: 1.2, topK: 50, topP: 1, minP: 0, seed: 11 };
/** In the midst: behind tokens that had a second pass and before others. */
const INDEX = 9;

async function finished(id: string): Promise<Run> {
  await runs.whenFinished(id);
  const run = runs.get(id);
  if (run === null) throw new Error('the run is gone');
  expect(run.error).toBeNull();
  return run;
}

function solve(policy: ThinkingPolicy, sampling: SamplingOptions, changes: Partial<SolveRequest> = {}): Promise<Run> {
  return finished(runs.start({ problem: 'p', prompt: { kind: 'tokens', ids: [163, 28, 147, 181, 407, 176, 209] }, model: tiny.dir, policy, sampling, maxTokens: 24, ...changes }));
}

async function branch(parent: Run, index: number, change: BranchChange): Promise<Run> {
  return finished(runs.branch(parent.id, index, change, { model: parent.model?.path ?? '', maxTokens: 24 }));
}

const timeless = (tokens: readonly TokenEvent[]): unknown[] => tokens.map((token) => ({ ...token, elapsedMs: null }));
const ids = (run: Run): number[] => run.tokens.map((token) => token.id);
const passes = (run: Run): number[] => run.tokens.map((token) => token.iterCount);

function token(run: Run, index: number): TokenEvent {
  const found = run.tokens[index];
  if (found === undefined) throw new Error(`there is no token ${index}`);
  return found;
}

/** What each change would be if it changed nothing. */
function noChanges(parent: Run, index: number): BranchChange[] {
  const { id, text, iterCount } = token(parent, index);
  return [{ kind: 'token', id, text }, { kind: 'passes', iterCount }];
}

describe.each([['greedy', GREEDY], ['sampled', SAMPLED]] as const)('a branch of a %s run', (_name, sampling) => {
  it('that changes nothing is the run again, whatever the policy: tokens, passes, scores and candidates', async () => {
    for (const policy of [{ kind: 'decider' }, { kind: 'never' }, { kind: 'always' }, { kind: 'oracle', labels: [1, 2, 1, 1, 1, 2, 1, 2, 2, 1, 2] }] satisfies ThinkingPolicy[]) {
      const parent = await solve(policy, sampling);
      for (const index of [0, INDEX]) {
        for (const change of noChanges(parent, index)) {
          const again = await branch(parent, index, change);
          expect(timeless(again.tokens), `${JSON.stringify(policy)} ${index} ${change.kind}`).toEqual(timeless(parent.tokens));
          expect(again.prompt.map((row) => row.iterCount)).toEqual(parent.prompt.map((row) => row.iterCount));
          expect(again).toMatchObject({ branch: { parentId: parent.id, index, change }, sampling: parent.sampling, endReason: parent.endReason });
        }
      }
    }
  });

  it('with the threshold that was is the run again; with 0 every later token is sent and no earlier one more', async () => {
    const parent = await solve({ kind: 'decider' }, sampling);
    const threshold = parent.model?.threshold ?? -1;
    expect(timeless((await branch(parent, INDEX, { kind: 'threshold', threshold })).tokens)).toEqual(timeless(parent.tokens));
    const sent = await branch(parent, INDEX, { kind: 'threshold', threshold: 0 });
    expect(timeless(sent.tokens.slice(0, INDEX))).toEqual(timeless(parent.tokens.slice(0, INDEX)));
    expect(passes(sent).slice(INDEX).every((count) => count === 2)).toBe(true);
    expect(passes(parent).slice(0, INDEX)).toContain(1);
    expect(passes(parent).slice(0, INDEX)).toContain(2);
  });

  it('with the second pass forced or skipped differs from that prediction on, and has the same first pass there', async () => {
    const parent = await solve({ kind: 'decider' }, sampling);
    for (const index of [0, 4, INDEX]) {
      const other = token(parent, index).iterCount === 1 ? 2 : 1;
      const turned = await branch(parent, index, { kind: 'passes', iterCount: other });
      expect(timeless(turned.tokens.slice(0, index))).toEqual(timeless(parent.tokens.slice(0, index)));
      expect(token(turned, index).iterCount).toBe(other);
      expect(token(turned, index).before).toEqual(token(parent, index).before);
      expect(token(turned, index).entropyAfter).not.toBe(token(parent, index).entropyAfter);
      expect(turned.prompt.map((row) => row.iterCount).slice(0, -1)).toEqual(parent.prompt.map((row) => row.iterCount).slice(0, -1));
    }
  });

  it('with another token has that token there, predicted as before, and goes on from it', async () => {
    const parent = await solve({ kind: 'decider' }, sampling);
    const was = token(parent, INDEX);
    const other = was.after.find((candidate) => candidate.id !== was.id);
    if (other === undefined) throw new Error('no other candidate');
    const turned = await branch(parent, INDEX, { kind: 'token', id: other.id, text: other.text });
    expect(ids(turned).slice(0, INDEX + 1)).toEqual([...ids(parent).slice(0, INDEX), other.id]);
    expect(token(turned, INDEX)).toMatchObject({ before: was.before, after: was.after, iterCount: was.iterCount });
    expect(token(turned, INDEX + 1).before).not.toEqual(token(parent, INDEX + 1).before);
  });

  it('can be branched from in its turn', async () => {
    const first = await branch(await solve({ kind: 'decider' }, sampling), 3, { kind: 'threshold', threshold: 0.3 });
    for (const change of noChanges(first, INDEX)) expect(timeless((await branch(first, INDEX, change)).tokens)).toEqual(timeless(first.tokens));
    // The threshold of the first branch goes on to hold behind the forced pass.
    const turned = await branch(first, INDEX, { kind: 'passes', iterCount: token(first, INDEX).iterCount === 1 ? 2 : 1 });
    for (const { iterCount, continueProbability } of turned.tokens.slice(INDEX + 1)) expect(iterCount).toBe(Math.fround(continueProbability[0] ?? 0) > Math.fround(0.3) ? 2 : 1);
  });
});

describe('a branch on another kind of model', () => {
  it('can force as many passes as a model of three has', async () => {
    const parent = await solve({ kind: 'decider' }, SAMPLED, { model: three.dir });
    for (const change of noChanges(parent, INDEX)) expect(timeless((await branch(parent, INDEX, change)).tokens)).toEqual(timeless(parent.tokens));
    expect(token(await branch(parent, INDEX, { kind: 'passes', iterCount: 3 }), INDEX).iterCount).toBe(3);
    await expect(branch(parent, INDEX, { kind: 'passes', iterCount: 4 })).rejects.toThrow('from 1 to 3');
  });

  it('of a plain one can take another token, and is told that there is no second pass', async () => {
    const parent = await solve({ kind: 'never' }, SAMPLED, { model: plain.dir, prompt: { kind: 'tokens', ids: [5, 6, 7] } });
    expect(timeless((await branch(parent, INDEX, { kind: 'token', id: token(parent, INDEX).id, text: '' })).tokens)).toEqual(timeless(parent.tokens));
    for (const change of [{ kind: 'passes', iterCount: 1 }, { kind: 'threshold', threshold: 0.5 }] satisfies BranchChange[]) {
      await expect(branch(parent, INDEX, change)).rejects.toMatchObject({ code: 'model.no-decider' });
    }
  });
});

describe('a branch that cannot be', () => {
  it('is refused with what is wrong, and starts nothing', async () => {
    const parent = await solve({ kind: 'decider' }, GREEDY);
    const before = runs.ids().length;
    const attempt = (index: number, change: BranchChange, id = parent.id) => () => runs.branch(id, index, change, { model: tiny.dir, maxTokens: 24 });
    expect(attempt(0, { kind: 'passes', iterCount: 2 }, 'unknown')).toThrow('no longer there');
    for (const index of [-1, 1.5, NaN, parent.tokens.length]) expect(attempt(index, { kind: 'passes', iterCount: 2 })).toThrow(`no token ${index}`);
    for (const threshold of [-0.1, 1.1, NaN]) expect(attempt(1, { kind: 'threshold', threshold })).toThrow('from 0 to 1');
    for (const iterCount of [0, 3, 1.5]) expect(attempt(1, { kind: 'passes', iterCount })).toThrow('from 1 to 2');
    expect(attempt(1, { kind: 'token', id: -4, text: '' })).toThrow('at least 0');
    expect(runs.ids()).toHaveLength(before);
  });

  it('because the vocabulary has no such token fails with its number', async () => {
    const parent = await solve({ kind: 'decider' }, GREEDY);
    const id = runs.branch(parent.id, 1, { kind: 'token', id: 512, text: '?' }, { model: tiny.dir, maxTokens: 24 });
    await runs.whenFinished(id);
    expect(runs.get(id)).toMatchObject({ state: 'failed', error: { code: 'engine.bad-request', message: 'The model has no token 512.' } });
  });

  it('is one of a measured text, or of a run that has no tokens', async () => {
    const failed = runs.start({ problem: 'p', model: '/nowhere', policy: { kind: 'never' }, maxTokens: 2 });
    await runs.whenFinished(failed);
    expect(() => runs.branch(failed, 0, { kind: 'passes', iterCount: 2 }, { model: tiny.dir, maxTokens: 2 })).toThrow('no tokens');
    const measured = runs.start({ kind: 'measure', text: 'x', model: '/nowhere', policy: { kind: 'never' } });
    await runs.whenFinished(measured);
    expect(() => runs.branch(measured, 0, { kind: 'passes', iterCount: 2 }, { model: tiny.dir, maxTokens: 2 })).toThrow('measured');
  });

  it('is one of a run that an endpoint computed', async () => {
    const endpoint = { name: 'lab', host: 'localhost:1', sends: 'logprobs' } as const;
    const remote = new Runs({ engine: { measure: (request) => engine.measure(request), generate: async function* (request) { for await (const event of engine.generate(request)) yield event.type === 'start' ? { ...event, model: { ...event.model, endpoint } } : event; } }, extractAnswer: () => null, checkAnswer: () => Promise.reject(new Error('not asked')), onError: () => undefined });
    const id = remote.start({ problem: 'p', prompt: { kind: 'tokens', ids: [1, 2] }, model: tiny.dir, policy: { kind: 'never' }, maxTokens: 2 });
    await remote.whenFinished(id);
    expect(() => remote.branch(id, 0, { kind: 'passes', iterCount: 2 }, { model: tiny.dir, maxTokens: 2 })).toThrow('the endpoint lab');
  });

  it.each([null, 'passes', {}, { kind: 'passes' }, { kind: 'passes', iterCount: '2' }, { kind: 'threshold', threshold: null }, { kind: 'token', id: 3 }, { kind: 'token', id: 3, text: 'a'.repeat(1001) }, { kind: 'evil', iterCount: 2 }])('is told at the door: %j', (value) => {
    expect(readBranchChange(value)).toBeNull();
  });

  it('a change from outside keeps only what belongs to it', () => {
    expect(readBranchChange({ kind: 'token', id: 3, text: 'a', more: 1 })).toEqual({ kind: 'token', id: 3, text: 'a' });
    expect(readBranchChange({ kind: 'threshold', threshold: 0.5, text: 'a' })).toEqual({ kind: 'threshold', threshold: 0.5 });
    expect(readBranchChange({ kind: 'passes', iterCount: 1, id: 1 })).toEqual({ kind: 'passes', iterCount: 1 });
  });
});

describe('the model of a run', () => {
  const store = (folders: readonly string[]): ModelStore => new ModelStore({ bundled: '/nowhere', imported: '/nowhere', folders: () => folders });

  it('is found by its hash, where it was, by the setting or in a folder of models; the hash is the engine\'s', async () => {
    const { model } = await solve({ kind: 'never' }, GREEDY);
    if (model === null) throw new Error('no model');
    for (const found of [await store([]).withWeightsOf(model, null), await store([]).withWeightsOf({ ...model, path: '' }, tiny.dir), await store([tiny.dir]).withWeightsOf({ ...model, path: '/moved' }, '/other')]) {
      expect(found).toMatchObject({ path: tiny.dir, hash: model.hash });
    }
  });

  it('that is not there, or is another one by now, is named in the refusal', async () => {
    const { model } = await solve({ kind: 'never' }, GREEDY);
    if (model === null) throw new Error('no model');
    await expect(store([tiny.dir]).withWeightsOf({ ...model, name: 'Big', hash: 'f'.repeat(64) }, tiny.dir)).rejects.toMatchObject({ code: 'model.not-found', message: expect.stringContaining('Big (fp32, ffffffffffff)') as string });
    await expect(store([]).withWeightsOf({ ...model, path: '' }, null)).rejects.toMatchObject({ code: 'model.not-found' });
  });
});
