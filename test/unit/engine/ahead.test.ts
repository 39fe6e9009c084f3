/** First passes that ride along with a second one: with right guesses, wrong ones and none, the same results as one pass after another. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { Forward, type RowResult } from '../../../src/engine/forward.ts';
import { LoadedModel } from '../../../src/engine/loadedModel.ts';
import { sample } from '../../../src/engine/sampling.ts';
import { GREEDY, type SamplingOptions, type ThinkingPolicy, type TokenEvent } from '../../../src/protocol/engine.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

const VECTORS = path.join(import.meta.dirname, '../../golden/vectors');
const NAMES = ['tiny-tied', 'tiny-untied', 'tiny-llama'] as const;
const POLICIES: readonly ThinkingPolicy[] = [{ kind: 'decider' }, { kind: 'decider', threshold: 0.3 }, { kind: 'always' }, { kind: 'never' }];
const SAMPLED: SamplingOptions = { temperature: 0.8, topK: 40, topP: 0.95, minP: 0, seed: 7 };

/** Passes that no test had to run, because they had ridden along. */
let saved = 0;

const models = new Map<string, { readonly folder: TinyModel; readonly loaded: LoadedModel }>();

beforeAll(async () => {
  for (const name of NAMES) {
    const folder = await importTinyModel('fp32', path.join(VECTORS, name, 'ckpt'));
    models.set(name, { folder, loaded: await LoadedModel.open(folder.dir, 'auto') });
  }
});
afterAll(async () => {
  expect(saved).toBeGreaterThan(20);
  for (const { folder, loaded } of models.values()) {
    await loaded.close();
    folder.remove();
  }
});

function opened(name: string): { readonly folder: TinyModel; readonly loaded: LoadedModel } {
  const model = models.get(name);
  if (model === undefined) throw new Error(`no model ${name}`);
  return model;
}

/** Numbers that look like chance and are the same each time. */
function* chance(seed: number): Generator<number, never> {
  for (let state = seed; ; ) yield (state = (state * 48271) % 0x7fffffff);
}

type Guess = (firstLogits: Float32Array, position: number) => number | null;

/** Decodes one id after the other; the next one is drawn from the final logits, whatever was guessed. */
async function decode(name: string, policy: ThinkingPolicy, sampling: SamplingOptions, prompt: readonly number[], count: number, guess: Guess | null): Promise<{ rows: RowResult[]; ids: number[]; passes: number }> {
  const { loaded } = opened(name);
  let passes = 0;
  const forward = new Forward(loaded.session, loaded.manifest, () => passes++);
  let row = (await forward.run({ ids: prompt, policy, track: 'last' })).at(-1);
  const rows: RowResult[] = [];
  const ids: number[] = [];
  while (ids.length < count) {
    if (row?.finalLogits == null) throw new Error('not tracked');
    const id = sample(row.finalLogits, sampling, prompt.length + ids.length);
    ids.push(id);
    const position = prompt.length + ids.length;
    row = (await forward.run({ ids: [id], policy, track: 'last', ...(guess === null ? {} : { guess: (logits: Float32Array) => guess(logits, position) }) }))[0];
    if (row !== undefined) rows.push(row);
  }
  return { rows, ids, passes };
}

function expectSame(actual: readonly RowResult[], expected: readonly RowResult[]): void {
  expect(actual.map(({ position, iterCount }) => [position, iterCount])).toEqual(expected.map(({ position, iterCount }) => [position, iterCount]));
  actual.forEach((row, i) => {
    const other = expected[i];
    row.probabilities.forEach((p, k) => { expect(p).toBeCloseTo(other?.probabilities[k] ?? NaN, 4); });
    expect(row.firstTop?.ids.slice(0, 3)).toEqual(other?.firstTop?.ids.slice(0, 3));
    // Rows that share a run may take other kernels: the last bits differ, and three depths of a random model blow them up.
    const largest = Math.max(...Array.from(row.finalLogits ?? [], (value, v) => Math.abs(value - (other?.finalLogits?.[v] ?? NaN))));
    expect(largest).toBeLessThan(3e-3);
  });
}

describe.each(NAMES)('passes run ahead on %s', (name) => {
  it.each([['greedy', GREEDY], ['sampled', SAMPLED]] as const)('change nothing, guessed as they are drawn (%s)', async (_, sampling) => {
    for (const policy of POLICIES) {
      const plain = await decode(name, policy, sampling, [5, 17, 40], 30, null);
      const ahead = await decode(name, policy, sampling, [5, 17, 40], 30, (logits, position) => sample(logits, sampling, position));
      expect(ahead.ids).toEqual(plain.ids);
      expectSame(ahead.rows, plain.rows);
      // The last row's guess is for a token that this test does not run.
      const right = plain.rows.slice(0, -1).filter((row, i) => row.iterCount > 1 && row.firstLogits !== null && sample(row.firstLogits, sampling, row.position + 1) === plain.ids[i + 1]);
      saved += right.length;
      expect(plain.passes - ahead.passes).toBe(right.length);
    }
  });

  it('change nothing where guesses are wrong, missing or right by chance: 2 000 tokens of random problems', async () => {
    const random = chance(NAMES.indexOf(name) + 1);
    const { vocabSize } = opened(name).loaded.manifest.architecture;
    for (let problem = 0; problem < 50; problem++) {
      const prompt = Array.from({ length: 1 + (random.next().value % 12) }, () => random.next().value % vocabSize);
      const policy = POLICIES[problem % 3] ?? { kind: 'always' };
      const plain = await decode(name, policy, GREEDY, prompt, 40, null);
      const ahead = await decode(name, policy, GREEDY, prompt, 40, (logits, position) => {
        const kind = random.next().value % 4;
        return kind === 0 ? null : kind === 1 ? random.next().value % vocabSize : sample(logits, GREEDY, position);
      });
      expect(ahead.ids).toEqual(plain.ids);
      expectSame(ahead.rows, plain.rows);
    }
  }, 120_000);
});

it('a run of the engine has the tokens, scores and passes of one that guesses nothing', async () => {
  const { folder } = opened('tiny-tied');
  const prompt = { kind: 'tokens', ids: [5, 17, 40, 3] } as const;
  for (const [policy, sampling] of [[{ kind: 'always' }, GREEDY], [{ kind: 'decider', threshold: 0.3 }, SAMPLED]] as const) {
    const tokens: TokenEvent[] = [];
    for await (const event of createEngine().generate({ model: folder.dir, prompt, policy, sampling, maxTokens: 25 })) if (event.type === 'token') tokens.push(event.token);
    const plain = await decode('tiny-tied', policy, sampling, prompt.ids, tokens.length - 1, null);
    expect(tokens.slice(0, -1).map((token) => token.id)).toEqual(plain.ids);
    // A token is predicted by the row before it.
    expect(tokens.slice(1).map((token) => token.iterCount)).toEqual(plain.rows.map((row) => row.iterCount));
  }
});

it('a rewind forgets what was run ahead', async () => {
  const { loaded } = opened('tiny-tied');
  const policy: ThinkingPolicy = { kind: 'always' };
  const forward = new Forward(loaded.session, loaded.manifest);
  await forward.run({ ids: [5, 17], policy, track: 'last' });
  await forward.run({ ids: [40], policy, track: 'last', guess: () => 3 });
  forward.rewind(1);
  await forward.run({ ids: [3], policy, track: 'last', guess: () => 9 });
  const after = (await forward.run({ ids: [8, 9], policy, track: 'last' })).at(-1);
  const fresh = (await new Forward(loaded.session, loaded.manifest).run({ ids: [5, 3, 8, 9], policy, track: 'last' })).at(-1);
  expect(forward.position).toBe(4);
  expectSame(after === undefined ? [] : [after], fresh === undefined ? [] : [fresh]);
});
