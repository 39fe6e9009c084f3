/**
 * From logits to the next token: which tokens survive the filters, and which of them is drawn.
 * Knows transformers' processors in transformers' order (temperature, top-k, top-p, min-p; generation/logits_process.py)
 * and the noise of noise.ts. Knows no model and no text. Sums are float64; where transformers' float32 sums differ, a
 * token that lies on a cut by less than 1e-6 may fall on the other side.
 */

import type { SamplingOptions } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { argmax } from './distribution.ts';
import { noiseAt } from './noise.ts';

export interface Survivors {
  /** Token ids, most probable first; of equal ones the lower id first. */
  readonly ids: Int32Array;
  /** Their probabilities after all filters; the sum is 1. */
  readonly probs: Float64Array;
}

/** @throws TahError engine.bad-request that names the option */
export function checkSampling(options: SamplingOptions): void {
  const { temperature, topK, topP, minP, seed } = options;
  refuseUnless(Number.isFinite(temperature) && temperature >= 0, 'temperature', temperature, 'a number of at least 0 (0 is greedy)');
  refuseUnless(Number.isSafeInteger(topK) && topK >= 0, 'topK', topK, 'a whole number of at least 0 (0 is off)');
  refuseUnless(topP > 0 && topP <= 1, 'topP', topP, 'above 0 and at most 1 (1 is off)');
  refuseUnless(minP >= 0 && minP <= 1, 'minP', minP, 'between 0 and 1 (0 is off)');
  refuseUnless(Number.isSafeInteger(seed) && seed >= 0, 'seed', seed, 'a whole number from 0 to 2^53 - 1');
}

function refuseUnless(valid: boolean, option: string, value: number, expected: string): void {
  if (valid) return;
  throw new TahError('engine.bad-request', `The sampling option ${option} must be ${expected}, but it is ${String(value)}.`, {
    hint: `Change ${option} and try again.`,
    subject: option,
  });
}

/**
 * The tokens that may be drawn. `logits` float32 [vocab]; at temperature 0 the first maximum alone, with probability 1.
 *  - top-k keeps every token that ties with the k-th;
 *  - top-p removes, from the least probable on, while the removed mass is <= 1 - topP; of equal logits the lower ids stay, as in
 *    greedy (transformers leaves that to an unstable sort); the most probable token always stays;
 *  - min-p keeps what has at least minP times the largest probability.
 * @throws TahError engine.bad-request for bad options, engine.run-failed for logits that are no numbers
 */
export function survivors(logits: Float32Array, options: SamplingOptions): Survivors {
  const kept = filter(logits, options);
  const order = Array.from(kept.ids.keys());
  order.sort((i, j) => at(kept.probs, j) - at(kept.probs, i) || at(kept.ids, i) - at(kept.ids, j));
  return {
    ids: Int32Array.from(order, (i) => at(kept.ids, i)),
    probs: Float64Array.from(order, (i) => at(kept.probs, i)),
  };
}

/**
 * The token at `position`. Greedy (the first maximum) at temperature 0.
 *
 * Otherwise each survivor runs an exponential race: token i arrives at -ln(u_i) / p_i with its own u_i keyed by (seed,
 * position, i), and the first one wins. That is Gumbel-max in another notation, and draws exactly from p. Against the
 * usual inverse CDF it has the property that branches need: the noise belongs to a token, not to a place in a sorted
 * list. When a second pass moves a little probability, the winner stays the same unless that very move decides the race;
 * with one number for the whole list, a swap of two neighbours would change tokens that nothing happened to.
 * @throws as survivors
 */
export function sample(logits: Float32Array, options: SamplingOptions, position: number): number {
  const { ids, probs } = filter(logits, options);
  const noise = noiseAt(options.seed, position);
  let winner = at(ids, 0);
  let arrival = Infinity;
  for (let i = 0; i < ids.length; i++) {
    const id = at(ids, i);
    const p = at(probs, i);
    const u = noise(id);
    // -ln(u) >= 1 - u, so most tokens are known to be late without a logarithm.
    if (1 - u >= arrival * p) continue;
    const time = -Math.log(u) / p;
    if (time < arrival) {
      arrival = time;
      winner = id;
    }
  }
  return winner;
}

/** As survivors, but in ascending order of ids: a draw needs no sorted list. */
function filter(logits: Float32Array, options: SamplingOptions): Survivors {
  checkSampling(options);
  const first = argmax(logits);
  const max = at(logits, first);
  if (options.temperature === 0) return { ids: Int32Array.of(first), probs: Float64Array.of(1) };
  // 1. temperature and top-k. Dividing keeps the order, so the k-th is found on the logits as they are.
  const bar = options.topK > 0 && options.topK < logits.length ? kthLargest(logits, options.topK) : -Infinity;
  let kept = weigh(logits, max, bar, options.temperature);
  // 2. top-p
  if (options.topP < 1) kept = nucleus(kept, options.topP);
  // 3. min-p: the largest weight is exp(0) = 1
  if (options.minP > 0) kept = select(kept, (weight) => weight >= options.minP);
  return { ids: kept.ids, probs: normalised(kept.weights) };
}

interface Weighed {
  readonly ids: Int32Array;
  /** exp((logit - max) / temperature): 1 for the most probable. */
  readonly weights: Float64Array;
}

function weigh(logits: Float32Array, max: number, bar: number, temperature: number): Weighed {
  // Counted first, so that a small top-k does not allocate for the whole vocabulary at each token.
  let above = 0;
  for (const logit of logits) if (logit >= bar) above++;
  const ids = new Int32Array(above);
  const weights = new Float64Array(above);
  let count = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = at(logits, id);
    if (logit < bar) continue;
    const weight = Math.exp((logit - max) / temperature);
    if (weight === 0) continue;
    ids[count] = id;
    weights[count++] = weight;
  }
  return { ids: ids.subarray(0, count), weights: weights.subarray(0, count) };
}

function nucleus(kept: Weighed, topP: number): Weighed {
  const { weights } = kept;
  const budget = (1 - topP) * sumOf(weights);
  // Tokens below an equal share of the budget cannot exhaust it together: they go without being sorted.
  const floor = budget / weights.length;
  let removed = 0;
  let small = 0;
  for (const weight of weights) {
    if (weight < floor) {
      removed += weight;
      small++;
    }
  }
  const ascending = new Float64Array(weights.length - small);
  let next = 0;
  for (const weight of weights) if (weight >= floor) ascending[next++] = weight;
  ascending.sort();
  let cut = 0;
  while (cut < ascending.length - 1 && removed + at(ascending, cut) <= budget) removed += at(ascending, cut++);
  const bar = at(ascending, cut);
  // Of the tokens that equal the bar, as many stay as lie above the cut: the lowest ids.
  let places = 0;
  while (cut + places < ascending.length && at(ascending, cut + places) === bar) places++;
  return select(kept, (weight) => weight > bar || (weight === bar && places-- > 0));
}

function select(from: Weighed, keep: (weight: number) => boolean): Weighed {
  const ids = new Int32Array(from.ids.length);
  const weights = new Float64Array(from.ids.length);
  let count = 0;
  for (let i = 0; i < from.ids.length; i++) {
    const weight = at(from.weights, i);
    if (!keep(weight)) continue;
    ids[count] = at(from.ids, i);
    weights[count++] = weight;
  }
  return { ids: ids.subarray(0, count), weights: weights.subarray(0, count) };
}

function normalised(weights: Float64Array): Float64Array {
  const sum = sumOf(weights);
  return weights.map((weight) => weight / sum);
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** A min-heap of k values costs one comparison for most logits; a large k is cheaper to sort. */
const HEAP_LIMIT = 1024;

function kthLargest(logits: Float32Array, k: number): number {
  if (k > HEAP_LIMIT) return at(Float32Array.from(logits).sort(), logits.length - k);
  const heap = Float32Array.from(logits.subarray(0, k)).sort();
  for (let i = k; i < logits.length; i++) {
    const value = at(logits, i);
    if (value > at(heap, 0)) replaceLeast(heap, value);
  }
  return at(heap, 0);
}

/** Puts `value` in place of the root of a min-heap and restores the order. */
function replaceLeast(heap: Float32Array, value: number): void {
  let hole = 0;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && at(heap, child + 1) < at(heap, child)) child++;
    if (at(heap, child) >= value) break;
    heap[hole] = at(heap, child);
    hole = child;
  }
  heap[hole] = value;
}

/** Every index here is in range by construction; NaN would show at once if one were not. */
function at(values: Float32Array | Float64Array | Int32Array, index: number): number {
  return values[index] ?? NaN;
}
