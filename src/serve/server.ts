/**
 * The OpenAI-compatible server: loopback only, a token, no web pages, one engine whose clients take turns.
 * Knows HTTP and the routes; what a request may ask is request.ts, what goes back answer.ts. Texts are never logged.
 */

import { createServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { EngineApi, ProviderChoice, ThinkingPolicy } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { modelObject } from './answer.ts';
import type { ServedModel } from './answer.ts';
import { readJson } from './body.ts';
import { answerChat, endWithError } from './completions.ts';
import { hashToken, refuseForeign, refuseStranger } from './door.ts';
import { Refusal } from './refusal.ts';
import { readChatRequest, readCountRequest } from './request.ts';
import { Turns } from './turns.ts';

export type { ServedModel } from './answer.ts';

export interface ServeOptions {
  readonly engine: Pick<EngineApi, 'generate' | 'countTokens'>;
  readonly models: readonly ServedModel[];
  readonly token: string;
  /** 0: a free one. */
  readonly port: number;
  /** For Think-at-Hard models, where a request doesn't say otherwise. */
  readonly policy: ThinkingPolicy;
  readonly provider: ProviderChoice;
  /** Requests that may wait for the engine. */
  readonly queue: number;
  /** One line for each request (method, path, status, milliseconds) and each failure of ours. */
  readonly log: (line: string) => void;
  readonly limits?: Partial<Limits>;
}

export interface Limits {
  /** Bytes of a body. */
  readonly body: number;
  /** How long a client may take for its headers, for its whole request, and between two reads of its answer. */
  readonly headersMs: number;
  readonly requestMs: number;
  readonly stallMs: number;
  readonly connections: number;
}

const LIMITS: Limits = { body: 1024 * 1024, headersMs: 10_000, requestMs: 30_000, stallMs: 30_000, connections: 512 };
const IDLE_MS = 5_000;
/** How often Node looks for connections that are too slow. */
const WATCH_MS = 1_000;
/** Answers under way may take this long to be told that the server ends. */
const LAST_WORDS_MS = 1_000;
const SHORTEST_TOKEN = 16;
export const LOOPBACK = '127.0.0.1';

export interface RunningServer {
  readonly port: number;
  /** `http://127.0.0.1:PORT/v1`: what a client calls its base URL. */
  readonly url: string;
  /** Takes no more requests, stops the engine, tells the clients; resolves when all connections are closed. */
  close(): Promise<void>;
}

/** @throws TahError serve.port-in-use, serve.cannot-listen, input.bad-option */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  if (options.token.length < SHORTEST_TOKEN || !/^[\x21-\x7e]+$/.test(options.token)) {
    throw new TahError('input.bad-option', `The token must have at least ${SHORTEST_TOKEN} characters, none of them a space.`, { hint: 'Leave it out: one is made.' });
  }
  return new HttpService(options).listen();
}

class HttpService {
  private readonly limits: Limits;
  private readonly turns: Turns;
  private readonly tokenHash: Buffer;
  private readonly server: Server;
  private readonly closing = new AbortController();
  private readonly answering = new Set<Promise<void>>();
  private port = 0;

  constructor(private readonly options: ServeOptions) {
    this.limits = { ...LIMITS, ...options.limits };
    this.turns = new Turns(options.queue);
    this.tokenHash = hashToken(options.token);
    const { headersMs, requestMs, connections } = this.limits;
    this.server = createServer({ headersTimeout: headersMs, requestTimeout: requestMs, keepAliveTimeout: IDLE_MS, connectionsCheckingInterval: Math.min(WATCH_MS, headersMs) });
    this.server.maxConnections = connections;
    this.server.on('request', (request, response) => {
      const answer = this.answer(request, response).finally(() => this.answering.delete(answer));
      this.answering.add(answer);
    });
    this.server.on('clientError', refuseConnection);
  }

  async listen(): Promise<RunningServer> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => {
        const { port } = this.options;
        reject(
          error.code === 'EADDRINUSE'
            ? new TahError('serve.port-in-use', `Port ${port} of ${LOOPBACK} is in use.`, { hint: 'Give another one with --port, or 0 for any that is free.', cause: error })
            : new TahError('serve.cannot-listen', `The server can't listen on port ${port} of ${LOOPBACK}: ${error.message}.`, { hint: 'Give another port with --port.', cause: error }),
        );
      });
      this.server.listen(this.options.port, LOOPBACK, resolve);
    });
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    this.port = address.port;
    return { port: this.port, url: `http://${LOOPBACK}:${this.port}/v1`, close: () => this.close() };
  }

  private async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
    });
    this.closing.abort();
    const late = setTimeout(() => {
      this.server.closeAllConnections();
    }, LAST_WORDS_MS);
    await Promise.all(this.answering);
    this.server.closeIdleConnections();
    await closed;
    clearTimeout(late);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const gone = new AbortController();
    response.once('close', () => {
      gone.abort();
    });
    try {
      refuseForeign(request.headers, this.port);
      response.setHeader('x-content-type-options', 'nosniff');
      response.setHeader('cache-control', 'no-store');
      await this.route(request, response, AbortSignal.any([gone.signal, this.closing.signal]));
    } catch (thrown) {
      this.refuse(thrown, request, response);
    }
    this.options.log(`${request.method ?? ''} ${pathOf(request)} ${response.headersSent ? response.statusCode : 'closed'} ${Math.round(performance.now() - started)} ms`);
  }

  private async route(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const path = pathOf(request);
    if (path === '/health') {
      allow(request, 'GET');
      send(response, 200, { status: 'ok' });
      return;
    }
    refuseStranger(request.headers, this.tokenHash);
    const wanted = /^\/v1\/models\/(.+)$/.exec(path)?.[1];
    if (path === '/v1/models') {
      allow(request, 'GET');
      send(response, 200, { object: 'list', data: this.options.models.map(modelObject) });
    } else if (wanted !== undefined) {
      allow(request, 'GET');
      send(response, 200, modelObject(this.model(decodePath(wanted))));
    } else if (path === '/v1/chat/completions') {
      allow(request, 'POST');
      await this.chat(request, response, signal);
    } else if (path === '/v1/tah/count') {
      allow(request, 'POST');
      const { model, prompt } = readCountRequest(await readJson(request, this.limits.body));
      send(response, 200, { tokens: await this.options.engine.countTokens({ model: this.model(model).info.path, prompt }) });
    } else {
      throw new Refusal(404, `There is nothing at ${path.slice(0, 100)}.`, { code: 'unknown_url' });
    }
  }

  private async chat(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const wanted = readChatRequest(await readJson(request, this.limits.body));
    const model = this.model(wanted.model);
    const { engine, policy, provider } = this.options;
    const leave = await this.turns.enter(signal);
    try {
      await answerChat(wanted, response, { engine, model, policy, provider, stallMs: this.limits.stallMs, signal });
    } finally {
      leave();
    }
  }

  private model(id: string): ServedModel {
    const model = this.options.models.find((one) => one.id === id);
    if (model === undefined) throw new Refusal(404, `There is no model "${id.slice(0, 100)}". There is ${this.options.models.map((one) => one.id).join(', ')}.`, { param: 'model', code: 'model_not_found' });
    return model;
  }

  private refuse(thrown: unknown, request: IncomingMessage, response: ServerResponse): void {
    const error = TahError.from(thrown);
    const refusal = error.code === 'cancelled' ? new Refusal(503, 'The server is ending.', { code: 'server_ending' }) : Refusal.from(thrown);
    if (!(thrown instanceof Refusal) && !error.isUserFault) this.options.log(`${error.code}: ${error.stack ?? error.message}`);
    if (response.destroyed || response.writableEnded) return;
    if (response.headersSent) {
      endWithError(response, refusal);
      return;
    }
    // A body that nobody reads any more ends with its connection.
    if (!request.complete) response.setHeader('connection', 'close');
    for (const [name, value] of Object.entries(refusal.options.headers ?? {})) response.setHeader(name, value);
    send(response, refusal.status, refusal.body);
    if (!request.complete) request.resume();
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function allow(request: IncomingMessage, method: 'GET' | 'POST'): void {
  if (request.method === method || (method === 'GET' && request.method === 'HEAD')) return;
  throw new Refusal(405, `Use ${method}.`, { code: 'method_not_allowed', headers: { allow: method } });
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?')[0] ?? '';
}

function decodePath(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // No model has a name that can't be decoded.
    return part;
  }
}

/** What is no HTTP, or came too slowly, has no response object: the answer is written as it is. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const reason = STATUS_CODES[status] ?? 'Error';
  const body = JSON.stringify(new Refusal(status, `${reason}.`, { code: 'bad_http' }).body);
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
