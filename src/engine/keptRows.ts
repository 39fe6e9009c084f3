/**
 * Keys and values of slots, as the graph of a session reads them in place. Knows layouts (protocol/graph.ts) and no
 * slot's meaning: which (position, iterDepth) a slot is, is kvCache.ts.
 */
import { newName, newRowsName, newScaleName, pastName, pastScaleName } from '../protocol/graph.ts';
import type { ModelManifest } from '../protocol/manifest.ts';
import type { Feed, HostFeed, Outputs } from './session.ts';

/** Arrays of `capacity` slots a layer. They are the same objects until `resize`, so that feeds are bound once. */
export interface KeptRows {
  readonly bytes: number;
  feeds(): Record<string, Feed>;
  /** Arrays of another capacity, >= `kept`; the first `kept` slots go along. */
  resize(capacity: number, kept: number): void;
  /** Puts the rows of a run, of which it returned `rows`, into the slots from `first` on. */
  take(first: number, rows: number, outputs: Outputs): void;
  /** Slot `kept[i]` becomes slot i. @param kept ascending */
  compact(kept: readonly number[]): void;
}

type Architecture = Pick<ModelManifest['architecture'], 'layers' | 'kvHeads' | 'headDim'>;
type Array32 = HostFeed & { readonly dtype: 'float32' };
type Array8 = HostFeed & { readonly dtype: 'int8' };

/** float32 [kvHeads, capacity, headDim] of keys and of values. */
export class FloatRows implements KeptRows {
  private capacity = 0;
  private layers: { key: Array32; value: Array32 }[];

  constructor(private readonly architecture: Architecture) {
    this.layers = Array.from({ length: architecture.layers }, () => ({ key: this.empty(), value: this.empty() }));
  }

  get bytes(): number {
    const { layers, kvHeads, headDim } = this.architecture;
    return layers * 2 * kvHeads * this.capacity * headDim * 4;
  }

  feeds(): Record<string, Feed> {
    return Object.fromEntries(this.layers.flatMap(({ key, value }, layer): [string, Feed][] => [[pastName(layer, 'key'), key], [pastName(layer, 'value'), value]]));
  }

  resize(capacity: number, kept: number): void {
    const { kvHeads, headDim } = this.architecture;
    const old = this.capacity;
    this.capacity = capacity;
    const resized = ({ data }: Array32): Array32 => {
      const array = this.empty();
      copyLines(data, array.data, { lines: kvHeads, length: kept * headDim, from: old * headDim, to: capacity * headDim });
      return array;
    };
    this.layers = this.layers.map(({ key, value }) => ({ key: resized(key), value: resized(value) }));
  }

  take(first: number, rows: number, outputs: Outputs): void {
    const { kvHeads, headDim } = this.architecture;
    this.layers.forEach((layer, index) => {
      for (const part of ['key', 'value'] as const) putRows(layer[part].data, outputs.floats(newName(index, part)), { heads: kvHeads, rows, headDim, first, capacity: this.capacity });
    });
  }

  compact(kept: readonly number[]): void {
    const { kvHeads, headDim } = this.architecture;
    const moves = movesOf(kept);
    for (const { key, value } of this.layers) {
      for (const { data } of [key, value]) moveRows(data, moves, { heads: kvHeads, headDim, capacity: this.capacity });
    }
  }

  private empty(): Array32 {
    const { kvHeads, headDim } = this.architecture;
    return { dtype: 'float32', data: new Float32Array(kvHeads * this.capacity * headDim), dims: [kvHeads, this.capacity, headDim] };
  }
}

/** int8 keys [kvHeads, headDim, capacity], values [kvHeads, capacity, headDim], float32 scales [2 · kvHeads, 1, capacity]. */
export class Int8Rows implements KeptRows {
  private capacity = 0;
  private layers: { key: Array8; value: Array8; scale: Array32 }[];

  constructor(private readonly architecture: Architecture) {
    this.layers = Array.from({ length: architecture.layers }, () => this.empty());
  }

  get bytes(): number {
    const { layers, kvHeads, headDim } = this.architecture;
    return layers * 2 * kvHeads * this.capacity * (headDim + 4);
  }

  feeds(): Record<string, Feed> {
    return Object.fromEntries(this.layers.flatMap(({ key, value, scale }, layer): [string, Feed][] => [[pastName(layer, 'key'), key], [pastName(layer, 'value'), value], [pastScaleName(layer), scale]]));
  }

  resize(capacity: number, kept: number): void {
    const { kvHeads, headDim } = this.architecture;
    const old = this.capacity;
    this.capacity = capacity;
    this.layers = this.layers.map(({ key, value, scale }) => {
      const layer = this.empty();
      copyLines(key.data, layer.key.data, { lines: kvHeads * headDim, length: kept, from: old, to: capacity });
      copyLines(value.data, layer.value.data, { lines: kvHeads, length: kept * headDim, from: old * headDim, to: capacity * headDim });
      copyLines(scale.data, layer.scale.data, { lines: 2 * kvHeads, length: kept, from: old, to: capacity });
      return layer;
    });
  }

  take(first: number, rows: number, outputs: Outputs): void {
    const { kvHeads, headDim } = this.architecture;
    const { capacity } = this;
    this.layers.forEach(({ key, value, scale }, index) => {
      const codes = outputs.codes(newRowsName(index));
      const half = kvHeads * rows * headDim;
      const keys = key.data;
      for (let line = 0, from = 0; line < kvHeads * headDim; line += headDim) {
        for (let row = 0; row < rows; row++) {
          for (let d = 0; d < headDim; d++, from++) keys[(line + d) * capacity + first + row] = codes[from] ?? 0;
        }
      }
      putRows(value.data, codes.subarray(half), { heads: kvHeads, rows, headDim, first, capacity });
      putRows(scale.data, outputs.floats(newScaleName(index)), { heads: 2 * kvHeads, rows, headDim: 1, first, capacity });
    });
  }

  compact(kept: readonly number[]): void {
    const { kvHeads, headDim } = this.architecture;
    const { capacity } = this;
    const moves = movesOf(kept);
    for (const { key, value, scale } of this.layers) {
      moveRows(key.data, moves, { heads: kvHeads * headDim, headDim: 1, capacity });
      moveRows(value.data, moves, { heads: kvHeads, headDim, capacity });
      moveRows(scale.data, moves, { heads: 2 * kvHeads, headDim: 1, capacity });
    }
  }

  private empty(): { key: Array8; value: Array8; scale: Array32 } {
    const { kvHeads, headDim } = this.architecture;
    const { capacity } = this;
    const count = kvHeads * headDim * capacity;
    return {
      key: { dtype: 'int8', data: new Int8Array(count), dims: [kvHeads, headDim, capacity] },
      value: { dtype: 'int8', data: new Int8Array(count), dims: [kvHeads, capacity, headDim] },
      scale: { dtype: 'float32', data: new Float32Array(2 * kvHeads * capacity), dims: [2 * kvHeads, 1, capacity] },
    };
  }
}

type Numbers = Float32Array | Int8Array;

/** The first `length` numbers of each of `lines`, which lie `from` apart in the one and `to` apart in the other. */
function copyLines<T extends Numbers>(source: T, target: T, { lines, length, from, to }: { readonly lines: number; readonly length: number; readonly from: number; readonly to: number }): void {
  for (let line = 0; line < lines; line++) target.set(source.subarray(line * from, line * from + length), line * to);
}

/** Rows [heads, rows, headDim] into the slots from `first` on of [heads, capacity, headDim]. */
function putRows<T extends Numbers>(target: T, source: T, { heads, rows, headDim, first, capacity }: { readonly heads: number; readonly rows: number; readonly headDim: number; readonly first: number; readonly capacity: number }): void {
  for (let head = 0; head < heads; head++) target.set(source.subarray(head * rows * headDim, (head + 1) * rows * headDim), (head * capacity + first) * headDim);
}

interface Move {
  readonly from: number;
  readonly to: number;
}

function movesOf(kept: readonly number[]): Move[] {
  return kept.flatMap((from, to) => (from === to ? [] : [{ from, to }]));
}

/** Slots of [heads, capacity, headDim]. */
function moveRows(data: Numbers, moves: readonly Move[], { heads, headDim, capacity }: { readonly heads: number; readonly headDim: number; readonly capacity: number }): void {
  for (let head = 0; head < heads; head++) {
    for (const { from, to } of moves) data.copyWithin((head * capacity + to) * headDim, (head * capacity + from) * headDim, (head * capacity + from + 1) * headDim);
  }
}
