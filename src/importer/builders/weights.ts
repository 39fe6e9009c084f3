/**
 * Weights on their way from the checkpoint to the external file: a builder names a tensor and gets an initializer at
 * once; the bytes follow as jobs, slab by slab, so that neither a large model nor its embedding is ever in memory
 * whole, and the importer can show progress and stop between slabs. Knows no graph structure.
 */
import type { TensorSource } from '../checkpoint/types.ts';
import type { ExternalData } from '../onnx/externalData.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import type { TensorData } from '../onnx/wire.ts';
import { packedBytesPerRow, quantizeRows, type Bits } from './quantize.ts';

/** Float32 elements that a slab holds at most: 2 MiB, which stay in a processor's cache from the file to the file. */
const SLAB_ELEMENTS = 512 * 1024;

/** Writes a part of the external file; yields after each slab. */
export type WeightJob = () => Iterable<void>;

export interface QuantizedWeight {
  readonly packed: Value;
  readonly scales: Value;
  readonly bits: Bits;
  readonly blockSize: number;
  readonly rows: number;
  readonly columns: number;
  /** The same bytes under the shapes that GatherBlockQuantized wants: [rows, columns * bits / 8] and [rows, blocks]. */
  asTable(): { readonly data: Value; readonly scales: Value };
}

type Place = ReturnType<ExternalData['reserve']>;

/** The weights of a model folder: each has one place in the external file, whatever graphs name it. */
export class WeightStore {
  readonly jobs: WeightJob[] = [];
  private readonly places = new Map<string, readonly Place[]>();

  constructor(private readonly file: ExternalData) {}

  /**
   * The places of a tensor's arrays. @param sizes bytes of each
   * @param fill yields a slab: for each array its bytes and where in its place they go; called once a name, in its turn
   */
  reserve(name: string, sizes: readonly number[], fill: () => Iterable<readonly { readonly at: number; readonly bytes: Uint8Array }[]>): readonly Place[] {
    const known = this.places.get(name);
    if (known !== undefined) return known;
    const { file } = this;
    const places = sizes.map((bytes) => file.reserve(bytes));
    this.places.set(name, places);
    this.jobs.push(function* () {
      for (const slab of fill()) {
        slab.forEach(({ at, bytes }, i) => { file.writeAt(placeAt(places, i).offset + at, bytes); });
        yield;
      }
    });
    return places;
  }
}

/** The weights of one graph, each an initializer from the first time that it is asked for. */
export class WeightPlan {
  private readonly known = new Map<string, Value>();

  constructor(
    private readonly graph: Graph,
    private readonly store: WeightStore,
  ) {}

  /** A float32 tensor whose values are made when its turn comes. */
  float(name: string, dims: readonly number[], values: () => Float32Array): Value {
    const elements = dims.reduce((a, b) => a * b, 1);
    const places = this.store.reserve(name, [elements * 4], function* () {
      const data = values();
      if (data.length !== elements) throw new Error(`${name}: ${data.length} values for ${elements} places`);
      yield [{ at: 0, bytes: bytesOf(data) }];
    });
    return this.initializer({ name, dtype: 'float32', dims, data: placeAt(places, 0) });
  }

  /** A matrix of the checkpoint, or several one below the other, as float32 [rows, columns], in slabs of rows. */
  matrix(source: TensorSource, ...tensors: readonly string[]): Value {
    const [rows, columns] = matrixShape(source, tensors);
    const tensor = tensors.join('+');
    const places = this.store.reserve(tensor, [rows * columns * 4], function* () {
      for (const slab of slabs(source, tensors, columns)) yield [{ at: slab.from * columns * 4, bytes: bytesOf(slab.data) }];
    });
    return this.initializer({ name: tensor, dtype: 'float32', dims: [rows, columns], data: placeAt(places, 0) });
  }

  /** A matrix of the checkpoint, or several one below the other, quantised row by row. */
  quantized(source: TensorSource, tensors: readonly string[], bits: Bits, blockSize: number): QuantizedWeight {
    const [rows, columns] = matrixShape(source, tensors);
    const tensor = tensors.join('+');
    const blocks = Math.ceil(columns / blockSize);
    const rowBytes = packedBytesPerRow(columns, bits, blockSize);
    const places = this.store.reserve(`${tensor} ${bits} ${blockSize}`, [rows * rowBytes, rows * blocks * 4], function* () {
      for (const slab of slabs(source, tensors, columns)) {
        const { packed, scales } = quantizeRows(slab.data, columns, bits, blockSize);
        yield [{ at: slab.from * rowBytes, bytes: packed }, { at: slab.from * blocks * 4, bytes: bytesOf(scales) }];
      }
    });
    return this.quantizedAt(tensor, places, { rows, columns, bits, blockSize });
  }

  /** A small matrix [rows, columns] that is no tensor of the base model, whose values are made when its turn comes. */
  quantizedValues(name: string, shape: Pick<QuantizedWeight, 'rows' | 'columns' | 'bits' | 'blockSize'>, values: () => Float32Array): QuantizedWeight {
    const { rows, columns, bits, blockSize } = shape;
    const places = this.store.reserve(`${name} ${bits} ${blockSize}`, [rows * packedBytesPerRow(columns, bits, blockSize), rows * Math.ceil(columns / blockSize) * 4], function* () {
      const { packed, scales } = quantizeRows(values(), columns, bits, blockSize);
      yield [{ at: 0, bytes: packed }, { at: 0, bytes: bytesOf(scales) }];
    });
    return this.quantizedAt(name, places, shape);
  }

  private quantizedAt(tensor: string, places: readonly Place[], { rows, columns, bits, blockSize }: Pick<QuantizedWeight, 'rows' | 'columns' | 'bits' | 'blockSize'>): QuantizedWeight {
    const blocks = Math.ceil(columns / blockSize);
    const rowBytes = packedBytesPerRow(columns, bits, blockSize);
    const [packedPlace, scalesPlace] = [placeAt(places, 0), placeAt(places, 1)];
    const packed = this.initializer({ name: `${tensor}.packed`, dtype: 'uint8', dims: [rows, blocks, rowBytes / blocks], data: packedPlace });
    const scales = this.initializer({ name: `${tensor}.scales`, dtype: 'float32', dims: [rows * blocks], data: scalesPlace });
    return {
      packed,
      scales,
      bits,
      blockSize,
      rows,
      columns,
      asTable: () => ({
        data: this.initializer({ name: `${tensor}.table`, dtype: 'uint8', dims: [rows, rowBytes], data: packedPlace }),
        scales: this.initializer({ name: `${tensor}.table_scales`, dtype: 'float32', dims: [rows, blocks], data: scalesPlace }),
      }),
    };
  }

  private initializer(tensor: TensorData): Value {
    if (!this.known.has(tensor.name)) this.known.set(tensor.name, this.graph.initializer(tensor));
    return tensor.name;
  }
}

function placeAt(places: readonly Place[], index: number): Place {
  const place = places[index];
  if (place === undefined) throw new Error(`no place ${index} was reserved`);
  return place;
}

/** [rows, columns] of matrices one below the other. */
function matrixShape(source: TensorSource, tensors: readonly string[]): readonly [number, number] {
  const shapes = tensors.map((tensor) => {
    const [rows, columns, ...rest] = source.info(tensor).shape;
    if (rows === undefined || columns === undefined || rest.length > 0) throw new Error(`${tensor} is not a matrix`);
    return [rows, columns] as const;
  });
  const columns = shapes[0]?.[1] ?? 0;
  if (shapes.some(([, own]) => own !== columns)) throw new Error(`${tensors.join(', ')} have different numbers of columns`);
  return [shapes.reduce((sum, [rows]) => sum + rows, 0), columns];
}

/** The rows of the matrices one below the other; `from` counts over all of them. */
function* slabs(source: TensorSource, tensors: readonly string[], columns: number): Iterable<{ from: number; data: Float32Array }> {
  const step = Math.max(1, Math.floor(SLAB_ELEMENTS / columns));
  let above = 0;
  for (const tensor of tensors) {
    const [rows] = matrixShape(source, [tensor]);
    for (let from = 0; from < rows; from += step) {
      yield { from: above + from, data: source.readRows(tensor, from, Math.min(rows, from + step)) };
    }
    above += rows;
  }
}

/** The little-endian bytes of the numbers, without a copy (every supported platform is little-endian). */
function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
