/**
 * Compares thinking policies and thresholds on the same problems: each problem by every policy in turn, so that a study
 * which is stopped early still compares like with like. A threshold whose run would be the same token by token as one
 * that is there takes its result from it. Gets engine, judge and the kept results as arguments; knows no file.
 */

import { TahError } from '../protocol/errors.ts';
import { cancelled } from '../protocol/streams.ts';
import { chosen, isRight, solveProblem, type EvalEvent, type EvaluateOptions, type ProblemResult } from './evaluate.ts';
import { isWithin } from './sameThresholds.ts';
import { scorecardOf, type Scorecard } from './scorecard.ts';
import { measureSolution, sumOf, type SolutionCounts } from './solutions.ts';
import type { EvalProblem } from './tasks/task.ts';

export const STUDY_POLICIES = ['never', 'decider', 'always', 'oracle'] as const;
export type StudyPolicy = (typeof STUDY_POLICIES)[number];

/** One result of a study, as it is kept: `id` says of which arm and problem. */
export type StudyRecord =
  | { readonly id: string; readonly kind: 'answer'; readonly result: ProblemResult; /** The threshold whose run this is, where it was not run again. */ readonly replayed?: string }
  | { readonly id: string; readonly kind: 'solution'; readonly counts: SolutionCounts };

/** Results by id; `add` keeps one for later. */
export interface StudyStore {
  readonly done: ReadonlyMap<string, StudyRecord>;
  add(record: StudyRecord): void;
}

export interface StudyOptions extends Omit<EvaluateOptions, 'policy' | 'done'> {
  readonly policies: readonly StudyPolicy[];
  /** For the decider; its own one is that of `policies`. */
  readonly thresholds: readonly number[];
  readonly store: StudyStore;
  readonly onProgress?: (progress: StudyProgress) => void;
}

export interface StudyProgress {
  readonly done: number;
  readonly total: number;
  /** Run now, not kept from before and not replayed. */
  readonly fresh: number;
  /** Of what is done: answers, and right ones. */
  readonly answers: number;
  readonly right: number;
}

export interface Arm {
  /** "never", "decider", "always", or "decider at 0.3". */
  readonly name: string;
  readonly policy: StudyPolicy;
  /** Null: the model's own, or no decider. */
  readonly threshold: number | null;
}

export interface ArmResult extends Arm {
  readonly scorecard: Scorecard;
  /** Problems whose result was taken from another threshold, the same token by token. */
  readonly replayed: number;
  readonly results: readonly ProblemResult[];
}

export interface Study {
  readonly format: 'tah-study/1';
  readonly task: string;
  readonly problems: number;
  /** The model's own threshold; null for a plain model. */
  readonly threshold: number | null;
  readonly arms: readonly ArmResult[];
  /** On worked solutions, of as many problems as have one. */
  readonly solutions: { readonly problems: number; readonly policies: readonly (SolutionCounts & { readonly policy: StudyPolicy })[] } | null;
}

/** @throws TahError of the engine, `cancelled`, input.bad-option */
export async function runStudy(options: StudyOptions): Promise<Study> {
  const { engine, task, store } = options;
  const problems = chosen(task.problems, options.limit);
  const { model, provider } = await engine.load(options.model, options.provider);
  const arms = armsOf(options, model.threshold);
  const solved = withSolutions(task.problems, problems, options.limit);
  if (options.policies.includes('oracle') && solved.length === 0) {
    throw new TahError('input.bad-option', `The task ${task.id} has no worked solutions, and the oracle needs them.`, { subject: '--policies', hint: 'Leave the oracle out, or give a file with "solution" beside "question" and "answer".' });
  }
  const count = new Count(problems.length * arms.length + solved.length * options.policies.length, options.onProgress);
  for (const problem of problems) for (const arm of arms) await answerOf(problem, arm, arms, options, count);
  for (const problem of solved) for (const policy of options.policies) await solutionOf(problem, policy, options, model.threshold, count);
  const start = (arm: Arm): EvalEvent => ({ type: 'start', task: task.id, problems: problems.length, model, provider, policy: policyOf(arm), sampling: options.sampling ?? null, maxTokens: options.maxTokens });
  return {
    format: 'tah-study/1',
    task: task.id,
    problems: problems.length,
    threshold: model.threshold,
    arms: arms.map((arm) => armResult(arm, problems, store, start(arm))),
    solutions: solved.length === 0 ? null : { problems: solved.length, policies: options.policies.map((policy) => ({ policy, ...sumOf(solved.flatMap(({ id }) => countsOf(store, solutionId(policy, id)))) })) },
  };
}

/** Never, always and the decider at its own threshold and at each other one; the oracle has no answers of its own. */
function armsOf({ policies, thresholds }: StudyOptions, own: number | null): readonly Arm[] {
  if (own === null && thresholds.length > 0) throw new TahError('input.bad-option', 'The model has no decider, so there are no thresholds to compare.', { subject: '--thresholds' });
  const named = policies.flatMap((policy): Arm[] => (policy === 'oracle' ? [] : [{ name: policy, policy, threshold: null }]));
  const others = [...new Set(thresholds)].sort((a, b) => a - b).map((threshold): Arm => ({ name: `decider at ${threshold}`, policy: 'decider', threshold }));
  return [...named, ...others];
}

function policyOf({ policy, threshold }: Arm): EvaluateOptions['policy'] {
  if (policy === 'decider') return threshold === null ? { kind: 'decider' } : { kind: 'decider', threshold };
  return policy === 'oracle' ? { kind: 'self-oracle' } : { kind: policy };
}

/** The chosen problems that have a worked solution; where few have one, as many others that do. */
function withSolutions(all: readonly EvalProblem[], these: readonly EvalProblem[], limit: number | undefined): readonly (EvalProblem & { readonly solution: string })[] {
  const solved = (from: readonly EvalProblem[]): (EvalProblem & { readonly solution: string })[] => from.flatMap(({ solution, ...rest }) => (solution === undefined ? [] : [{ ...rest, solution }]));
  const among = solved(these);
  if (limit === undefined || among.length * 2 >= these.length) return among;
  const ids = new Set(chosen(solved(all), limit).map(({ id }) => id));
  return solved(all).filter(({ id }) => ids.has(id));
}

const answerId = (arm: string, problem: string): string => `answer/${arm}/${problem}`;
const solutionId = (policy: StudyPolicy, problem: string): string => `solution/${policy}/${problem}`;

function countsOf(store: StudyStore, id: string): SolutionCounts[] {
  const record = store.done.get(id);
  return record?.kind === 'solution' ? [record.counts] : [];
}

async function answerOf(problem: EvalProblem, arm: Arm, arms: readonly Arm[], options: StudyOptions, count: Count): Promise<void> {
  stopIfAborted(options.signal);
  const id = answerId(arm.name, problem.id);
  const kept = options.store.done.get(id);
  if (kept?.kind === 'answer') {
    count.answer(kept.result, false);
    return;
  }
  const same = arm.threshold === null ? null : replayOf(problem, arm.threshold, arms, options.store);
  if (same !== null) {
    options.store.add({ id, kind: 'answer', ...same });
    count.answer(same.result, false);
    return;
  }
  const result = await solveProblem(problem, { ...options, policy: policyOf(arm) });
  // A stop while the answer was judged leaves a half-judged result: it is dropped.
  stopIfAborted(options.signal);
  options.store.add({ id, kind: 'answer', result });
  count.answer(result, true);
}

/** A result of the decider at another threshold that is the same at this one. */
function replayOf(problem: EvalProblem, threshold: number, arms: readonly Arm[], store: StudyStore): { readonly result: ProblemResult; readonly replayed: string } | null {
  for (const { name } of arms.filter(({ policy }) => policy === 'decider')) {
    const record = store.done.get(answerId(name, problem.id));
    if (record?.kind === 'answer' && record.result.thresholds !== null && isWithin(record.result.thresholds, threshold)) return { result: record.result, replayed: name };
  }
  return null;
}

async function solutionOf(problem: EvalProblem & { readonly solution: string }, policy: StudyPolicy, options: StudyOptions, own: number | null, count: Count): Promise<void> {
  stopIfAborted(options.signal);
  const id = solutionId(policy, problem.id);
  if (options.store.done.get(id)?.kind === 'solution') {
    count.solution(false);
    return;
  }
  const thresholds = policy === 'decider' && own !== null ? [...new Set([...options.thresholds, own])] : [];
  const counts = await measureSolution(problem, { ...options, policy: policyOf({ name: policy, policy, threshold: null }), thresholds });
  options.store.add({ id, kind: 'solution', counts });
  count.solution(true);
}

function armResult(arm: Arm, problems: readonly EvalProblem[], store: StudyStore, start: EvalEvent): ArmResult {
  const records = problems.flatMap(({ id }) => {
    const record = store.done.get(answerId(arm.name, id));
    return record?.kind === 'answer' ? [record] : [];
  });
  const results = records.map(({ result }) => result);
  const events = [start, ...results.map((result, index): EvalEvent => ({ type: 'result', index, result })), { type: 'end' } as const];
  return { ...arm, scorecard: scorecardOf(events), replayed: records.filter(({ replayed }) => replayed !== undefined).length, results };
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}

class Count {
  private done = 0;
  private fresh = 0;
  private answers = 0;
  private right = 0;

  constructor(
    private readonly total: number,
    private readonly tell: ((progress: StudyProgress) => void) | undefined,
  ) {}

  answer(result: ProblemResult, fresh: boolean): void {
    this.answers++;
    if (isRight(result)) this.right++;
    this.solution(fresh);
  }

  solution(fresh: boolean): void {
    this.done++;
    if (fresh) this.fresh++;
    this.tell?.({ done: this.done, total: this.total, fresh: this.fresh, answers: this.answers, right: this.right });
  }
}
