/**
 * What goes back, in OpenAI's shapes: completions, chunks, log-probabilities, models; and beside them, as `tah`, the
 * engine's own events, from which the whole run can be put together again. Pure.
 */

import type { EndReason, GenerateEvent, LocalModelInfo, TokenEvent } from '../protocol/engine.ts';

/** A model that is served. */
export interface ServedModel {
  readonly id: string;
  readonly info: LocalModelInfo;
  /** Seconds since 1970: when it was imported. */
  readonly created: number;
}

export type StartEvent = Extract<GenerateEvent, { type: 'start' }>;
export type EndEvent = Extract<GenerateEvent, { type: 'end' }>;

interface TokenLogprob {
  readonly token: string;
  readonly logprob: number | null;
  readonly bytes: readonly number[] | null;
}

interface ContentLogprob extends TokenLogprob {
  readonly top_logprobs: readonly TokenLogprob[];
}

/** What all parts of one answer share. */
export interface AnswerHead {
  readonly id: string;
  readonly created: number;
  readonly model: ServedModel;
}

export function modelObject({ id, info, created }: ServedModel): object {
  const { name, architecture, parameters, quantization, maxIter, threshold, contextLength, hash } = info;
  return { id, object: 'model', created, owned_by: 'think-at-hard', max_model_len: contextLength, tah: { name, architecture, parameters, quantization, maxIter, threshold, contextLength, hash } };
}

/** Log-probabilities of one token; none for a special token, which is no content. */
export function contentLogprobs(token: TokenEvent, top: number): readonly ContentLogprob[] {
  if (token.special) return [];
  const text = token.after.find(({ id }) => id === token.id)?.text ?? token.text;
  return [{ ...tokenLogprob(text, token.logprob), top_logprobs: token.after.slice(0, top).map((candidate) => tokenLogprob(candidate.text, candidate.logprob)) }];
}

/** A token that is a part of a character is shown as `<0xNN>`. */
const PARTIAL = /<0x([0-9A-F]{2})>/;

function tokenLogprob(token: string, logprob: number | null): TokenLogprob {
  return { token, logprob, bytes: PARTIAL.test(token) ? null : [...new TextEncoder().encode(token)] };
}

export function finishReason(reason: EndReason): 'stop' | 'length' {
  switch (reason) {
    case 'stop-token':
    case 'stop-text':
    case 'end-of-text':
      return 'stop';
    case 'max-tokens':
    case 'context-limit':
      return 'length';
    default:
      return reason satisfies never;
  }
}

export function usage({ stats }: EndEvent): object {
  return { prompt_tokens: stats.promptTokens, completion_tokens: stats.tokens, total_tokens: stats.promptTokens + stats.tokens };
}

export interface ChunkParts {
  readonly delta: { readonly role?: 'assistant'; readonly content?: string };
  readonly logprobs?: readonly ContentLogprob[];
  readonly finish?: 'stop' | 'length';
  readonly tah?: object;
}

export function chunk(head: AnswerHead, { delta, logprobs, finish, tah }: ChunkParts): object {
  const choice = { index: 0, delta, logprobs: logprobs === undefined ? null : { content: logprobs }, finish_reason: finish ?? null };
  return { ...objectHead(head, 'chat.completion.chunk'), choices: [choice], ...(tah === undefined ? {} : { tah }) };
}

/** The last chunk of a client that wants the usage: no choice, as OpenAI sends it. */
export function usageChunk(head: AnswerHead, end: EndEvent): object {
  return { ...objectHead(head, 'chat.completion.chunk'), choices: [], usage: usage(end) };
}

export interface CompletionParts {
  readonly text: string;
  readonly logprobs: readonly ContentLogprob[] | null;
  readonly end: EndEvent;
  readonly tah: object | null;
}

export function completion(head: AnswerHead, { text, logprobs, end, tah }: CompletionParts): object {
  const choice = {
    index: 0,
    message: { role: 'assistant', content: text, refusal: null },
    logprobs: logprobs === null ? null : { content: logprobs, refusal: null },
    finish_reason: finishReason(end.reason),
  };
  return { ...objectHead(head, 'chat.completion'), choices: [choice], usage: usage(end), ...(tah === null ? {} : { tah }) };
}

/** The model's folder is this machine's business. */
export function tahStart({ model, provider, prompt, policy, sampling }: StartEvent): object {
  return { type: 'start', model: { ...model, path: undefined }, provider, prompt, policy, sampling };
}

function objectHead({ id, created, model }: AnswerHead, object: string): object {
  return { id, object, created, model: model.id, system_fingerprint: `tah-${model.info.hash.slice(0, 12)}` };
}
