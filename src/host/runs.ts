/**
 * The one owner of what has been generated: starts runs, turns the engine's events into changes, batches tokens per
 * frame, stops, keeps failed runs with what they had, finds the answer and has it checked. Panel and engine meet here.
 * Imports no `vscode`; does not know how a run is shown or where its problem came from.
 */

import { randomUUID } from 'node:crypto';
import { answerCheck } from '../protocol/answer.ts';
import type { AnswerCheck } from '../protocol/answer.ts';
import type { EndReason, EngineApi, GenerateEvent, GenerateStats, TokenEvent } from '../protocol/engine.ts';
import { phrase, TahError } from '../protocol/errors.ts';
import type { ErrorData } from '../protocol/errors.ts';
import { reason } from '../protocol/reasons.ts';
import { applyToHead, hasEnded } from '../protocol/run.ts';
import type { BranchChange, Run, RunChange, RunHead } from '../protocol/run.ts';
import type { ScopeVerdict } from '../protocol/scope.ts';
import { Emitter } from './emitter.ts';
import { branchRequest, repeatRequest } from './runsBranch.ts';
import type { BranchPlace } from './runsBranch.ts';
import { engineEvents, newRun } from './runsRequest.ts';
import type { RunRequest } from './runsRequest.ts';

export type { MeasureTextRequest, RunRequest, SolveRequest } from './runsRequest.ts';

export interface RunsOptions {
  readonly engine: Pick<EngineApi, 'generate' | 'measure'>;
  /** Content of the last box in a text, or null. */
  readonly extractAnswer: (text: string) => string | null;
  readonly checkAnswer: (problem: string, answer: string, signal: AbortSignal) => Promise<AnswerCheck>;
  /** Is a question, or with `text` what the model wrote to it, within the model's subjects? null: nobody knows. */
  readonly judgeScope?: (model: string, question: string, text: string | null) => Promise<ScopeVerdict | null>;
  readonly onError: (error: unknown) => void;
  /** Tokens of this long are sent as one change. Default 16 ms, one frame. */
  readonly frameMs?: number;
  /** How many runs are kept; the oldest that has ended goes first. Default 50. */
  readonly keep?: number;
  /** How many tokens all kept runs may have; one takes some kilobytes. Default 100 000. */
  readonly keepTokens?: number;
}

const NO_ANSWER = answerCheck('unchecked', [reason('no-boxed-answer')]);

/** `waiting`: for the engine, which is busy with an earlier run. */
export type RunPhase = 'waiting' | 'loading' | 'thinking' | 'ended';

/** A run under construction. Tokens are appended in place; `snapshot` copies them only when someone asks. */
interface LiveRun {
  /** Null for a run that was adopted: its model must be found first. */
  readonly request: RunRequest | null;
  readonly abort: AbortController;
  readonly tokens: TokenEvent[];
  /** Tokens that no change has carried yet: the last of `tokens`. */
  pending: TokenEvent[];
  timer: NodeJS.Timeout | null;
  run: RunHead;
  phase: RunPhase;
  /** Resolves when the run has ended and its answer is checked. */
  finished: Promise<void>;
}

export class Runs {
  private readonly runs = new Map<string, LiveRun>();
  private readonly added: Emitter<string>;
  private readonly changed: Emitter<{ readonly runId: string; readonly change: RunChange }>;
  private readonly forgotten: Emitter<string>;
  private readonly phases: Emitter<{ readonly runId: string; readonly phase: RunPhase }>;
  /** A stopped run's answer is still checked; only the window's end stops a check. */
  private readonly closing = new AbortController();

  constructor(private readonly options: RunsOptions) {
    this.added = new Emitter(options.onError);
    this.changed = new Emitter(options.onError);
    this.phases = new Emitter(options.onError);
    this.forgotten = new Emitter(options.onError);
  }

  /** Fires with the id of a run that has just been created. */
  get onDidAdd(): Emitter<string>['event'] {
    return this.added.event;
  }

  /** Fires after the change is part of `get(runId)`. */
  get onDidChange(): Emitter<{ readonly runId: string; readonly change: RunChange }>['event'] {
    return this.changed.event;
  }

  /** Fires with the id of an old run that is no longer kept. */
  get onDidForget(): Emitter<string>['event'] {
    return this.forgotten.event;
  }

  get onDidChangePhase(): Emitter<{ readonly runId: string; readonly phase: RunPhase }>['event'] {
    return this.phases.event;
  }

  /** Creates the run and lets it go; its id comes back at once, its failures become part of it. */
  start(request: RunRequest): string {
    const id = randomUUID();
    const phase = this.running() === null ? 'loading' : 'waiting';
    const live: LiveRun = {
      request,
      abort: new AbortController(),
      tokens: [],
      pending: [],
      timer: null,
      run: newRun(id, request, phase === 'waiting' ? 'waiting' : 'running'),
      phase,
      finished: Promise.resolve(),
    };
    this.runs.set(id, live);
    this.forgetOldest();
    this.added.fire(id);
    this.phases.fire({ runId: id, phase });
    live.finished = this.follow(live, request).catch(this.options.onError);
    return id;
  }

  /** Takes in a run that ended elsewhere: in an earlier window, or in a file. One that is here stays as it is. */
  adopt(run: Run): void {
    if (!hasEnded(run)) throw new Error('a run that has not ended belongs to the window that runs it');
    if (this.runs.has(run.id)) return;
    const { tokens, ...head } = run;
    this.runs.set(run.id, { request: null, abort: new AbortController(), tokens: [...tokens], pending: [], timer: null, run: head, phase: 'ended', finished: Promise.resolve() });
    this.forgetOldest();
    this.phases.fire({ runId: run.id, phase: 'ended' });
  }

  /** The same request again, as a new run; null where it is not kept. @param place where an adopted run is computed */
  retry(id: string, place: BranchPlace): string | null {
    const live = this.runs.get(id);
    const run = this.get(id);
    return live === undefined || run === null ? null : this.start(live.request ?? repeatRequest(run, place));
  }

  /**
   * Regenerates from token `index` with one change, as a new run of the same seed.
   * @throws TahError input.empty, engine.bad-request, model.no-decider
   */
  branch(id: string, index: number, change: BranchChange, place: BranchPlace): string {
    const parent = this.get(id);
    if (parent === null) throw new TahError('input.empty', phrase('The run to branch from is no longer there.'), { hint: phrase('Open it from the history first.') });
    return this.start(branchRequest(parent, index, change, place));
  }

  /** The engine stops within one pass; a run that has ended stays as it is. */
  stop(id: string): void {
    this.runs.get(id)?.abort.abort();
  }

  /** The run as it is now, pending tokens left to the next change. */
  get(id: string): Run | null {
    const live = this.runs.get(id);
    if (live === undefined) return null;
    return { ...live.run, tokens: live.tokens.slice(0, live.tokens.length - live.pending.length) };
  }

  /** The run that a command names, else the newest. @throws TahError input.empty */
  wanted(id: unknown): Run {
    const run = this.get(typeof id === 'string' ? id : (this.ids().at(-1) ?? ''));
    if (run !== null) return run;
    throw typeof id === 'string'
      ? new TahError('input.empty', phrase('The run is no longer there.'), { hint: phrase('Look for it with Think-at-Hard: Show History….') })
      : new TahError('input.empty', phrase('There is no run yet.'), { hint: phrase('Choose Think-at-Hard: Solve… first.') });
  }

  phase(id: string): RunPhase | null {
    return this.runs.get(id)?.phase ?? null;
  }

  /** Ids, oldest first. */
  ids(): readonly string[] {
    return [...this.runs.keys()];
  }

  /** The newest run that has not ended. */
  running(): string | null {
    return [...this.runs].reverse().find(([, live]) => live.phase !== 'ended')?.[0] ?? null;
  }

  /** Waits for the run's end and its answer's check. */
  async whenFinished(id: string): Promise<void> {
    await this.runs.get(id)?.finished;
  }

  /** Waits for the end of all runs. */
  async settled(): Promise<void> {
    await Promise.all([...this.runs.values()].map((live) => live.finished));
  }

  dispose(): void {
    this.closing.abort();
    for (const live of this.runs.values()) live.abort.abort();
  }

  private async follow(live: LiveRun, request: RunRequest): Promise<void> {
    const judged = this.judge(live, request, null);
    try {
      for await (const event of engineEvents(this.options.engine, request, live.abort.signal)) {
        const ended = this.accept(live, event);
        if (ended !== null) {
          this.end(live, 'done', ended, null);
          break;
        }
      }
      if (live.phase !== 'ended') this.end(live, 'failed', null, new TahError('engine.run-failed', 'The engine ended the run without saying why.').toData());
    } catch (thrown) {
      const error = TahError.from(thrown);
      if (live.abort.signal.aborted || error.code === 'cancelled') this.end(live, 'stopped', null, null);
      else this.end(live, 'failed', null, error.toData());
      if (error.code === 'internal') this.options.onError(thrown);
    }
    await judged;
    if (live.run.scope?.state !== 'outside') await this.judge(live, request, live.tokens.map((token) => token.text).join(''));
    if (live.run.kind !== 'measure') await this.check(live);
  }

  /** A problem only: a formula in a document and a measured text ask nothing. */
  private async judge(live: LiveRun, request: RunRequest, text: string | null): Promise<void> {
    if (live.run.kind !== 'solve') return;
    try {
      const scope = await this.options.judgeScope?.(request.model, live.run.problem, text);
      if (scope !== undefined && scope !== null) this.change(live, { type: 'scope', scope });
    } catch (error) {
      this.options.onError(error);
    }
  }

  /** Returns reason and numbers where the event is the last one. */
  private accept(live: LiveRun, event: GenerateEvent): { reason: EndReason; stats: GenerateStats } | null {
    if (live.phase === 'waiting') {
      this.change(live, { type: 'turn' });
      this.setPhase(live, 'loading');
    }
    switch (event.type) {
      case 'loading':
        return null;
      case 'start':
        this.change(live, { type: 'start', model: event.model, provider: event.provider, prompt: event.prompt, sampling: event.sampling });
        this.setPhase(live, 'thinking');
        return null;
      case 'token':
        live.tokens.push(event.token);
        live.pending.push(event.token);
        live.timer ??= setTimeout(() => {
          this.flush(live);
        }, this.options.frameMs ?? 16);
        return null;
      case 'end':
        return { reason: event.reason, stats: event.stats };
      default:
        return event satisfies never;
    }
  }

  private flush(live: LiveRun): void {
    if (live.timer !== null) clearTimeout(live.timer);
    live.timer = null;
    if (live.pending.length === 0) return;
    const tokens = live.pending;
    live.pending = [];
    this.fire(live, { type: 'tokens', tokens });
  }

  private end(live: LiveRun, state: 'done' | 'stopped' | 'failed', ended: { reason: EndReason; stats: GenerateStats } | null, error: ErrorData | null): void {
    this.flush(live);
    // A measured text is the user's own: a box in it is no answer of the model.
    const answer = live.run.kind === 'measure' ? null : this.options.extractAnswer(live.tokens.map((token) => token.text).join(''));
    this.change(live, { type: 'end', state, endReason: ended?.reason ?? null, error, stats: ended?.stats ?? null, answer });
    this.setPhase(live, 'ended');
  }

  private async check(live: LiveRun): Promise<void> {
    const { answer, problem } = live.run;
    let check: AnswerCheck;
    try {
      check = answer === null ? NO_ANSWER : await this.options.checkAnswer(problem, answer, this.closing.signal);
    } catch (error) {
      this.options.onError(error);
      check = answerCheck('unchecked', [reason('check-failed', TahError.from(error).message)]);
    }
    this.change(live, { type: 'check', check });
  }

  private setPhase(live: LiveRun, phase: RunPhase): void {
    live.phase = phase;
    this.phases.fire({ runId: live.run.id, phase });
  }

  private change(live: LiveRun, change: Parameters<typeof applyToHead>[1]): void {
    live.run = applyToHead(live.run, change);
    this.fire(live, change);
  }

  private fire(live: LiveRun, change: RunChange): void {
    this.changed.fire({ runId: live.run.id, change });
  }

  private forgetOldest(): void {
    const { keep = 50, keepTokens = 100_000 } = this.options;
    const newest = this.ids().at(-1);
    let tokens = [...this.runs.values()].reduce((sum, live) => sum + live.tokens.length, 0);
    for (const [id, live] of this.runs) {
      if (this.runs.size <= keep && tokens <= keepTokens) return;
      // The newest is what somebody has just asked for.
      if (live.phase !== 'ended' || id === newest) continue;
      this.runs.delete(id);
      tokens -= live.tokens.length;
      this.forgotten.fire(id);
    }
  }
}
