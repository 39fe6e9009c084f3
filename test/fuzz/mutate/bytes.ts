/** Changes bytes as damage and malice do: bits, lengths, boundaries, pieces of another file. Knows no format. */

import type { Random } from '../random.ts';

const LARGEST = 1 << 20;
const NUMBERS = [0n, 1n, 7n, 8n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n];

type Change = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const CHANGES: readonly Change[] = [
  // A bit, a byte, several bytes.
  (bytes, random) => edited(bytes, (copy) => { const at = random.int(copy.length); copy[at] = (copy[at] ?? 0) ^ (1 << random.int(8)); }),
  (bytes, random) => edited(bytes, (copy) => { copy[random.int(copy.length)] = random.int(256); }),
  (bytes, random) => edited(bytes, (copy) => { for (let n = random.size(64); n > 0; n--) copy[random.int(copy.length)] = random.int(256); }),
  // A number that lengths and offsets break at.
  (bytes, random) => edited(bytes, (copy) => { writeNumber(copy, random); }),
  // Cut, taken out, put in, doubled, moved.
  (bytes, random) => bytes.slice(0, random.int(bytes.length + 1)),
  (bytes, random) => { const at = random.int(bytes.length); return joined(bytes.subarray(0, at), bytes.subarray(at + random.size(256))); },
  (bytes, random) => { const at = random.int(bytes.length); return joined(bytes.subarray(0, at), Uint8Array.from({ length: random.size(256) }, () => random.int(256)), bytes.subarray(at)); },
  (bytes, random) => { const at = random.int(bytes.length); const piece = bytes.subarray(at, at + random.size(512)); return joined(bytes.subarray(0, at), piece, bytes.subarray(at)); },
  (bytes, random, other) => { const at = random.int(bytes.length); const from = random.int(other.length); return joined(bytes.subarray(0, at), other.subarray(from, from + random.size(1024)), bytes.subarray(at)); },
  (bytes, random) => edited(bytes, (copy) => { copy.copyWithin(random.int(copy.length), random.int(copy.length), random.int(copy.length)); }),
];

/** @param other bytes of another seed, for splicing */
export function mutateBytes(bytes: Uint8Array, random: Random, other: Uint8Array = bytes): Uint8Array {
  let changed = bytes;
  for (let n = random.size(6); n > 0; n--) changed = random.pick(CHANGES)(changed, random, other).subarray(0, LARGEST);
  return changed;
}

function edited(bytes: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  if (copy.length > 0) change(copy);
  return copy;
}

function writeNumber(copy: Uint8Array, random: Random): void {
  const width = random.pick([1, 2, 4, 8]);
  // Lengths stand at the start of most formats.
  const at = random.chance(0.3) ? 0 : random.int(copy.length);
  let value = random.pick(NUMBERS) + BigInt(random.int(3) - 1);
  for (let i = 0; i < width && at + i < copy.length; i++) {
    copy[at + i] = Number(value & 0xffn);
    value >>= 8n;
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
