import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { Forward } from '../../../src/engine/forward.ts';
import { LoadedModel } from '../../../src/engine/loadedModel.ts';
import { GREEDY, type GenerateEvent, type GenerateRequest, type ThinkingPolicy, type TokenEvent } from '../../../src/protocol/engine.ts';
import { TahError } from '../../../src/protocol/errors.ts';
import { oracleVerdict, secondThought } from '../../../src/protocol/run.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

let tiny: TinyModel;
const engine = createEngine();
beforeAll(async () => {
  tiny = await importTinyModel();
});
afterAll(async () => {
  await engine.unload();
  tiny.remove();
});

const PROMPT = [163, 28, 147, 181, 407, 176, 209];

function request(changes: Partial<GenerateRequest> = {}): GenerateRequest {
  return { model: tiny.dir, prompt: { kind: 'tokens', ids: PROMPT }, policy: { kind: 'decider' }, sampling: GREEDY, maxTokens: 24, ...changes };
}

async function run(events: AsyncIterable<GenerateEvent>): Promise<{ tokens: TokenEvent[]; events: GenerateEvent[]; end: Extract<GenerateEvent, { type: 'end' }> }> {
  const all: GenerateEvent[] = [];
  for await (const event of events) all.push(event);
  const end = all.at(-1);
  if (end?.type !== 'end') throw new Error('no end event');
  return { tokens: all.flatMap((event) => (event.type === 'token' ? [event.token] : [])), events: all, end };
}

const ids = (tokens: readonly TokenEvent[]): number[] => tokens.map((token) => token.id);

describe('generate', () => {
  it('streams loading, start, tokens and end, and counts its passes', async () => {
    const { tokens, events, end } = await run(engine.generate(request()));
    expect(events.map((event) => event.type)).toEqual(['loading', 'start', ...tokens.map(() => 'token'), 'end']);
    expect(end.stats.tokens).toBe(tokens.length);
    expect(end.stats.passes).toBe(tokens.reduce((sum, token) => sum + token.iterCount, 0));
    expect(tokens.some((token) => token.iterCount > 1)).toBe(true);
    const start = events[1];
    expect(start?.type === 'start' && start.prompt.map((token) => token.id)).toEqual(PROMPT);
  });

  it('shows the candidates before and after the second pass as log-probabilities', async () => {
    const { tokens } = await run(engine.generate(request({ topCandidates: 100 })));
    for (const token of tokens) {
      expect(token.after[0]?.id).toBe(token.id);
      expect(token.after[0]?.logprob).toBeCloseTo(token.logprob ?? NaN, 5);
      expect(token.before.reduce((sum, candidate) => sum + Math.exp(candidate.logprob), 0)).toBeLessThanOrEqual(1.00001);
      expect(secondThought(token) === null).toBe(token.iterCount === 1);
      if (token.iterCount === 1) expect(token.after).toEqual(token.before);
      else expect(token.after).not.toEqual(token.before);
    }
  });

  it('repeats exactly with a seed, and another seed gives another text', async () => {
    const sampling = { temperature: 1.5, topK: 0, topP: 1, minP: 0, seed: 5 };
    const first = ids((await run(engine.generate(request({ sampling })))).tokens);
    expect(ids((await run(engine.generate(request({ sampling })))).tokens)).toEqual(first);
    expect(ids((await run(engine.generate(request({ sampling: { ...sampling, seed: 6 } })))).tokens)).not.toEqual(first);
  });

  it('takes the model\'s own settings for what the request leaves out', async () => {
    const { events } = await run(engine.generate(request({ sampling: { seed: 9 } })));
    const start = events.find((event) => event.type === 'start');
    expect(start?.type === 'start' && start.sampling).toEqual({ temperature: 0.6, topK: 20, topP: 0.95, minP: 0, seed: 9 });
  });

  it('goes on from forced tokens exactly as the run that chose them', async () => {
    const whole = (await run(engine.generate(request()))).tokens;
    const again = (await run(engine.generate(request({ forced: ids(whole).slice(0, 10) })))).tokens;
    const timeless = (token: TokenEvent): unknown => ({ ...token, elapsedMs: null });
    expect(again.map(timeless)).toEqual(whole.map(timeless));
  });

  it('never and always give one and maxIter passes to every token', async () => {
    expect((await run(engine.generate(request({ policy: { kind: 'never' } })))).end.stats.passesPerToken).toBe(1);
    expect((await run(engine.generate(request({ policy: { kind: 'always' } })))).end.stats.passesPerToken).toBe(2);
  });

  it('depths force and skip a second pass at a position', async () => {
    const plain = (await run(engine.generate(request()))).tokens;
    const sent = plain.find((token) => token.iterCount > 1);
    const skipped = plain.find((token) => token.iterCount === 1);
    if (sent === undefined || skipped === undefined) throw new Error('the tiny model sends all or none');
    const iterCounts = (position: number, count: number): (number | null)[] => Array.from({ length: position }, (_, p) => (p === position - 1 ? count : null));
    const unsent = (await run(engine.generate(request({ policy: { kind: 'depths', iterCounts: iterCounts(sent.position, 1) } })))).tokens;
    expect(unsent[sent.index]?.iterCount).toBe(1);
    const forced = (await run(engine.generate(request({ policy: { kind: 'depths', iterCounts: iterCounts(skipped.position, 2) } })))).tokens;
    expect(forced[skipped.index]?.iterCount).toBe(2);
  });

  it('ends for the reason that it says', async () => {
    expect((await run(engine.generate(request({ maxTokens: 3 })))).end.reason).toBe('max-tokens');
    const long = await run(engine.generate(request({ maxTokens: 1000, forced: new Array<number>(1000).fill(40) })));
    expect(long.end.reason).toBe('context-limit');
    expect(PROMPT.length + long.tokens.length).toBe(512);
    const stopped = await run(engine.generate(request({ forced: [40, 41, 510, 42] })));
    expect(stopped.end.reason).toBe('stop-token');
    expect(stopped.tokens.at(-1)).toMatchObject({ id: 510, special: true, text: '' });
  });

  it('stops at a stop text, also one that is split over tokens', async () => {
    const forced = [39, 68, 75, 321, 11];
    const { tokens, end } = await run(engine.generate(request({ forced, stop: ['ell'], maxTokens: 20 })));
    expect([end.reason, tokens.map((token) => token.text).join('')]).toEqual(['stop-text', 'Hello'.slice(0, tokens.map((token) => token.text).join('').length)]);
    expect(tokens.length).toBeLessThan(forced.length);
  });

  it('stops within one pass of a cancel and says so', async () => {
    const stop = new AbortController();
    let seen = 0;
    const stream = async (): Promise<void> => {
      for await (const event of engine.generate(request({ maxTokens: 400, forced: new Array<number>(400).fill(40) }), stop.signal)) {
        if (event.type === 'token' && ++seen === 5) stop.abort();
      }
    };
    await expect(stream()).rejects.toMatchObject({ code: 'cancelled' });
    expect(seen).toBe(5);
  });

  it.each([
    ['maxTokens', { maxTokens: 0 }],
    ['topCandidates', { topCandidates: 101 }],
    ['forced', { forced: [512] }],
    ['prompt', { prompt: { kind: 'tokens', ids: [-1] } }],
    ['policy', { policy: { kind: 'self-oracle' } }],
    ['temperature', { sampling: { ...GREEDY, temperature: -1 } }],
  ] as const)('refuses a bad %s', async (subject, changes) => {
    const failure: unknown = await run(engine.generate(request(changes))).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TahError);
    expect(failure).toMatchObject({ code: 'engine.bad-request', subject });
  });

  it('refuses a prompt that is longer than the context, and an empty one', async () => {
    await expect(run(engine.generate(request({ prompt: { kind: 'tokens', ids: new Array<number>(512).fill(1) } })))).rejects.toMatchObject({ code: 'engine.context-too-long' });
    await expect(run(engine.generate(request({ prompt: { kind: 'text', text: '' } })))).rejects.toMatchObject({ code: 'input.empty' });
  });
});

describe('measure', () => {
  const text = 'def f(x):\n    return x**2  # 東京 🎉 done';

  it('gives back the text, and scores as generation does for the same tokens', async () => {
    const measured = await run(engine.measure({ model: tiny.dir, text, policy: { kind: 'decider' } }));
    const start = measured.events.find((event) => event.type === 'start');
    const first = start?.type === 'start' ? (start.prompt[0]?.text ?? '') : '';
    expect(first + measured.tokens.map((token) => token.text).join('')).toBe(text);
    const model = await LoadedModel.open(tiny.dir, 'auto');
    const all = model.promptIds({ kind: 'text', text });
    await model.close();
    const generated = await run(engine.generate(request({ prompt: { kind: 'tokens', ids: all.slice(0, 1) }, forced: all.slice(1), maxTokens: all.length - 1 })));
    expect(ids(generated.tokens)).toEqual(ids(measured.tokens));
    generated.tokens.forEach((token, i) => {
      expect(token.iterCount).toBe(measured.tokens[i]?.iterCount);
      expect(token.logprob).toBeCloseTo(measured.tokens[i]?.logprob ?? NaN, 3);
      expect(token.continueProbability[0]).toBeCloseTo(measured.tokens[i]?.continueProbability[0] ?? NaN, 4);
    });
  });

  it('the self-oracle sends what the first pass gets wrong, and nothing else', async () => {
    const { tokens } = await run(engine.measure({ model: tiny.dir, text, policy: { kind: 'self-oracle' } }));
    expect(new Set(tokens.map(oracleVerdict))).toEqual(new Set(tokens.some((token) => token.iterCount === 1) ? ['hard-sent', 'easy-skipped'] : ['hard-sent']));
  });

  it('measures what stands after a prompt as it is measured in the whole text, and says the prompt in the start', async () => {
    const policy = { kind: 'decider' } as const;
    const before = 'def f(x):\n';
    const whole = await run(engine.measure({ model: tiny.dir, text, policy }));
    const after = await run(engine.measure({ model: tiny.dir, text: text.slice(before.length), after: { kind: 'text', text: before }, policy }));
    const start = after.events.find((event) => event.type === 'start');
    const prompt = start?.type === 'start' ? start.prompt : [];
    expect(prompt.map((token) => token.text).join('')).toBe(before.replace('\n', prompt.at(-1)?.text.slice(-1) ?? ''));
    expect(after.tokens.map((token) => token.text).join('')).toBe(text.slice(before.length));
    expect(after.tokens[0]).toMatchObject({ index: 0, position: prompt.length });
    const same = whole.tokens.slice(prompt.length - 1);
    expect(ids(same)).toEqual(ids(after.tokens));
    expect(after.tokens.map((token) => token.iterCount)).toEqual(same.map((token) => token.iterCount));
    after.tokens.forEach((token, i) => { expect(token.logprob).toBeCloseTo(same[i]?.logprob ?? NaN, 3); });
  });

  it('measures a single token after a prompt', async () => {
    const { tokens } = await run(engine.measure({ model: tiny.dir, text: 'a', after: { kind: 'text', text: 'b' }, policy: { kind: 'decider' } }));
    expect(tokens).toHaveLength(1);
  });

  it('refuses a text of one token', async () => {
    await expect(run(engine.measure({ model: tiny.dir, text: 'a', policy: { kind: 'decider' } }))).rejects.toMatchObject({ code: 'input.empty' });
  });
});

describe('the cached, chunked forward', () => {
  it.each([{ kind: 'decider' }, { kind: 'always' }, { kind: 'never' }] satisfies ThinkingPolicy[])('equals recomputing everything from nothing ($kind)', async (policy) => {
    const model = await LoadedModel.open(tiny.dir, 'auto');
    const tokens = Array.from({ length: 140 }, (_, i) => (i * 37) % 500);
    const cached = new Forward(model.session, model.manifest);
    await cached.run({ ids: tokens.slice(0, 100), policy, track: 'last' });
    for (let i = 100; i < 120; i++) await cached.run({ ids: tokens.slice(i, i + 1), policy, track: 'last' });
    // A branch that is given up leaves no trace.
    await cached.run({ ids: [1, 2, 3], policy, track: 'last' });
    cached.rewind(120);
    const last = (await cached.run({ ids: tokens.slice(120), policy, track: 'last' })).at(-1);
    const naive = (await new Forward(model.session, model.manifest).run({ ids: tokens, policy, track: 'all' })).at(-1);
    await model.close();
    expect(last?.iterCount).toBe(naive?.iterCount);
    const difference = Math.max(...(last?.finalLogits ?? []).map((value, i) => Math.abs(value - (naive?.finalLogits?.[i] ?? NaN))));
    expect(difference).toBeLessThan(1e-3);
  });
});
