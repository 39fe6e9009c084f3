/**
 * HTTP to one endpoint: the key goes with it, redirects are not followed, a silence has a limit, an abort closes the
 * connection. Knows what a failure means, not what is asked.
 */

import { TahError } from '../protocol/errors.ts';
import { cancelled } from '../protocol/streams.ts';
import type { Address, Endpoint } from './address.ts';
import { connectionError, statusError } from './failure.ts';
import type { Party } from './failure.ts';

export interface Patience {
  /** Until the first byte: the server may have to load the model or serve others first. */
  readonly firstMs: number;
  /** Between two parts of an answer. */
  readonly stallMs: number;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | null;
  /** Throws a TahError when the connection breaks, nothing comes for too long, or `signal` fires. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Closes the connection; whoever doesn't read the body to its end calls it. */
  close(): void;
}

const LONGEST_JSON = 16 * 1024 * 1024;
const LONGEST_ERROR = 64 * 1024;

export class Connection {
  readonly party: Party;

  constructor(
    endpoint: Endpoint,
    readonly address: Address,
    private readonly key: () => Promise<string | null>,
    private readonly patience: Patience,
  ) {
    this.party = { name: endpoint.name, host: address.host, model: endpoint.model };
  }

  /** @param send a body makes it a POST @param signal closes the connection @throws TahError endpoint.*, cancelled */
  async open(path: string, send: object | null, signal: AbortSignal): Promise<Answer> {
    const key = await this.key();
    const abort = new AbortController();
    const watch = new Watch(abort, signal, this.patience);
    try {
      const response = await fetch(`${this.address.base}${path}`, {
        method: send === null ? 'GET' : 'POST',
        headers: { accept: 'application/json, text/event-stream', ...(send === null ? {} : { 'content-type': 'application/json' }), ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
        ...(send === null ? {} : { body: JSON.stringify(send) }),
        redirect: 'manual',
        signal: abort.signal,
      });
      return {
        status: response.status,
        contentType: response.headers.get('content-type') ?? '',
        retryAfter: response.headers.get('retry-after'),
        body: this.read(response.body, watch),
        close: () => {
          watch.end();
        },
      };
    } catch (error) {
      watch.end();
      throw this.failure(error, watch);
    }
  }

  /** A JSON answer of status 200. @throws TahError */
  async json(path: string, send: object | null, signal: AbortSignal): Promise<unknown> {
    const answer = await this.open(path, send, signal);
    if (answer.status !== 200) throw await this.refusal(answer);
    const text = await readText(answer.body, LONGEST_JSON);
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw this.notOpenAI('its answer is no JSON', cause);
    }
  }

  async refusal(answer: Answer): Promise<TahError> {
    const text = await readText(answer.body, LONGEST_ERROR);
    return statusError(this.party, answer.status, text, answer.retryAfter);
  }

  notOpenAI(what: string, cause?: unknown): TahError {
    const { name, host } = this.party;
    return new TahError('endpoint.not-openai', `${name} (${host}) doesn't speak the protocol of OpenAI: ${what}.`, { hint: 'Check the base URL: it mostly ends with /v1.', subject: name, cause });
  }

  private async *read(body: AsyncIterable<Uint8Array> | null, watch: Watch): AsyncGenerator<Uint8Array, void> {
    try {
      if (body === null) return;
      for await (const part of body) {
        watch.touch();
        yield part;
      }
    } catch (error) {
      throw this.failure(error, watch);
    } finally {
      watch.end();
    }
  }

  private failure(error: unknown, watch: Watch): TahError {
    if (watch.stopped) return cancelled();
    const { name, host } = this.party;
    if (watch.stalledMs !== null) return new TahError('endpoint.stalled', `${name} (${host}) has sent nothing for ${watch.stalledMs / 1000} s.`, { hint: 'See whether the server still works, or try again.', subject: name });
    return connectionError(this.party, error);
  }
}

/** Ends a request that is stopped or silent. */
class Watch {
  stalledMs: number | null = null;
  private timer: NodeJS.Timeout;

  constructor(
    private readonly abort: AbortController,
    private readonly signal: AbortSignal,
    private readonly patience: Patience,
  ) {
    this.timer = this.wait(patience.firstMs);
    signal.addEventListener('abort', this.onAbort, { once: true });
    if (signal.aborted) this.onAbort();
  }

  get stopped(): boolean {
    return this.signal.aborted;
  }

  touch(): void {
    clearTimeout(this.timer);
    this.timer = this.wait(this.patience.stallMs);
  }

  /** Closes the connection too, if it is still open. */
  end(): void {
    clearTimeout(this.timer);
    this.signal.removeEventListener('abort', this.onAbort);
    this.abort.abort();
  }

  private readonly onAbort = (): void => {
    this.abort.abort();
  };

  private wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.stalledMs = ms;
      this.abort.abort();
    }, ms);
  }
}

/** At most `limit` bytes; the rest is left unread. */
async function readText(body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for await (const part of body) {
    text += decoder.decode(part, { stream: true });
    length += part.length;
    if (length >= limit) break;
  }
  return text;
}
