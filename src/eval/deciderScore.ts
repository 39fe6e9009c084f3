/**
 * How good the decider is, on worked solutions: teacher-forced, so that it is known at each token whether the first
 * pass was wrong (it would have chosen another token) and what the later passes made of it. Gets the engine as an
 * argument; knows no file and no terminal.
 */

import type { EngineApi, ProviderChoice, ThinkingPolicy, TokenEvent } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { oracleVerdict } from '../protocol/run.ts';
import { wilsonInterval } from './scorecard.ts';
import type { Task } from './tasks/task.ts';

export interface DeciderScoreOptions {
  readonly engine: EngineApi;
  /** Model folder. */
  readonly model: string;
  readonly task: Task;
  readonly policy: ThinkingPolicy;
  readonly provider?: ProviderChoice;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, problems: number) => void;
}

/** A share of something counted, with Wilson's 95 % interval. */
export interface Share {
  readonly part: number;
  readonly of: number;
  readonly share: number;
  readonly interval: readonly [low: number, high: number];
}

export interface DeciderScore {
  readonly problems: number;
  /** Of the solutions, the prompts not counted. */
  readonly tokens: number;
  /** Of all tokens: sent to a second pass. */
  readonly sent: Share;
  /** Of all tokens: the first pass would have chosen another one. */
  readonly firstPassErrors: Share;
  /** Of the tokens sent: the first pass was wrong. */
  readonly precision: Share;
  /** Of the first pass's errors: sent. */
  readonly recall: Share;
  /** Of the first pass's errors: right after the last pass. */
  readonly corrected: Share;
  /** Of the tokens that the first pass had right: wrong after the last pass. */
  readonly broken: Share;
}

/** @throws TahError input.bad-file where the task has no solutions, and the engine's own */
export async function scoreDecider({ engine, model, task, policy, provider, signal, onProgress }: DeciderScoreOptions): Promise<DeciderScore> {
  const problems = task.problems.flatMap(({ question, solution }) => (solution === undefined ? [] : [{ question, solution }]));
  if (problems.length === 0) {
    throw new TahError('input.bad-file', `The task ${task.id} has no worked solutions, and the decider is scored on those.`, { subject: 'solution', hint: 'Give a .jsonl file whose lines have "solution" beside "question" and "answer".' });
  }
  const counts = { tokens: 0, sent: 0, wrong: 0, wrongSent: 0, corrected: 0, broken: 0 };
  for (const [index, { question, solution }] of problems.entries()) {
    const after = { kind: 'chat', messages: [{ role: 'user', content: question }] } as const;
    for await (const event of engine.measure({ model, text: solution, after, policy, topCandidates: 1, ...(provider === undefined ? {} : { provider }) }, signal)) {
      if (event.type === 'token') count(event.token, counts);
    }
    onProgress?.(index + 1, problems.length);
  }
  return {
    problems: problems.length,
    tokens: counts.tokens,
    sent: share(counts.sent, counts.tokens),
    firstPassErrors: share(counts.wrong, counts.tokens),
    precision: share(counts.wrongSent, counts.sent),
    recall: share(counts.wrongSent, counts.wrong),
    corrected: share(counts.corrected, counts.wrong),
    broken: share(counts.broken, counts.tokens - counts.wrong),
  };
}

function count(token: TokenEvent, counts: Record<'tokens' | 'sent' | 'wrong' | 'wrongSent' | 'corrected' | 'broken', number>): void {
  const verdict = oracleVerdict(token);
  const sent = verdict === 'hard-sent' || verdict === 'easy-sent';
  const wrong = verdict === 'hard-sent' || verdict === 'hard-missed';
  const rightAfter = token.after[0]?.id === token.id;
  counts.tokens++;
  if (sent) counts.sent++;
  if (wrong) counts.wrong++;
  if (wrong && sent) counts.wrongSent++;
  if (wrong && rightAfter) counts.corrected++;
  if (!wrong && !rightAfter) counts.broken++;
}

function share(part: number, of: number): Share {
  return { part, of, share: of === 0 ? 0 : part / of, interval: wilsonInterval(part, of) };
}

/** A plain-text table, lines joined by \n. */
export function renderDeciderScore(score: DeciderScore): string {
  const line = (name: string, { part, of, share: value, interval: [low, high] }: Share): string =>
    `${name.padEnd(20)} ${(100 * value).toFixed(2).padStart(6)} %  (${(100 * low).toFixed(2)} to ${(100 * high).toFixed(2)})  ${part} of ${of}`;
  return [
    `The decider on ${score.problems} worked solutions (${score.tokens} tokens, teacher-forced; in brackets the 95 % interval):`,
    line('sent', score.sent),
    line('first-pass errors', score.firstPassErrors),
    line('precision', score.precision),
    line('recall', score.recall),
    line('errors corrected', score.corrected),
    line('right ones broken', score.broken),
  ].join('\n');
}
