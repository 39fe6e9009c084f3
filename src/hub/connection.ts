/**
 * One hub, asked over HTTP. Knows that a token goes to the hub itself and to no other host a redirect leads to, that
 * an answer which doesn't come is a stall, and which statuses are worth another try.
 * The `fetch` is the caller's: VS Code's own knows its proxy settings, the command line's the environment's.
 */
import { TahError } from '../protocol/errors.ts';
import { networkFailure, stalled, statusFailure, withoutQuery, type Asked } from './failures.ts';
import { cancelledDownload, isAborted, RETRIES, TransientFailure, type RetryPolicy } from './retry.ts';

export interface ConnectionOptions {
  readonly fetch: typeof fetch;
  /** Access token of this hub. */
  readonly token?: string | null;
  /** No byte for this long: the connection counts as dead. Default 30 s. */
  readonly stallMs?: number;
  readonly retries?: RetryPolicy;
  /** What else a user can do where the network is at fault, for hints; default: bring the checkpoint some other way. */
  readonly byHand?: string;
}

export interface Ask {
  readonly url: string;
  /** Repository or file, for messages. */
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Statuses that are no failure here, beside 2xx. */
  readonly accept?: readonly number[];
}

const DEFAULT_STALL_MS = 30_000;
const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export class HubConnection {
  readonly retries: RetryPolicy;
  readonly #hub: URL;
  readonly #options: ConnectionOptions;
  readonly #stallMs: number;

  constructor(hub: string, options: ConnectionOptions) {
    this.#hub = new URL(hub);
    this.#options = options;
    this.#stallMs = options.stallMs ?? DEFAULT_STALL_MS;
    this.retries = options.retries ?? RETRIES;
  }

  /**
   * One attempt: asks, follows redirects, and gives the answer and its bytes as they come to `use`.
   * @throws TahError, TransientFailure; `cancelled` as soon as the signal fires
   */
  async ask<T>(ask: Ask, use: (response: Response, chunks: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
    const asked: Asked = { url: new URL(ask.url, this.#hub), what: ask.what, hasToken: this.#tokenFor(new URL(ask.url, this.#hub)) !== null, ...(this.#options.byHand === undefined ? {} : { byHand: this.#options.byHand }) };
    if (isAborted(ask.signal)) throw cancelledDownload();
    const watch = new Watch(ask.signal, this.#stallMs);
    let gained = false;
    try {
      const response = await this.#follow(ask, asked, watch);
      if (!response.ok && ask.accept?.includes(response.status) !== true) {
        discard(response);
        throw statusFailure(response, asked);
      }
      watch.alive();
      const chunks = watch.read(response, () => {
        gained = true;
      });
      return await use(response, chunks);
    } catch (thrown) {
      if (isAborted(ask.signal)) throw cancelledDownload();
      if (watch.stalled) throw stalled(asked, this.#stallMs, gained);
      if (thrown instanceof TahError || thrown instanceof TransientFailure || isDiskError(thrown)) throw thrown;
      throw networkFailure(thrown, asked, gained);
    } finally {
      watch.close();
    }
  }

  /** The whole text of an answer that must not be longer than `limit` bytes. */
  async text(ask: Ask, limit: number): Promise<{ readonly text: string; readonly headers: Headers }> {
    return this.ask(ask, async (response, chunks) => {
      const parts: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of chunks) {
        length += chunk.length;
        if (length > limit) throw new TahError('hub.bad-answer', `${this.#hub.host} sends more than ${limit} bytes when asked for ${ask.what}.`, { subject: ask.what, hint: 'Check the address of the hub or mirror.' });
        parts.push(chunk);
      }
      return { text: Buffer.concat(parts).toString('utf8'), headers: response.headers };
    });
  }

  async #follow(ask: Ask, asked: Asked, watch: Watch): Promise<Response> {
    let { url } = asked;
    for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
      const token = this.#tokenFor(url);
      const response = await this.#options.fetch(url.href, {
        redirect: 'manual',
        signal: watch.signal,
        headers: { 'user-agent': 'think-at-hard', ...ask.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      });
      if (!REDIRECTS.has(response.status)) return response;
      discard(response);
      const next = response.headers.get('location');
      if (next === null || !URL.canParse(next, url.href)) throw badRedirect(asked, 'without a place to go to');
      const target = new URL(next, url.href);
      if (target.protocol !== 'https:' && target.protocol !== 'http:') throw badRedirect(asked, `to ${target.protocol}`);
      if (url.protocol === 'https:' && target.protocol === 'http:') throw badRedirect(asked, `from https to ${withoutQuery(target)}`);
      url = target;
      watch.alive();
    }
    throw badRedirect(asked, `more than ${MOST_REDIRECTS} times`);
  }

  /** The token for this address: only for the hub itself, and never in the clear over a network. */
  #tokenFor(url: URL): string | null {
    const token = this.#options.token ?? null;
    if (token === null || url.origin !== this.#hub.origin) return null;
    return url.protocol === 'https:' || isLoopback(url.hostname) ? token : null;
  }
}

/** Ends a request when nothing comes for a while, or when its caller wants to. */
class Watch {
  stalled = false;
  readonly #abort = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #stallMs: number;
  readonly #onOuter = (): void => {
    this.#end();
  };
  #timer: NodeJS.Timeout;
  /** Ends the read that is waited for. */
  #leave: () => void = () => undefined;

  constructor(outer: AbortSignal | undefined, stallMs: number) {
    this.#outer = outer;
    this.#stallMs = stallMs;
    this.#timer = this.#start();
    outer?.addEventListener('abort', this.#onOuter, { once: true });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  alive(): void {
    this.#timer.refresh();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onOuter);
    // A body that was not read to its end must not hold the connection.
    this.#end();
  }

  /** The bytes of an answer as they come; each one is a sign of life. */
  async *read(response: Response, onChunk: () => void): AsyncGenerator<Uint8Array, void> {
    if (response.body === null) return;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (;;) {
      const { done, value } = await this.#unlessEnded(reader.read());
      if (done) return;
      onChunk();
      this.alive();
      yield value;
    }
  }

  /** Node's fetch can leave a read pending for ever when it is aborted at the body's end; so nobody waits for it. */
  #unlessEnded<T>(reading: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#leave = () => {
        reject(new Error('The request was ended.'));
      };
      if (this.#abort.signal.aborted) this.#leave();
      reading.then(resolve, reject);
    });
  }

  #end(): void {
    this.#abort.abort();
    this.#leave();
  }

  #start(): NodeJS.Timeout {
    return setTimeout(() => {
      this.stalled = true;
      this.#end();
    }, this.#stallMs);
  }
}

/** Lets go of an answer whose body nobody wants; whether that works makes no difference. */
function discard(response: Response): void {
  response.body?.cancel().catch(() => undefined);
}

function badRedirect({ url, what }: Asked, how: string): TahError {
  return new TahError('hub.bad-answer', `${url.host} leads on ${how} when asked for ${what}.`, { subject: what, hint: 'Check the address of the hub or mirror.' });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Thrown by whoever writes what comes: not the network's fault. */
function isDiskError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown && ['open', 'write', 'ftruncate', 'fsync', 'rename', 'unlink', 'mkdir', 'stat'].includes(String(thrown.syscall));
}
