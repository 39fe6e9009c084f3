/**
 * A chat completion request as OpenAI's clients send it, checked: what the engine cannot do is refused by name, what
 * has no effect here is listed, anything unknown is an error. Pure; docs/serve.md has the same list for people.
 */

import * as z from 'zod';
import type { ChatMessage, SamplingOptions, ThinkingPolicy } from '../protocol/engine.ts';
import { badRequest, Refusal } from './refusal.ts';

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly stream: boolean;
  /** A last chunk with the usage. */
  readonly includeUsage: boolean;
  readonly sampling: Partial<SamplingOptions>;
  /** Null: until the context is full. */
  readonly maxTokens: number | null;
  readonly stop: readonly string[];
  /** How many candidates a token's log-probabilities list; null: none are wanted. */
  readonly topLogprobs: number | null;
  readonly enableThinking: boolean | null;
  readonly tah: TahRequest | null;
}

/** The extension: what Think-at-Hard can do beyond OpenAI's protocol. */
export interface TahRequest {
  readonly policy: ThinkingPolicy | null;
  readonly topCandidates: number;
  /** Token ids that the answer starts with. */
  readonly forced: readonly number[];
}

const MOST_MESSAGES = 1000;
const MOST_STOPS = 4;
const MOST_LOGPROBS = 20;
const DEFAULT_CANDIDATES = 10;

const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });
const message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([z.string(), z.array(textPart)]),
  name: z.string().optional(),
});

const probability = z.number().min(0).max(1);
const policy = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('decider'), threshold: probability.optional() }),
  z.strictObject({ kind: z.literal('never') }),
  z.strictObject({ kind: z.literal('always') }),
  z.strictObject({ kind: z.literal('depths'), iterCounts: z.array(z.int().min(1).nullable()), threshold: probability.optional() }),
  z.strictObject({ kind: z.literal('oracle'), labels: z.array(z.int().min(0)) }),
]);

const tahOptions = z.strictObject({
  policy: policy.optional(),
  top_candidates: z.int().min(1).max(100).optional(),
  forced: z.array(z.int().min(0)).optional(),
});

const nothing = z.null().optional();

const BODY = z.strictObject({
  model: z.string().min(1),
  messages: z.array(message).min(1).max(MOST_MESSAGES),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() }).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.int().nullish(),
  top_k: z.int().min(-1).nullish(),
  min_p: probability.nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(MOST_STOPS)]).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(MOST_LOGPROBS).nullish(),
  chat_template_kwargs: z.strictObject({ enable_thinking: z.boolean().optional() }).nullish(),
  tah: z.union([z.boolean(), tahOptions]).nullish(),
  // Values that ask for nothing. Others are refused before this.
  n: z.literal(1).nullish(),
  frequency_penalty: z.literal(0).nullish(),
  presence_penalty: z.literal(0).nullish(),
  repetition_penalty: z.literal(1).nullish(),
  logit_bias: z.strictObject({}).nullish(),
  response_format: z.strictObject({ type: z.literal('text') }).nullish(),
  modalities: z.array(z.literal('text')).nullish(),
  tools: z.array(z.never()).nullish(),
  functions: z.array(z.never()).nullish(),
  tool_choice: z.literal('none').nullish(),
  function_call: z.literal('none').nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  audio: nothing,
  prediction: nothing,
  web_search_options: nothing,
  reasoning_effort: nothing,
  verbosity: nothing,
  // For the service that an account belongs to; no effect on an answer.
  user: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  store: z.literal(false).nullish(),
  service_tier: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
});

type Body = z.infer<typeof BODY>;

/** What this engine doesn't do, by the field that asks for it. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  tools: 'This model calls no tools',
  functions: 'This model calls no functions',
  tool_choice: 'This model calls no tools',
  function_call: 'This model calls no functions',
  n: 'One answer a request is all that is made',
  frequency_penalty: 'Penalties are not computed',
  presence_penalty: 'Penalties are not computed',
  repetition_penalty: 'Penalties are not computed',
  logit_bias: 'A bias on tokens is not computed',
  response_format: 'Answers are plain text',
  modalities: 'Answers are plain text',
  audio: 'Answers are plain text',
  prediction: 'Predicted outputs are not used',
  web_search_options: 'Nothing is searched',
  reasoning_effort: 'The model has no levels of effort (for Qwen3, chat_template_kwargs turns thinking off)',
  verbosity: 'The model has no levels of verbosity',
  store: 'Nothing is stored',
};

/** @throws Refusal 400 that names the field */
export function readChatRequest(json: unknown): ChatRequest {
  const parsed = BODY.safeParse(json);
  if (!parsed.success) throw refusalOf(parsed.error.issues, json);
  const body = parsed.data;
  refuseContradictions(body);
  return {
    model: body.model,
    messages: body.messages.map(({ role, content }) => ({ role: role === 'developer' ? 'system' : role, content: textOf(content) })),
    stream: body.stream === true,
    includeUsage: body.stream_options?.include_usage === true,
    sampling: samplingOf(body),
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? null,
    stop: typeof body.stop === 'string' ? [body.stop] : (body.stop ?? []),
    topLogprobs: body.logprobs === true ? (body.top_logprobs ?? 0) : null,
    enableThinking: body.chat_template_kwargs?.enable_thinking ?? null,
    tah: tahOf(body.tah),
  };
}

const COUNT = z.strictObject({ model: z.string().min(1), messages: z.array(message).min(1).max(MOST_MESSAGES).optional(), text: z.string().optional() });

export interface CountBody {
  readonly model: string;
  readonly prompt: { readonly kind: 'chat'; readonly messages: readonly ChatMessage[] } | { readonly kind: 'text'; readonly text: string };
}

/** What is to be counted: messages or a text. @throws Refusal 400 */
export function readCountRequest(json: unknown): CountBody {
  const parsed = COUNT.safeParse(json);
  if (!parsed.success) throw refusalOf(parsed.error.issues, json);
  const { model, messages, text } = parsed.data;
  if ((messages === undefined) === (text === undefined)) throw badRequest('Give either messages or text.', 'messages');
  if (text !== undefined) return { model, prompt: { kind: 'text', text } };
  return { model, prompt: { kind: 'chat', messages: (messages ?? []).map(({ role, content }) => ({ role: role === 'developer' ? 'system' : role, content: textOf(content) })) } };
}

function textOf(content: string | readonly { readonly text: string }[]): string {
  return typeof content === 'string' ? content : content.map((part) => part.text).join('\n');
}

function samplingOf(body: Body): Partial<SamplingOptions> {
  const { temperature, top_p: topP, top_k: topK, min_p: minP, seed } = body;
  return {
    ...(temperature == null ? {} : { temperature }),
    ...(topP == null ? {} : { topP }),
    // vLLM's and SGLang's word for off.
    ...(topK == null ? {} : { topK: Math.max(0, topK) }),
    ...(minP == null ? {} : { minP }),
    ...(seed == null ? {} : { seed: Math.abs(seed) }),
  };
}

function tahOf(tah: Body['tah']): TahRequest | null {
  if (tah == null || tah === false) return null;
  const options = tah === true ? {} : tah;
  return { policy: policyOf(options.policy), topCandidates: options.top_candidates ?? DEFAULT_CANDIDATES, forced: options.forced ?? [] };
}

function policyOf(given: z.infer<typeof policy> | undefined): ThinkingPolicy | null {
  if (given === undefined) return null;
  if ((given.kind === 'decider' || given.kind === 'depths') && given.threshold === undefined) {
    return given.kind === 'decider' ? { kind: 'decider' } : { kind: 'depths', iterCounts: given.iterCounts };
  }
  return given as ThinkingPolicy;
}

function refuseContradictions(body: Body): void {
  if (body.max_tokens != null && body.max_completion_tokens != null && body.max_tokens !== body.max_completion_tokens) {
    throw badRequest('max_tokens and max_completion_tokens differ; give one of them.', 'max_tokens');
  }
  if (body.top_logprobs != null && body.logprobs !== true) throw badRequest('top_logprobs needs logprobs: true.', 'top_logprobs');
  if (body.stream_options != null && body.stream !== true) throw badRequest('stream_options needs stream: true.', 'stream_options');
}

type Issue = z.core.$ZodIssue;

/** The first thing that is wrong, in words of the request. */
function refusalOf(issues: readonly Issue[], json: unknown): Refusal {
  const issue = issues[0];
  if (issue === undefined) return new Refusal(400, 'The request is not valid.');
  const [first, second] = issue.path;
  const reason = typeof first === 'string' && Object.hasOwn(UNSUPPORTED, first) ? UNSUPPORTED[first] : undefined;
  if (reason !== undefined && typeof first === 'string') return badRequest(`${reason}: ${first} is not supported.`, first, 'unsupported_parameter');
  if (issue.code === 'unrecognized_keys') {
    const param = [...issue.path, issue.keys[0] ?? ''].join('.');
    return badRequest(`Unrecognized request argument: ${param}.`, param, 'unknown_parameter');
  }
  if (first === 'messages' && typeof second === 'number') return messageRefusal(json, second);
  const param = issue.path.join('.');
  return badRequest(`${param === '' ? 'The body' : param} is not valid: ${issue.message}.`, param, 'invalid_value');
}

const LOOSE = z.object({ messages: z.array(z.object({ role: z.unknown(), content: z.unknown() })) });

function messageRefusal(json: unknown, index: number): Refusal {
  const param = `messages.${index}`;
  const given = LOOSE.safeParse(json).data?.messages[index];
  if (given?.role === 'tool' || given?.role === 'function') return badRequest('This model calls no tools: messages of tools are not supported.', `${param}.role`, 'unsupported_value');
  const parts = z.array(z.object({ type: z.string() })).safeParse(given?.content).data ?? [];
  const strange = parts.find((part) => part.type !== 'text');
  if (strange !== undefined) return badRequest(`This model reads text only: content of type "${strange.type.slice(0, 40)}" is not supported.`, `${param}.content`, 'unsupported_value');
  return badRequest(`${param} is not valid: it needs a role (system, developer, user or assistant) and its content as text.`, param);
}
