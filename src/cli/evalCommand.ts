/** `tah eval`: how good a model is on a task, problem by problem, and the scorecard of it; with --decider, how good its decider is. */
import path from 'node:path';
import { ScopeJudge } from '../answer/scope.ts';
import { readSubjects } from '../answer/scopeFile.ts';
import { renderDeciderScore, scoreDecider } from '../eval/deciderScore.ts';
import { evaluate, isRight, type EvalEvent, type ProblemResult } from '../eval/evaluate.ts';
import { renderScorecard } from '../eval/renderScorecard.ts';
import { scorecardOf } from '../eval/scorecard.ts';
import { loadTask } from '../eval/tasks/loadTask.ts';
import type { Task } from '../eval/tasks/task.ts';
import { workerJudge } from '../eval/workerJudge.ts';
import { TahError } from '../protocol/errors.ts';
import { settingsOf, type EvalCommand } from './evalSettings.ts';
import { localEngine } from './localEngine.ts';
import { resolveModel } from './models.ts';
import { ResultsFile } from './resultsFile.ts';
import { studyCommand } from './studyCommand.ts';
import { benchmarkFiles } from './taskFiles.ts';
import type { Terminal } from './terminal.ts';

export async function evalCommand(taskName: string, options: EvalCommand, terminal: Terminal, signal: AbortSignal): Promise<void> {
  checkTogether(options);
  const task = await loadTask(taskName, options.data === undefined ? { fetch: (benchmark) => benchmarkFiles(benchmark, options, terminal, signal) } : { file: options.data });
  const model = await resolveModel(options.model, terminal, signal);
  if (options.out !== undefined) {
    const { policies = ['never', 'decider', 'always'], thresholds = [], out } = options;
    return studyCommand(task, model, { ...options, policies, thresholds, out }, terminal, signal);
  }
  if (options.decider) return deciderCommand(task, model, options, terminal, signal);
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
  const engine = localEngine(terminal);
  const kept = options.resume === undefined ? null : new ResultsFile<ProblemResult>(options.resume, settingsOf(task, (await engine.load(model, provider)).model.hash, options));
  const fresh = total - (kept === null ? 0 : Math.min(total, kept.done.size));
  let right = 0;
  let solved = 0;
  try {
    for await (const event of evaluate({ engine, model, task, judge, policy, sampling, maxTokens, provider, scope, signal, ...(kept === null ? {} : { done: new Map(kept.done) }), ...given })) {
      events.push(event);
      if (event.type !== 'result') continue;
      if (isRight(event.result)) right++;
      if (kept?.done.has(event.result.id) === true) continue;
      kept?.add(event.result);
      solved++;
      progress.show(progressLine(event.index + 1, total, right, ((performance.now() - started) / solved) * (fresh - solved)));
    }
  } finally {
    progress.done();
  }
  const scorecard = scorecardOf(events);
  const results = events.flatMap((event): ProblemResult[] => (event.type === 'result' ? [event.result] : []));
  if (terminal.json) terminal.document(options.results ? { ...scorecard, results } : scorecard);
  else terminal.print(renderScorecard(scorecard));
}

/** Options of one way to evaluate say nothing in another; better a refusal than to be left out in silence. */
function checkTogether({ out, policies, thresholds, resume, decider }: EvalCommand): void {
  const refuse = (option: string, message: string): TahError => new TahError('input.bad-option', message, { subject: option, hint: 'See docs/evaluation.md.' });
  if (out === undefined && policies !== undefined) throw refuse('--policies', '--policies goes with --out; for one policy there is --policy.');
  if (out === undefined && thresholds !== undefined) throw refuse('--thresholds', '--thresholds goes with --out; for one threshold there is --threshold.');
  if (out !== undefined && resume !== undefined) throw refuse('--resume', '--resume is not needed with --out: its results are kept in that folder.');
  if (out !== undefined && decider) throw refuse('--decider', '--decider and --out are two ways to evaluate: give one of them.');
}

async function deciderCommand(task: Task, model: string, { policy, provider, limit }: EvalCommand, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const progress = terminal.progress();
  const part = limit === undefined ? task : { ...task, problems: task.problems.slice(0, limit) };
  try {
    const onProgress = (done: number, problems: number): void => {
      progress.show(`${done} of ${problems} solutions`);
    };
    const score = await scoreDecider({ engine: localEngine(terminal), model, task: part, policy, provider, signal, onProgress });
    if (terminal.json) terminal.document(score);
    else terminal.print(renderDeciderScore(score));
  } finally {
    progress.done();
  }
}

function progressLine(done: number, total: number, right: number, leftMs: number): string {
  const left = leftMs / 1000;
  return `${done} of ${total} problems, ${right} right, about ${left < 90 ? `${left.toFixed(0)} s` : `${(left / 60).toFixed(0)} min`} left`;
}
