/**
 * What a hub, a network or a disk can answer, in the user's words. Addresses are told without their query, which may
 * hold a signature; tokens never come here.
 */
import { TahError, type TahErrorOptions } from '../protocol/errors.ts';
import { TransientFailure } from './retry.ts';

/** Whoever can't download can still bring the files: said wherever the network is at fault. */
const BY_HAND = 'or get the checkpoint\'s files another way and choose "Import a checkpoint folder…" (command line: tah import FOLDER)';
/** How long a server that says "too many requests" without a time is left alone. */
const DEFAULT_RETRY_AFTER_MS = 10_000;

/** Where something was asked for, and what it is called. */
export interface Asked {
  readonly url: URL;
  /** Repository or file, for the message. */
  readonly what: string;
  readonly hasToken: boolean;
  /** What else can be done; default: about checkpoints. */
  readonly byHand?: string;
}

export function withoutQuery(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** The failure that an answer's status means: a TahError, or a TransientFailure where another try may help. */
export function statusFailure(response: Response, asked: Asked): TahError | TransientFailure {
  const { url, what, hasToken } = asked;
  const options = { subject: what };
  switch (response.status) {
    case 401:
      return new TahError('hub.unauthorized', `${url.host} wants to know who asks for ${what}: ${hasToken ? 'the access token is not accepted' : 'it is private, gated, or not there'}.`, {
        ...options,
        hint: hasToken ? 'Set another token (Think-at-Hard: Set Access Token of the Hub…).' : 'Check the name; for a gated repository accept its terms on its page and set an access token.',
      });
    case 403:
      return new TahError('hub.forbidden', `${url.host} does not let you read ${what}.`, { ...options, hint: 'Accept the terms on the page of the repository, and check that the token may read gated repositories.' });
    case 404:
      return new TahError('hub.not-found', `${what} is not on ${url.host}.`, { ...options, hint: 'Check the name of the repository and the revision, or the address of the mirror.' });
    case 429:
      return rateLimited(response, asked);
    default:
      break;
  }
  if (response.status >= 500 || response.status === 408) {
    const error = new TahError('hub.server-error', `${url.host} failed (status ${response.status}) when asked for ${what}.`, { ...options, hint: `Try again later; what is there is kept. Try a mirror, ${byHandOf(asked)}.` });
    return new TransientFailure(error);
  }
  return new TahError('hub.bad-answer', `${url.host} answered ${withoutQuery(url)} with status ${response.status}.`, { ...options, hint: 'Check the address of the hub or mirror.' });
}

function byHandOf({ byHand = BY_HAND }: Asked): string {
  return byHand;
}

function rateLimited(response: Response, { url, what }: Asked): TransientFailure {
  const ms = retryAfterMs(response.headers.get('retry-after'), response.headers.get('date')) ?? DEFAULT_RETRY_AFTER_MS;
  const error = new TahError('hub.rate-limited', `${url.host} has had too many requests from here and asks to wait ${Math.ceil(ms / 1000)} seconds.`, {
    subject: what,
    hint: 'Try again after that time; with an access token the limit is higher.',
  });
  return new TransientFailure(error, { retryAfterMs: ms });
}

/** Seconds or a date, which is of the server's clock; null where it is neither. */
function retryAfterMs(header: string | null, sentAt: string | null): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  const sent = Date.parse(sentAt ?? '');
  return Number.isNaN(date) ? null : Math.max(0, date - (Number.isNaN(sent) ? Date.now() : sent));
}

/** The connection failed before or while something came. */
export function networkFailure(thrown: unknown, asked: Asked, gained: boolean): TransientFailure {
  const reason = reasonOf(thrown);
  const options: TahErrorOptions = { subject: asked.what, cause: thrown };
  const certificate = /certificate|self.?signed|CERT_|UNABLE_TO_/i.test(reason);
  const error = gained
    ? new TahError('hub.interrupted', `The connection to ${asked.url.host} was cut while ${asked.what} came (${reason}).`, { ...options, hint: `Start it again: it goes on where it was. Try a mirror, ${byHandOf(asked)}.` })
    : new TahError('hub.no-network', `${asked.url.host} can't be reached (${reason}).`, {
        ...options,
        hint: certificate
          ? `A proxy that opens connections needs its certificate in the system's store; ${byHandOf(asked)}.`
          : `Check the network and the proxy settings, try a mirror, ${byHandOf(asked)}.`,
      });
  return new TransientFailure(error, { gained });
}

export function stalled(asked: Asked, stallMs: number, gained: boolean): TransientFailure {
  const error = new TahError('hub.interrupted', `Nothing came from ${asked.url.host} for ${Math.ceil(stallMs / 1000)} seconds (${asked.what}).`, {
    subject: asked.what,
    hint: `Start it again: it goes on where it was. Try a mirror, ${byHandOf(asked)}.`,
  });
  return new TransientFailure(error, { gained });
}

/** Innermost words of a failed fetch: `fetch failed` says nothing, its cause does. */
function reasonOf(thrown: unknown): string {
  let error = thrown;
  while (error instanceof Error && error.cause instanceof Error) error = error.cause;
  if (error instanceof AggregateError && error.errors[0] instanceof Error) error = error.errors[0];
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const text = error.message === '' ? error.name : error.message;
  return code === null || text.includes(code) ? text : `${code}: ${text}`;
}

/** A file-system failure while a download is written; every other value unchanged. */
export function diskFailure(thrown: unknown, file: string): unknown {
  if (thrown instanceof TahError || thrown instanceof TransientFailure || !(thrown instanceof Error) || !('code' in thrown) || !('syscall' in thrown)) return thrown;
  if (thrown.code === 'ENOSPC' || thrown.code === 'EDQUOT') {
    return new TahError('hub.disk-full', `The disk is full; ${file} was not finished.`, { file, hint: 'Free some space and start the download again: it goes on where it was.', cause: thrown });
  }
  return new TahError('hub.cannot-write', `${file} can't be written: ${thrown.message}`, { file, hint: 'Check the permissions of the folder, or choose another one.', cause: thrown });
}
