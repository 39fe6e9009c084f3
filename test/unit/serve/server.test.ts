/** The server against everything that is no friendly client: pages, strangers, floods, the slow, the gone. */
import http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TahError } from '../../../src/protocol/errors.ts';
import { startServer, type RunningServer, type ServeOptions } from '../../../src/serve/server.ts';
import { eventually, PACED_MODEL, PacedEngine } from '../../fixtures/serve/pacedEngine.ts';

const TOKEN = 'a-token-of-this-test';
const CHAT = { model: 'paced', messages: [{ role: 'user', content: 'count' }] };

let engine: PacedEngine;
let server: RunningServer;
let logged: string[];

async function start(options: Partial<ServeOptions> = {}): Promise<void> {
  await server.close();
  server = await startServer({ ...basic(), ...options });
}

function basic(): ServeOptions {
  return { engine, models: [{ id: 'paced', info: PACED_MODEL, created: 1 }], token: TOKEN, port: 0, policy: { kind: 'decider' }, provider: 'auto', queue: 2, log: (line) => logged.push(line) };
}

beforeEach(async () => {
  engine = new PacedEngine();
  logged = [];
  server = await startServer(basic());
});
afterEach(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** node:http, since fetch lets nobody choose Host and Origin. */
function ask(path: string, options: { method?: string; headers?: Record<string, string>; body?: string | object } = {}): Promise<Answer> {
  const { method = options.body === undefined ? 'GET' : 'POST', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port: server.port, path, method, headers: { authorization: `Bearer ${TOKEN}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => { resolve({ status: response.statusCode ?? 0, headers: response.headers, text }); });
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(typeof body === 'object' ? JSON.stringify(body) : body);
  });
}

function errorOf(answer: Answer): { status: number; code: unknown; type: unknown; message: string } {
  const { error } = JSON.parse(answer.text) as { error: { code: unknown; type: unknown; message: string } };
  return { status: answer.status, code: error.code, type: error.type, message: error.message };
}

/** Bytes as they are; gives what came back until the server closed the connection. */
async function raw(bytes: string, options: { end?: boolean } = {}): Promise<string> {
  const socket = net.connect(server.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => (text += part));
  socket.on('error', () => undefined);
  socket.write(bytes);
  if (options.end === true) socket.end();
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

describe('who may come in', () => {
  it.each(['evil.example', 'evil.example:80', '127.0.0.1', 'localhost:1', '0.0.0.0'])('not a page that calls this machine %s (DNS rebinding)', async (host) => {
    for (const path of ['/health', '/v1/models']) expect(errorOf(await ask(path, { headers: { host } }))).toMatchObject({ status: 403, code: 'foreign_host' });
  });

  it.each(['https://evil.example', 'null', 'vscode-webview://x', 'http://localhost:1', 'http://127.0.0.1.evil.example'])('not a page of %s', async (origin) => {
    const answer = await ask('/v1/chat/completions', { body: CHAT, headers: { origin } });
    expect(errorOf(answer)).toMatchObject({ status: 403, code: 'foreign_origin' });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(engine.requests).toHaveLength(0);
  });

  it('not a page that asks without an Origin, nor a preflight', async () => {
    expect((await ask('/health', { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
    expect((await ask('/v1/models', { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' } })).status).toBe(403);
  });

  it('not without the token, which is never told', async () => {
    for (const authorization of ['', 'Bearer', 'Bearer wrong-token-of-a-stranger', `Basic ${TOKEN}`, TOKEN]) {
      for (const path of ['/v1/models', '/v1/chat/completions', '/v1/unknown']) {
        const answer = await ask(path, { headers: { authorization } });
        expect(errorOf(answer)).toMatchObject({ status: 401, type: 'authentication_error' });
        expect(answer.text).not.toContain(TOKEN);
      }
    }
    expect(logged.join()).not.toContain(TOKEN);
  });

  it('but localhost with the token, and /health without', async () => {
    expect((await ask('/v1/models', { headers: { host: `localhost:${server.port}`, origin: `http://localhost:${server.port}` } })).status).toBe(200);
    expect(await ask('/health', { headers: { authorization: '' } })).toMatchObject({ status: 200, text: '{"status":"ok"}' });
  });

  it('only over the loopback interface', async () => {
    const socket = net.connect(server.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
    await expect(new Promise((resolve, reject) => net.connect(server.port, '::1').once('connect', resolve).once('error', reject))).rejects.toThrow();
  });

  it('no weak token', async () => {
    for (const token of ['', 'short', 'with spaces in the token']) await expect(startServer({ ...basic(), token })).rejects.toMatchObject({ code: 'input.bad-option' });
  });
});

describe('what is no request', () => {
  it('an unknown path, method, model', async () => {
    expect(errorOf(await ask('/v1/embeddings', { body: {} }))).toMatchObject({ status: 404, code: 'unknown_url' });
    expect((await ask('/v1/chat/completions')).headers.allow).toBe('POST');
    expect(errorOf(await ask('/v1/models/gpt-5'))).toMatchObject({ status: 404, code: 'model_not_found' });
    expect(errorOf(await ask('/v1/chat/completions', { body: { ...CHAT, model: 'gpt-5' } }))).toMatchObject({ status: 404, code: 'model_not_found' });
    expect((await ask('/v1/models/%E0%A4%A')).status).toBe(404);
  });

  it('a body that is huge, by its length or by its chunks; the engine never hears of it', async () => {
    const huge = JSON.stringify({ ...CHAT, messages: [{ role: 'user', content: 'x'.repeat(2 * 1024 * 1024) }] });
    expect(errorOf(await ask('/v1/chat/completions', { body: huge, headers: { 'content-length': String(Buffer.byteLength(huge)) } }))).toMatchObject({ status: 413, code: 'request_too_large' });
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    expect(await raw(head + chunk.repeat(20) + '0\r\n\r\n')).toContain('413 Payload Too Large');
    expect(engine.requests).toHaveLength(0);
  });

  it('a body that is no JSON, of another type, compressed, or deep as a well', async () => {
    expect((await ask('/v1/chat/completions', { body: '{"model":' })).status).toBe(400);
    expect((await ask('/v1/chat/completions', { body: '\ufffe' })).status).toBe(400);
    expect((await ask('/v1/chat/completions', { body: '['.repeat(500_000) })).status).toBe(400);
    expect((await ask('/v1/chat/completions', { body: `{"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}` })).status).toBe(400);
    expect((await ask('/v1/chat/completions', { body: CHAT, headers: { 'content-type': 'text/plain' } })).status).toBe(415);
    expect((await ask('/v1/chat/completions', { body: CHAT, headers: { 'content-encoding': 'gzip' } })).status).toBe(415);
  });

  it('no HTTP at all', async () => {
    expect(await raw('hello\r\n\r\n')).toContain('400 Bad Request');
    expect(await raw(`GET /health HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`)).toContain('431');
  });
});

describe('a client that', () => {
  it('is slow with its headers or its body is sent away', async () => {
    await start({ limits: { headersMs: 300, requestMs: 600 } });
    expect(await raw('GET /health HTTP/1.1\r\nHost: ')).toContain('408');
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    await raw(head);
    expect(engine.requests).toHaveLength(0);
  });

  it('closes its half of the connection before its body is whole leaves nothing behind', async () => {
    await raw(`POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`, { end: true });
    expect(engine.requests).toHaveLength(0);
    expect((await ask('/v1/chat/completions', { body: CHAT })).status).toBe(200);
  });

  it('goes away stops the engine within one pass, streaming or not', async () => {
    engine.words = undefined;
    engine.intervalMs = 5;
    for (const stream of [true, false]) {
      const before = engine.ended.length;
      const request = http.request({ host: '127.0.0.1', port: server.port, path: '/v1/chat/completions', method: 'POST', agent: false, headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' } });
      request.on('error', () => undefined);
      request.end(JSON.stringify({ ...CHAT, stream }));
      await eventually('the engine runs', () => engine.running === 1);
      request.destroy();
      await eventually('the engine was left', () => engine.ended.length > before);
    }
    expect(engine.ended).toEqual(['left', 'left']);
  });

  it('reads nothing does not keep the engine for long', async () => {
    await start({ limits: { stallMs: 300 } });
    engine.words = Array.from({ length: 50_000 }, () => 'x'.repeat(100_000));
    const socket = net.connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const body = JSON.stringify({ ...CHAT, stream: true });
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    socket.pause();
    await eventually('the engine was left', () => engine.ended.includes('left'));
    socket.destroy();
  });
});

describe('many clients', () => {
  it('200 at once: one runs, two wait, the others are told when to come again, and nothing is lost', async () => {
    engine.intervalMs = 20;
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask('/v1/chat/completions', { body: CHAT })));
    const [served, refused] = [answers.filter(({ status }) => status === 200), answers.filter(({ status }) => status === 429)];
    expect(served.length + refused.length).toBe(200);
    expect(served.length).toBeGreaterThanOrEqual(3);
    expect(engine.mostRunning).toBe(1);
    for (const answer of refused) {
      expect(errorOf(answer)).toMatchObject({ code: 'engine_busy', type: 'rate_limit_error' });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    }
    expect((await ask('/v1/chat/completions', { body: CHAT })).status).toBe(200);
  });

  it('are served in the order of asking, and who leaves gives up the place', async () => {
    engine.intervalMs = 30;
    const order: number[] = [];
    const asked = async (n: number): Promise<void> => {
      await ask('/v1/chat/completions', { body: { ...CHAT, messages: [{ role: 'user', content: String(n) }] } });
      order.push(n);
    };
    const first = asked(1);
    await eventually('the first runs', () => engine.running === 1);
    const leaver = http.request({ host: '127.0.0.1', port: server.port, path: '/v1/chat/completions', method: 'POST', agent: false, headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' } });
    leaver.on('error', () => undefined);
    leaver.end(JSON.stringify(CHAT));
    await sleep(20);
    const third = asked(3);
    await sleep(20);
    leaver.destroy();
    await sleep(20);
    const fourth = asked(4);
    await Promise.all([first, third, fourth]);
    expect(order).toEqual([1, 3, 4]);
    expect(engine.requests).toHaveLength(3);
  });
});

describe('the end', () => {
  it('stops the engine, tells those who run and wait, and closes every connection', async () => {
    engine.words = undefined;
    engine.intervalMs = 5;
    const running = ask('/v1/chat/completions', { body: { ...CHAT, stream: true } });
    await eventually('the engine runs', () => engine.running === 1);
    const waiting = ask('/v1/chat/completions', { body: CHAT });
    await sleep(30);
    await server.close();
    expect((await running).text).toMatch(/data: \{"error":\{"message":"The server is ending\."/);
    expect(errorOf(await waiting)).toMatchObject({ status: 503, code: 'server_ending' });
    expect(engine.running).toBe(0);
    await expect(ask('/health')).rejects.toThrow();
  });

  it('a port that is taken is said', async () => {
    await expect(startServer({ ...basic(), port: server.port })).rejects.toMatchObject({ code: 'serve.port-in-use' });
  });
});

describe('a failing engine', () => {
  it('before the text: a status, the user told what is wrong', async () => {
    engine.failure = new TahError('engine.context-too-long', 'The problem has 9 tokens.', { hint: 'Shorten it.' });
    expect(errorOf(await ask('/v1/chat/completions', { body: { ...CHAT, stream: true } }))).toEqual({ status: 400, code: 'context_length_exceeded', type: 'invalid_request_error', message: 'The problem has 9 tokens. Shorten it.' });
  });

  it('in the midst: an error event; a fault of ours is logged and not told', async () => {
    engine.failure = new Error('secret detail');
    engine.failAt = 1;
    const { status, text } = await ask('/v1/chat/completions', { body: { ...CHAT, stream: true } });
    expect(status).toBe(200);
    expect(text).toContain('"type":"server_error"');
    expect(text).not.toContain('[DONE]');
    expect(text).not.toContain('secret');
    expect(logged.join()).toContain('secret detail');
    engine.failure = null;
    expect((await ask('/v1/chat/completions', { body: CHAT })).status).toBe(200);
  });

  it('the log never has what was asked or answered', async () => {
    await ask('/v1/chat/completions', { body: { ...CHAT, messages: [{ role: 'user', content: 'private words' }] } });
    expect(logged.join()).toMatch(/POST \/v1\/chat\/completions 200 \d+ ms/);
    expect(logged.join()).not.toMatch(/private|three/);
  });
});
