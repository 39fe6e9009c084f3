/**
 * Decoding in blocks, on a graph that makes several passes in one run (LOOP of protocol/graph.ts): several tokens are
 * decided, thought about again and drawn inside, and come back with all that a view needs of them.
 * Knows what goes into a block and what comes out, and how long one may be; when a token is said, is generate.ts.
 */
import { LOOP } from '../protocol/graph.ts';
import type { SamplingOptions, ThinkingPolicy } from '../protocol/engine.ts';
import type { ModelManifest } from '../protocol/manifest.ts';
import type { Forward, RowResult } from './forward.ts';
import type { SlotKey } from './kvCache.ts';
import { double, whole } from './loopFeeds.ts';
import { ropeTables } from './rope.ts';
import type { Feed, Outputs } from './session.ts';

/** Tokens of the first block: the second one waits for its end. */
const FIRST_BLOCK = 2;
const LONGEST_BLOCK = 32;
/** Longest time between two looks at a cancel, about. Milliseconds. */
const BLOCK_MS = 250;

/** A token's row and the token that was drawn from it. */
export interface Decoded {
  readonly row: RowResult;
  readonly elapsedMs: number;
}

export interface BlockOptions {
  readonly policy: ThinkingPolicy;
  readonly sampling: SamplingOptions;
  readonly signal?: AbortSignal | undefined;
}

/** Whether a block decides and draws as the engine does: the decider's own policies, and draws from the top list. */
export function decodesInBlocks(manifest: ModelManifest, { policy, sampling }: BlockOptions): boolean {
  const decides = policy.kind === 'decider' || policy.kind === 'never' || policy.kind === 'always';
  // One entry is left over: a tie with the last one that is kept would be seen.
  return decides && (sampling.temperature === 0 || (sampling.topK > 0 && sampling.topK < manifest.graph.topK));
}

export class BlockDecoder {
  private readonly ready: Decoded[] = [];
  private size = FIRST_BLOCK;

  constructor(
    private readonly forward: Forward,
    private readonly manifest: ModelManifest,
    private readonly options: BlockOptions,
  ) {}

  /**
   * What follows the token `id`. @param most tokens that may still be drawn, 1 or more
   * @throws TahError cancelled between blocks, engine.run-failed
   */
  async after(id: number, most: number): Promise<Decoded> {
    const known = this.ready.shift();
    if (known !== undefined) return known;
    const tokens = Math.min(this.size, most);
    const started = performance.now();
    const first = this.forward.position;
    const outputs = await this.forward.runBlock(id, this.feeds(first, tokens), this.options.signal);
    const { rows, slots } = this.read(outputs, first);
    this.forward.accept(slots, outputs);
    const elapsedMs = performance.now() - started;
    // Twice as long a block while that is quick, half of it where a stop would have to wait.
    if (elapsedMs < BLOCK_MS / 2) this.size = Math.min(LONGEST_BLOCK, this.size * 2);
    else if (elapsedMs > BLOCK_MS) this.size = Math.max(1, Math.floor(this.size / 2));
    const [next, ...rest] = rows.map((row) => ({ row, elapsedMs: elapsedMs / rows.length }));
    if (next === undefined) throw new Error('a block made no token');
    this.ready.push(...rest);
    return next;
  }

  private feeds(first: number, tokens: number): Record<string, Feed> {
    const { architecture, tah, tokens: special, graph } = this.manifest;
    const { sampling } = this.options;
    const rope = ropeTables(architecture, Array.from({ length: tokens }, (_, i) => first + i));
    const greedy = sampling.temperature === 0;
    return {
      [LOOP.trips]: whole([], tokens * (tah?.maxIter ?? 1) - 1),
      [LOOP.firstPosition]: whole([1], first),
      [LOOP.lastPosition]: whole([1], first + tokens - 1),
      [LOOP.ropeCos]: rope.cos,
      [LOOP.ropeSin]: rope.sin,
      [LOOP.pastBias]: this.forward.pastBias(),
      [LOOP.rowDepths]: whole([1], 0),
      [LOOP.threshold]: { dtype: 'float32', data: Float32Array.of(thresholdOf(this.options.policy, tah?.decider.threshold ?? Infinity)), dims: [1] },
      [LOOP.stopIds]: special.eos.length === 0 ? whole([1], -1) : whole([special.eos.length], ...special.eos),
      [LOOP.temperature]: double(greedy ? 1 : sampling.temperature),
      [LOOP.topK]: whole([1], greedy ? 1 : sampling.topK),
      [LOOP.ranks]: whole([1], greedy ? 1 : graph.topK),
      [LOOP.budget]: double(1 - sampling.topP),
      [LOOP.minP]: double(sampling.minP),
      [LOOP.seed]: whole([2], sampling.seed % 2 ** 32, Math.floor(sampling.seed / 2 ** 32)),
    };
  }

  /** Passes in the order of their runs, put together to tokens. */
  private read(outputs: Outputs, first: number): { readonly rows: RowResult[]; readonly slots: SlotKey[] } {
    const { topK } = this.manifest.graph;
    const hasDecider = this.manifest.tah !== null;
    const maxIter = this.manifest.tah?.maxIter ?? 1;
    const [chosen, topIds] = [outputs.integers(LOOP.chosen), outputs.integers(LOOP.topIds)];
    const [goesOn, probability, topValues, facts] = [LOOP.goesOn, LOOP.probability, LOOP.topValues, LOOP.facts].map((name) => outputs.floats(name)) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const rows: RowResult[] = [];
    const slots: SlotKey[] = [];
    let token = startOf(first);
    for (let pass = 0; pass < chosen.length; pass++) {
      const depth = token.passes.length;
      slots.push({ position: token.position, depth });
      token.passes.push({
        top: { ids: Array.from(topIds.subarray(pass * topK, (pass + 1) * topK), Number), values: topValues.slice(pass * topK, (pass + 1) * topK) },
        logSumExp: facts[pass * 3] ?? NaN,
        entropy: Math.max(0, facts[pass * 3 + 1] ?? NaN),
      });
      if (hasDecider && depth + 1 < maxIter) token.probabilities.push(probability[pass] ?? NaN);
      if (goesOn[pass] !== 0) continue;
      rows.push(resultOf(token, Number(chosen[pass]), facts[pass * 3 + 2] ?? NaN));
      token = startOf(token.position + 1);
    }
    return { rows, slots };
  }
}

interface Token {
  readonly position: number;
  readonly passes: { readonly top: NonNullable<RowResult['firstTop']>; readonly logSumExp: number; readonly entropy: number }[];
  readonly probabilities: number[];
}

const startOf = (position: number): Token => ({ position, passes: [], probabilities: [] });

function resultOf({ position, passes, probabilities }: Token, id: number, logit: number): RowResult {
  const [first, final] = [passes[0], passes.at(-1)];
  if (first === undefined || final === undefined) throw new Error(`position ${position} had no pass`);
  return { position, iterCount: passes.length, probabilities, firstTop: first.top, finalTop: final.top, firstLogits: null, finalLogits: null, firstDistribution: first, finalDistribution: final, chosen: { id, logit } };
}

/** A score is compared with it, strictly greater. */
function thresholdOf(policy: ThinkingPolicy, own: number): number {
  if (policy.kind === 'always') return -1;
  if (policy.kind !== 'decider') return Infinity;
  return policy.threshold ?? own;
}
