/** Every golden vector of the reference implementation, replayed as `tah verify` does. A missing folder fails. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { verify } from '../../src/cli/verify/verify.ts';

const VECTORS = path.join(import.meta.dirname, 'vectors');

describe('golden vectors of the reference implementation', () => {
  it.each(['tiny-tied', 'tiny-untied', 'tiny-llama', 'sampling'])('%s holds in every stage', async (name) => {
    const result = await verify(path.join(VECTORS, name), { quantization: 'fp32' });
    const failed = result.stages.filter((stage) => !stage.ok);
    expect(failed).toEqual([]);
    expect(result.ok).toBe(true);
    expect(result.cases).toBeGreaterThan(10);
  });

  it('covers every stage that the vectors have', async () => {
    const { stages } = await verify(path.join(VECTORS, 'tiny-untied'), { quantization: 'fp32' });
    expect(stages.map((stage) => stage.stage)).toEqual(
      expect.arrayContaining([
        'threshold',
        'iteration counts',
        'decider probability',
        'first pass: logits',
        'first pass: hidden states',
        'first pass: keys and values',
        'deeper passes: embedding mix',
        'deeper passes: cumulative logits',
        'final logits',
        'in pieces: final logits',
        'decode: last logits',
        'decode: greedy tokens',
      ]),
    );
  });

  it.each(['dml', 'webgpu', 'cuda'] as const)('the graph that is made for %s gives the same numbers on the CPU', async (flavour) => {
    for (const name of ['tiny-tied', 'tiny-untied', 'tiny-llama']) {
      const result = await verify(path.join(VECTORS, name), { quantization: 'fp32', flavour, provider: 'cpu' });
      expect(result.stages.filter((stage) => !stage.ok)).toEqual([]);
      expect(result.cases).toBeGreaterThan(10);
    }
  });

  it('notices a model that computes something else', async () => {
    const result = await verify(path.join(VECTORS, 'tiny-llama'), { quantization: 'int4' });
    expect(result.ok).toBe(false);
    expect(result.stages.find((stage) => stage.stage === 'first pass: logits')?.ok).toBe(false);
  });
});
