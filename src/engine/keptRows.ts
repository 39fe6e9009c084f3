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

type AnySlots = Pick<SlotArray<'float32'>, 'bytesOf' | 'place' | 'grow' | 'move'>;

/** So that each array begins where a vector load likes it. */
const ALIGNMENT = 64;

/**
 * All arrays lie in one piece of memory, reserved for twice the slots that were asked for: pages that nobody has written
 * cost nothing, and the arrays grow where they lie. Arrays that are left behind would stay until the next garbage
 * collection, which at every block would be as much as the cache itself.
 */
abstract class Rows implements KeptRows {
  private capacity = 0;
  private reserved = 0;

  protected abstract arrays(): readonly AnySlots[];
  abstract feeds(): Record<string, Feed>;
  abstract take(first: number, rows: number, outputs: Outputs): void;

  get bytes(): number {
    return this.arrays().reduce((sum, array) => sum + array.bytesOf(this.capacity), 0);
  }

  resize(capacity: number, kept: number): void {
    const grows = capacity > this.capacity;
    this.capacity = capacity;
    // What has been written is given back by leaving it.
    if (grows && capacity <= this.reserved) {
      for (const array of this.arrays()) array.grow(capacity, kept);
      return;
    }
    this.reserved = grows ? 2 * capacity : capacity;
    const room = (array: AnySlots): number => Math.ceil(array.bytesOf(this.reserved) / ALIGNMENT) * ALIGNMENT;
    const memory = new ArrayBuffer(this.arrays().reduce((sum, array) => sum + room(array), 0));
    let offset = 0;
    for (const array of this.arrays()) {
      array.place(memory, offset, capacity, kept);
      offset += room(array);
    }
  }

  compact(kept: readonly number[]): void {
    const moves = kept.flatMap((from, to) => (from === to ? [] : [{ from, to }]));
    for (const array of this.arrays()) array.move(moves);
  }
}

/** float32 [kvHeads, capacity, headDim] of keys and of values. */
export class FloatRows extends Rows {
  private readonly layers: readonly { readonly key: SlotArray<'float32'>; readonly value: SlotArray<'float32'> }[];

  constructor({ layers, kvHeads, headDim }: Architecture) {
    super();
    const array = (): SlotArray<'float32'> => new SlotArray('float32', kvHeads, headDim, (capacity) => [kvHeads, capacity, headDim]);
    this.layers = Array.from({ length: layers }, () => ({ key: array(), value: array() }));
  }

  feeds(): Record<string, Feed> {
    return Object.fromEntries(this.layers.flatMap(({ key, value }, layer): [string, Feed][] => [[pastName(layer, 'key'), key.feed], [pastName(layer, 'value'), value.feed]]));
  }

  take(first: number, rows: number, outputs: Outputs): void {
    this.layers.forEach(({ key, value }, layer) => {
      key.put(first, rows, outputs.floats(newName(layer, 'key')));
      value.put(first, rows, outputs.floats(newName(layer, 'value')));
    });
  }

  protected arrays(): readonly AnySlots[] {
    return this.layers.flatMap(({ key, value }) => [key, value]);
  }
}

/** int8 keys [kvHeads, headDim, capacity], values [kvHeads, capacity, headDim], float32 scales [2 · kvHeads, 1, capacity]. */
export class Int8Rows extends Rows {
  private readonly layers: readonly { readonly key: SlotArray<'int8'>; readonly value: SlotArray<'int8'>; readonly scale: SlotArray<'float32'> }[];

  constructor(private readonly architecture: Architecture) {
    super();
    const { layers, kvHeads, headDim } = architecture;
    this.layers = Array.from({ length: layers }, () => ({
      key: new SlotArray('int8', kvHeads * headDim, 1, (capacity) => [kvHeads, headDim, capacity]),
      value: new SlotArray('int8', kvHeads, headDim, (capacity) => [kvHeads, capacity, headDim]),
      scale: new SlotArray('float32', 2 * kvHeads, 1, (capacity) => [2 * kvHeads, 1, capacity]),
    }));
  }

  feeds(): Record<string, Feed> {
    return Object.fromEntries(this.layers.flatMap(({ key, value, scale }, layer): [string, Feed][] => [[pastName(layer, 'key'), key.feed], [pastName(layer, 'value'), value.feed], [pastScaleName(layer), scale.feed]]));
  }

  take(first: number, rows: number, outputs: Outputs): void {
    const { kvHeads, headDim } = this.architecture;
    this.layers.forEach(({ key, value, scale }, layer) => {
      const codes = outputs.codes(newRowsName(layer));
      const half = kvHeads * rows * headDim;
      key.putColumns(first, rows, codes.subarray(0, half), headDim);
      value.put(first, rows, codes.subarray(half));
      scale.put(first, rows, outputs.floats(newScaleName(layer)));
    });
  }

  protected arrays(): readonly AnySlots[] {
    return this.layers.flatMap(({ key, value, scale }) => [key, value, scale]);
  }
}

interface Move {
  readonly from: number;
  readonly to: number;
}

const KINDS = { float32: Float32Array, int8: Int8Array } as const;
type Kind = keyof typeof KINDS;
type ArrayOf<K extends Kind> = InstanceType<(typeof KINDS)[K]>;

/** [lines, capacity, width]: `lines` runs of slots, `width` numbers a slot. Slots that are not in use hold finite numbers, and are masked. */
class SlotArray<K extends Kind> {
  private data: ArrayOf<K>;
  private capacity = 0;
  /** With dims of its capacity. */
  feed: HostFeed;

  constructor(
    private readonly kind: K,
    private readonly lines: number,
    private readonly width: number,
    private readonly dimsOf: (capacity: number) => readonly number[],
  ) {
    this.data = this.view(new ArrayBuffer(0), 0, 0);
    this.feed = this.feedOf();
  }

  bytesOf(slots: number): number {
    return this.lines * slots * this.width * KINDS[this.kind].BYTES_PER_ELEMENT;
  }

  /** Goes to another place in memory, with another capacity; the first `kept` slots go along. */
  place(memory: ArrayBuffer, offset: number, capacity: number, kept: number): void {
    const { lines, width, data } = this;
    const [from, to] = [this.capacity * width, capacity * width];
    const placed = this.view(memory, offset, lines * to);
    for (let line = 0; line < lines; line++) placed.set(data.subarray(line * from, line * from + kept * width), line * to);
    this.become(placed, capacity);
  }

  /** Takes more of the memory behind it. */
  grow(capacity: number, kept: number): void {
    const { lines, width, data } = this;
    const [from, to] = [this.capacity * width, capacity * width];
    const grown = this.view(data.buffer, data.byteOffset, lines * to);
    // From the last line on: none comes to lie on one that is still to move.
    for (let line = lines - 1; line > 0; line--) grown.copyWithin(line * to, line * from, line * from + kept * width);
    this.become(grown, capacity);
  }

  /** @param source [lines, rows, width] into the slots from `first` on */
  put(first: number, rows: number, source: Float32Array | Int8Array): void {
    const length = rows * this.width;
    for (let line = 0; line < this.lines; line++) this.data.set(source.subarray(line * length, (line + 1) * length), (line * this.capacity + first) * this.width);
  }

  /** Of one number a slot: @param source [lines / columns, rows, columns] into the slots from `first` on */
  putColumns(first: number, rows: number, source: Float32Array | Int8Array, columns: number): void {
    const { data, lines, capacity } = this;
    for (let block = 0, from = 0; block < lines; block += columns) {
      for (let slot = first; slot < first + rows; slot++) {
        for (let line = block; line < block + columns; line++, from++) data[line * capacity + slot] = source[from] ?? 0;
      }
    }
  }

  move(moves: readonly Move[]): void {
    const { lines, width, capacity } = this;
    for (let line = 0; line < lines; line++) {
      for (const { from, to } of moves) this.data.copyWithin((line * capacity + to) * width, (line * capacity + from) * width, (line * capacity + from + 1) * width);
    }
  }

  private become(data: ArrayOf<K>, capacity: number): void {
    this.data = data;
    this.capacity = capacity;
    this.feed = this.feedOf();
  }

  private view(memory: ArrayBuffer, offset: number, length: number): ArrayOf<K> {
    return new KINDS[this.kind](memory, offset, length) as ArrayOf<K>;
  }

  private feedOf(): HostFeed {
    return { dtype: this.kind, data: this.data, dims: this.dimsOf(this.capacity) } as HostFeed;
  }
}
