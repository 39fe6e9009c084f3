/**
 * Noise that is a pure function of (seed, position, token id).
 * Knows: the counter-based generator Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011), and how 53 of its 64 bits become a number. Knows no logits and keeps no state: what was drawn
 * before never matters, so a run repeats exactly and branches that meet the same position meet the same noise.
 */

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const GROUPS = 5;
const PARITY = 0x1bd11bda;
const TWO_32 = 2 ** 32;
const TWO_53 = 2 ** 53;

/**
 * One block of Threefry-2x32-20. Arguments are taken modulo 2^32; both results are unsigned 32-bit.
 * `out` (at least two elements) receives them, so that a loop over a vocabulary allocates nothing.
 */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number, out: Uint32Array): void {
  const [r0, r1, r2, r3, r4, r5, r6, r7] = ROTATIONS;
  const key2 = PARITY ^ key0 ^ key1;
  let a = (counter0 + key0) | 0;
  let b = (counter1 + key1) | 0;
  // The key of group g is (key[g mod 3], key[(g + 1) mod 3] + g): the three words rotate.
  let now = key1;
  let next = key2;
  let later = key0;
  for (let group = 1; group <= GROUPS; group++) {
    const even = group % 2 === 0;
    a = (a + b) | 0;
    b = rotate(b, even ? r4 : r0) ^ a;
    a = (a + b) | 0;
    b = rotate(b, even ? r5 : r1) ^ a;
    a = (a + b) | 0;
    b = rotate(b, even ? r6 : r2) ^ a;
    a = (a + b) | 0;
    b = rotate(b, even ? r7 : r3) ^ a;
    a = (a + now) | 0;
    b = (b + next + group) | 0;
    const first = now;
    now = next;
    next = later;
    later = first;
  }
  out[0] = a;
  out[1] = b;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/**
 * The noise of one position: a function from token id to a uniform number strictly between 0 and 1 (53 bits).
 * @param seed integer, 0 … 2^53 - 1
 * @param position position in the sequence of the token that is chosen, 0 … 2^32 - 1
 */
export function noiseAt(seed: number, position: number): (id: number) => number {
  const low = seed % TWO_32 | 0;
  const high = Math.floor(seed / TWO_32) | 0;
  const block = new Uint32Array(2);
  return (id) => {
    threefry2x32(low, high, position, id, block);
    const [a = 0, b = 0] = block;
    // Half a step up keeps 0 and 1 out: a logarithm of it is always finite and below 0.
    return ((a >>> 5) * 0x4000000 + (b >>> 6) + 0.5) / TWO_53;
  };
}
