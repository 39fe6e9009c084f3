/** Many hostile clients at once: every one gets a clear status or is cut off, none hangs, and nothing of them stays in memory. */
import http from 'node:http';
import net from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServer, type Limits, type RunningServer } from '../../../src/serve/server.ts';
import { eventually, PACED_MODEL, PacedEngine } from '../../fixtures/serve/pacedEngine.ts';

const TOKEN = 'a-token-of-this-test';
const CHAT = { model: 'paced', messages: [{ role: 'user', content: 'count' }] };

let engine: PacedEngine;
let server: RunningServer;
let lines: number;

async function start(limits: Partial<Limits> = {}): Promise<void> {
  engine = new PacedEngine();
  lines = 0;
  server = await startServer({ engine, models: [{ id: 'paced', info: PACED_MODEL, created: 1 }], token: TOKEN, port: 0, policy: { kind: 'decider' }, provider: 'auto', queue: 100, log: () => lines++, limits });
}
beforeEach(() => start());
afterEach(() => server.close());

interface Ask {
  readonly path: string;
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const good = { authorization: `Bearer ${TOKEN}` };
const json = { ...good, 'content-type': 'application/json' };
/** What comes again and again, and the status that each has to get. */
const ASKED: readonly Ask[] = [
  { path: '/health', status: 200 },
  { path: '/v1/models', status: 200, headers: good },
  { path: '/v1/models', status: 401 },
  { path: '/v1/models', status: 401, headers: { authorization: 'Bearer wrong-token-of-a-stranger' } },
  { path: '/v1/models', status: 403, headers: { ...good, host: 'evil.example' } },
  { path: '/v1/models', status: 403, headers: { ...good, origin: 'https://evil.example' } },
  { path: '/health', status: 403, headers: { 'sec-fetch-site': 'cross-site' } },
  { path: `/v1/${'x'.repeat(2000)}`, status: 404, headers: good },
  { path: '/v1/models/../../etc/passwd', status: 404, headers: good },
  { path: '/v1/models/__proto__', status: 404, headers: good },
  { path: '/v1/chat/completions', status: 400, headers: json, body: '{"model":' },
  { path: '/v1/chat/completions', status: 400, headers: json, body: `${'['.repeat(20_000)}${']'.repeat(20_000)}` },
  { path: '/v1/chat/completions', status: 400, headers: json, body: '{"__proto__":{"model":"paced"},"messages":[]}' },
  { path: '/v1/chat/completions', status: 413, headers: { ...json, 'content-length': '999999999' }, body: 'x' },
  { path: '/v1/chat/completions', status: 415, headers: { ...good, 'content-type': 'text/html' }, body: '<script>' },
  { path: '/v1/chat/completions', status: 401, headers: { 'content-type': 'application/json' }, body: JSON.stringify(CHAT) },
  { path: '/v1/tah/count', status: 200, headers: json, body: JSON.stringify({ model: 'paced', text: 'x' }) },
  { path: '/v1/chat/completions', status: 200, headers: json, body: JSON.stringify(CHAT) },
];

/** The status, or null where the server cut the connection off. */
function ask({ path, headers = {}, body }: Ask, agent: http.Agent): Promise<number | null> {
  return new Promise((resolve) => {
    const request = http.request({ host: '127.0.0.1', port: server.port, path, method: body === undefined ? 'GET' : 'POST', headers, agent }, (response) => {
      response.resume();
      response.on('close', () => { resolve(response.statusCode ?? null); });
      // A body that was announced and is not wanted any more.
      request.destroy();
    });
    request.on('error', () => { resolve(null); });
    if (headers['content-length'] === undefined) request.end(body);
    else request.write(body ?? '');
  });
}

async function flood(times: number): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  let next = 0;
  const client = async (): Promise<void> => {
    for (let i = next++; i < times; i = next++) {
      const wanted = ASKED[i % ASKED.length];
      if (wanted === undefined) throw new Error('nothing is asked');
      const status = await ask(wanted, agent);
      if (status !== wanted.status) throw new Error(`${wanted.path.slice(0, 60)} (${i % ASKED.length}) got ${status ?? 'no answer'}, not ${wanted.status}`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, client));
  agent.destroy();
}

/** What is in use once all that nobody holds is gone. Megabytes. */
function used(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

describe('10 000 requests, most of them hostile', { timeout: 300_000 }, () => {
  it('get each its status, and memory stays flat', async () => {
    await flood(2000);
    engine.requests.length = 0;
    const before = used();
    await flood(8000);
    engine.requests.length = 0;
    expect(used() - before).toBeLessThan(8);
    expect(lines).toBe(10_000);
    expect(engine.running).toBe(0);
    expect(engine.ended.every((how) => how === 'whole')).toBe(true);
  });
});

describe('connections that say nothing, or half of something', { timeout: 120_000 }, () => {
  it.each([
    ['nothing', ''],
    ['half a line', 'GET /hea'],
    ['no end of headers', 'GET /health HTTP/1.1\r\nHost: x\r\nX: y\r\n'],
    ['no end of a body', `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`],
    ['no end of a chunk', `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n{`],
  ])('are all cut off: %s', async (_, text) => {
    await server.close();
    await start({ headersMs: 500, requestMs: 1000 });
    let closed = 0;
    const sockets = Array.from({ length: 300 }, () => {
      const socket = net.connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined).on('close', () => closed++).resume();
      if (text !== '') socket.write(text.replace('PORT', String(server.port)));
      return socket;
    });
    // Who behaves is served meanwhile.
    expect(await ask({ path: '/health', status: 200 }, new http.Agent())).toBe(200);
    await eventually('all are closed', () => closed === sockets.length);
    expect(engine.requests).toHaveLength(0);
    expect(await ask({ path: '/v1/chat/completions', status: 200, headers: json, body: JSON.stringify(CHAT) }, new http.Agent())).toBe(200);
  });

  it('more than the server takes: the others are turned away, and it serves again when they are gone', async () => {
    await server.close();
    await start({ connections: 20, headersMs: 20_000 });
    let closed = 0;
    const sockets = Array.from({ length: 100 }, () => net.connect(server.port, '127.0.0.1').on('error', () => undefined).on('close', () => closed++).resume());
    await eventually('80 are turned away', () => closed === 80);
    for (const socket of sockets) socket.destroy();
    await eventually('the others are gone', () => closed === 100);
    let status: number | null = null;
    for (let tries = 0; tries < 50 && status !== 200; tries++) status = await ask({ path: '/health', status: 200 }, new http.Agent());
    expect(status).toBe(200);
  });

  it('a body in endless drops is answered with 408', async () => {
    await server.close();
    await start({ headersMs: 500, requestMs: 1000 });
    const socket = net.connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('error', () => undefined).setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n`);
    const drops = setInterval(() => { if (socket.writable) socket.write(' '); }, 20);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(drops);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('a thousand requests in one breath are answered one after the other', async () => {
    const socket = net.connect(server.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.end(`GET /health HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`.repeat(1000));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(1000);
  });
});
