/**
 * The graph that makes several passes in one run draws the tokens that the step graph and the engine draw, one by one:
 * on the CPU, with golden checkpoints (one, two and three passes) and the bundled one, greedy and sampled.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { generate } from '../../../src/engine/generate.ts';
import { LoadedModel } from '../../../src/engine/loadedModel.ts';
import { GREEDY, type GenerateEvent, type GenerateRequest, type SamplingOptions, type ThinkingPolicy, type TokenEvent } from '../../../src/protocol/engine.ts';
import { TahError } from '../../../src/protocol/errors.ts';
import { importTinyModel, TINY_CHECKPOINT, type TinyModel } from '../../fixtures/tinyModel.ts';

const VECTORS = path.join(import.meta.dirname, '../../golden/vectors');
const BUNDLED = path.join(import.meta.dirname, '../../../models/tah-math-small/checkpoint');

interface Pair {
  readonly folder: TinyModel;
  readonly stepwise: LoadedModel;
  readonly inBlocks: LoadedModel;
}
const pairs: Pair[] = [];

async function pairOf(checkpoint: string): Promise<Pair> {
  const folder = await importTinyModel('fp32', checkpoint);
  const stepwise = await LoadedModel.open(folder.dir, 'cpu');
  const inBlocks = await LoadedModel.open(folder.dir, 'cpu', () => Promise.resolve({ provider: 'cpu', flavour: 'cuda', reason: 'test', rejected: [] }));
  expect([stepwise.session.loops, inBlocks.session.loops]).toEqual([false, true]);
  const pair = { folder, stepwise, inBlocks };
  pairs.push(pair);
  return pair;
}

let two: Pair;
let three: Pair;
let plain: Pair;
let bundled: Pair;
beforeAll(async () => {
  two = await pairOf(TINY_CHECKPOINT);
  three = await pairOf(path.join(VECTORS, 'tiny-untied/ckpt'));
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-plain-'));
  for (const name of ['config.json', 'model.safetensors']) fs.copyFileSync(path.join(VECTORS, 'tiny-llama/ckpt', name), path.join(base, name));
  plain = await pairOf(base);
  fs.rmSync(base, { recursive: true });
  bundled = await pairOf(BUNDLED);
});
afterAll(async () => {
  for (const { folder, stepwise, inBlocks } of pairs) {
    await stepwise.close();
    await inBlocks.close();
    folder.remove();
  }
});

const promptOf = (length: number, seed: number): number[] => Array.from({ length }, (_, i) => 20 + (((i + seed) * (37 + 2 * seed)) % 230));

async function run(model: LoadedModel, changes: Partial<GenerateRequest>, signal?: AbortSignal): Promise<{ tokens: TokenEvent[]; end: Extract<GenerateEvent, { type: 'end' }> | undefined }> {
  const request: GenerateRequest = { model: model.info.path, prompt: { kind: 'tokens', ids: promptOf(9, 1) }, policy: { kind: 'decider' }, sampling: GREEDY, maxTokens: 24, ...changes };
  const events: GenerateEvent[] = [];
  for await (const event of generate(model, request, 0, signal)) events.push(event);
  const end = events.at(-1);
  return { tokens: events.flatMap((event) => (event.type === 'token' ? [event.token] : [])), end: end?.type === 'end' ? end : undefined };
}

/** Same tokens and passes; the numbers of a view agree as far as the order of float32 sums lets them. */
async function expectSame({ stepwise, inBlocks }: Pair, changes: Partial<GenerateRequest>): Promise<TokenEvent[]> {
  const [theirs, ours] = [await run(stepwise, changes), await run(inBlocks, changes)];
  expect(ours.tokens.map(({ id, iterCount, text, special }) => [id, iterCount, text, special])).toEqual(theirs.tokens.map(({ id, iterCount, text, special }) => [id, iterCount, text, special]));
  expect(ours.end?.reason).toBe(theirs.end?.reason);
  expect(ours.end?.stats.passes).toBe(theirs.end?.stats.passes);
  ours.tokens.forEach((token, i) => {
    const other = theirs.tokens[i];
    const numbers = ({ continueProbability, logprob, entropyBefore, entropyAfter, before, after }: TokenEvent): (number | null)[] => [
      ...continueProbability, logprob, entropyBefore, entropyAfter, ...[...before, ...after].map((candidate) => candidate.logprob),
    ];
    const expected = other === undefined ? [] : numbers(other);
    expect(numbers(token)).toHaveLength(expected.length);
    numbers(token).forEach((value, n) => { expect(value).toBeCloseTo(expected[n] ?? NaN, 2); });
    expect(token.before.map(({ id }) => id).slice(0, 3)).toEqual(other?.before.map(({ id }) => id).slice(0, 3));
  });
  return ours.tokens;
}

const SAMPLINGS: readonly SamplingOptions[] = [
  { temperature: 0.6, topK: 20, topP: 0.95, minP: 0, seed: 7 },
  { temperature: 1.5, topK: 15, topP: 0.8, minP: 0.02, seed: 2 ** 40 + 3 },
  { temperature: 3, topK: 19, topP: 1, minP: 0, seed: 0 },
  { temperature: 1, topK: 10, topP: 0.3, minP: 0.1, seed: 99 },
];

describe('decoding in blocks', () => {
  it.each([{ kind: 'decider' }, { kind: 'decider', threshold: 0.2 }, { kind: 'always' }, { kind: 'never' }] satisfies ThinkingPolicy[])('draws greedily what single passes draw: $kind', async (policy) => {
    for (const seed of [1, 3]) {
      const prompt = { kind: 'tokens', ids: promptOf(7 + 50 * seed, seed) } as const;
      await expectSame(two, { prompt, policy });
      await expectSame(three, { prompt, policy });
    }
  });

  it.each(SAMPLINGS)('draws with temperature $temperature, top-k $topK, top-p $topP, min-p $minP what the engine draws', async (sampling) => {
    for (const seed of [0, 1]) {
      const request = { sampling: { ...sampling, seed: sampling.seed + seed }, prompt: { kind: 'tokens', ids: promptOf(9, seed) } } as const;
      const tokens = [await expectSame(two, request), await expectSame(three, request)].flat();
      expect(new Set(tokens.map(({ id }) => id)).size).toBeGreaterThan(2);
    }
  });

  it('goes on with second passes inside a block, and some of a model with three passes have a third', async () => {
    expect((await expectSame(two, {})).some(({ iterCount }) => iterCount === 2)).toBe(true);
    const counts = (await expectSame(three, { policy: { kind: 'decider', threshold: 0.1 } })).map(({ iterCount }) => iterCount);
    expect(counts).toContain(3);
  });

  it.each([
    ['quick', 0, 6],
    ['slow', 400, 26],
  ] as const)('makes longer blocks where runs are %s, and the same tokens', async (_, msPerLook, mostRuns) => {
    let clock = 0;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => (clock += msPerLook));
    const runs = vi.spyOn(two.inBlocks.session, 'run');
    try {
      expect(await expectSame(two, {})).toHaveLength(24);
      // One for the prompt (and its second passes), then blocks of 2, 4, 8, … or of 1.
      expect(runs.mock.calls.length).toBeLessThanOrEqual(mostRuns);
      expect(runs.mock.calls.length).toBeGreaterThan(mostRuns / 2);
    } finally {
      now.mockRestore();
      runs.mockRestore();
    }
  });

  it('runs a plain model', async () => {
    await expectSame(plain, { policy: { kind: 'never' } });
    await expectSame(plain, { policy: { kind: 'never' }, sampling: SAMPLINGS[0] ?? GREEDY });
  });

  it('solves with the bundled model what single passes solve, and ends with its stop token', async () => {
    for (const content of ['Solve 3x + 5 = 20 for x', '12 + 7']) {
      const prompt = { kind: 'chat', messages: [{ role: 'user', content }] } as const;
      const tokens = await expectSame(bundled, { prompt, maxTokens: 200 });
      expect(tokens.at(-1)?.special).toBe(true);
    }
  });

  it('ends at the limit of tokens and of the context, and after forced tokens', async () => {
    for (const maxTokens of [1, 2, 3, 9]) expect(await expectSame(two, { maxTokens })).toHaveLength(maxTokens);
    const whole = await expectSame(two, { prompt: { kind: 'tokens', ids: promptOf(480, 3) }, maxTokens: 100 });
    expect(whole).toHaveLength(32);
    await expectSame(two, { forced: [40, 41, 42, 43, 44], maxTokens: 30 });
  });

  it('leaves to single passes what a block can not do: given depths, and draws from the whole vocabulary', async () => {
    await expectSame(two, { policy: { kind: 'depths', iterCounts: new Array<number>(60).fill(2) }, maxTokens: 12 });
    await expectSame(two, { sampling: { temperature: 2, topK: 0, topP: 0.9, minP: 0, seed: 4 }, maxTokens: 12 });
  });

  it('stops between blocks when it is cancelled', async () => {
    const abort = new AbortController();
    const runs = vi.spyOn(two.inBlocks.session, 'run');
    const request: GenerateRequest = { model: two.folder.dir, prompt: { kind: 'tokens', ids: promptOf(20, 5) }, policy: { kind: 'decider' }, sampling: GREEDY, maxTokens: 400 };
    let tokens = 0;
    const reading = async (): Promise<void> => {
      for await (const event of generate(two.inBlocks, request, 0, abort.signal)) {
        if (event.type === 'token' && ++tokens === 3) abort.abort();
      }
    };
    const error: unknown = await reading().then(() => null, (reason: unknown) => reason);
    expect(error instanceof TahError && error.code).toBe('cancelled');
    expect(tokens).toBeLessThan(3 + 8);
    expect(runs.mock.calls.length).toBeLessThan(8);
    runs.mockRestore();
  });
});
