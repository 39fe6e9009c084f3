// Every recorded setting and logits vector, against the survivors of transformers' own processors.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { survivors } from '../../src/engine/sampling.ts';

interface Case {
  readonly vector: string;
  readonly vector_name: string;
  readonly settings: { readonly temperature: number; readonly top_k: number; readonly top_p: number; readonly min_p: number };
  readonly hf_ids: readonly number[];
  readonly hf_probs: readonly number[];
}
interface Golden {
  readonly tensors: Readonly<Record<string, { readonly offset: number; readonly shape: readonly number[] }>>;
  readonly cases: readonly Case[];
}

const folder = new URL('vectors/sampling/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('sampling.json', folder), 'utf8')) as Golden;
const bytes = readFileSync(new URL('sampling.bin', folder));

function vector(name: string): Float32Array {
  const tensor = golden.tensors[name];
  if (tensor === undefined) throw new Error(`no tensor ${name}`);
  return Float32Array.from({ length: tensor.shape[0] ?? 0 }, (_, i) => bytes.readFloatLE(tensor.offset + 4 * i));
}

/** By id, because the order of equally probable tokens is not defined. */
function byId(ids: Iterable<number>, probs: ArrayLike<number>): Map<number, number> {
  return new Map(Array.from(ids, (id, i) => [id, probs[i] ?? NaN] as const).sort(([a], [b]) => a - b));
}

describe('survivors of transformers', () => {
  it('has cases to compare', () => {
    expect(golden.cases.length).toBe(63);
  });

  it.each(golden.cases.map((c) => ({ ...c, title: `${c.vector_name} ${JSON.stringify(c.settings)}` })))('$title', (c) => {
    const { temperature, top_k: topK, top_p: topP, min_p: minP } = c.settings;
    const ours = survivors(vector(c.vector), { temperature, topK, topP, minP, seed: 0 });
    expect(ours.ids.length).toBe(c.hf_ids.length);
    const largest = Math.max(...c.hf_probs.map((p, i) => Math.abs(p - (ours.probs[i] ?? NaN))));
    expect(largest).toBeLessThan(2e-6);
    // Which of several equally probable tokens lies on top-p's cut is left to an unstable sort there.
    if (c.vector_name === 'ties-integers' && topP < 1) return;
    const expected = byId(c.hf_ids, c.hf_probs);
    expect([...byId(ours.ids, ours.probs).keys()]).toEqual([...expected.keys()]);
  });
});
