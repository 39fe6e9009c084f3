/**
 * An AsyncIterable that crosses processes: the request starts it, `stream/events` notifications carry its events,
 * the answer ends it, a cancellation stops it. Both ends are here, so that what one writes the other reads.
 * Written against the few members of a JSON-RPC connection that it needs; imports no transport, no Node, no DOM.
 *
 *   host    openStream  --request {stream, request}-->  serveStream   engine
 *           next()      <--stream/events [e, e, …]----  for await
 *           return()    --cancel-------------------->   AbortSignal
 */

import { TahError } from './errors.ts';
import { STREAM_EVENTS } from './rpc.ts';
import type { RpcStreams, StreamEvents, StreamName, StreamParams } from './rpc.ts';

export interface Disposable {
  dispose(): void;
}

export interface CancelToken {
  readonly isCancellationRequested: boolean;
  onCancellationRequested(listener: () => void): Disposable;
}

export interface ClientConnection {
  sendRequest(method: string, params: object, token: CancelToken): Promise<unknown>;
  onNotification(method: string, handler: (params: unknown) => void): Disposable;
}

export interface ServerConnection {
  onRequest(method: string, handler: (params: unknown, token: CancelToken) => Promise<unknown>): Disposable;
  sendNotification(method: string, params: object): Promise<void>;
}

export function cancelled(): TahError {
  return new TahError('cancelled', 'Stopped.');
}

/** The token that a JSON-RPC connection wants, for the signal that the contracts speak of. */
function cancelTokenOf(signal: AbortSignal): CancelToken {
  return {
    get isCancellationRequested() {
      return signal.aborted;
    },
    onCancellationRequested(listener) {
      signal.addEventListener('abort', listener, { once: true });
      return { dispose: () => { signal.removeEventListener('abort', listener); } };
    },
  };
}

/** Runs `body` with a signal that is aborted when `token` is. */
export async function withSignal<T>(token: CancelToken, body: (abort: AbortController) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const subscription = token.onCancellationRequested(() => { abort.abort(); });
  if (token.isCancellationRequested) abort.abort();
  try {
    return await body(abort);
  } finally {
    subscription.dispose();
  }
}

// ---- the reading end ----

interface Reader<Event> {
  resolve(result: IteratorResult<Event, undefined>): void;
  reject(error: TahError): void;
}

/**
 * One stream as the host reads it. Events wait here until they are read; they are at most those of one run.
 * Leaving the loop or aborting the signal cancels it at the other end; neither waits for the answer.
 */
export class IncomingStream<Event> implements AsyncIterableIterator<Event, undefined> {
  /** Resolves when the other end has answered or is gone, however it went. Never rejects. */
  readonly settled: Promise<void>;
  readonly #abort = new AbortController();
  readonly #readers: Reader<Event>[] = [];
  #events: Event[] = [];
  #next = 0;
  #end: { readonly error: TahError | null } | null = null;

  /** @param send starts the stream at the other end; its promise is the answer. It rejects with a TahError. */
  constructor(send: (token: CancelToken) => Promise<void>) {
    this.settled = send(cancelTokenOf(this.#abort.signal)).then(
      () => { this.#finish(null); },
      (error: unknown) => { this.#finish(TahError.from(error)); },
    );
  }

  push(events: readonly Event[]): void {
    if (this.#end !== null) return; // Left or aborted: what was under way is not wanted any more.
    for (const event of events) {
      const reader = this.#readers.shift();
      if (reader === undefined) this.#events.push(event);
      else reader.resolve({ done: false, value: event });
    }
  }

  /** Stops at once: what was not read is dropped, `next` rejects with `cancelled`. */
  cancel(): void {
    if (this.#end === null) this.#stop(cancelled());
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    const event = this.#events[this.#next];
    if (event !== undefined) {
      this.#next += 1;
      if (this.#next === this.#events.length) this.#drop();
      return Promise.resolve({ done: false, value: event });
    }
    const end = this.#end;
    if (end === null) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    this.#end = { error: null };
    return end.error === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(end.error);
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    if (this.#end === null) this.#stop(null);
    else this.#drop();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #stop(error: TahError | null): void {
    this.#drop();
    this.#finish(error);
    this.#abort.abort();
  }

  #finish(error: TahError | null): void {
    if (this.#end !== null) return;
    // The first reader gets the error, the others the end.
    const [first, ...others] = this.#readers.splice(0);
    this.#end = { error: first === undefined ? error : null };
    if (error === null) first?.resolve({ done: true, value: undefined });
    else first?.reject(error);
    for (const reader of others) reader.resolve({ done: true, value: undefined });
  }

  #drop(): void {
    this.#events = [];
    this.#next = 0;
  }
}

/** All streams of one connection, as the host opens them. */
export class StreamClient {
  readonly #connection: ClientConnection;
  readonly #toError: (error: unknown) => Promise<TahError>;
  /** What is open is typed by the name it was opened with. */
  readonly #open = new Map<number, { push(events: readonly unknown[]): void }>();
  #lastId = 0;

  /** @param toError says what a failed answer means (the other side's words, or that its process is gone). */
  constructor(connection: ClientConnection, toError: (error: unknown) => Promise<TahError>) {
    this.#connection = connection;
    this.#toError = toError;
    connection.onNotification(STREAM_EVENTS, (params) => { this.#receive(params); });
  }

  open<Name extends StreamName>(name: Name, request: RpcStreams[Name]['request']): IncomingStream<RpcStreams[Name]['event']> {
    const stream = (this.#lastId += 1);
    const params: StreamParams<RpcStreams[Name]['request']> = { stream, request };
    const incoming = new IncomingStream<RpcStreams[Name]['event']>(async (token) => {
      try {
        await this.#connection.sendRequest(name, params, token);
      } catch (error) {
        throw await this.#toError(error);
      } finally {
        this.#open.delete(stream);
      }
    });
    // The far end's first event can't be here yet: messages are read in a later turn.
    this.#open.set(stream, incoming);
    return incoming;
  }

  #receive(params: unknown): void {
    if (!isStreamEvents(params)) throw new TahError('internal', 'The engine sent events in a form that is not known here.');
    this.#open.get(params.stream)?.push(params.events);
  }
}

function isStreamEvents(params: unknown): params is StreamEvents<unknown> {
  return typeof params === 'object' && params !== null && 'stream' in params && 'events' in params && Array.isArray(params.events);
}

// ---- the writing end ----

/** What the writing end knows of its event loop and of its events. */
export interface Sending<Event> {
  /** Rare events that say how far a run is: sent before anything else is asked of the source, which may block or crash. */
  isMilestone(event: Event): boolean;
  /** Resolves in a later turn, after messages that have arrived were read. */
  nextTurn(): Promise<void>;
  /** Milliseconds on a clock that never goes back. */
  now(): number;
}

/** A producer that yields without a pause gives way to messages (a cancel) at least this often, in milliseconds. */
const LONGEST_TURN_MS = 4;
/** Bounds the size of one message. */
const LARGEST_BATCH = 64;

/**
 * Sends what `source` yields as events of `stream`. Events of one turn share a message, none waits for the next one.
 * Stops pulling when `abort` fires and throws `cancelled`; a connection that is gone aborts too.
 */
export async function sendStream<Event>(
  connection: ServerConnection,
  stream: number,
  source: AsyncIterable<Event>,
  abort: AbortController,
  sending: Sending<Event>,
): Promise<void> {
  let batch: Event[] = [];
  const flush = (): void => {
    if (batch.length === 0) return;
    const message: StreamEvents<Event> = { stream, events: batch };
    batch = [];
    // The async wrapper turns a synchronous throw of a closed connection into a rejection.
    const sent = (async () => { await connection.sendNotification(STREAM_EVENTS, message); })();
    sent.catch(() => { abort.abort(); });
  };
  let turnStart = sending.now();
  try {
    for await (const event of source) {
      batch.push(event);
      if (sending.isMilestone(event) || batch.length >= LARGEST_BATCH || sending.now() - turnStart >= LONGEST_TURN_MS) {
        flush();
        await sending.nextTurn();
        turnStart = sending.now();
      } else if (batch.length === 1) {
        void sending.nextTurn().then(flush);
      }
      if (abort.signal.aborted) throw cancelled();
    }
  } finally {
    flush();
  }
}

/** What the connection gives beside the parameters, checked. @throws TahError engine.bad-request */
export function readToken(token: CancelToken | undefined): CancelToken {
  if (typeof token?.onCancellationRequested === 'function') return token;
  throw unknownForm();
}

/** What a stream request brings, checked. @throws TahError engine.bad-request */
export function readStreamParams(params: unknown): StreamParams<object> {
  if (typeof params === 'object' && params !== null && 'stream' in params && 'request' in params) {
    const { stream, request } = params;
    if (typeof stream === 'number' && Number.isSafeInteger(stream) && typeof request === 'object' && request !== null) return { stream, request };
  }
  throw unknownForm();
}

function unknownForm(): TahError {
  return new TahError('engine.bad-request', 'A request to the engine has a form that it does not know.', { hint: 'Reload the window.' });
}
