/** An existing client library, as its users use it, against the server with a real model and with a paced engine. */
import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { openModelFolder } from '../../../src/engine/modelFolder.ts';
import type { GenerateEvent, TokenEvent } from '../../../src/protocol/engine.ts';
import { startServer, type RunningServer, type ServeOptions } from '../../../src/serve/server.ts';
import { eventually, PACED_MODEL, PacedEngine } from '../../fixtures/serve/pacedEngine.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

const TOKEN = 'a-token-of-this-test';
const messages = [{ role: 'user' as const, content: 'Solve 3x + 5 = 20 for x' }];
const options = (more: Pick<ServeOptions, 'engine' | 'models'>): ServeOptions => ({ ...more, token: TOKEN, port: 0, policy: { kind: 'decider' }, provider: 'auto', queue: 1, log: () => undefined });
const client = (server: RunningServer, apiKey = TOKEN): OpenAI => new OpenAI({ baseURL: server.url, apiKey, maxRetries: 0 });

describe('a real model', () => {
  const engine = createEngine();
  let tiny: TinyModel;
  let server: RunningServer;
  let openai: OpenAI;
  let model: string;
  beforeAll(async () => {
    tiny = await importTinyModel();
    const { info } = openModelFolder(tiny.dir);
    model = info.id;
    server = await startServer(options({ engine, models: [{ id: model, info, created: 1 }] }));
    openai = client(server);
  });
  afterAll(async () => {
    await server.close();
    await engine.unload();
    tiny.remove();
  });

  /** What the engine itself says to the same request. */
  async function direct(maxTokens: number): Promise<readonly TokenEvent[]> {
    const tokens: TokenEvent[] = [];
    const events: AsyncIterable<GenerateEvent> = engine.generate({ model: tiny.dir, prompt: { kind: 'chat', messages }, policy: { kind: 'decider' }, sampling: { temperature: 0, seed: 1 }, maxTokens, topCandidates: 4 });
    for await (const event of events) if (event.type === 'token') tokens.push(event.token);
    return tokens;
  }

  it('is listed and described', async () => {
    const ids = [];
    for await (const one of openai.models.list()) ids.push(one.id);
    expect(ids).toEqual([model]);
    expect(await openai.models.retrieve(model)).toMatchObject({ id: model, object: 'model', owned_by: 'think-at-hard' });
  });

  it('answers whole: text, usage, log-probabilities, the reason of its end', async () => {
    const expected = await direct(12);
    const answer = await openai.chat.completions.create({ model, messages, temperature: 0, max_completion_tokens: 12, logprobs: true, top_logprobs: 4 });
    const choice = answer.choices[0];
    expect(choice?.message.content).toBe(expected.map((token) => token.text).join(''));
    expect(choice?.finish_reason).toBe('length');
    expect(answer.usage).toMatchObject({ completion_tokens: 12, total_tokens: (answer.usage?.prompt_tokens ?? 0) + 12 });
    expect(choice?.logprobs?.content).toHaveLength(12);
    for (const [i, entry] of (choice?.logprobs?.content ?? []).entries()) {
      expect(entry.logprob).toBeCloseTo(expected[i]?.logprob ?? NaN, 5);
      expect(entry.top_logprobs.map((top) => top.token)).toEqual(expected[i]?.after.map((candidate) => candidate.text));
    }
  });

  it('streams the same text, with the usage last when it is wanted', async () => {
    const stream = await openai.chat.completions.create({ model, messages, temperature: 0, max_completion_tokens: 12, stream: true, stream_options: { include_usage: true } });
    let text = '';
    let usage: unknown;
    const reasons: string[] = [];
    for await (const part of stream) {
      text += part.choices[0]?.delta.content ?? '';
      if (part.choices[0]?.finish_reason != null) reasons.push(part.choices[0].finish_reason);
      usage = part.usage ?? usage;
    }
    expect(text).toBe((await direct(12)).map((token) => token.text).join(''));
    expect(reasons).toEqual(['length']);
    expect(usage).toMatchObject({ completion_tokens: 12 });
  });

  it('sends the very events of the engine to who asks for them, and no folder of this machine', async () => {
    const body = { model, messages, temperature: 0, seed: 1, max_completion_tokens: 12, stream: true as const, tah: { top_candidates: 4 } };
    const stream = await openai.chat.completions.create(body);
    const events: GenerateEvent[] = [];
    for await (const part of stream) if ('tah' in part) events.push(part.tah as GenerateEvent);
    const timeless = (token: TokenEvent): TokenEvent => ({ ...token, elapsedMs: null });
    const tokens = events.flatMap((event) => (event.type === 'token' ? [timeless(event.token)] : []));
    expect(tokens).toEqual((await direct(12)).map(timeless));
    expect([events[0]?.type, events.at(-1)?.type]).toEqual(['start', 'end']);
    expect(JSON.stringify(events)).not.toContain(tiny.dir);

    const whole = (await openai.chat.completions.create({ ...body, stream: false })) as unknown as { tah: { tokens: readonly TokenEvent[] } };
    expect(whole.tah.tokens.map(timeless)).toEqual(tokens);
  });

  it('thinks as it is told', async () => {
    const passes = async (kind: string): Promise<number> => {
      const body = { model, messages, temperature: 0, max_completion_tokens: 8, tah: { policy: { kind } } };
      const { tah } = (await openai.chat.completions.create(body)) as unknown as { tah: { end: { stats: { passesPerToken: number } } } };
      return tah.end.stats.passesPerToken;
    };
    expect([await passes('never'), await passes('always')]).toEqual([1, 2]);
  });

  it('the same seed gives the same text, and none a new one', async () => {
    const texts = async (more: object = {}): Promise<string> => (await openai.chat.completions.create({ model, messages, temperature: 2, max_completion_tokens: 24, ...more })).choices[0]?.message.content ?? '';
    expect(await texts({ seed: 5 })).toBe(await texts({ seed: 5 }));
    expect(new Set([await texts(), await texts(), await texts()]).size).toBeGreaterThan(1);
  });

  it('counts tokens as the prompt of a completion has them', async () => {
    const counted = await fetch(`${server.url}/tah/count`, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }, body: JSON.stringify({ model, messages }) });
    const { usage } = await openai.chat.completions.create({ model, messages, max_completion_tokens: 1 });
    expect(await counted.json()).toEqual({ tokens: usage?.prompt_tokens });
  });
});

describe('a paced engine', () => {
  let engine: PacedEngine;
  let server: RunningServer;
  let openai: OpenAI;
  beforeAll(async () => {
    engine = new PacedEngine();
    server = await startServer(options({ engine, models: [{ id: 'paced', info: PACED_MODEL, created: 1 }] }));
    openai = client(server);
  });
  afterAll(() => server.close());

  it('aborting the stream stops it', async () => {
    engine.words = undefined;
    engine.intervalMs = 5;
    const stream = await openai.chat.completions.create({ model: 'paced', messages, stream: true });
    let seen = 0;
    for await (const part of stream) {
      if ((part.choices[0]?.delta.content ?? '') !== '') seen++;
      if (seen === 3) stream.controller.abort();
    }
    await eventually('the engine was left', () => engine.ended.at(-1) === 'left');
    expect(seen).toBeGreaterThanOrEqual(3);
  });

  it('a stop text is not sent, though it comes in pieces', async () => {
    engine.words = ['a', 'b', '\n', '\n', 'c'];
    engine.intervalMs = 0;
    const answer = await openai.chat.completions.create({ model: 'paced', messages, stop: '\n\n', logprobs: true });
    expect(answer.choices[0]?.message.content).toBe('ab');
    expect(answer.choices[0]?.logprobs?.content?.map((entry) => entry.token)).toEqual(['a', 'b']);
  });

  it('its errors are the errors of the library', async () => {
    await expect(client(server, 'another-token-than-that').models.list()).rejects.toThrow(AuthenticationError);
    await expect(openai.chat.completions.create({ model: 'gpt-5', messages })).rejects.toThrow(NotFoundError);
    await expect(openai.chat.completions.create({ model: 'paced', messages, n: 3 })).rejects.toThrow(BadRequestError);
    const tools = [{ type: 'function' as const, function: { name: 'f' } }];
    await expect(openai.chat.completions.create({ model: 'paced', messages, tools })).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'tools' });
    engine.failure = new Error('broken');
    engine.failAt = 1;
    engine.words = ['a', 'b'];
    const stream = await openai.chat.completions.create({ model: 'paced', messages, stream: true });
    await expect((async () => { for await (const part of stream) expect(part.object).toBe('chat.completion.chunk'); })()).rejects.toThrow(APIError);
    engine.failure = null;
  });

  it('a full queue is its RateLimitError', async () => {
    engine.words = undefined;
    engine.intervalMs = 5;
    const abort = new AbortController();
    const endless = [1, 2].map(() => openai.chat.completions.create({ model: 'paced', messages }, { signal: abort.signal }).catch(() => undefined));
    await eventually('one runs', () => engine.running === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(openai.chat.completions.create({ model: 'paced', messages })).rejects.toThrow(RateLimitError);
    abort.abort();
    await Promise.all(endless);
  });
});
