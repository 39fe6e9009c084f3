/**
 * A server of OpenAI's protocol as an EngineApi: chat prompts in, token events out. Another machine's `tah serve` gives
 * everything that the engine here does; any other server gives its text and, where it sends them, log-probabilities.
 * What a server can't do is an error, never left undone. Knows the protocol, no settings and no editor.
 */

import type { CountRequest, EngineApi, EngineStatus, GenerateEvent, GenerateRequest, ModelInfo, ProviderInfo, SamplingOptions, ThinkingPolicy } from '../protocol/engine.ts';
import { endpointReference } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { told } from '../protocol/reasons.ts';
import { cancelled } from '../protocol/streams.ts';
import { readAddress } from './address.ts';
import type { Endpoint } from './address.ts';
import { Connection } from './connection.ts';
import type { Answer, Patience } from './connection.ts';
import { eventData } from './eventStream.ts';
import { streamError, wordsOf } from './failure.ts';
import { endReason, PlainAnswer } from './plainAnswer.ts';
import { CHUNK, COUNTED, MODELS, TAH_EVENT, TAH_MODEL } from './wire.ts';
import type { Chunk } from './wire.ts';

export type { Endpoint } from './address.ts';

export interface EndpointOptions {
  readonly endpoint: Endpoint;
  /** Asked at each request; null: none is sent. */
  readonly key: () => Promise<string | null>;
  readonly patience?: Partial<Patience>;
}

const PATIENCE: Patience = { firstMs: 300_000, stallMs: 60_000 };
const MOST_LOGPROBS = 20;
const DEFAULT_CANDIDATES = 10;
const NEVER = new AbortController().signal;

type Start = Extract<GenerateEvent, { type: 'start' }>;

/** What the server's list says of the model. */
interface Known {
  readonly info: ModelInfo;
  readonly isTah: boolean;
}

/** @throws TahError input.bad-option for an address that can't be one */
export function createEndpointEngine(options: EndpointOptions): EngineApi {
  return new EndpointEngine(options);
}

class EndpointEngine implements EngineApi {
  private readonly connection: Connection;
  private readonly endpoint: Endpoint;

  constructor({ endpoint, key, patience }: EndpointOptions) {
    this.endpoint = endpoint;
    this.connection = new Connection(endpoint, readAddress(endpoint.url), key, { ...PATIENCE, ...patience });
  }

  async *generate(request: GenerateRequest, signal: AbortSignal = NEVER): AsyncGenerator<GenerateEvent, void> {
    if (signal.aborted) throw cancelled();
    yield { type: 'loading', model: request.model };
    const known = await this.know(signal);
    const answer = await this.ask(request, known, signal);
    try {
      if (!answer.contentType.startsWith('text/event-stream')) throw this.connection.notOpenAI('it does not stream');
      yield* known.isTah ? this.readTah(answer, known) : this.readPlain(answer, known, request);
    } finally {
      answer.close();
    }
  }

  /** Fails when it is read, as every stream does. */
  measure(): AsyncIterable<GenerateEvent> {
    const error = this.cannot('measure a given text', 'Choose a model of this machine to measure with.');
    return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
  }

  async load(): ReturnType<EngineApi['load']> {
    const { info } = await this.know(NEVER);
    return { model: info, provider: this.provider(null) };
  }

  async countTokens({ prompt }: CountRequest): Promise<number> {
    const { isTah } = await this.know(NEVER);
    if (!isTah || prompt.kind === 'tokens') throw this.cannot('count tokens', 'Only a tah serve does.');
    const { model } = this.endpoint;
    const counted = COUNTED.safeParse(await this.connection.json('/tah/count', prompt.kind === 'text' ? { model, text: prompt.text } : { model, messages: prompt.messages }, NEVER));
    if (!counted.success) throw this.connection.notOpenAI('it gives no count', counted.error);
    return counted.data.tokens;
  }

  status(): Promise<EngineStatus> {
    return Promise.resolve({ loaded: null, residentBytes: 0, runtime: this.connection.party.host });
  }

  unload(): Promise<void> {
    return Promise.resolve();
  }

  /** The server's word on the model. A server without a list is asked all the same. */
  private async know(signal: AbortSignal): Promise<Known> {
    let listed: ReturnType<typeof MODELS.parse>['data'] = [];
    try {
      const parsed = MODELS.safeParse(await this.connection.json('/models', null, signal));
      if (!parsed.success) throw this.connection.notOpenAI('its list of models has another form', parsed.error);
      listed = parsed.data.data;
    } catch (error) {
      if (!(error instanceof TahError) || !['endpoint.no-model', 'endpoint.refused'].includes(error.code)) throw error;
    }
    const entry = listed.find(({ id }) => id === this.endpoint.model);
    const tah = TAH_MODEL.safeParse(entry?.tah);
    const { name, model } = this.endpoint;
    const base: ModelInfo = {
      path: endpointReference(name), id: model, name: model, architecture: null, parameters: null, quantization: null, maxIter: 1, threshold: null,
      contextLength: entry?.max_model_len ?? null, hash: null, endpoint: { name, host: this.connection.party.host, sends: 'text' },
    };
    return tah.success ? { info: { ...base, ...tah.data, endpoint: { name, host: this.connection.party.host, sends: 'tah' } }, isTah: true } : { info: base, isTah: false };
  }

  /** The open answer; asked again without log-probabilities where the server refuses those. */
  private async ask(request: GenerateRequest, known: Known, signal: AbortSignal): Promise<Answer> {
    const body = this.body(request, known);
    const answer = await this.connection.open('/chat/completions', body, signal);
    if (answer.status === 200) return answer;
    const refusal = await this.connection.refusal(answer);
    if (known.isTah || refusal.code !== 'endpoint.refused' || !/logprob/i.test(refusal.message)) throw refusal;
    const again = await this.connection.open('/chat/completions', { ...body, logprobs: undefined, top_logprobs: undefined }, signal);
    if (again.status !== 200) throw await this.connection.refusal(again);
    return again;
  }

  private body(request: GenerateRequest, { isTah }: Known): object {
    const { prompt, policy, forced = [], topCandidates = DEFAULT_CANDIDATES } = request;
    if (prompt.kind !== 'chat') throw this.cannot('continue a text or tokens', 'Choose a model of this machine.');
    if (!isTah) this.refuseThinking(policy, forced);
    return {
      model: this.endpoint.model,
      messages: prompt.messages,
      stream: true,
      ...(prompt.enableThinking === undefined ? {} : { chat_template_kwargs: { enable_thinking: prompt.enableThinking } }),
      max_tokens: request.maxTokens,
      ...samplingFields(request.sampling ?? {}),
      ...((request.stop ?? []).length === 0 ? {} : { stop: request.stop }),
      ...(isTah ? { tah: { policy, top_candidates: topCandidates, ...(forced.length === 0 ? {} : { forced }) } } : { stream_options: { include_usage: true }, logprobs: true, top_logprobs: Math.min(MOST_LOGPROBS, topCandidates) }),
    };
  }

  /** The decider is what every run asks for by default; a plain model has none, and its runs say so. */
  private refuseThinking(policy: ThinkingPolicy, forced: readonly number[]): void {
    if (forced.length > 0) throw this.cannot('go on from a token', 'Only a tah serve does.');
    if (policy.kind !== 'decider' && policy.kind !== 'never') throw this.cannot('think twice', 'Choose a tah serve, or a Think-at-Hard model of this machine.');
  }

  private async *readTah(answer: Answer, { info }: Known): AsyncGenerator<GenerateEvent, void> {
    for await (const chunk of this.chunks(answer)) {
      const parsed = TAH_EVENT.safeParse(chunk.tah);
      if (!parsed.success) throw this.connection.notOpenAI('the data of Think-at-Hard have another form (another version?)', parsed.error);
      const event = parsed.data;
      if (event.type === 'start') {
        yield { ...event, model: { ...info, ...event.model }, provider: this.provider(event.provider), policy: event.policy as ThinkingPolicy };
      } else {
        yield event;
      }
      if (event.type === 'end') return;
    }
    throw this.cutOff();
  }

  private async *readPlain(answer: Answer, known: Known, request: GenerateRequest): AsyncGenerator<GenerateEvent, void> {
    const plain = new PlainAnswer(() => performance.now());
    let started = false;
    let ended: Chunk['choices'][number] | null = null;
    let usage: Chunk['usage'] = null;
    for await (const chunk of this.chunks(answer)) {
      usage = chunk.usage ?? usage;
      const choice = chunk.choices[0];
      if (choice === undefined || !PlainAnswer.speaks(choice)) continue;
      const tokens = plain.read(choice);
      if (!started) yield this.start(known, plain.sends, request);
      started = true;
      for (const token of tokens) yield { type: 'token', token };
      if (choice.finish_reason != null) ended = choice;
    }
    if (ended === null) throw this.cutOff();
    const reason = endReason(ended);
    if (reason === null) throw new TahError('endpoint.failed', `${this.endpoint.name} (${this.connection.party.host}) ended its answer with "${(ended.finish_reason ?? '').slice(0, 40)}".`, { hint: 'The server has not answered with a text.', subject: this.endpoint.name });
    yield { type: 'end', reason, stats: plain.stats(usage) };
  }

  private start({ info }: Known, sends: 'text' | 'logprobs', { sampling }: GenerateRequest): Start {
    const endpoint = { name: this.endpoint.name, host: this.connection.party.host, sends };
    const full: SamplingOptions = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: 0, ...sampling };
    return { type: 'start', model: { ...info, endpoint }, provider: this.provider(null), prompt: [], policy: { kind: 'never' }, sampling: full };
  }

  /** Chunks up to `[DONE]`, or the end of the stream: some servers leave it out. */
  private async *chunks(answer: Answer): AsyncGenerator<Chunk, void> {
    try {
      for await (const data of eventData(answer.body)) {
        if (data === '[DONE]') return;
        let json: unknown;
        try {
          json = JSON.parse(data);
        } catch (cause) {
          throw this.broken('a part of its answer is no JSON', cause);
        }
        const parsed = CHUNK.safeParse(json);
        if (parsed.success) {
          yield parsed.data;
          continue;
        }
        const said = wordsOf(json);
        throw said === null ? this.broken('a part of its answer has another form', parsed.error) : streamError(this.connection.party, said);
      }
    } catch (error) {
      if (error instanceof RangeError) throw this.broken(error.message, error);
      throw error;
    }
  }

  private provider(there: { readonly provider: string; readonly reason: string } | null): ProviderInfo {
    const { name, host } = this.connection.party;
    const why = there === null ? told('endpoint-computes', name, host) : told('endpoint-computes-there', name, host, there.provider, there.reason);
    return { provider: 'endpoint', ...why, rejected: [] };
  }

  private cutOff(): TahError {
    return this.broken('its answer was cut off', undefined);
  }

  private broken(what: string, cause: unknown): TahError {
    const { name, host } = this.connection.party;
    return new TahError('endpoint.broken-stream', `The answer of ${name} (${host}) is broken: ${what}.`, { hint: 'Try again; a proxy between may cut long answers.', subject: name, cause });
  }

  private cannot(what: string, hint: string): TahError {
    const { name, host } = this.connection.party;
    return new TahError('endpoint.cannot', `The endpoint ${name} (${host}) can't ${what}.`, { hint, subject: name });
  }
}

/** Only what differs from "off": a server may know no other field than OpenAI's. */
function samplingFields({ temperature, topP, topK, minP, seed }: Partial<SamplingOptions>): object {
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined || topP === 1 ? {} : { top_p: topP }),
    ...(topK === undefined || topK === 0 ? {} : { top_k: topK }),
    ...(minP === undefined || minP === 0 ? {} : { min_p: minP }),
    ...(seed === undefined ? {} : { seed }),
  };
}
