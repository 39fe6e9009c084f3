/** First passes that ride along with a second one: with right guesses, wrong ones and none, the same results as one pass after another. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { Forward, type RowResult } from '../../../src/engine/forward.ts';
import { LoadedModel } from '../../../src/engine/loadedModel.ts';
import { sample } from '../../../src/engine/sampling.ts';
import { GREEDY, type SamplingOptions, type ThinkingPolicy, type TokenEvent } from '../../../src/protocol/engine.ts';
import { importGolden, type TinyModel } from '../../fixtures/tinyModel.ts';

const NAMES = ['tiny-tied', 'tiny-untied', 'tiny-llama', 'tiny-tied, int8 cache', 'tiny-llama, int8 cache'] as const;
const POLICIES: readonly ThinkingPolicy[] = [{ kind: 'decider' }, { kind: 'decider', threshold: 0.3 }, { kind: 'always' }, { kind: 'never' }];
const SAMPLED: SamplingOptions = { temperature: 0.8, topK: 40, topP: 0.95, minP: 0, seed: 7 };

/** Largest difference of two logits where nothing is rounded but float32's last bits. */
const EXACT = 3e-3;

/** Passes that no test had to run, because they had ridden along. */
let saved = 0;

const models = new Map<string, { readonly folder: TinyModel; readonly loaded: LoadedModel }>();

beforeAll(async () => {
  for (const name of NAMES) {
    const folder = await importGolden(name);
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

/** Tokens before the first one that another decoding draws otherwise, where the logits of the two are no further apart than they may be. */
function beforeNearTie(ids: readonly number[], plain: { readonly ids: readonly number[]; readonly rows: readonly RowResult[] }, largest: number): number {
  const first = ids.findIndex((id, i) => id !== plain.ids[i]);
  if (first === -1) return ids.length;
  const logits = plain.rows[first - 1]?.finalLogits;
  const gap = (logits?.[plain.ids[first] ?? -1] ?? NaN) - (logits?.[ids[first] ?? -1] ?? NaN);
  return gap < largest ? first : ids.length;
}

/**
 * @param largest difference of two logits. Rows that share a run may take other kernels: the last bits differ, and three
 *   depths of a random model blow them up; where keys and values are codes, a last bit can turn one code into the next.
 */
function expectSame(actual: readonly RowResult[], expected: readonly RowResult[], largest = EXACT): void {
  expect(actual.map(({ position, iterCount }) => [position, iterCount])).toEqual(expected.map(({ position, iterCount }) => [position, iterCount]));
  actual.forEach((row, i) => {
    const other = expected[i];
    row.probabilities.forEach((p, k) => { expect(Math.abs(p - (other?.probabilities[k] ?? NaN))).toBeLessThan(largest / 60); });
    expect(row.firstTop?.ids.slice(0, 3)).toEqual(other?.firstTop?.ids.slice(0, 3));
    const found = Math.max(...Array.from(row.finalLogits ?? [], (value, v) => Math.abs(value - (other?.finalLogits?.[v] ?? NaN))));
    expect(found).toBeLessThan(largest);
  });
}

describe.each(NAMES)('passes run ahead on %s', (name) => {
  const largest = name.endsWith('int8 cache') ? 0.06 : EXACT;
  it.each([['greedy', GREEDY], ['sampled', SAMPLED]] as const)('change nothing, guessed as they are drawn (%s)', async (_, sampling) => {
    for (const policy of POLICIES) {
      const plain = await decode(name, policy, sampling, [5, 17, 40], 30, null);
      const ahead = await decode(name, policy, sampling, [5, 17, 40], 30, (logits, position) => sample(logits, sampling, position));
      expect(ahead.ids).toEqual(plain.ids);
      expectSame(ahead.rows, plain.rows, largest);
      // The last row's guess is for a token that this test does not run.
      const right = plain.rows.slice(0, -1).filter((row, i) => row.iterCount > 1 && row.firstLogits !== null && sample(row.firstLogits, sampling, row.position + 1) === plain.ids[i + 1]);
      saved += right.length;
      expect(plain.passes - ahead.passes).toBe(right.length);
    }
  });

  it('change nothing where guesses are wrong, missing or right by chance: 2 000 tokens of random problems', async () => {
    let compared = 0;
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
      const count = largest > EXACT ? beforeNearTie(ahead.ids, plain, largest) : 40;
      expect(ahead.ids.slice(0, count)).toEqual(plain.ids.slice(0, count));
      expectSame(ahead.rows.slice(0, count - 1), plain.rows.slice(0, count - 1), largest);
      compared += count;
    }
    expect(compared).toBeGreaterThan(largest > EXACT ? 1900 : 1999);
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
