/**
 * What a server may send, checked at the door: chunks of a completion, its list of models, and, from a `tah serve`,
 * the events of its engine. Fields that are not used here are let pass.
 */

import * as z from 'zod';
import type { TokenEvent } from '../protocol/engine.ts';

const finite = z.number();
const count = z.int().min(0);

const topLogprob = z.object({ token: z.string(), logprob: finite.nullable() });
const contentLogprob = topLogprob.extend({ top_logprobs: z.array(topLogprob).nullish() });
export type WireLogprob = z.infer<typeof contentLogprob>;

const usage = z.object({ prompt_tokens: count, completion_tokens: count.nullish() });

export const CHUNK = z.object({
  choices: z.array(
    z.object({
      delta: z
        .object({
          content: z.string().nullish(),
          // Where the server parts the thinking from the answer: SGLang and llama.cpp, vLLM.
          reasoning_content: z.string().nullish(),
          reasoning: z.string().nullish(),
        })
        .nullish(),
      logprobs: z.object({ content: z.array(contentLogprob).nullish() }).nullish(),
      finish_reason: z.string().nullish(),
      stop_reason: z.union([z.string(), z.number()]).nullish(),
    }),
  ),
  usage: usage.nullish(),
  tah: z.unknown().optional(),
});
export type Chunk = z.infer<typeof CHUNK>;

export const MODELS = z.object({ data: z.array(z.object({ id: z.string(), max_model_len: count.nullish(), tah: z.unknown().optional() })) });

/** What a `tah serve` says of a model: its list has it, and its start event. */
export const TAH_MODEL = z.object({
  name: z.string(),
  architecture: z.enum(['qwen3', 'llama']),
  parameters: count,
  quantization: z.enum(['fp32', 'int8', 'int4']),
  maxIter: z.int().min(1),
  threshold: finite.nullable(),
  contextLength: count,
  hash: z.string(),
});

const candidate = z.object({ id: count, text: z.string(), logprob: finite });
const scores = z.array(finite);

export const TAH_TOKEN = z.object({
  index: count,
  position: count,
  id: count,
  text: z.string(),
  iterCount: z.int().min(1),
  continueProbability: scores,
  before: z.array(candidate),
  after: z.array(candidate),
  logprob: finite.nullable(),
  entropyBefore: finite.nullable(),
  entropyAfter: finite.nullable(),
  elapsedMs: finite.nullable(),
  special: z.boolean(),
}) satisfies z.ZodType<TokenEvent>;

const threshold = finite.optional();
const policy = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('decider'), threshold }),
  z.object({ kind: z.literal('never') }),
  z.object({ kind: z.literal('always') }),
  z.object({ kind: z.literal('depths'), iterCounts: z.array(z.int().min(1).nullable()), threshold }),
  z.object({ kind: z.literal('oracle'), labels: z.array(count) }),
]);

const stats = z.object({
  promptTokens: count, tokens: count, passes: count, passesPerToken: finite, loadMs: finite, prefillMs: finite, decodeMs: finite, tokensPerSecond: finite,
});

export const TAH_EVENT = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    model: TAH_MODEL.extend({ id: z.string() }),
    provider: z.object({ provider: z.string(), reason: z.string() }),
    prompt: z.array(z.object({ position: count, id: count, text: z.string(), iterCount: count, continueProbability: scores })),
    policy,
    sampling: z.object({ temperature: finite, topK: finite, topP: finite, minP: finite, seed: finite }),
  }),
  z.object({ type: z.literal('token'), token: TAH_TOKEN }),
  z.object({ type: z.literal('end'), reason: z.enum(['stop-token', 'stop-text', 'max-tokens', 'context-limit', 'end-of-text']), stats }),
]);
export type TahEvent = z.infer<typeof TAH_EVENT>;

export const COUNTED = z.object({ tokens: count });
