/**
 * One Think-at-Hard forward over new tokens (paper section 3; method.md, "One forward over new tokens").
 * Knows rows, depths and the graph; knows no text, no sampling, no stream. The state between calls is the KV cache.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GRAPH } from '../protocol/graph.ts';
import type { ThinkingPolicy } from '../protocol/engine.ts';
import type { ModelManifest } from '../protocol/manifest.ts';
import { cancelled } from '../protocol/streams.ts';
import { DeviceCache } from './deviceCache.ts';
import { checked, type Distribution } from './distribution.ts';
import { KvCache, type Cache, type SlotKey } from './kvCache.ts';
import { FloatRows, Int8Rows } from './keptRows.ts';
import { idleLoop } from './loopFeeds.ts';
import { continues, isPlain } from './policy.ts';
import { ropeTables } from './rope.ts';
import type { Feed, Outputs, Session } from './session.ts';

/** Rows of one run at most: longer prompts go in chunks, so that a cancel is never far. */
const MAX_ROWS = 256;
/** Logits that one run returns at most, in bytes: they are copied by the runtime. */
const MAX_LOGITS_BYTES = 32 * 1024 * 1024;

export interface TopList {
  /** Best first. */
  readonly ids: readonly number[];
  readonly values: Float32Array;
}

/** What became of one position. */
export interface RowResult {
  readonly position: number;
  readonly iterCount: number;
  /** Decider's probability after each pass at which it was asked. */
  readonly probabilities: readonly number[];
  /** After the first pass and after the last; null where the head was not computed for this row. */
  readonly firstTop: TopList | null;
  readonly finalTop: TopList | null;
  /** Logits of the first pass and cumulative logits of the last, float32 [vocab]; null unless the row was tracked. */
  readonly firstLogits: Float32Array | null;
  readonly finalLogits: Float32Array | null;
  /** Of those logits, which may be gone by then; null: nobody has worked it out yet. */
  readonly firstDistribution: Distribution | null;
  readonly finalDistribution: Distribution | null;
  /** The token that was drawn from the row, with its final logit: of a row whose logits are gone. */
  readonly chosen?: { readonly id: number; readonly logit: number };
  /** Its first pass rode along with the pass before. */
  readonly rodeAlong?: boolean;
}

export interface ForwardRequest {
  readonly ids: readonly number[];
  readonly policy: ThinkingPolicy;
  /** Rows whose logits are wanted: the last one, or all (measure, verify). */
  readonly track: 'last' | 'all';
  /** Token that follows each id, where the text is given ("self-oracle"). */
  readonly targets?: readonly (number | undefined)[];
  /**
   * Which token will follow, told from the first pass's logits alone (float32 [vocab]); null: not known. Asked where a
   * single id gets a second pass. That token's own first pass sees nothing of a second one, so it rides along in the
   * same run, and is there already if the next call is for it. A wrong guess changes no result.
   */
  readonly guess?: (firstLogits: Float32Array) => number | null;
  readonly signal?: AbortSignal | undefined;
}

/** A row in flight: its slot, what it is fed, and what is known so far. */
interface Row extends SlotKey {
  readonly index: number;
  readonly mixIds: readonly number[];
  readonly mixWeights: readonly number[];
  readonly tracked: boolean;
  cumulative: Float32Array | null;
}

/** A first pass that was run before its token was certain. */
interface Ahead {
  readonly id: number;
  readonly row: Row;
  readonly progress: Progress;
}

interface Progress {
  iterCount: number;
  probabilities: number[];
  firstTop: TopList | null;
  finalTop: TopList | null;
  firstLogits: Float32Array | null;
  finalLogits: Float32Array | null;
  firstDistribution: Distribution | null;
  finalDistribution: Distribution | null;
}

/** Sees every pass as it was run: for `tah verify`. */
export type PassObserver = (pass: { readonly depth: number; readonly positions: readonly number[]; readonly headRows: readonly number[]; readonly outputs: Outputs }) => void;

export class Forward {
  readonly cache: Cache;
  /** Position of the next token. */
  private next = 0;
  private ahead: Ahead | null = null;
  private readonly maxIter: number;

  constructor(
    private readonly session: Session,
    private readonly manifest: ModelManifest,
    private readonly observe: PassObserver | null = null,
  ) {
    this.cache = session.merge === null ? new KvCache(session.cache === 'int8' ? new Int8Rows(manifest.architecture) : new FloatRows(manifest.architecture)) : new DeviceCache(manifest.architecture, session.merge);
    this.maxIter = manifest.tah?.maxIter ?? 1;
  }

  get position(): number {
    return this.next;
  }

  /** Forgets everything at `position` and later. */
  rewind(position: number): void {
    this.ahead = null;
    this.cache.truncate(position);
    this.next = Math.min(this.next, position);
  }

  /** Makes the cache as large as a run that came just here would have it: the kernels then add in the same order. */
  fit(): void {
    this.cache.fit();
  }

  /** One run from the first pass of `id` on, which may make further passes. Whoever asks for it accepts its rows. @throws as run */
  async runBlock(id: number, loop: Record<string, Feed>, signal: AbortSignal | undefined): Promise<Outputs> {
    this.takeAhead([]);
    await nextTurn();
    if (signal?.aborted === true) throw cancelled();
    return this.session.run({ ...this.feeds([firstPass(id, 0, this.next, true)], [0]), ...loop });
  }

  /** The past's part of the attention bias, for a row of each iterDepth at the next position: float32 [maxIter, past]. */
  pastBias(): Feed {
    const rows = Array.from({ length: this.maxIter }, (_, depth) => ({ position: this.next, depth }));
    const bias = this.cache.attentionBias(rows);
    if (bias.dtype !== 'float32') throw new Error('the attention bias is no float32 array of the host');
    const [count = 0, width = 0] = bias.dims;
    const past = width - count;
    const data = new Float32Array(count * past);
    for (let row = 0; row < count; row++) data.set(bias.data.subarray(row * width, row * width + past), row * past);
    return { dtype: 'float32', data, dims: [count, past] };
  }

  /** Keeps the rows of a block. @param slots in the order of its passes */
  accept(slots: readonly SlotKey[], outputs: Outputs): void {
    this.cache.take(slots, outputs);
    this.next = (slots.at(-1)?.position ?? this.next - 1) + 1;
  }

  /** Gives the cache's memory back: what lies on a device is freed by no garbage collector in time. */
  release(): void {
    this.ahead = null;
    this.cache.release();
    this.next = 0;
  }

  /** Largest number of tokens that one chunk may have. */
  chunkSize(track: ForwardRequest['track']): number {
    if (track === 'last' && this.maxIter <= 2) return MAX_ROWS;
    return Math.max(1, Math.min(MAX_ROWS, Math.floor(MAX_LOGITS_BYTES / (4 * this.manifest.architecture.vocabSize))));
  }

  /** @param request.ids one chunk, 1 … chunkSize tokens @throws TahError cancelled between passes, engine.run-failed */
  async run(request: ForwardRequest): Promise<RowResult[]> {
    const { ids, policy } = request;
    const first = this.next;
    // Every row's cumulative logits feed the decider and the mix of depths beyond the second.
    const trackAll = request.track === 'all' || this.maxIter > 2;
    const done = this.takeAhead(ids);
    const progress = done === null ? ids.map(nothingYet) : [done.progress];
    let active = done === null ? ids.map((id, index) => firstPass(id, index, first + index, trackAll || index === ids.length - 1)) : [done.row];
    for (let depth = 0; active.length > 0; depth++) {
      if (depth > 0 || done === null) {
        const ahead = depth === 1 ? this.guessed(request, progress) : null;
        const rows = ahead === null ? active : [...active, ahead.row];
        // 1-3. inputs, transformer pass, attention: in the graph. 4. cumulative logits += logits.
        const headed = this.headRows(rows, policy);
        const outputs = await this.pass(rows, headed, request.signal);
        this.read(rows, headed, outputs, ahead === null ? progress : [...progress, ahead.progress]);
        this.ahead = ahead === null ? this.ahead : { ...ahead, row: { ...ahead.row, index: 0 } };
      }
      // 5. decider: continue or finish.
      active = depth + 1 < this.maxIter ? this.deeper(active, request, progress) : [];
    }
    this.next = first + ids.length;
    return progress.map((row, index) => ({ position: first + index, ...row, rodeAlong: done !== null }));
  }

  /** The first pass of `ids` where it was run ahead. One that was run for another token is forgotten. */
  private takeAhead(ids: readonly number[]): Ahead | null {
    const { ahead } = this;
    this.ahead = null;
    if (ahead === null || (ids.length === 1 && ahead.id === ids[0])) return ahead;
    this.cache.truncate(this.next);
    return null;
  }

  /** The first pass of the token after the only one of the request, to ride along. */
  private guessed({ ids, guess }: ForwardRequest, progress: readonly Progress[]): Ahead | null {
    const logits = progress[0]?.firstLogits ?? null;
    if (ids.length !== 1 || guess === undefined || logits === null) return null;
    const id = guess(logits);
    return id === null ? null : { id, row: firstPass(id, 1, this.next + 1, true), progress: nothingYet() };
  }

  /** Indices into `rows` of those that need head, top-k and decider; at least one, as the graph wants. */
  private headRows(rows: readonly Row[], policy: ThinkingPolicy): number[] {
    const decides = !isPlain(policy) && this.maxIter > 1;
    const headed = rows.flatMap((row, i) => ((decides && row.depth === 0) || row.tracked ? [i] : []));
    return headed.length > 0 ? headed : [rows.length - 1];
  }

  private async pass(active: readonly Row[], headed: readonly number[], signal: AbortSignal | undefined): Promise<Outputs> {
    // Messages (a cancel among them) are read between passes: a run itself blocks this thread.
    await nextTurn();
    if (signal?.aborted === true) throw cancelled();
    await this.cache.reserve(active.length);
    const outputs = await this.session.run(this.feeds(active, headed));
    this.cache.take(active.map(({ position, depth }) => ({ position, depth })), outputs);
    this.observe?.({ depth: active[0]?.depth ?? 0, positions: active.map((row) => row.position), headRows: headed, outputs });
    return outputs;
  }

  private feeds(active: readonly Row[], headed: readonly number[]): Record<string, Feed> {
    const { architecture, tah } = this.manifest;
    const mix = Math.max(...active.map((row) => row.mixIds.length));
    const rope = ropeTables(architecture, active.map((row) => row.position));
    const tracked = headed.flatMap((row, i) => (active[row]?.tracked === true ? [i] : []));
    const feeds: Record<string, Feed> = {
      ...this.cache.feeds(),
      ...(this.session.loops ? idleLoop(this.manifest, active.length) : {}),
      [GRAPH.mixIds]: { dtype: 'int64', data: BigInt64Array.from(active.flatMap((row) => padded(row.mixIds, mix)), BigInt), dims: [active.length, mix] },
      [GRAPH.mixWeights]: { dtype: 'float32', data: Float32Array.from(active.flatMap((row) => padded(row.mixWeights, mix))), dims: [active.length, mix] },
      [GRAPH.ropeCos]: rope.cos,
      [GRAPH.ropeSin]: rope.sin,
      [GRAPH.attentionBias]: this.cache.attentionBias(active),
      [GRAPH.headRows]: { dtype: 'int64', data: BigInt64Array.from(headed, BigInt), dims: [headed.length] },
      [GRAPH.previousLogits]: previousLogits(active, headed, architecture.vocabSize),
      [GRAPH.logitsRows]: { dtype: 'int64', data: BigInt64Array.from(tracked.length > 0 ? tracked : [0], BigInt), dims: [Math.max(1, tracked.length)] },
    };
    if (tah !== null) feeds[GRAPH.loraGate] = { dtype: 'float32', data: Float32Array.from(active, (row) => (row.depth > 0 ? 1 : 0)), dims: [active.length, 1] };
    return feeds;
  }

  private read(active: readonly Row[], headed: readonly number[], outputs: Outputs, progress: Progress[]): void {
    const { architecture, graph, tah } = this.manifest;
    const values = outputs.floats(GRAPH.topValues);
    const topIds = outputs.integers(GRAPH.topIds);
    const probabilities = tah === null ? null : outputs.floats(GRAPH.continueProbability);
    const logits = outputs.floats(GRAPH.logits);
    // Model folders of earlier versions don't say it.
    const told = outputs.has(GRAPH.distribution) ? outputs.floats(GRAPH.distribution) : null;
    for (const row of active) at(progress, row.index).iterCount = row.depth + 1;
    let returned = 0;
    headed.forEach((activeIndex, h) => {
      const row = at(active, activeIndex);
      // A deep row that nobody tracks is here only because the graph wants one row.
      if (row.depth > 0 && !row.tracked) return;
      const state = at(progress, row.index);
      const range = [h * graph.topK, (h + 1) * graph.topK] as const;
      state.finalTop = { ids: Array.from(topIds.subarray(...range), Number), values: values.slice(...range) };
      state.firstTop ??= state.finalTop;
      // After the last pass the reference does not ask the decider.
      if (probabilities !== null && row.depth + 1 < this.maxIter) state.probabilities.push(at(probabilities, h));
      if (!row.tracked) return;
      row.cumulative = logits.slice(returned * architecture.vocabSize, (returned + 1) * architecture.vocabSize);
      state.finalDistribution = told === null ? null : checked({ logSumExp: at(told, 2 * returned), entropy: at(told, 2 * returned + 1) });
      returned++;
      if (state.firstLogits === null) [state.firstLogits, state.firstDistribution] = [row.cumulative, state.finalDistribution];
      state.finalLogits = row.cumulative;
    });
  }

  /** Rows that go on, fed with the mix of the embeddings that their cumulative logits propose. */
  private deeper(active: readonly Row[], request: ForwardRequest, progress: readonly Progress[]): Row[] {
    const { tah } = this.manifest;
    if (tah === null) return [];
    return active.flatMap((row) => {
      const state = at(progress, row.index);
      const target = request.targets?.[row.index];
      const goesOn = continues(request.policy, tah.decider.threshold, {
        position: row.position,
        iterCount: state.iterCount,
        probability: state.probabilities[row.depth] ?? null,
        firstPassRight: target === undefined ? null : state.firstTop?.ids[0] === target,
      });
      const top = state.finalTop;
      if (!goesOn || top === null) return [];
      return [{ ...row, depth: row.depth + 1, mixIds: top.ids.slice(0, tah.inputTopK), mixWeights: softmax(top.values.subarray(0, tah.inputTopK)) }];
    });
  }
}

function nothingYet(): Progress {
  return { iterCount: 0, probabilities: [], firstTop: null, finalTop: null, firstLogits: null, finalLogits: null, firstDistribution: null, finalDistribution: null };
}

function firstPass(id: number, index: number, position: number, tracked: boolean): Row {
  return { index, position, depth: 0, mixIds: [id], mixWeights: [1], tracked, cumulative: null };
}

/** float32 [heads, vocab]; [1, 1] of zero where no row has logits of an earlier pass. */
function previousLogits(active: readonly Row[], headed: readonly number[], vocab: number): Feed {
  if (!headed.some((row) => active[row]?.cumulative != null)) return { dtype: 'float32', data: new Float32Array(1), dims: [1, 1] };
  const data = new Float32Array(headed.length * vocab);
  headed.forEach((row, h) => {
    const cumulative = active[row]?.cumulative;
    if (cumulative != null) data.set(cumulative, h * vocab);
  });
  return { dtype: 'float32', data, dims: [headed.length, vocab] };
}

/** Softmax over the top values alone. @param values descending */
function softmax(values: Float32Array): number[] {
  const most = values[0] ?? 0;
  const powers = Array.from(values, (value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Rows without a mix are padded with weight 0: a finite row times 0 adds nothing. */
function padded(values: readonly number[], length: number): number[] {
  return [...values, ...new Array<number>(length - values.length).fill(0)];
}

function at<T>(values: ArrayLike<T>, index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no element ${index} in ${values.length}`);
  return value;
}
