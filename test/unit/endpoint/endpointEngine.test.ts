/** Other people's servers as the engine: what they send is kept, what they don't is known to be missing, what they break is said. */
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEndpointEngine } from '../../../src/endpoint/endpointEngine.ts';
import type { EngineApi, GenerateEvent, GenerateRequest } from '../../../src/protocol/engine.ts';
import { UNKNOWN_ID } from '../../../src/protocol/engine.ts';
import type { TahError } from '../../../src/protocol/errors.ts';
import { missingData } from '../../../src/protocol/run.ts';
import { DONE, delta, event, modelList, startFakeServer, type FakeServer, type Script } from '../../fixtures/endpoint/fakeServer.ts';
import { eventually } from '../../fixtures/serve/pacedEngine.ts';

const REQUEST: GenerateRequest = { model: 'endpoint:desk', prompt: { kind: 'chat', messages: [{ role: 'user', content: 'private problem' }] }, policy: { kind: 'decider' }, maxTokens: 50 };
const KEY = 'sk-secret-key';

let server: FakeServer;
beforeEach(async () => {
  server = await startFakeServer();
});
afterEach(() => server.close());

const engineAt = (url = server.url, patience = { firstMs: 30_000, stallMs: 30_000 }): EngineApi => createEndpointEngine({ endpoint: { name: 'desk', url, model: 'big' }, key: () => Promise.resolve(KEY), patience });

async function read(engine: EngineApi, request: GenerateRequest = REQUEST, signal?: AbortSignal): Promise<{ events: GenerateEvent[]; error: TahError | null }> {
  const events: GenerateEvent[] = [];
  try {
    for await (const one of engine.generate(request, signal)) events.push(one);
    return { events, error: null };
  } catch (error) {
    return { events, error: error as TahError };
  }
}

const textOf = (events: readonly GenerateEvent[]): string => events.map((one) => (one.type === 'token' ? one.token.text : '')).join('');
const startOf = (events: readonly GenerateEvent[]): Extract<GenerateEvent, { type: 'start' }> => {
  const start = events.find((one) => one.type === 'start');
  if (start === undefined) throw new Error('it never started');
  return start;
};
const stream = (...parts: string[]): Script => ({ kind: 'stream', parts });

describe('a server that sends text only', () => {
  it('gives the text as it comes, its usage and its end, and is known to lack the rest', async () => {
    server.scripts = [stream(delta(''), delta('x '), delta('= 5', {}, {}), delta(null, {}, { finish_reason: 'stop' }), event({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } }), DONE)];
    const { events, error } = await read(engineAt());
    expect(error).toBeNull();
    expect(events.map((one) => one.type)).toEqual(['loading', 'start', 'token', 'token', 'end']);
    expect(textOf(events)).toBe('x = 5');
    const { model, provider } = startOf(events);
    expect(model).toMatchObject({ id: 'big', contextLength: 32768, parameters: null, endpoint: { name: 'desk', sends: 'text' } });
    expect([provider.provider, missingData({ model }).length]).toEqual(['endpoint', 5]);
    expect(events[2]).toMatchObject({ token: { id: UNKNOWN_ID, logprob: null, entropyBefore: null, before: [] } });
    expect(events.at(-1)).toMatchObject({ type: 'end', reason: 'stop-token', stats: { promptTokens: 9, tokens: 4 } });
  });

  it('gets the key, the messages and the sampling, and no field that it may not know', async () => {
    server.scripts = [stream(delta('a', {}, { finish_reason: 'length' }), DONE)];
    const { events } = await read(engineAt(), { ...REQUEST, sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 3 }, stop: ['\n'] });
    expect(events.at(-1)).toMatchObject({ reason: 'max-tokens' });
    expect(server.asked.map(({ path, key }) => [path, key])).toEqual([['/v1/models', `Bearer ${KEY}`], ['/v1/chat/completions', `Bearer ${KEY}`]]);
    expect(server.asked[1]?.body).toEqual({ model: 'big', messages: [{ role: 'user', content: 'private problem' }], stream: true, stream_options: { include_usage: true }, max_tokens: 50, temperature: 0, seed: 3, stop: ['\n'], logprobs: true, top_logprobs: 10 });
  });

  it('that refuses log-probabilities is asked without', async () => {
    server.scripts = [{ kind: 'answer', status: 400, body: JSON.stringify({ error: { message: 'logprobs is not supported', code: 400 } }) }, stream(delta('ok', {}, { finish_reason: 'stop' }), DONE)];
    expect(textOf((await read(engineAt())).events)).toBe('ok');
    expect(server.asked[2]?.body).not.toHaveProperty('logprobs');
  });

  it('that parts thinking from the answer gives both, the thinking between its marks', async () => {
    const reasoning = (text: string): string => event({ choices: [{ index: 0, delta: { reasoning_content: text }, finish_reason: null }] });
    server.scripts = [stream(reasoning('hm '), reasoning('yes'), delta('5'), delta(null, {}, { finish_reason: 'stop' }))];
    expect(textOf((await read(engineAt())).events)).toBe('<think>\nhm yes\n</think>\n\n5');
  });
});

describe('a server that sends log-probabilities', () => {
  const entry = (token: string, logprob: number): object => ({ token, logprob, bytes: null, top_logprobs: [{ token, logprob, bytes: null }, { token: 'other', logprob: -3, bytes: null }] });

  it('gives tokens with candidates, several in a chunk too', async () => {
    const logprobs = (...entries: object[]): object => ({ logprobs: { content: entries } });
    server.scripts = [stream(delta('x', {}, logprobs(entry('x', -0.1))), delta(' = 5', {}, logprobs(entry(' =', -0.2), entry(' 5', -0.3))), delta(null, {}, { finish_reason: 'stop' }))];
    const { events } = await read(engineAt());
    const tokens = events.flatMap((one) => (one.type === 'token' ? [one.token] : []));
    expect(tokens.map((token) => [token.index, token.text, token.logprob])).toEqual([[0, 'x', -0.1], [1, ' =', -0.2], [2, ' 5', -0.3]]);
    expect(tokens[0]?.after.map((candidate) => candidate.text)).toEqual(['x', 'other']);
    expect(missingData(startOf(events))).toEqual(['passes', 'entropy', 'ids']);
  });

  it('a character in pieces stays one: its text is its last token\'s', async () => {
    server.scripts = [stream(delta('√', {}, { logprobs: { content: [entry('\ufffd', -1), entry('\ufffd', -1)] } }), delta(null, {}, { finish_reason: 'stop' }))];
    const tokens = (await read(engineAt())).events.flatMap((one) => (one.type === 'token' ? [one.token.text] : []));
    expect(tokens).toEqual(['', '√']);
  });
});

describe('stopping', () => {
  it.each(['leaving the loop', 'the signal'])('%s closes the connection', async (how) => {
    server.scripts = [{ kind: 'stream', parts: Array.from({ length: 1000 }, (_, i) => delta(`${i} `)), intervalMs: 5 }];
    const abort = new AbortController();
    const seen: GenerateEvent[] = [];
    const run = (async () => {
      for await (const one of engineAt().generate(REQUEST, abort.signal)) {
        seen.push(one);
        if (seen.length < 4) continue;
        if (how === 'the signal') abort.abort();
        else break;
      }
    })();
    if (how === 'the signal') await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    else await run;
    await eventually('the server sees it', () => server.left === 1);
  });

  it('before the first byte too', async () => {
    server.scripts = [{ kind: 'stream', parts: [], then: 'hang' }];
    const abort = new AbortController();
    const run = read(engineAt(), REQUEST, abort.signal);
    await eventually('it was asked', () => server.asked.length === 2);
    abort.abort();
    expect((await run).error).toMatchObject({ code: 'cancelled' });
    await eventually('the server sees it', () => server.left === 1);
  });
});

const errorBody = (message: string, code: string | null = null): string => JSON.stringify({ error: { message, type: 'x', param: null, code } });
const answer = (status: number, body: string, headers: Record<string, string> = {}): Script => ({ kind: 'answer', status, body, headers });

describe('a server that fails', () => {
  it.each<[string, Script, string, RegExp]>([
    ['wants another key', answer(401, errorBody('Incorrect API key')), 'endpoint.unauthorized', /Incorrect API key/],
    ['has no such model', answer(404, errorBody('The model `big` does not exist.')), 'endpoint.no-model', /"big"/],
    ['is another path', answer(404, '<html>404</html>', { 'content-type': 'text/html' }), 'endpoint.not-openai', /path/],
    ['is another path of a FastAPI', answer(404, '{"detail":"Not Found"}'), 'endpoint.not-openai', /path/],
    ['is busy', answer(429, errorBody('slow down'), { 'retry-after': '7' }), 'endpoint.busy', /slow down/],
    ['breaks', answer(500, errorBody('CUDA out of memory')), 'endpoint.failed', /CUDA out of memory/],
    ['is down behind a proxy', answer(502, '<html>Bad Gateway</html>'), 'endpoint.failed', /502/],
    ['refuses a field', answer(400, errorBody('min_p is unknown')), 'endpoint.refused', /min_p is unknown/],
    ['finds the text too long', answer(400, errorBody("This model's maximum context length is 4096 tokens.", 'context_length_exceeded')), 'engine.context-too-long', /4096/],
    ['sends elsewhere', answer(307, '', { location: 'https://evil.example/v1/chat/completions' }), 'endpoint.not-openai', /another address/],
    ['is a web page', answer(200, '<html></html>', { 'content-type': 'text/html' }), 'endpoint.not-openai', /does not stream/],
    ['does not stream', answer(200, '{"choices":[]}'), 'endpoint.not-openai', /does not stream/],
    ['sends no JSON', stream(delta('a'), 'data: {"choi\n\n'), 'endpoint.broken-stream', /no JSON/],
    ['sends another form', stream(delta('a'), event({ choices: 5 })), 'endpoint.broken-stream', /another form/],
    ['sends an error in the midst', stream(delta('a'), event({ error: { message: 'preempted', code: 500 } })), 'endpoint.failed', /preempted/],
    ['ends too early', stream(delta('a'), DONE), 'endpoint.broken-stream', /cut off/],
    ['closes in the midst', { kind: 'stream', parts: [delta('a')], then: 'destroy' }, 'endpoint.unreachable', /can't be reached/],
    ['falls silent', { kind: 'stream', parts: [delta('a')], then: 'hang' }, 'endpoint.stalled', /0\.3 s/],
    ['calls a tool', stream(delta('a', {}, { finish_reason: 'tool_calls' }), DONE), 'endpoint.failed', /tool_calls/],
  ])('%s', async (_, script, code, words) => {
    server.scripts = [script];
    const { events, error } = await read(engineAt(server.url, { firstMs: 30_000, stallMs: code === 'endpoint.stalled' ? 300 : 30_000 }));
    expect(error).toMatchObject({ name: 'TahError', code });
    expect(error?.message).toMatch(words);
    expect(`${error?.message ?? ''}${error?.hint ?? ''}`).not.toMatch(/sk-secret|private problem/);
    // What came before is kept.
    if (script.kind === 'stream') expect(textOf(events)).toBe('a');
  });

  it('is not there, or does not answer at all', async () => {
    expect((await read(engineAt('http://127.0.0.1:9/v1'))).error).toMatchObject({ code: 'endpoint.unreachable' });
    expect((await read(engineAt('http://name.invalid/v1'))).error).toMatchObject({ code: 'endpoint.unreachable' });
    server.models = { kind: 'stream', parts: [], then: 'hang' };
    expect((await read(engineAt(server.url, { firstMs: 300, stallMs: 300 }))).error).toMatchObject({ code: 'endpoint.stalled' });
  });

  it('speaks no TLS', async () => {
    const plain = net.createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => plain.once('listening', resolve));
    const address = plain.address();
    const { error } = await read(engineAt(`https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/v1`));
    expect(error).toMatchObject({ code: 'endpoint.tls' });
    plain.close();
  });

  it('has a list of another kind, or none', async () => {
    server.models = answer(200, '{"models":[]}');
    expect((await read(engineAt())).error).toMatchObject({ code: 'endpoint.not-openai' });
    server.models = modelList('another');
    server.scripts = [stream(delta('ok', {}, { finish_reason: 'stop' }))];
    expect(textOf((await read(engineAt())).events)).toBe('ok');
  });
});

describe('what an endpoint cannot do is said', () => {
  const refused = async (request: Partial<GenerateRequest>): Promise<void> => {
    expect((await read(engineAt(), { ...REQUEST, ...request })).error).toMatchObject({ code: 'endpoint.cannot' });
    expect(server.asked.filter(({ path }) => path.endsWith('completions'))).toEqual([]);
  };
  it('prompts of text and tokens', async () => {
    await refused({ prompt: { kind: 'text', text: 'a' } });
    await refused({ prompt: { kind: 'tokens', ids: [1] } });
  });
  it('second passes and forced tokens', async () => {
    await refused({ policy: { kind: 'always' } });
    await refused({ forced: [1] });
  });
  it('measuring and counting', async () => {
    const engine = engineAt();
    const measured = engine.measure({ model: 'endpoint:desk', text: 'a b', policy: { kind: 'decider' } })[Symbol.asyncIterator]();
    await expect(measured.next()).rejects.toMatchObject({ code: 'endpoint.cannot' });
    await expect(engine.countTokens({ model: 'endpoint:desk', prompt: { kind: 'text', text: 'a' } })).rejects.toMatchObject({ code: 'endpoint.cannot' });
  });
});
