/**
 * The contract of the inference engine: what may be asked of it and what it says, token by token.
 * Implemented by src/engine (in the engine process and the command line) and by src/host/engineClient (over RPC).
 * Knows no transport, no editor, no ONNX.
 */

import type { Told } from './reasons.ts';

/** Stands for a token's id where the engine, an endpoint, doesn't say it. */
export const UNKNOWN_ID = -1;

/** One entry of a top-k list. `logprob` is natural log, temperature 1, over the whole vocabulary. */
export interface Candidate {
  /** UNKNOWN_ID where it is not known. */
  readonly id: number;
  /** The token's own text; bytes that are no whole character are shown as `<0xNN>`. */
  readonly text: string;
  readonly logprob: number;
}

/**
 * One token that was chosen (generate) or given (measure), with everything a view needs of its prediction.
 * The prediction of the token at `position` was made by the row at `position - 1` (method.md, "hard token").
 * What an endpoint doesn't send is null, an empty list or UNKNOWN_ID; `missingData` in run.ts says it of a whole run.
 */
export interface TokenEvent {
  /** 0-based, within the generated or measured tokens. */
  readonly index: number;
  /** Position in the sequence, prompt included. */
  readonly position: number;
  /** UNKNOWN_ID where it is not known. */
  readonly id: number;
  /**
   * The text that this token completes. A character that is split over tokens appears whole at its last token;
   * the earlier ones have ''. The concatenation over all tokens is exactly the decoded text.
   */
  readonly text: string;
  /** Passes that the prediction of this token had, 1 … maxIter. 1 where it is not known. */
  readonly iterCount: number;
  /** sigmoid of the decider after each pass at which it was asked (empty for a plain model). */
  readonly continueProbability: readonly number[];
  /** Top candidates after the first pass, best first. */
  readonly before: readonly Candidate[];
  /** Top candidates of the cumulative logits after the last pass; equals `before` where iterCount is 1. */
  readonly after: readonly Candidate[];
  /** log-probability of this token in `after`'s distribution (temperature 1, whole vocabulary). Null: not known. */
  readonly logprob: number | null;
  /** Entropy in nats of the first pass's and of the final distribution. Null: not known. */
  readonly entropyBefore: number | null;
  readonly entropyAfter: number | null;
  /** Milliseconds spent on this token's prediction, all passes. Null for tokens predicted by the prefill or an earlier run. */
  readonly elapsedMs: number | null;
  /** True for a special token (end of turn and the like); its text is ''. */
  readonly special: boolean;
}

/** A token of the prompt: what went in, and what the decider said of the row's own next-token prediction. */
export interface PromptToken {
  readonly position: number;
  readonly id: number;
  readonly text: string;
  readonly iterCount: number;
  readonly continueProbability: readonly number[];
}

/** Who decides how many passes a position gets. */
export type ThinkingPolicy =
  | { readonly kind: 'decider'; /** Default: the checkpoint's. */ readonly threshold?: number }
  | { readonly kind: 'never' }
  | { readonly kind: 'always' }
  /** iterCounts[p] passes for position p (clamped to 1 … maxIter); null or beyond the list: the decider. */
  | { readonly kind: 'depths'; readonly iterCounts: readonly (number | null)[]; readonly threshold?: number }
  /** labels[p] as IterLabelDecider reads them: continue while label > iterCount. Beyond the list: one pass. */
  | { readonly kind: 'oracle'; readonly labels: readonly number[] }
  /** measure only: a second pass wherever the first pass's top-1 is not the given token (method.md, "Oracle labels"). */
  | { readonly kind: 'self-oracle' };

export interface SamplingOptions {
  /** 0 is greedy. */
  readonly temperature: number;
  /** 0 is off. */
  readonly topK: number;
  /** 1 is off. */
  readonly topP: number;
  /** 0 is off. */
  readonly minP: number;
  /** Noise is keyed by (seed, position): the same seed repeats exactly, and branches stay comparable. */
  readonly seed: number;
}

export const GREEDY: SamplingOptions = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export type Prompt =
  /** Rendered by the model's chat template. */
  | { readonly kind: 'chat'; readonly messages: readonly ChatMessage[]; readonly enableThinking?: boolean }
  /** Tokenized as it is; special tokens in the text count as such. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tokens'; readonly ids: readonly number[] };

export interface GenerateRequest {
  /** Model folder (see manifest.ts), loaded on first use and kept; or an endpoint (`endpointReference`). */
  readonly model: string;
  readonly prompt: Prompt;
  readonly policy: ThinkingPolicy;
  /** Default: the model's own generation defaults. */
  readonly sampling?: Partial<SamplingOptions>;
  readonly maxTokens: number;
  /** Token ids that are taken as the first generated tokens instead of sampling ("regenerate from here"). */
  readonly forced?: readonly number[];
  /** Texts that end the run when they appear; they are kept in the text. */
  readonly stop?: readonly string[];
  /** How many candidates `before` and `after` carry, 1 … 100. Default 10. */
  readonly topCandidates?: number;
  readonly provider?: ProviderChoice;
}

export interface MeasureRequest {
  readonly model: string;
  readonly text: string;
  /** What stands before the text, a question for example: read, told in the start event, but not measured. */
  readonly after?: Prompt;
  readonly policy: ThinkingPolicy;
  readonly topCandidates?: number;
  readonly provider?: ProviderChoice;
}

export interface CountRequest {
  readonly model: string;
  readonly prompt: Prompt;
}

export type Provider = 'cpu' | 'cuda' | 'dml' | 'webgpu' | 'coreml';
export type ProviderChoice = 'auto' | Provider;

export interface ModelInfo {
  /** Folder of the model, or the reference of an endpoint. */
  readonly path: string;
  readonly id: string;
  readonly name: string;
  /** Null here and below: an endpoint that doesn't say it. */
  readonly architecture: 'qwen3' | 'llama' | null;
  readonly parameters: number | null;
  readonly quantization: 'fp32' | 'int8' | 'int4' | null;
  /** 1 for a plain model, and where it is not known. */
  readonly maxIter: number;
  /** The checkpoint's threshold; null for a plain model, and where it is not known. */
  readonly threshold: number | null;
  readonly contextLength: number | null;
  /** sha256 over the manifest's file hashes: identifies the weights in run files. */
  readonly hash: string | null;
  /** Where the model runs if not on this machine's engine; left out for a model folder. */
  readonly endpoint?: EndpointInfo;
}

/** A model of a folder: everything is known of it. */
export interface LocalModelInfo extends Omit<ModelInfo, 'endpoint'> {
  readonly architecture: 'qwen3' | 'llama';
  readonly parameters: number;
  readonly quantization: 'fp32' | 'int8' | 'int4';
  readonly contextLength: number;
  readonly hash: string;
}

export interface EndpointInfo {
  /** As the user named it. */
  readonly name: string;
  /** Host and port that the text goes to. */
  readonly host: string;
  /**
   * What it sent beside the text: nothing, log-probabilities, or everything (`tah serve`). Without log-probabilities
   * a "token" is a piece of text as it arrived.
   */
  readonly sends: 'text' | 'logprobs' | 'tah';
}

const ENDPOINT_SCHEME = 'endpoint:';

/** How a request's `model` names an endpoint. */
export function endpointReference(name: string): string {
  return ENDPOINT_SCHEME + name;
}

/** The endpoint's name where `model` refers to one, else null. */
export function endpointName(model: string): string | null {
  return model.startsWith(ENDPOINT_SCHEME) ? model.slice(ENDPOINT_SCHEME.length) : null;
}

/** `reason`: why this one. */
export interface ProviderInfo extends Told {
  /** 'endpoint': another server computes, wherever it runs. */
  readonly provider: Provider | 'endpoint';
  readonly rejected: readonly RejectedProvider[];
}

/** `reason`: why it is not used. */
export interface RejectedProvider extends Told {
  readonly provider: Provider;
}

export type EndReason = 'stop-token' | 'stop-text' | 'max-tokens' | 'context-limit' | 'end-of-text';

export interface GenerateStats {
  /** 0 where an endpoint doesn't say it. */
  readonly promptTokens: number;
  readonly tokens: number;
  /** Rows run through the transformer for the predictions of `tokens` tokens (first passes + later passes). */
  readonly passes: number;
  readonly passesPerToken: number;
  readonly loadMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly tokensPerSecond: number;
}

export type GenerateEvent =
  | { readonly type: 'loading'; readonly model: string }
  | {
      readonly type: 'start';
      readonly model: ModelInfo;
      readonly provider: ProviderInfo;
      readonly prompt: readonly PromptToken[];
      readonly policy: ThinkingPolicy;
      readonly sampling: SamplingOptions;
    }
  | { readonly type: 'token'; readonly token: TokenEvent }
  | { readonly type: 'end'; readonly reason: EndReason; readonly stats: GenerateStats };

/** Self-oracle of a measured token: was the first pass's top-1 the given token, and was it sent? */
export type OracleVerdict = 'hard-sent' | 'hard-missed' | 'easy-sent' | 'easy-skipped';

export interface EngineStatus {
  readonly loaded: { readonly model: ModelInfo; readonly provider: ProviderInfo } | null;
  readonly residentBytes: number;
  readonly runtime: string;
}

/**
 * Streams end after their 'end' event. To stop is to leave the loop or abort the signal: the engine stops within
 * one pass and the stream throws `cancelled`. Errors are TahError.
 */
export interface EngineApi {
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent>;
  /** Teacher-forced: the same events for a given text, from one prefill. */
  measure(request: MeasureRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent>;
  load(model: string, provider?: ProviderChoice): Promise<{ readonly model: ModelInfo; readonly provider: ProviderInfo }>;
  /** How many tokens the prompt has for the model, by its own tokenizer; loads no weights. 0 for an empty text. */
  countTokens(request: CountRequest): Promise<number>;
  status(): Promise<EngineStatus>;
  unload(): Promise<void>;
}
