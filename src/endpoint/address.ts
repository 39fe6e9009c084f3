/** Where an endpoint is, as a user wrote it, checked. Pure. */

import { TahError } from '../protocol/errors.ts';

/** A server that speaks OpenAI's protocol, and the model that is wanted of it. */
export interface Endpoint {
  /** As the user calls it. */
  readonly name: string;
  /** Base URL, for example `http://127.0.0.1:8000/v1`. */
  readonly url: string;
  readonly model: string;
}

export interface Address {
  /** Without a slash at the end. */
  readonly base: string;
  /** Host and port, as people read it. */
  readonly host: string;
  /** On this machine. */
  readonly loopback: boolean;
  /** Nobody on the way can read it. */
  readonly encrypted: boolean;
}

/** @throws TahError input.bad-option */
export function readAddress(url: string): Address {
  let parsed: URL;
  try {
    parsed = new URL(url.trim());
  } catch (cause) {
    throw badUrl(url, 'is no URL', cause);
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') throw badUrl(url, 'is neither http nor https');
  if (parsed.username !== '' || parsed.password !== '') throw badUrl(parsed.host, 'has a password in it; an API key is kept apart from it');
  if (parsed.search !== '' || parsed.hash !== '') throw badUrl(url, 'has a part after ? or #');
  const path = parsed.pathname.replace(/(?<!\/)\/+$/, '').replace(/\/chat\/completions$/, '');
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(parsed.hostname);
  return { base: `${parsed.origin}${path === '' ? '/v1' : path}`, host: parsed.host, loopback, encrypted: parsed.protocol === 'https:' };
}

function badUrl(url: string, what: string, cause?: unknown): TahError {
  return new TahError('input.bad-option', `The address of the endpoint, ${url.slice(0, 200)}, ${what}.`, { hint: 'Give its base URL, for example http://127.0.0.1:8000/v1.', subject: 'url', cause });
}
