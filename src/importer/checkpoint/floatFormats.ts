/**
 * Number formats of weights: bfloat16, float16, float64 to float32, and float32 rounded through a narrower format.
 * Knows IEEE 754 and round-to-nearest-even. Does not know where the numbers come from.
 */

export type FloatFormat = 'float32' | 'float16' | 'bfloat16';

/** The bits of float16 read as float32 [65536]; made when first needed. */
let halfTable: Float32Array | undefined;

export function halfToFloat(): Float32Array {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
  return halfTable;
}

/** Each value as it is after a copy into a tensor of `format`, as float32, in place. Finite values that are too large become infinite. */
export function roundThrough(data: Float32Array, format: FloatFormat): Float32Array {
  switch (format) {
    case 'float32':
      return data;
    case 'bfloat16': {
      const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
      for (let i = 0; i < bits.length; i++) {
        const b = bits[i] ?? 0;
        bits[i] = (b + 0x7fff + ((b >>> 16) & 1)) & 0xffff0000;
      }
      return data;
    }
    case 'float16':
      for (let i = 0; i < data.length; i++) data[i] = roundToHalf(data[i] ?? 0);
      return data;
    default:
      return format satisfies never;
  }
}

function roundToHalf(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return Math.sign(value) * Infinity;
  // The distance between neighbours: 2^-24 for subnormals, else by the exponent.
  const exponent = magnitude < 2 ** -14 ? -14 : Math.floor(Math.log2(magnitude));
  const step = 2 ** (exponent - 10);
  const steps = magnitude / step;
  const below = Math.floor(steps);
  const rest = steps - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 === 1);
  return (value < 0 ? -1 : 1) * (below + (up ? 1 : 0)) * step;
}

/** Index of the first NaN or infinite value, or -1. */
export function firstNotFinite(data: Float32Array): number {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < bits.length; i++) {
    if (((bits[i] ?? 0) & 0x7f800000) === 0x7f800000) return i;
  }
  return -1;
}
