/**
 * Keys and values of the rows that have been run, in buffers that the engine owns and the graph reads in place.
 * A slot is one (position, iterDepth); slots lie in the order of their runs. Knows no attention rule but which slot is
 * which; `attentionBias` is where the duo-causal rule lives.
 */
import { MASKED, newName, pastName } from '../protocol/graph.ts';
import type { ModelManifest } from '../protocol/manifest.ts';
import type { Feed, HostFeed, Outputs } from './session.ts';

/** Capacity grows by this many slots: a step reads at most so many masked slots more than it needs. */
const BLOCK = 128;

export interface SlotKey {
  readonly position: number;
  readonly depth: number;
}

/** Keys and values between runs, wherever they lie. */
export interface Cache {
  readonly length: number;
  /** Of memory that is this process's. */
  readonly bytes: number;
  /** Positions that have a slot at this depth, in the order of their runs. */
  positionsAt(depth: number): number[];
  /** Before a run of so many rows, and before its feeds are asked for. */
  reserve(rows: number): Promise<void> | void;
  /** The inputs of the graph that are the cache. */
  feeds(): Record<string, Feed>;
  attentionBias(rows: readonly SlotKey[]): Feed;
  /** Keeps what the run of these rows returned. */
  take(rows: readonly SlotKey[], outputs: Outputs): void;
  /** Forgets every slot at `position` and later; what stays keeps its order. */
  truncate(position: number): void;
  /** Gives room back that a longer run had needed. */
  fit(): void;
  /** Gives its memory back; it is empty then. */
  release(): void;
}

interface LayerBuffers {
  key: HostFeed & { dtype: 'float32' };
  value: HostFeed & { dtype: 'float32' };
}

export class KvCache implements Cache {
  private capacity = BLOCK;
  private slots: SlotKey[] = [];
  private layers: LayerBuffers[];
  private readonly kvHeads: number;
  private readonly headDim: number;

  constructor(architecture: ModelManifest['architecture']) {
    this.kvHeads = architecture.kvHeads;
    this.headDim = architecture.headDim;
    this.layers = Array.from({ length: architecture.layers }, () => ({ key: this.buffer(), value: this.buffer() }));
  }

  get length(): number {
    return this.slots.length;
  }

  positionsAt(depth: number): number[] {
    return this.slots.filter((slot) => slot.depth === depth).map((slot) => slot.position);
  }

  /** float32 [kvHeads, capacity, headDim]; the same object until the cache grows. */
  past(layer: number, part: 'key' | 'value'): HostFeed {
    return this.layer(layer)[part];
  }

  get bytes(): number {
    return this.layers.length * 2 * this.kvHeads * this.capacity * this.headDim * 4;
  }

  /** Makes room, so that the following `append` of as many rows changes no buffer. */
  reserve(rows: number): void {
    const needed = Math.ceil((this.slots.length + rows) / BLOCK) * BLOCK;
    if (needed > this.capacity) this.resize(needed);
  }

  fit(): void {
    const needed = Math.max(1, Math.ceil(this.slots.length / BLOCK)) * BLOCK;
    if (needed < this.capacity) this.resize(needed);
  }

  private resize(capacity: number): void {
    const old = this.capacity;
    this.capacity = capacity;
    for (const layer of this.layers) {
      layer.key = this.resized(layer.key.data, old);
      layer.value = this.resized(layer.value.data, old);
    }
  }

  feeds(): Record<string, Feed> {
    return Object.fromEntries(this.layers.flatMap(({ key, value }, layer) => [[pastName(layer, 'key'), key], [pastName(layer, 'value'), value]]));
  }

  take(rows: readonly SlotKey[], outputs: Outputs): void {
    this.append(rows, (layer, part) => outputs.floats(newName(layer, part)));
  }

  /** @param rows the new slots @param read new keys or values of a layer, float32 [kvHeads, rows, headDim] */
  append(rows: readonly SlotKey[], read: (layer: number, part: 'key' | 'value') => Float32Array): void {
    this.reserve(rows.length);
    const stride = this.headDim;
    const first = this.slots.length;
    this.layers.forEach((layer, index) => {
      for (const part of ['key', 'value'] as const) {
        const source = read(index, part);
        for (let head = 0; head < this.kvHeads; head++) {
          const from = head * rows.length * stride;
          layer[part].data.set(source.subarray(from, from + rows.length * stride), (head * this.capacity + first) * stride);
        }
      }
    });
    this.slots.push(...rows);
  }

  release(): void {
    this.slots = [];
    this.capacity = 0;
    this.layers = this.layers.map(() => ({ key: this.buffer(), value: this.buffer() }));
  }

  truncate(position: number): void {
    const kept = this.slots.flatMap((slot, index) => (slot.position < position ? [index] : []));
    for (const layer of this.layers) {
      for (const part of ['key', 'value'] as const) {
        const data = layer[part].data;
        for (let head = 0; head < this.kvHeads; head++) {
          kept.forEach((from, to) => {
            if (from !== to) data.copyWithin((head * this.capacity + to) * this.headDim, (head * this.capacity + from) * this.headDim, (head * this.capacity + from + 1) * this.headDim);
          });
        }
      }
    }
    this.slots = this.slots.filter((slot) => slot.position < position);
  }

  /** float32 [rows, capacity + rows] */
  attentionBias(rows: readonly SlotKey[]): HostFeed {
    return biasOf(this.slots, rows, this.capacity);
  }

  private buffer(): LayerBuffers['key'] {
    return { dtype: 'float32', data: new Float32Array(this.kvHeads * this.capacity * this.headDim), dims: [this.kvHeads, this.capacity, this.headDim] };
  }

  private resized(data: Float32Array, oldCapacity: number): LayerBuffers['key'] {
    const buffer = this.buffer();
    for (let head = 0; head < this.kvHeads; head++) {
      const from = head * oldCapacity * this.headDim;
      buffer.data.set(data.subarray(from, from + this.slots.length * this.headDim), head * this.capacity * this.headDim);
    }
    return buffer;
  }

  private layer(index: number): LayerBuffers {
    const layer = this.layers[index];
    if (layer === undefined) throw new Error(`the model has no layer ${index}`);
    return layer;
  }
}

/**
 * float32 [rows, capacity + rows]: 0 where a row of (position p, depth d) may see a slot of (q, e), that is where
 * q <= p and e <= d (duo-causal attention, paper section 3); MASKED elsewhere and on unused slots.
 * @param slots in the order of the cache; null is an unused one @param capacity slots of the cache, used or not
 */
export function biasOf(slots: readonly (SlotKey | null)[], rows: readonly SlotKey[], capacity = slots.length): HostFeed {
  const width = capacity + rows.length;
  const data = new Float32Array(rows.length * width).fill(MASKED);
  rows.forEach((row, r) => {
    const sees = (slot: SlotKey | null): boolean => slot !== null && slot.position <= row.position && slot.depth <= row.depth;
    slots.forEach((slot, s) => {
      if (sees(slot)) data[r * width + s] = 0;
    });
    rows.forEach((slot, s) => {
      if (sees(slot)) data[r * width + capacity + s] = 0;
    });
  });
  return { dtype: 'float32', data, dims: [rows.length, width] };
}
