import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSession } from '../../../src/engine/session.ts';
import { packedBytesPerRow, quantizeRows, type Bits } from '../../../src/importer/builders/quantize.ts';
import { Graph, int } from '../../../src/importer/onnx/graph.ts';
import { encodeModel } from '../../../src/importer/onnx/wire.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-quantize-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

function matrix(rows: number, columns: number): Float32Array {
  let state = 7;
  return Float32Array.from({ length: rows * columns }, () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647 - 0.5;
  });
}

/** The matrix that the codes stand for. */
function dequantized(data: Float32Array, rows: number, columns: number, bits: Bits, blockSize: number): Float32Array {
  const { packed, scales } = quantizeRows(data, columns, bits, blockSize);
  const rowBytes = packedBytesPerRow(columns, bits, blockSize);
  const blocks = Math.ceil(columns / blockSize);
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const byte = packed[row * rowBytes + (bits === 8 ? column : column >> 1)] ?? 0;
    const code = bits === 8 ? byte : column % 2 === 0 ? byte & 15 : byte >> 4;
    return (code - (bits === 8 ? 128 : 8)) * (scales[row * blocks + Math.floor(column / blockSize)] ?? 0);
  });
}

describe('block quantisation', () => {
  it.each([
    [4, 32],
    [4, 128],
    [8, 32],
  ] as const)('%i bits, block %i: every value is within half a step, and a block of zeros stays zero', (bits, blockSize) => {
    const data = matrix(6, 160);
    data.fill(0, 160, 160 + blockSize);
    const back = dequantized(data, 6, 160, bits, blockSize);
    const step = 0.5 / (1 << (bits - 1));
    back.forEach((value, i) => {
      // The far end of the range has one code less, so it may be off by a whole step.
      expect(Math.abs(value - (data[i] ?? NaN))).toBeLessThanOrEqual(step * 1.01);
    });
    expect([...back.subarray(160, 160 + blockSize)]).toEqual(new Array(blockSize).fill(0));
  });

  it.each([
    [4, 32],
    [8, 32],
    [4, 16],
  ] as const)('%i bits, block %i: ONNX Runtime reads the layout in MatMulNBits and GatherBlockQuantized as we mean it', async (bits, blockSize) => {
    const [rows, columns] = [48, 64];
    const data = matrix(rows, columns);
    const { packed, scales } = quantizeRows(data, columns, bits, blockSize);
    const blocks = columns / blockSize;
    const bytes = (array: Float32Array): Uint8Array => new Uint8Array(array.buffer);
    const graph = new Graph('quantized');
    const x = graph.input('x', 'float32', ['n', columns]);
    const ids = graph.input('ids', 'int64', ['n']);
    const weight = graph.initializer({ name: 'w', dtype: 'uint8', dims: [rows, blocks, (blockSize * bits) / 8], data: packed });
    const scale = graph.initializer({ name: 's', dtype: 'float32', dims: [rows * blocks], data: bytes(scales) });
    const table = graph.initializer({ name: 't', dtype: 'uint8', dims: [rows, (columns * bits) / 8], data: packed });
    const tableScale = graph.initializer({ name: 'ts', dtype: 'float32', dims: [rows, blocks], data: bytes(scales) });
    graph.output('y', graph.node('MatMulNBits', '/mm', [x, weight, scale], { K: int(columns), N: int(rows), bits: int(bits), block_size: int(blockSize) }), 'float32', ['n', rows]);
    const gathered = graph.node('GatherBlockQuantized', '/g', [table, ids, tableScale], { bits: int(bits), block_size: int(blockSize), gather_axis: int(0), quantize_axis: int(1) });
    graph.output('e', gathered, 'float32', ['n', columns]);
    const file = path.join(folder, `${bits}-${blockSize}.onnx`);
    fs.writeFileSync(file, encodeModel(graph.finish(), { name: 'test', version: '1' }));
    const session = await openSession(file, { provider: 'cpu' });
    const input = matrix(2, columns).map((value) => value * 2);
    const outputs = await session.run({ x: { dtype: 'float32', data: input, dims: [2, columns] }, ids: { dtype: 'int64', data: BigInt64Array.of(5n, 47n), dims: [2] } });
    await session.close();
    const expected = dequantized(data, rows, columns, bits, blockSize);
    const embedded = outputs.floats('e');
    expect(Math.max(...embedded.map((value, i) => Math.abs(value - (expected[(i < columns ? 5 * columns : 46 * columns) + i] ?? NaN))))).toBeLessThan(1e-6);
    const products = outputs.floats('y');
    for (let n = 0; n < 2; n++) {
      for (let row = 0; row < rows; row++) {
        let sum = 0;
        for (let c = 0; c < columns; c++) sum += (input[n * columns + c] ?? NaN) * (expected[row * columns + c] ?? NaN);
        expect(products[n * rows + row]).toBeCloseTo(sum, 4);
      }
    }
  });
});

describe('graph', () => {
  it('throws where a name is used twice, also between a graph and its subgraph', () => {
    const graph = new Graph('g');
    const x = graph.input('x', 'float32', ['n']);
    graph.node('Identity', '/a', [x]);
    expect(() => graph.node('Identity', '/a', [x])).toThrow(/used twice/);
    expect(() => new Graph('sub', graph).node('Identity', '/a', [x])).toThrow(/used twice/);
  });
});
