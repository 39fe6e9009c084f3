/**
 * What can be asked of Runs, and what a request becomes: a run that has nothing yet, and a call of the engine.
 * Pure; knows neither the life of a run nor who asks.
 */

import type { EngineApi, GenerateEvent, Prompt, ProviderChoice, SamplingOptions, ThinkingPolicy } from '../protocol/engine.ts';
import type { Branch, Comparison, RunHead } from '../protocol/run.ts';

/** What is asked for, whatever the kind. */
interface RequestBase {
  /** Model folder. */
  readonly model: string;
  readonly policy: ThinkingPolicy;
  readonly provider?: ProviderChoice;
  readonly comparison?: Comparison;
}

/** A text that the model writes. */
export interface SolveRequest extends RequestBase {
  readonly kind?: 'solve' | 'explain';
  /** What the run is called and its answer checked against; also what the model is asked, unless `prompt` says otherwise. */
  readonly problem: string;
  readonly prompt?: Prompt;
  /** Default: the model's own. */
  readonly sampling?: Partial<SamplingOptions>;
  readonly maxTokens: number;
  /** Token ids that the text starts with. */
  readonly forced?: readonly number[];
  readonly branch?: Branch;
}

/** A given text, scored token by token. */
export interface MeasureTextRequest extends RequestBase {
  readonly kind: 'measure';
  readonly text: string;
}

export type RunRequest = SolveRequest | MeasureTextRequest;

export function newRun(id: string, request: RunRequest, state: 'waiting' | 'running'): RunHead {
  const measured = request.kind === 'measure';
  return {
    id,
    createdAt: new Date().toISOString(),
    kind: request.kind ?? 'solve',
    problem: measured ? request.text : request.problem,
    branch: measured ? null : (request.branch ?? null),
    comparison: request.comparison ?? null,
    policy: request.policy,
    // Known in full when the engine starts the run.
    sampling: null,
    model: null,
    provider: null,
    prompt: [],
    state,
    endReason: null,
    error: null,
    stats: null,
    answer: null,
    check: null,
  };
}

export function engineEvents(engine: Pick<EngineApi, 'generate' | 'measure'>, request: RunRequest, signal: AbortSignal): AsyncIterable<GenerateEvent> {
  const { model, policy } = request;
  const provider = request.provider === undefined ? {} : { provider: request.provider };
  if (request.kind === 'measure') return engine.measure({ model, policy, text: request.text, ...provider }, signal);
  return engine.generate({
    model,
    policy,
    ...provider,
    prompt: request.prompt ?? { kind: 'chat', messages: [{ role: 'user', content: request.problem }] },
    maxTokens: request.maxTokens,
    ...(request.sampling === undefined ? {} : { sampling: request.sampling }),
    ...(request.forced === undefined ? {} : { forced: request.forced }),
  }, signal);
}
