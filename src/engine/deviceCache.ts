/**
 * Keys and values that stay on the device between runs. Two tiers: `past`, which a run reads where it lies, and
 * `recent`, to which a run adds its rows by returning a longer one. When recent is long, the merge graph joins it to the
 * past and drops the rows that are gone, so that a token's run copies recent rows only.
 * Knows which row is which (position, iterDepth); the duo-causal rule is attentionBias of kvCache.ts.
 */
import { GRAPH, grownName, mergedName, pastName, recentName, type KeyOrValue } from '../protocol/graph.ts';
import type { ModelManifest } from '../protocol/manifest.ts';
import { biasOf, type Cache, type SlotKey } from './kvCache.ts';
import type { DeviceTensor, Feed, Outputs, Session } from './session.ts';

/** Rows of recent from which on the next run is preceded by a merge. */
const LONGEST_RECENT = 128;

/** A row of the buffers; null: unused or forgotten, masked until the next merge drops it. */
type Slot = SlotKey | null;

export class DeviceCache implements Cache {
  /** One unused row each at first: no array of a graph may be empty on WebGPU. */
  private past: Slot[] = [null];
  private recent: Slot[] = [null];
  /** By name of the input; a tensor of the host as long as it has only the unused row. */
  private readonly held = new Map<string, DeviceTensor>();
  private readonly nothing: Feed;

  constructor(
    private readonly architecture: ModelManifest['architecture'],
    private readonly merge: Session,
  ) {
    const { kvHeads, headDim } = architecture;
    this.nothing = { dtype: 'float32', data: new Float32Array(kvHeads * headDim), dims: [kvHeads, 1, headDim] };
  }

  get length(): number {
    return this.slots().length;
  }

  /** What it holds lies on the device. */
  readonly bytes = 0;

  positionsAt(depth: number): number[] {
    return this.slots().filter((slot) => slot.depth === depth).map((slot) => slot.position);
  }

  feeds(): Record<string, Feed> {
    const feeds: Record<string, Feed> = {};
    for (const [layer, part] of this.parts()) {
      for (const name of [pastName(layer, part), recentName(layer, part)]) feeds[name] = this.feed(name);
    }
    return feeds;
  }

  async reserve(): Promise<void> {
    if (this.recent.length > LONGEST_RECENT) await this.join();
  }

  attentionBias(rows: readonly SlotKey[]): Feed {
    return biasOf([...this.past, ...this.recent], rows);
  }

  take(rows: readonly SlotKey[], outputs: Outputs): void {
    for (const [layer, part] of this.parts()) this.hold(recentName(layer, part), outputs.device(grownName(layer, part)));
    this.recent.push(...rows);
  }

  truncate(position: number): void {
    const without = (slots: readonly Slot[]): Slot[] => slots.map((slot) => (slot === null || slot.position >= position ? null : slot));
    this.past = without(this.past);
    this.recent = without(this.recent);
  }

  /** Its arrays are as long as what they hold. */
  fit(): void {
    // Nothing to give back.
  }

  release(): void {
    for (const tensor of this.held.values()) tensor.release();
    this.held.clear();
    this.past = [null];
    this.recent = [null];
  }

  /** Everything that is kept becomes past. */
  private async join(): Promise<void> {
    const all = [...this.past, ...this.recent];
    const kept = all.flatMap((slot, index) => (slot === null ? [] : [index]));
    if (kept.length === 0) {
      this.release();
      return;
    }
    const outputs = await this.merge.run({ ...this.feeds(), [GRAPH.keptRows]: { dtype: 'int64', data: BigInt64Array.from(kept, BigInt), dims: [kept.length] } });
    for (const [layer, part] of this.parts()) {
      this.hold(pastName(layer, part), outputs.device(mergedName(layer, part)));
      this.drop(recentName(layer, part));
    }
    this.past = all.filter((slot) => slot !== null);
    this.recent = [null];
  }

  private feed(name: string): Feed {
    const tensor = this.held.get(name);
    return tensor === undefined ? this.nothing : { dtype: 'device', tensor };
  }

  private hold(name: string, tensor: DeviceTensor): void {
    this.drop(name);
    this.held.set(name, tensor);
  }

  private drop(name: string): void {
    this.held.get(name)?.release();
    this.held.delete(name);
  }

  private slots(): SlotKey[] {
    return [...this.past, ...this.recent].filter((slot) => slot !== null);
  }

  private parts(): readonly (readonly [number, KeyOrValue])[] {
    return Array.from({ length: this.architecture.layers }, (_, layer) => [[layer, 'key'], [layer, 'value']] as const).flat();
  }
}
