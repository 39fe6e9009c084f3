/**
 * What a loaded model still knows of earlier runs: their keys and values, and what was said of each of their rows. A run
 * that begins as an earlier one did (a branch of it, the next turn of a conversation) goes on from there. Knows rows and
 * ids; knows no text. What is told of a row that is not run again is what was told when it was run.
 */
import type { ThinkingPolicy } from '../protocol/engine.ts';
import type { ModelManifest } from '../protocol/manifest.ts';
import { Forward, type RowResult } from './forward.ts';
import type { Session } from './session.ts';

/** Of runs that are not the latest one: the latest is kept whatever its size. */
const MOST_BYTES = 256 * 1024 * 1024;
const MOST_RUNS = 4;

/** A run's rows so far. Its Forward is this run's alone until the run is kept. */
export class Transcript {
  /** Ids that have been run, by position, and what was said of each row. */
  private ids: number[] = [];
  private rows: RowResult[] = [];
  /** The last row of the prompt with its logits: a run of the same prompt draws from it anew. */
  private lastOfPrompt: RowResult | null = null;

  constructor(
    readonly forward: Forward,
    readonly policy: string,
  ) {}

  rowAt(position: number): RowResult {
    const row = this.rows[position];
    if (row === undefined) throw new RangeError(`position ${position} was not run`);
    return row;
  }

  /** How many positions of `ids` were run with just these, one after the other. */
  common(ids: readonly number[]): number {
    let count = 0;
    while (count < ids.length && count < this.ids.length && ids[count] === this.ids[count]) count++;
    return count;
  }

  /** Rows of the prompt: only that a view shows is kept of them, and the last one whole. */
  addPrompt(ids: readonly number[], rows: readonly RowResult[]): void {
    this.ids.push(...ids);
    this.lastOfPrompt = rows.at(-1) ?? this.lastOfPrompt;
    this.rows.push(...rows.map((row) => ({ ...row, firstTop: null, finalTop: null, firstLogits: null, finalLogits: null })));
  }

  /** A row that was run for one id; `settle` follows when the token after it is known, before that is run. */
  add(id: number, row: RowResult): void {
    this.ids.push(id);
    this.rows.push(row);
  }

  /** The row at `position` as `settled` leaves it. */
  settle(position: number, row: RowResult): void {
    this.rows[position] = row;
  }

  /**
   * Goes back, so that `prompt` and then `forced` go on from here with the rows that a run from nothing would have.
   * @returns positions that need not be run; the last row of a prompt that is whole among them
   */
  resume(prompt: readonly number[], forced: readonly number[]): { readonly positions: number; readonly lastOfPrompt: RowResult | null } {
    const same = this.common([...prompt, ...forced]);
    const last = this.lastOfPrompt?.position === prompt.length - 1 ? this.lastOfPrompt : null;
    // The last row of a prompt must be run where its logits are not there.
    let positions = same < prompt.length || last === null ? Math.min(same, prompt.length - 1) : prompt.length;
    if (same > prompt.length && last !== null) {
      // The row whose next token is not the one that followed is run again, from where its run began: the same bits.
      positions = same - 1;
      while (positions > prompt.length && this.rowAt(positions).rodeAlong) positions--;
    }
    this.forget(positions);
    this.forward.fit();
    return { positions, lastOfPrompt: positions >= prompt.length ? last : null };
  }

  /** Drops what only the run itself needed. @returns whether there is anything to go on from */
  close(): boolean {
    this.forget(Math.min(this.ids.length, this.forward.position));
    this.rows = this.rows.map((row) => ({ ...row, firstLogits: null, finalLogits: null }));
    return this.ids.length > 0;
  }

  private forget(position: number): void {
    this.forward.rewind(position);
    this.ids.length = position;
    this.rows.length = position;
    if (this.lastOfPrompt !== null && this.lastOfPrompt.position >= position) this.lastOfPrompt = null;
  }
}

export class PromptCache {
  /** The latest last. */
  private kept: Transcript[] = [];
  private closed = false;

  constructor(
    private readonly session: Session,
    private readonly manifest: ModelManifest,
  ) {}

  /** An earlier run that begins as `ids` do, for at least half of the prompt, or a new one; the caller's until `keep`. */
  take(policy: ThinkingPolicy, prompt: readonly number[], forced: readonly number[]): Transcript {
    const key = JSON.stringify(policy);
    const ids = [...prompt, ...forced];
    let best: { readonly run: Transcript; readonly common: number } | null = null;
    for (const run of this.kept) {
      const common = run.policy === key ? run.common(ids) : 0;
      if (common > (best?.common ?? 0)) best = { run, common };
    }
    if (best === null || 2 * best.common < prompt.length) return new Transcript(new Forward(this.session, this.manifest), key);
    const { run } = best;
    this.kept = this.kept.filter((other) => other !== run);
    return run;
  }

  /** Ends a run, however it ended. */
  keep(run: Transcript): void {
    // What lies on a device is scarce, and a block's rows are not those of single passes to the bit.
    if (this.closed || this.session.merge !== null || this.session.loops || !run.close()) {
      run.forward.release();
      return;
    }
    this.kept.push(run);
    let bytes = this.kept.reduce((sum, { forward }) => sum + forward.cache.bytes, 0);
    while (this.kept.length > 1 && (this.kept.length > MOST_RUNS || bytes > MOST_BYTES)) {
      const oldest = this.kept.shift();
      bytes -= oldest?.forward.cache.bytes ?? 0;
      oldest?.forward.release();
    }
  }

  /** Nothing is remembered. */
  clear(): void {
    for (const { forward } of this.kept) forward.release();
    this.kept = [];
  }

  /** Runs that are kept from now on are released at once: the model is being closed. */
  close(): void {
    this.closed = true;
    this.clear();
  }
}

