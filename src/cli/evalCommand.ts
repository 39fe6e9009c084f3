/** `tah eval`: how good a model is on a task, problem by problem, and the scorecard of it. */
import path from 'node:path';
import { ScopeJudge } from '../answer/scope.ts';
import { readSubjects } from '../answer/scopeFile.ts';
import { createEngine } from '../engine/engine.ts';
import { evaluate, type EvalEvent, type ProblemResult } from '../eval/evaluate.ts';
import { renderScorecard } from '../eval/renderScorecard.ts';
import { scorecardOf } from '../eval/scorecard.ts';
import { loadTask } from '../eval/tasks/loadTask.ts';
import { workerJudge } from '../eval/workerJudge.ts';
import type { ProviderChoice, SamplingOptions, ThinkingPolicy } from '../protocol/engine.ts';
import { resolveModel } from './models.ts';
import type { Terminal } from './terminal.ts';

export interface EvalCommand {
  readonly model?: string;
  readonly policy: ThinkingPolicy;
  readonly sampling: Partial<SamplingOptions>;
  readonly maxTokens: number;
  readonly limit?: number;
  readonly data?: string;
  readonly refusal?: string;
  readonly provider: ProviderChoice;
  /** Every problem's result with the scorecard, not only the sums. */
  readonly results: boolean;
}

export async function evalCommand(taskName: string, options: EvalCommand, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const task = await loadTask(taskName, options.data === undefined ? {} : { file: options.data });
  const model = await resolveModel(options.model, terminal, signal);
  const judge = workerJudge(path.join(import.meta.dirname, 'checkWorker.cjs'));
  const progress = terminal.progress();
  const events: EvalEvent[] = [];
  const started = performance.now();
  const total = Math.min(task.problems.length, options.limit ?? Infinity);
  const { policy, sampling, maxTokens, limit, provider } = options;
  const declared = await readSubjects(model);
  const scope = declared === null ? null : new ScopeJudge(declared);
  const refusal = options.refusal ?? declared?.refusal;
  const given = { ...(limit === undefined ? {} : { limit }), ...(refusal === undefined ? {} : { refusal }) };
  let right = 0;
  try {
    for await (const event of evaluate({ engine: createEngine(), model, task, judge, policy, sampling, maxTokens, provider, scope, signal, ...given })) {
      events.push(event);
      if (event.type !== 'result') continue;
      if (event.result.exact === true) right++;
      progress.show(progressLine(event.index + 1, total, right, performance.now() - started));
    }
  } finally {
    progress.done();
  }
  const scorecard = scorecardOf(events);
  const results = events.flatMap((event): ProblemResult[] => (event.type === 'result' ? [event.result] : []));
  if (terminal.json) terminal.document(options.results ? { ...scorecard, results } : scorecard);
  else terminal.print(renderScorecard(scorecard));
}

function progressLine(done: number, total: number, right: number, elapsedMs: number): string {
  const left = ((elapsedMs / done) * (total - done)) / 1000;
  return `${done} of ${total} problems, ${right} right, about ${left < 90 ? `${left.toFixed(0)} s` : `${(left / 60).toFixed(0)} min`} left`;
}
