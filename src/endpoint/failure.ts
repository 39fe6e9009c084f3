/** What a server's refusal or silence means to a user, as a TahError. Never has a key or a text of the user in it. */

import * as z from 'zod';
import { TahError } from '../protocol/errors.ts';
import type { ErrorCode } from '../protocol/errors.ts';

/** Who is spoken of. */
export interface Party {
  readonly name: string;
  readonly host: string;
  readonly model: string;
}

const OPENAI_ERROR = z.object({ error: z.union([z.string(), z.object({ message: z.string(), code: z.union([z.string(), z.number()]).nullish() })]) });
/** vLLM's and FastAPI's older forms. */
const OTHER_ERROR = z.union([z.object({ message: z.string() }), z.object({ detail: z.string() })]);

const LONGEST_QUOTE = 300;

export interface Said {
  readonly message: string;
  readonly code: string;
}

/** The server's own words in an error body; null where it has none. */
export function wordsOf(json: unknown): Said | null {
  const openai = OPENAI_ERROR.safeParse(json);
  if (openai.success) {
    const { error } = openai.data;
    return typeof error === 'string' ? { message: quote(error), code: '' } : { message: quote(error.message), code: String(error.code ?? '') };
  }
  const other = OTHER_ERROR.safeParse(json);
  if (!other.success) return null;
  return { message: quote('message' in other.data ? other.data.message : other.data.detail), code: '' };
}

function quote(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim().slice(0, LONGEST_QUOTE);
}

/** @param text the body */
export function statusError(party: Party, status: number, text: string, retryAfter: string | null): TahError {
  const said = wordsOf(parse(text));
  const words = said === null ? '' : ` It says: ${said.message}`;
  const at = `${party.name} (${party.host})`;
  const make = (code: ErrorCode, message: string, hint: string): TahError => new TahError(code, `${message}${words}`, { hint, subject: party.name });
  if (status >= 300 && status < 400) return make('endpoint.not-openai', `${at} sends on to another address.`, 'Give the address that it sends to; a key is never sent on.');
  if (status === 401 || status === 403) return make('endpoint.unauthorized', `${at} refuses the API key, or wants one.`, 'Set it with Think-at-Hard: Set Endpoint Key…, or in TAH_ENDPOINT_KEY on the command line.');
  if (status === 404 && (said === null || /^not found$/i.test(said.message))) return make('endpoint.not-openai', `There is no server of OpenAI's protocol at ${at}: its path is not found.`, 'Check the base URL: it mostly ends with /v1.');
  if (status === 404) return make('endpoint.no-model', `${at} has no model "${party.model}".`, 'Check the name of the model.');
  if (status === 429) return make('endpoint.busy', `${at} is busy or has no quota left.`, retryAfter === null ? 'Try again later.' : `Try again in ${retryAfter.slice(0, 40)} s.`);
  if (status >= 500) return make('endpoint.failed', `${at} has failed (status ${status}).`, 'See its log, or try again.');
  if (said === null) return make('endpoint.not-openai', `${at} answers with status ${status} and no error of OpenAI's protocol.`, 'Check the base URL: it mostly ends with /v1.');
  if (isTooLong(said)) return make('engine.context-too-long', `The problem is too long for ${party.model} at ${at}.`, 'Shorten it, or ask for fewer tokens.');
  return make('endpoint.refused', `${at} refuses the request (status ${status}).`, 'The server does not do what was asked of it.');
}

export function isTooLong({ message, code }: Said): boolean {
  return code === 'context_length_exceeded' || /maximum context length|context (size|length|window)/i.test(message);
}

/** An error that came as an event of the stream. */
export function streamError(party: Party, said: Said): TahError {
  return new TahError('endpoint.failed', `${party.name} (${party.host}) has failed in the midst of its answer. It says: ${said.message}`, { hint: 'See its log, or try again.', subject: party.name });
}

const TLS = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME|EPROTO/;

/** What fetch throws: its own words are "fetch failed", the reason is the cause. */
export function connectionError(party: Party, thrown: unknown): TahError {
  const reason = deepestCause(thrown);
  const code = typeof reason === 'object' && reason !== null && 'code' in reason ? String(reason.code) : '';
  const words = code !== '' ? code : reason instanceof Error ? reason.message : String(reason);
  const at = `${party.name} (${party.host})`;
  if (TLS.test(code)) return new TahError('endpoint.tls', `No secure connection to ${at} can be made: ${words}.`, { hint: 'Check its certificate, or http instead of https.', subject: party.name, cause: thrown });
  return new TahError('endpoint.unreachable', `${at} can't be reached: ${words}.`, { hint: 'Check that it runs, its address, and your network and proxy.', subject: party.name, cause: thrown });
}

function deepestCause(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return deepestCause(error.errors[0]);
  return error instanceof Error && error.cause !== undefined ? deepestCause(error.cause) : error;
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Says that it is none: an error page, a proxy's words.
    return null;
  }
}
