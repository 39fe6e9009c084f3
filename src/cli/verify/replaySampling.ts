/** Replays recorded sampling: which tokens survive transformers' processors, and how probable each is then. */
import { survivors } from '../../engine/sampling.ts';
import { readSamplingGolden } from './goldenFile.ts';
import type { Report } from './report.ts';

/** Largest difference of a survivor's probability: float32 sums in another order. */
const TOLERANCE = 1e-5;

/** @returns number of cases @throws TahError input.missing-file, input.bad-file */
export function replaySampling(file: string, report: Report): number {
  const golden = readSamplingGolden(file);
  for (const [i, test] of golden.cases.entries()) {
    const { temperature, top_k: topK, top_p: topP, min_p: minP } = test.settings;
    const where = `case ${i} (${test.vector_name})`;
    const logits = golden.vector(test.vector).data;
    const ours = survivors(logits, { temperature, topK, topP, minP, seed: 0 });
    report.agree('sampling survivors', where, certain(logits, [...ours.ids]), certain(logits, test.hf_ids));
    report.compare('sampling probabilities', where, ours.probs, test.hf_probs, TOLERANCE);
  }
  return golden.cases.length;
}

/**
 * The ids in a defined order, without those that only a cut through equal logits has let in: which of these survive an
 * unstable sort is no one's right. How many there are, the probabilities show.
 */
function certain(logits: Float32Array, ids: readonly number[]): number[] {
  const logit = (id: number): number => logits[id] ?? NaN;
  const least = Math.min(...ids.map(logit));
  const cut = ids.filter((id) => logit(id) === least).length < logits.filter((value) => value === least).length;
  return ids.filter((id) => !cut || logit(id) !== least).toSorted((a, b) => logit(b) - logit(a) || a - b);
}
