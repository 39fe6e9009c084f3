/**
 * Checks and compares answers in a worker thread, so that no formula can hold up the caller: time and memory are
 * limited. Whatever happens to the worker, there is a result; the caller never gets an exception. Knows no mathematics.
 */

import { Worker } from 'node:worker_threads';
import { answerCheck } from '../protocol/answer.ts';
import type { AnswerCheck } from '../protocol/answer.ts';
import { reason } from '../protocol/reasons.ts';
import type { Reason } from '../protocol/reasons.ts';
import { UNREAD } from './facts/formulaFacts.ts';
import type { FormulaFacts } from './facts/formulaFacts.ts';

export interface CheckOptions {
  /** The bundled src/checkWorker.ts: dist/checkWorker.cjs. */
  readonly workerPath: string;
  /** Milliseconds, the start of the worker included. Default 3000. */
  readonly timeoutMs?: number;
  /** Aborting ends the check: 'unchecked'. */
  readonly signal?: AbortSignal;
}

export type CheckRequest =
  | { readonly kind: 'check'; readonly problem: string; readonly answer: string }
  | { readonly kind: 'compare'; readonly a: string; readonly b: string }
  | { readonly kind: 'grade'; readonly text: string; readonly reference: string; readonly answers: 'number' | 'latex' }
  | { readonly kind: 'analyse'; readonly tex: string };
export type CheckReply =
  | { readonly kind: 'check'; readonly check: AnswerCheck }
  | { readonly kind: 'compare'; readonly same: boolean | null }
  | { readonly kind: 'grade'; readonly right: boolean | null }
  | { readonly kind: 'analyse'; readonly facts: FormulaFacts };

const MEMORY = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 };

/** The one worker that waits for the next check. It doesn't keep the process alive. */
let idle: { readonly path: string; readonly worker: Worker; readonly forget: () => void } | null = null;

/** @returns what the check found; 'unchecked' with the reason when it took too long, needed too much memory, crashed or was stopped. */
export async function checkAnswer(problem: string, answer: string, options: CheckOptions): Promise<AnswerCheck> {
  const reply = await ask({ kind: 'check', problem, answer }, options);
  if (reply.kind === 'none') return answerCheck('unchecked', [reply.why]);
  return reply.kind === 'check' ? reply.check : answerCheck('unchecked', [NO_RESULT.why]);
}

/** Do two answers mean the same (equivalence.ts)? null: could not decide, or not within the limits. */
export async function compareAnswers(a: string, b: string, options: CheckOptions): Promise<boolean | null> {
  const reply = await ask({ kind: 'compare', a, b }, options);
  return reply.kind === 'compare' ? reply.same : null;
}

/** Is the text's answer right, as a benchmark's grader sees it (grade/grade.ts)? null: not within the limits. */
export async function gradeText(text: string, reference: string, answers: 'number' | 'latex', options: CheckOptions): Promise<boolean | null> {
  const reply = await ask({ kind: 'grade', text, reference, answers }, { timeoutMs: GRADING_MS, ...options });
  return reply.kind === 'grade' ? reply.right : null;
}

/** A benchmark's verdict should not depend on how busy the machine is. */
const GRADING_MS = 30_000;

/** Loading two computer algebra systems on a slow machine takes most of this. */
const ANALYSIS_MS = 15_000;

/** What is known of a formula; 'unread' with the reason where there was no result within the limits. */
export async function analyseFormula(tex: string, options: CheckOptions): Promise<FormulaFacts> {
  const reply = await ask({ kind: 'analyse', tex }, { timeoutMs: ANALYSIS_MS, ...options });
  if (reply.kind === 'none') return { ...UNREAD, stopped: reply.why };
  return reply.kind === 'analyse' ? reply.facts : { ...UNREAD, stopped: NO_RESULT.why };
}

/** Why there is no reply. */
interface NoReply {
  readonly kind: 'none';
  readonly why: Reason;
}

const none = (...why: Parameters<typeof reason>): NoReply => ({ kind: 'none', why: reason(...why) });
const NO_RESULT = none('check-without-result');
const STOPPED = none('check-stopped');

/** The worker's reply, or why there is none. */
async function ask(request: CheckRequest, { workerPath, timeoutMs = 3000, signal }: CheckOptions): Promise<CheckReply | NoReply> {
  if (signal?.aborted === true) return STOPPED;
  const worker = takeWorker(workerPath);
  return new Promise<CheckReply | NoReply>((resolve) => {
    let done = false;
    const finish = (reply: CheckReply | NoReply, keep: boolean): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      if (keep) putBack(workerPath, worker);
      else end(worker);
      resolve(reply);
    };
    const onAbort = (): void => { finish(STOPPED, false); };
    const onMessage = (reply: unknown): void => {
      if (isReply(reply)) finish(reply, true);
      else finish(NO_RESULT, false);
    };
    const onError = (error: unknown): void => { finish(isOutOfMemory(error) ? none('check-out-of-memory') : none('check-failed', error instanceof Error ? error.message : String(error)), false); };
    const onExit = (code: number): void => { finish(none('check-exited', String(code)), false); };
    const timer = setTimeout(() => { finish(none('check-too-slow', String(timeoutMs / 1000)), false); }, timeoutMs);
    signal?.addEventListener('abort', onAbort);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    // The caller is waiting: until the result is here, the worker counts.
    worker.ref();
    worker.postMessage(request);
  });
}

function takeWorker(path: string): Worker {
  if (idle?.path === path) {
    const { worker, forget } = idle;
    forget();
    return worker;
  }
  return new Worker(path, { resourceLimits: MEMORY, stdout: true, stderr: true });
}

/** Keeps the worker for the next check, unless one is kept already. */
function putBack(path: string, worker: Worker): void {
  if (idle !== null) {
    end(worker);
    return;
  }
  const forget = (): void => {
    worker.off('exit', forget).off('error', forget);
    if (idle?.worker === worker) idle = null;
  };
  worker.on('exit', forget).on('error', forget);
  idle = { path, worker, forget };
  worker.unref();
}

function end(worker: Worker): void {
  worker.on('error', () => { /* It is being ended: what it still has to say is of no use to anyone. */ });
  void worker.terminate();
}

/** The worker is ours, but a reply in another form must not become a verdict. */
function isReply(value: unknown): value is CheckReply {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  if (value.kind === 'compare') return 'same' in value && (value.same === null || typeof value.same === 'boolean');
  if (value.kind === 'grade') return 'right' in value && (value.right === null || typeof value.right === 'boolean');
  if (value.kind === 'analyse') return 'facts' in value && typeof value.facts === 'object' && value.facts !== null && 'facts' in value.facts && Array.isArray(value.facts.facts);
  if (value.kind !== 'check' || !('check' in value)) return false;
  const { check } = value;
  return typeof check === 'object' && check !== null && 'state' in check && 'reason' in check && typeof check.reason === 'string' && (check.state === 'verified' || check.state === 'contradicted' || check.state === 'unchecked');
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
