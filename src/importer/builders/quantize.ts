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
  const largest = 2 * zero - 1;
  const codes = new Uint8Array(blockSize);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const from = row * columns + block * blockSize;
      const size = Math.min(blockSize, columns - block * blockSize);
      const extreme = extremeOf(data, from, from + size);
      const scale = extreme === 0 ? 0 : Math.fround(-extreme / zero);
      const inverse = scale === 0 ? 0 : 1 / scale;
      if (size < blockSize) codes.fill(zero);
      for (let i = 0; i < size; i++) {
        // Nothing is below -zero, so that cutting off is rounding to nearest.
        const code = ((data[from + i] ?? 0) * inverse + zero + 0.5) | 0;
        codes[i] = code > largest ? largest : code;
      }
      scales[row * blocks + block] = scale;
      pack(codes, bits, packed, ((row * blocks + block) * blockSize * bits) / 8);
    }
  }
  return { packed, scales };
}

/** The value of largest magnitude; of equal ones the first. */
function extremeOf(data: Float32Array, from: number, to: number): number {
  let low = 0;
  let high = 0;
  for (let i = from; i < to; i++) {
    const value = data[i] ?? 0;
    if (value > high) high = value;
    else if (value < low) low = value;
  }
  if (high !== -low) return high > -low ? high : low;
  return data.subarray(from, to).find((value) => value === high || value === low) ?? 0;
}

function pack(codes: Uint8Array, bits: Bits, into: Uint8Array, offset: number): void {
  if (bits === 8) {
    into.set(codes, offset);
    return;
  }
  for (let i = 0; i < codes.length; i += 2) into[offset + i / 2] = (codes[i] ?? 0) | ((codes[i + 1] ?? 0) << 4);
}
