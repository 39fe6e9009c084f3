/**
 * Runs a model over a task, problem by problem, and judges each answer: against the reference by equivalence, and by
 * the same check that a user sees. Gets the engine and the judge as arguments; knows no file and no terminal.
 * A 'result' is complete in itself, so that a run can be continued from the results that are there.
 */

import { extractAnswer } from '../answer/extract.ts';
import type { ScopeJudge } from '../answer/scope.ts';
import type { AnswerCheck } from '../protocol/answer.ts';
import type { EndReason, EngineApi, GenerateStats, ModelInfo, PromptToken, ProviderChoice, ProviderInfo, SamplingOptions, ThinkingPolicy, TokenEvent } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import type { ErrorData } from '../protocol/errors.ts';
import { secondThought } from '../protocol/run.ts';
import type { OutsideReason } from '../protocol/scope.ts';
import { cancelled } from '../protocol/streams.ts';
import { sameThresholds, type ThresholdRange } from './sameThresholds.ts';
import type { AnswerKind } from './tasks/benchmarks.ts';
import type { EvalProblem, Task } from './tasks/task.ts';

export interface Judge {
  check(problem: string, answer: string, signal?: AbortSignal): Promise<AnswerCheck>;
  /** Do two answers mean the same? null: could not decide. */
  same(answer: string, reference: string, signal?: AbortSignal): Promise<boolean | null>;
  /** Is the text's answer right, as a benchmark's grader sees it? null: not within the limits. */
  grade(text: string, reference: string, kind: AnswerKind, signal?: AbortSignal): Promise<boolean | null>;
}

export interface EvaluateOptions {
  readonly engine: EngineApi;
  /** Model folder. */
  readonly model: string;
  readonly task: Task;
  readonly judge: Judge;
  readonly policy: ThinkingPolicy;
  /** Settings that replace the model's own. */
  readonly sampling?: Partial<SamplingOptions>;
  readonly maxTokens: number;
  /** So many problems, spread evenly over the task (a file sorted by family keeps all its families). */
  readonly limit?: number;
  /** The sentence with which the model refuses; without it, any text without an answer counts as a refusal. */
  readonly refusal?: string;
  /** Tells whether a question is outside of the model's subjects; null or absent where it declares none. */
  readonly scope?: ScopeJudge | null;
  readonly provider?: ProviderChoice;
  /** Results of an earlier run with the same settings, by the problem's id: those problems are not solved again. */
  readonly done?: ReadonlyMap<string, ProblemResult>;
  readonly signal?: AbortSignal;
}

/** Tokens that had more than one pass, by what the later passes did to the prediction. */
export interface SecondPasses {
  readonly sent: number;
  readonly kept: number;
  readonly changed: number;
  readonly changedThePick: number;
}

export interface ProblemResult {
  readonly id: string;
  readonly family: string;
  readonly question: string;
  readonly reference: string | null;
  readonly text: string;
  readonly answer: string | null;
  /** Right by equivalence with the reference; for a problem to refuse: it was refused. null: could not decide. */
  readonly exact: boolean | null;
  /** What the benchmark's grader says; left out where the task is no benchmark. null: could not decide. */
  readonly graded?: boolean | null;
  readonly refused: boolean;
  /** Why the question was found to be outside of the model's subjects, by the question alone; null: inside, or nobody knows. */
  readonly outside: OutsideReason['kind'] | null;
  readonly check: AnswerCheck;
  /** A wrong answer that a user would have been shown as verified. Must never be. */
  readonly wrongButVerified: boolean;
  readonly secondPasses: SecondPasses;
  readonly stats: GenerateStats | null;
  /** Thresholds at which the decider does exactly the same; null where no decider decided. */
  readonly thresholds: ThresholdRange | null;
  readonly endReason: EndReason | null;
  /** The engine refused this problem (too long); it counts as not solved. */
  readonly error: ErrorData | null;
}

export type EvalEvent =
  | { readonly type: 'start'; readonly task: string; readonly problems: number; readonly model: ModelInfo; readonly provider: ProviderInfo; readonly policy: ThinkingPolicy; readonly sampling: Partial<SamplingOptions> | null; readonly maxTokens: number }
  | { readonly type: 'result'; readonly index: number; readonly result: ProblemResult }
  | { readonly type: 'end' };

/** @throws TahError of the engine (but a problem that is too long is a result), `cancelled`, input.bad-option */
export async function* evaluate(options: EvaluateOptions): AsyncGenerator<EvalEvent, void, undefined> {
  const { engine, task, policy, sampling, maxTokens, signal } = options;
  const problems = chosen(task.problems, options.limit);
  const { model, provider } = await engine.load(options.model, options.provider);
  yield { type: 'start', task: task.id, problems: problems.length, model, provider, policy, sampling: sampling ?? null, maxTokens };
  for (const [index, problem] of problems.entries()) {
    throwIfStopped(signal);
    const result = options.done?.get(problem.id) ?? (await solveProblem(problem, options));
    // A stop while the answer was judged leaves a half-judged result: it is dropped.
    throwIfStopped(signal);
    yield { type: 'result', index, result };
  }
  yield { type: 'end' };
}

function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}

/** True where the answer counts: by the benchmark's grader where there is one, else by equivalence. */
export function isRight({ graded, exact }: ProblemResult): boolean {
  return (graded === undefined ? exact : graded) === true;
}

/** `limit` problems, spread evenly. @throws TahError input.bad-option */
export function chosen(problems: readonly EvalProblem[], limit: number | undefined): readonly EvalProblem[] {
  if (limit === undefined || limit >= problems.length) return problems;
  if (!Number.isInteger(limit) || limit < 1) throw new TahError('input.bad-option', `The limit must be a whole number from 1 on, not ${limit}.`, { subject: 'limit' });
  return Array.from({ length: limit }, (_, i) => problems[Math.floor((i * problems.length) / limit)]).filter((problem) => problem !== undefined);
}

interface Written {
  readonly prompt: readonly PromptToken[];
  readonly tokens: readonly TokenEvent[];
  readonly stats: GenerateStats | null;
  readonly endReason: EndReason | null;
  readonly error: ErrorData | null;
}

/** @throws TahError of the engine, but a problem that is too long is a result */
export async function solveProblem(problem: EvalProblem, options: Omit<EvaluateOptions, 'limit' | 'done'>): Promise<ProblemResult> {
  const written = await write(problem, options);
  const text = written.tokens.map((token) => token.text).join('');
  const answer = extractAnswer(text);
  // What was cut off before its answer has not refused.
  const ended = written.endReason !== null && written.endReason !== 'max-tokens' && written.endReason !== 'context-limit';
  const refused = ended && isRefusal(text, answer, options.refusal);
  const { judge, signal } = options;
  const { state, reason }: AnswerCheck = answer === null ? { state: 'unchecked', reason: 'The text has no final answer.' } : await judge.check(problem.question, answer, signal);
  const verdict = options.scope?.judgeQuestion(problem.question);
  const exact = problem.answer === null ? refused : answer === null ? false : await judge.same(answer, problem.answer, signal);
  const kind = options.task.answers;
  const graded = kind === undefined || problem.answer === null ? undefined : await judge.grade(text, problem.answer, kind, signal);
  return {
    id: problem.id,
    family: problem.family ?? 'all',
    question: problem.question,
    reference: problem.answer,
    text,
    answer,
    exact,
    ...(graded === undefined ? {} : { graded }),
    refused,
    outside: verdict?.state === 'outside' ? verdict.reason.kind : null,
    // As data it is said again in English alone.
    check: { state, reason },
    // Of a problem that is to be refused, the right answer isn't known: computer algebra may well be right.
    wrongButVerified: problem.answer !== null && exact === false && state === 'verified',
    secondPasses: countSecondPasses(written.tokens),
    stats: written.stats,
    thresholds: options.policy.kind === 'decider' && written.error === null ? sameThresholds([...written.prompt, ...written.tokens]) : null,
    endReason: written.endReason,
    error: written.error,
  };
}

async function write(problem: EvalProblem, { engine, model, policy, sampling, maxTokens, provider, signal }: Omit<EvaluateOptions, 'limit' | 'done'>): Promise<Written> {
  const tokens: TokenEvent[] = [];
  let prompt: readonly PromptToken[] = [];
  const request = {
    model,
    prompt: { kind: 'chat', messages: [{ role: 'user', content: problem.question }] },
    policy,
    maxTokens,
    ...(sampling === undefined ? {} : { sampling }),
    ...(provider === undefined ? {} : { provider }),
  } as const;
  try {
    for await (const event of engine.generate(request, signal)) {
      if (event.type === 'start') ({ prompt } = event);
      if (event.type === 'token') tokens.push(event.token);
      if (event.type === 'end') return { prompt, tokens, stats: event.stats, endReason: event.reason, error: null };
    }
  } catch (error) {
    const failure = TahError.from(error);
    if (failure.code !== 'engine.context-too-long') throw failure;
    return { prompt, tokens: [], stats: null, endReason: null, error: failure.toData() };
  }
  throw new TahError('engine.run-failed', `The engine ended problem ${problem.id} without an end event.`);
}

function isRefusal(text: string, answer: string | null, sentence: string | undefined): boolean {
  if (answer !== null) return false;
  const plain = (words: string): string => words.replace(/\s+/g, ' ').trim().toLowerCase();
  return sentence === undefined || plain(text).includes(plain(sentence));
}

function countSecondPasses(tokens: readonly TokenEvent[]): SecondPasses {
  const thoughts = tokens.map(secondThought).filter((thought) => thought !== null);
  const count = (kind: (typeof thoughts)[number]): number => thoughts.filter((thought) => thought === kind).length;
  return { sent: thoughts.length, kept: count('kept'), changed: count('changed'), changedThePick: count('changed the pick') };
}
