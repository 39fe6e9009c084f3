/**
 * Keys and values of the rows that have been run. A slot is one (position, iterDepth); slots lie in the order of their
 * runs. Knows which slot is which, and the duo-causal rule (`biasOf`); where their numbers lie, and in which precision,
 * is keptRows.ts.
 */
import { MASKED } from '../protocol/graph.ts';
import type { KeptRows } from './keptRows.ts';
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

/** The cache of a graph that takes its arrays from memory. */
export class KvCache implements Cache {
  private capacity = 0;
  private slots: SlotKey[] = [];

  constructor(private readonly rows: KeptRows) {
    this.resize(BLOCK);
  }

  get length(): number {
    return this.slots.length;
  }

  get bytes(): number {
    return this.rows.bytes;
  }

  positionsAt(depth: number): number[] {
    return this.slots.filter((slot) => slot.depth === depth).map((slot) => slot.position);
  }

  /** Makes room, so that the following `take` of as many rows changes no array. */
  reserve(rows: number): void {
    const needed = Math.ceil((this.slots.length + rows) / BLOCK) * BLOCK;
    if (needed > this.capacity) this.resize(needed);
  }

  fit(): void {
    const needed = Math.max(1, Math.ceil(this.slots.length / BLOCK)) * BLOCK;
    if (needed < this.capacity) this.resize(needed);
  }

  feeds(): Record<string, Feed> {
    return this.rows.feeds();
  }

  take(rows: readonly SlotKey[], outputs: Outputs): void {
    this.reserve(rows.length);
    this.rows.take(this.slots.length, rows.length, outputs);
    this.slots.push(...rows);
  }

  release(): void {
    this.slots = [];
    this.resize(0);
  }

  truncate(position: number): void {
    const kept = this.slots.flatMap((slot, index) => (slot.position < position ? [index] : []));
    this.rows.compact(kept);
    this.slots = this.slots.filter((slot) => slot.position < position);
  }

  /** float32 [rows, capacity + rows] */
  attentionBias(rows: readonly SlotKey[]): HostFeed {
    return biasOf(this.slots, rows, this.capacity);
  }

  private resize(capacity: number): void {
    this.capacity = capacity;
    this.rows.resize(capacity, this.slots.length);
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
