/**
 * `tah eval TASK --out DIR`: thinking policies and thresholds compared. DIR gets study.jsonl (every result as it comes:
 * a stopped study goes on from it), results.json and report.html.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ScopeJudge } from '../answer/scope.ts';
import { readSubjects } from '../answer/scopeFile.ts';
import { renderPage } from '../eval/report/page.ts';
import { runStudy, type Study, type StudyPolicy, type StudyProgress, type StudyRecord } from '../eval/study.ts';
import type { Task } from '../eval/tasks/task.ts';
import { workerJudge } from '../eval/workerJudge.ts';
import { formatDuration } from '../hub/progress.ts';
import { settingsOf, type EvalCommand } from './evalSettings.ts';
import { localEngine } from './localEngine.ts';
import { ResultsFile } from './resultsFile.ts';
import type { Terminal } from './terminal.ts';

export interface StudyCommand extends EvalCommand {
  readonly policies: readonly StudyPolicy[];
  readonly thresholds: readonly number[];
  readonly out: string;
}

export async function studyCommand(task: Task, model: string, options: StudyCommand, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const { sampling, maxTokens, limit, provider, policies, thresholds } = options;
  const engine = localEngine(terminal);
  const loaded = await engine.load(model, provider);
  const declared = await readSubjects(model);
  const refusal = options.refusal ?? declared?.refusal;
  // Which policies are compared may change from run to run: what is there of the others stays.
  const store = new ResultsFile<StudyRecord>(path.join(options.out, 'study.jsonl'), settingsOf(task, loaded.model.hash, { ...options, policy: 'study' }));
  const progress = terminal.progress();
  const onProgress = etaReporter((text) => { progress.show(text); });
  let study: Study;
  try {
    study = await runStudy({
      engine, model, task, judge: workerJudge(path.join(import.meta.dirname, 'checkWorker.cjs')), policies, thresholds, sampling, maxTokens, provider, store, signal, onProgress,
      scope: declared === null ? null : new ScopeJudge(declared), ...(limit === undefined ? {} : { limit }), ...(refusal === undefined ? {} : { refusal }),
    });
  } finally {
    progress.done();
  }
  const facts = factsOf(task, loaded, options);
  const files = { results: path.join(options.out, 'results.json'), report: path.join(options.out, 'report.html') };
  mkdirSync(options.out, { recursive: true });
  writeFileSync(files.results, `${JSON.stringify({ ...study, facts: Object.fromEntries(facts) }, null, 1)}\n`);
  writeFileSync(files.report, renderPage(study, { facts }));
  if (terminal.json) terminal.document({ ...study, arms: study.arms.map(({ name, policy, threshold, replayed, scorecard }) => ({ name, policy, threshold, replayed, scorecard })), files });
  else terminal.print(summary(study, files));
}

function factsOf(task: Task, { model, provider }: Awaited<ReturnType<ReturnType<typeof localEngine>['load']>>, { sampling, maxTokens, seed }: StudyCommand & { readonly seed?: number }): [string, string][] {
  const drawn = sampling.temperature === 0 ? 'greedy' : Object.entries(sampling).map(([name, value]) => `${name} ${value}`).join(', ');
  return [
    ['Model', `${model.name} (${model.quantization}), weights ${model.hash?.slice(0, 12) ?? 'not known'}`],
    ['Runs on', `${provider.provider}: ${provider.reason}`],
    ['Threshold', model.threshold === null ? 'none: a plain model' : String(model.threshold)],
    ['Task', `${task.id}, ${task.problems.length} problems`],
    ['Right is', task.answers === undefined ? 'what is equivalent to the reference answer' : 'what the benchmark’s grader accepts (as Math-Verify)'],
    ['Sampling', `${drawn === '' ? 'the model’s defaults' : drawn}${seed === undefined ? '' : `, seed ${seed}`}; ${maxTokens} tokens at most`],
    ['Made', new Date().toISOString()],
  ];
}

/** Time left from the results that were run now: what was kept or replayed took none. */
export function etaReporter(show: (text: string) => void, now: () => number = () => performance.now()): (progress: StudyProgress) => void {
  const started = now();
  return ({ done, total, fresh, answers, right }) => {
    const left = fresh === 0 ? null : ((now() - started) / 1000 / fresh) * (total - done);
    show(`${done} of ${total}, ${right} of ${answers} answers right${left === null ? '' : `, about ${formatDuration(left)} left`}`);
  };
}

function summary(study: Study, files: { readonly results: string; readonly report: string }): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const arms = study.arms.map(({ name, replayed, scorecard: { total, passesPerToken, shareSent } }) => `${name.padEnd(16)} ${String(total.right).padStart(5)} of ${total.problems} right, ${percent(total.accuracy)} (${percent(total.interval[0])} to ${percent(total.interval[1])}), ${passesPerToken.toFixed(3)} passes a token, ${percent(1 - shareSent)} skipped${replayed === 0 ? '' : `, ${replayed} not run again: the same run`}`);
  const solved = study.solutions?.policies.map(({ policy, tokens, right, passes }) => `${policy.padEnd(16)} ${percent(tokens === 0 ? 0 : right / tokens)} of ${tokens} tokens of worked solutions right, ${(tokens === 0 ? 0 : passes / tokens).toFixed(3)} passes a token`) ?? [];
  return [...arms, ...solved, `Written: ${files.results}, ${files.report}`].join('\n');
}
