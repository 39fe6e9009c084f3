/**
 * Block-wise symmetric quantisation in the layout of ONNX Runtime's MatMulNBits and GatherBlockQuantized:
 * each row is cut into blocks of `blockSize` columns with one float32 scale each; values are unsigned with the zero
 * point in the middle (8 or 128), which the operators take when no zero points are given. Pure functions.
 */

export type Bits = 4 | 8;

export interface QuantizedRows {
  /** uint8 [rows, ceil(columns / blockSize), blockSize * bits / 8]; for 4 bits the even column is the low nibble. */
  readonly packed: Uint8Array;
  /** float32 [rows, ceil(columns / blockSize)] */
  readonly scales: Float32Array;
}

export function packedBytesPerRow(columns: number, bits: Bits, blockSize: number): number {
  return Math.ceil(columns / blockSize) * ((blockSize * bits) / 8);
}

/**
 * @param data float32 [rows, columns], C order
 * The scale is -extreme / 2^(bits-1), where `extreme` is the block's value of largest magnitude: that value is then met
 * exactly and the whole range of codes is used (as llama.cpp's Q4_0 does). A block of zeros has scale 0.
 */
export function quantizeRows(data: Float32Array, columns: number, bits: Bits, blockSize: number): QuantizedRows {
  const rows = data.length / columns;
  const blocks = Math.ceil(columns / blockSize);
  const packed = new Uint8Array(rows * packedBytesPerRow(columns, bits, blockSize));
  const scales = new Float32Array(rows * blocks);
  const zero = 1 << (bits - 1);
  const write = bits === 4 ? writeNibbles : writeBytes;
  // The magnitudes of finite floats are ordered as their bits are, and whole numbers are compared faster.
  const words = new Int32Array(data.buffer, data.byteOffset, data.length);
  if (columns % blockSize !== 0) packed.fill(bits === 4 ? zero | (zero << 4) : zero);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const from = row * columns + block * blockSize;
      const to = Math.min(from + blockSize, (row + 1) * columns);
      const extreme = data[indexOfExtreme(words, from, to)] ?? 0;
      const scale = extreme === 0 ? 0 : Math.fround(-extreme / zero);
      const inverse = scale === 0 ? 0 : 1 / scale;
      const at = row * blocks + block;
      scales[at] = scale;
      write(data, from, to, inverse, packed, (at * blockSize * bits) / 8);
    }
  }
  return { packed, scales };
}

/** Of the value of largest magnitude; of equal ones the first. @param words the bits of finite floats */
function indexOfExtreme(words: Int32Array, from: number, to: number): number {
  let largest = 0;
  let index = from;
  for (let i = from; i < to; i++) {
    const magnitude = (words[i] ?? 0) & 0x7fffffff;
    if (magnitude > largest) {
      largest = magnitude;
      index = i;
    }
  }
  return index;
}

/*
 * Codes of values [from, to), written to `into` from `at` on. Nothing is below -zero, so that cutting off is rounding to
 * nearest; the one code that may be too large by one is 2^bits, from which the subtraction takes that one.
 */

function writeBytes(data: Float32Array, from: number, to: number, inverse: number, into: Uint8Array, at: number): void {
  for (let i = from; i < to; i++) {
    const code = ((data[i] ?? 0) * inverse + 128.5) | 0;
    into[at++] = code - (code >> 8);
  }
}

/** The even column is the low half; a last column without a neighbour has the zero point beside it. */
function writeNibbles(data: Float32Array, from: number, to: number, inverse: number, into: Uint8Array, at: number): void {
  for (let i = from; i < to; i += 2) {
    const low = ((data[i] ?? 0) * inverse + 8.5) | 0;
    const high = i + 1 < to ? ((data[i + 1] ?? 0) * inverse + 8.5) | 0 : 8;
    into[at++] = low - (low >> 4) + ((high - (high >> 4)) << 4);
  }
}
