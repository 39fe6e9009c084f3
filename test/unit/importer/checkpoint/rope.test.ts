// Inverse frequencies against values of transformers 4.52.4 (torch 2, float32) at a few indices.
import { describe, expect, it } from 'vitest';
import { readRope, type Rope } from '../../../../src/importer/checkpoint/rope.ts';
import { caught } from './goodCopy.ts';

type Config = Readonly<Record<string, unknown>>;

function rope(config: Config, headDim: number, contextLength = 512): Rope {
  return readRope(config, headDim, contextLength, { origin: { name: 'config.json', path: 'config.json' }, code: 'checkpoint.bad-config' });
}

const LLAMA3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
const YARN = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32768 };

const CASES: readonly [name: string, config: Config, headDim: number, context: number, attention: number, values: Readonly<Record<number, number>>][] = [
  ['default', { rope_theta: 1e6 }, 128, 512, 1, { 0: 1, 1: 0.8058422207832336, 21: 0.010746078565716743, 32: 0.0010000000474974513, 63: 1.2409377632138785e-6 }],
  ['linear', { rope_scaling: { rope_type: 'linear', factor: 3 } }, 24, 512, 1, { 0: 0.3333333432674408, 1: 0.15471963584423065, 11: 7.181447290349752e-5 }],
  ['llama3', { rope_theta: 5e5, rope_scaling: LLAMA3 }, 64, 131072, 1, { 1: 0.663601279258728, 8: 0.03760603070259094, 16: 0.0005248460220173001, 31: 3.76732259610435e-7 }],
  ['yarn', { rope_theta: 1e6, rope_scaling: YARN }, 64, 131072, 1.138629436111989, { 1: 0.6493816375732422, 10: 0.01333521492779255, 16: 0.0005833333707414567, 31: 3.8498163235090033e-7 }],
  ['yarn, whose factor yields to the ratio of lengths', { rope_theta: 1e6, rope_scaling: YARN }, 32, 40960, 1.0223143551314209, { 1: 0.4216965138912201, 8: 0.0008800000068731606, 15: 1.8970989685840323e-6 }],
  ['yarn with mscale and betas', { rope_scaling: { type: 'yarn', factor: 2.5, mscale: 0.7, mscale_all_dim: 0.9, beta_fast: 16, beta_slow: 2 } }, 32, 2048, 0.983070311834849, { 1: 0.5623413324356079, 8: 0.005499999970197678, 15: 7.113117317203432e-5 }],
];

describe('inverse frequencies', () => {
  it.each(CASES)('of kind %s are those of transformers', (_name, config, headDim, context, attention, values) => {
    const { inverseFrequencies, attentionFactor } = rope(config, headDim, context);
    expect(inverseFrequencies).toHaveLength(headDim / 2);
    expect(attentionFactor).toBeCloseTo(attention, 12);
    for (const [index, value] of Object.entries(values)) {
      // A unit in the last place: float32 powers differ by that between libraries.
      expect(Math.abs((inverseFrequencies[Number(index)] ?? NaN) - value)).toBeLessThanOrEqual(value * 2 ** -23);
    }
  });

  it('take the explicit factor and theta of transformers 5’s rope_parameters', () => {
    const modern = rope({ rope_parameters: { ...YARN, rope_theta: 1e6 } }, 64, 40960);
    expect(modern.inverseFrequencies).toEqual(rope({ rope_theta: 1e6, rope_scaling: YARN }, 64, 131072).inverseFrequencies);
    expect(rope({ rope_parameters: { rope_type: 'default', rope_theta: 1e6 } }, 128)).toEqual(rope({ rope_theta: 1e6 }, 128));
  });

  it.each([
    ['an unknown kind', { rope_scaling: { rope_type: 'longrope', factor: 2 } }, 'longrope'],
    ['a kind of the wrong type', { rope_scaling: { rope_type: 7 } }, 'rope_type is 7'],
    ['two kinds', { rope_scaling: { rope_type: 'linear', type: 'yarn', factor: 2 } }, 'yarn'],
    ['a missing factor', { rope_scaling: { rope_type: 'linear' } }, 'rope_scaling.factor must be a number'],
    ['a factor of 0', { rope_scaling: { rope_type: 'linear', factor: 0 } }, 'but is 0'],
    ['a text as theta', { rope_theta: '10000' }, 'rope_theta'],
    ['two thetas', { rope_theta: 1e4, rope_parameters: { rope_theta: 1e6 } }, 'rope_theta is 10000'],
    ['both spellings', { rope_scaling: YARN, rope_parameters: YARN }, 'both'],
    ['a scaling that is no object', { rope_scaling: [1] }, 'must be an object'],
    ['settings by kind of layer', { rope_parameters: { full_attention: { rope_theta: 1e6 }, rope_type: 'x' } }, 'rope_type'],
    ['a part of the head only', { partial_rotary_factor: 0.5 }, 'partial_rotary_factor'],
    ['reversed bands', { rope_scaling: { ...LLAMA3, low_freq_factor: 4 } }, 'high_freq_factor'],
    ['frequencies that are not finite', { rope_theta: 1, rope_scaling: YARN }, 'not finite'],
  ])('are refused with %s', (_name, config: Config, words) => {
    const error = caught(() => rope(config, 64));
    expect([error.code, error.message]).toEqual(['checkpoint.bad-config', expect.stringContaining(words)]);
  });
});
