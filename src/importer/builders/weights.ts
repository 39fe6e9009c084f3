/**
 * Weights on their way from the checkpoint to the external file: a builder names a tensor and gets an initializer at
 * once; the bytes follow as jobs, slab by slab, so that neither a large model nor its embedding is ever in memory
 * whole, and the importer can show progress and stop between slabs. Knows no graph structure.
 */
import type { TensorSource } from '../checkpoint/types.ts';
import type { ExternalData } from '../onnx/externalData.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { packedBytesPerRow, quantizeRows, type Bits } from './quantize.ts';

/** Float32 elements that a slab holds at most, about 32 MiB. */
const SLAB_ELEMENTS = 8 * 1024 * 1024;

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

export class WeightPlan {
  readonly jobs: WeightJob[] = [];

  constructor(
    private readonly graph: Graph,
    private readonly file: ExternalData,
  ) {}

  /** A float32 tensor whose values are made when its turn comes. */
  float(name: string, dims: readonly number[], values: () => Float32Array): Value {
    const elements = dims.reduce((a, b) => a * b, 1);
    const place = this.file.reserve(elements * 4);
    const file = this.file;
    this.jobs.push(function* () {
      const data = values();
      if (data.length !== elements) throw new Error(`${name}: ${data.length} values for ${elements} places`);
      file.writeAt(place.offset, bytesOf(data));
      yield;
    });
    return this.graph.initializer({ name, dtype: 'float32', dims, data: place });
  }

  /** A matrix of the checkpoint as float32 [rows, columns], in slabs of rows. */
  matrix(source: TensorSource, tensor: string): Value {
    const [rows, columns] = matrixShape(source, tensor);
    const place = this.file.reserve(rows * columns * 4);
    const file = this.file;
    this.jobs.push(function* () {
      for (const slab of slabs(source, tensor, rows, columns)) {
        file.writeAt(place.offset + slab.from * columns * 4, bytesOf(slab.data));
        yield;
      }
    });
    return this.graph.initializer({ name: tensor, dtype: 'float32', dims: [rows, columns], data: place });
  }

  /** A matrix of the checkpoint, quantised row by row. */
  quantized(source: TensorSource, tensor: string, bits: Bits, blockSize: number): QuantizedWeight {
    const [rows, columns] = matrixShape(source, tensor);
    const blocks = Math.ceil(columns / blockSize);
    const rowBytes = packedBytesPerRow(columns, bits, blockSize);
    const packedPlace = this.file.reserve(rows * rowBytes);
    const scalesPlace = this.file.reserve(rows * blocks * 4);
    const file = this.file;
    this.jobs.push(function* () {
      for (const slab of slabs(source, tensor, rows, columns)) {
        const { packed, scales } = quantizeRows(slab.data, columns, bits, blockSize);
        file.writeAt(packedPlace.offset + slab.from * rowBytes, packed);
        file.writeAt(scalesPlace.offset + slab.from * blocks * 4, bytesOf(scales));
        yield;
      }
    });
    const graph = this.graph;
    const packed = graph.initializer({ name: `${tensor}.packed`, dtype: 'uint8', dims: [rows, blocks, rowBytes / blocks], data: packedPlace });
    const scales = graph.initializer({ name: `${tensor}.scales`, dtype: 'float32', dims: [rows * blocks], data: scalesPlace });
    return {
      packed,
      scales,
      bits,
      blockSize,
      rows,
      columns,
      asTable: () => ({
        data: graph.initializer({ name: `${tensor}.table`, dtype: 'uint8', dims: [rows, rowBytes], data: packedPlace }),
        scales: graph.initializer({ name: `${tensor}.table_scales`, dtype: 'float32', dims: [rows, blocks], data: scalesPlace }),
      }),
    };
  }
}

function matrixShape(source: TensorSource, tensor: string): readonly [number, number] {
  const [rows, columns, ...rest] = source.info(tensor).shape;
  if (rows === undefined || columns === undefined || rest.length > 0) throw new Error(`${tensor} is not a matrix`);
  return [rows, columns];
}

function* slabs(source: TensorSource, tensor: string, rows: number, columns: number): Iterable<{ from: number; data: Float32Array }> {
  const step = Math.max(1, Math.floor(SLAB_ELEMENTS / columns));
  for (let from = 0; from < rows; from += step) {
    yield { from, data: source.readRows(tensor, from, Math.min(rows, from + step)) };
  }
}

/** The little-endian bytes of the numbers, without a copy (every supported platform is little-endian). */
function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
