/** Runs that overlap on one engine, and models with three passes or one, at the borders of chunks. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { Forward, type RowResult } from '../../../src/engine/forward.ts';
import { LoadedModel } from '../../../src/engine/loadedModel.ts';
import { openModelFolder } from '../../../src/engine/modelFolder.ts';
import { GREEDY, type EngineApi, type GenerateEvent, type ThinkingPolicy, type TokenEvent } from '../../../src/protocol/engine.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

const VECTORS = path.join(import.meta.dirname, '../../golden/vectors');
let tied: TinyModel;
let three: TinyModel;
let plain: TinyModel;

beforeAll(async () => {
  tied = await importTinyModel();
  three = await importTinyModel('fp32', path.join(VECTORS, 'tiny-untied/ckpt'));
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-plain-'));
  for (const name of ['config.json', 'model.safetensors']) fs.copyFileSync(path.join(VECTORS, 'tiny-llama/ckpt', name), path.join(base, name));
  plain = await importTinyModel('fp32', base);
  fs.rmSync(base, { recursive: true });
});
afterAll(() => {
  for (const model of [tied, three, plain]) model.remove();
});

const promptOf = (length: number): number[] => Array.from({ length }, (_, i) => 20 + ((i * 37) % 250));

function generate(engine: EngineApi, model: TinyModel, policy: ThinkingPolicy, maxTokens = 12, signal?: AbortSignal): AsyncIterable<GenerateEvent> {
  return engine.generate({ model: model.dir, prompt: { kind: 'tokens', ids: promptOf(9) }, policy, sampling: GREEDY, maxTokens }, signal);
}

async function tokensOf(events: AsyncIterable<GenerateEvent>): Promise<TokenEvent[]> {
  const tokens: TokenEvent[] = [];
  for await (const event of events) if (event.type === 'token') tokens.push(event.token);
  return tokens;
}

const ids = (tokens: readonly TokenEvent[]): number[] => tokens.map((token) => token.id);

describe('one engine, several callers', () => {
  it('gives two runs at once what each gives alone, on one model and on two', async () => {
    const engine = createEngine();
    const alone = { tied: ids(await tokensOf(generate(engine, tied, { kind: 'decider' }))), three: ids(await tokensOf(generate(engine, three, { kind: 'decider' }))) };
    const [a, b, c] = await Promise.all([
      tokensOf(generate(engine, tied, { kind: 'decider' })),
      tokensOf(generate(engine, tied, { kind: 'decider' })),
      tokensOf(generate(engine, three, { kind: 'decider' })),
    ]);
    expect([ids(a), ids(b), ids(c)]).toEqual([alone.tied, alone.tied, alone.three]);
    await engine.unload();
  });

  it.each(['unload', 'load'] as const)('does not close the session under a run when another caller asks to %s', async (what) => {
    const engine = createEngine();
    const whole = ids(await tokensOf(generate(engine, tied, { kind: 'decider' }, 24)));
    const tokens: number[] = [];
    let other: Promise<unknown> = Promise.resolve();
    for await (const event of generate(engine, tied, { kind: 'decider' }, 24)) {
      if (event.type === 'start') other = what === 'unload' ? engine.unload() : engine.load(three.dir);
      if (event.type === 'token') tokens.push(event.token.id);
    }
    await other;
    expect(tokens).toEqual(whole);
    expect((await engine.status()).loaded?.model.path ?? null).toBe(what === 'unload' ? null : three.dir);
    await engine.unload();
  });

  it('a run that waits for its model can be stopped while it waits', async () => {
    const engine = createEngine();
    const running = generate(engine, tied, { kind: 'decider' }, 24)[Symbol.asyncIterator]();
    await running.next();
    await running.next();
    const stop = new AbortController();
    const waiting = tokensOf(generate(engine, three, { kind: 'decider' }, 4, stop.signal));
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await running.return?.();
    await engine.unload();
  });
});

describe('models with three passes, and with one', () => {
  const POLICIES: readonly ThinkingPolicy[] = [
    { kind: 'never' },
    { kind: 'always' },
    { kind: 'decider' },
    { kind: 'decider', threshold: 0.2 },
    { kind: 'depths', iterCounts: [1, 2, 3, null, 9, 0, -4] },
    { kind: 'oracle', labels: [1, 2, 3, 0, -100, 9] },
  ];

  it.each(POLICIES)('prefill in one piece, in chunks and token by token agree: %j', async (policy) => {
    const model = await LoadedModel.open(three.dir, 'cpu');
    const prompt = promptOf(20);
    const rows = async (chunk: number): Promise<RowResult[]> => {
      const forward = new Forward(model.session, model.manifest);
      const all: RowResult[] = [];
      for (let from = 0; from < prompt.length; from += chunk) all.push(...(await forward.run({ ids: prompt.slice(from, from + chunk), policy, track: 'all' })));
      return all;
    };
    const whole = await rows(20);
    for (const pieces of [await rows(7), await rows(1)]) {
      expect(pieces.map((row) => row.iterCount)).toEqual(whole.map((row) => row.iterCount));
      pieces.forEach((row, i) => {
        const largest = Math.max(...(row.finalLogits ?? []).map((value, j) => Math.abs(value - (whole[i]?.finalLogits?.[j] ?? NaN))));
        // Float32 noise of other row counts grows over positions and passes (1.6e-3 seen with AVX2 kernels); a wrong mask or slot gives more than 0.1.
        expect(largest).toBeLessThan(5e-3);
      });
    }
    await model.close();
  });

  it.each([255, 256, 257])('a prompt of %i tokens generates what its rows one by one do', async (length) => {
    const model = await LoadedModel.open(tied.dir, 'cpu');
    const prompt = promptOf(length);
    const events = createEngine().generate({ model: tied.dir, prompt: { kind: 'tokens', ids: prompt }, policy: { kind: 'decider' }, sampling: GREEDY, maxTokens: 1 });
    const [token] = await tokensOf(events);
    const forward = new Forward(model.session, model.manifest);
    let last: RowResult | undefined;
    for (const id of prompt) last = (await forward.run({ ids: [id], policy: { kind: 'decider' }, track: 'last' }))[0];
    expect(token?.id).toBe(last?.finalTop?.ids[0]);
    expect(token?.iterCount).toBe(last?.iterCount);
    await model.close();
  });

  it('a plain model takes one pass and refuses to always think twice', async () => {
    const engine = createEngine();
    const tokens = await tokensOf(generate(engine, plain, { kind: 'decider' }));
    expect(tokens.every((token) => token.iterCount === 1 && token.continueProbability.length === 0)).toBe(true);
    await expect(tokensOf(generate(engine, plain, { kind: 'always' }))).rejects.toMatchObject({ code: 'model.no-decider' });
    await engine.unload();
  });

  it('the last token that fits ends a run at the context limit', async () => {
    const engine = createEngine();
    const { contextLength } = openModelFolder(tied.dir).info;
    const run = (length: number): AsyncIterable<GenerateEvent> =>
      engine.generate({ model: tied.dir, prompt: { kind: 'tokens', ids: promptOf(length) }, policy: { kind: 'never' }, sampling: GREEDY, maxTokens: 50, forced: [30] });
    let reason: string | undefined;
    for await (const event of run(contextLength - 1)) if (event.type === 'end') reason = event.reason;
    expect(reason).toBe('context-limit');
    await expect(tokensOf(run(contextLength))).rejects.toMatchObject({ code: 'engine.context-too-long' });
    await engine.unload();
  });
});
