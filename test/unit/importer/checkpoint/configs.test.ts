// Every key of the JSON files is believed only within its bounds, and what would change the mathematics is refused.
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstDuplicateKey } from '../../../../src/importer/checkpoint/json.ts';
import { openCheckpoint } from '../../../../src/importer/checkpoint/openCheckpoint.ts';
import type { Checkpoint } from '../../../../src/importer/checkpoint/types.ts';
import { TahError, type ErrorCode } from '../../../../src/protocol/errors.ts';
import { caught, expectRefusal, GOOD, GoodCopy, readAll, VECTORS, type Json } from './goodCopy.ts';

const LLAMA = path.join(VECTORS, 'tiny-llama', 'ckpt');

/** What an edited copy opens as. */
function opened(copy: GoodCopy): Checkpoint {
  try {
    const checkpoint = openCheckpoint(copy.dir);
    checkpoint.close();
    return checkpoint;
  } finally {
    copy.discard();
  }
}

const set = (file: string, change: Json, source?: string): GoodCopy => new GoodCopy(source).edit(file, (value) => Object.assign(value, change));
const setIn = (key: string, change: Json): GoodCopy => new GoodCopy().edit('tah_config.json', (value) => Object.assign(value[key] as Json, change));
const both = (change: Json, peft: Json = change): GoodCopy => setIn('adapter_kwargs', change).edit('lora/adapter_config.json', (value) => Object.assign(value, peft));

describe('the folder', () => {
  it.each([
    ['is missing', path.join(GOOD, 'nowhere'), 'checkpoint.missing-file'],
    ['is a file', path.join(GOOD, 'config.json'), 'checkpoint.unreadable'],
    ['has no config.json', path.join(GOOD, 'lora'), 'checkpoint.missing-file'],
  ])('that %s is refused, by its path', (_name, dir, code) => {
    const error = caught(() => openCheckpoint(dir));
    expect([error.code, error.file?.startsWith(dir)]).toEqual([code, true]);
  });

  it('whose file is a folder is refused', () => {
    const copy = new GoodCopy().remove('model.safetensors');
    fs.mkdirSync(copy.path('model.safetensors'));
    expectRefusal(copy, 'checkpoint.unreadable', ['model.safetensors', 'regular file']);
  });

  it('with an empty lora/ beside a plain model is refused as incomplete', () => {
    const copy = new GoodCopy().remove('lora', 'tah_config.json', 'iter_decider.bin');
    fs.mkdirSync(copy.path('lora'));
    expectRefusal(copy, 'checkpoint.incomplete', ['tah_config.json', 'iter_decider.bin', 'lora/adapter_config.json']);
  });
});

describe('config.json is refused', () => {
  const cases: readonly [string, Json, ErrorCode?][] = [
    ['vocab_size', { vocab_size: 1e12 }],
    ['vocab_size', { vocab_size: '64' }],
    ['vocab_size', { vocab_size: 64.5 }],
    ['vocab_size', { vocab_size: -64 }],
    ['hidden_size', { hidden_size: 0 }],
    ['hidden_size', { hidden_size: null }],
    ['num_hidden_layers', { num_hidden_layers: 1e9 }],
    ['model.layers.2', { num_hidden_layers: 3 }, 'checkpoint.missing-tensor'],
    ['model.layers.1', { num_hidden_layers: 1, max_window_layers: 0 }, 'checkpoint.bad-safetensors'],
    ['head_dim', { head_dim: 7 }],
    ['q_proj.weight', { head_dim: undefined }, 'checkpoint.wrong-shape'],
    ['max_position_embeddings', { max_position_embeddings: 0 }],
    ['rms_norm_eps', { rms_norm_eps: '1e-6' }],
    ['hidden_act', { hidden_act: 'gelu' }],
    ['tie_word_embeddings', { tie_word_embeddings: 'true' }],
    ['lm_head.weight', { tie_word_embeddings: false }, 'checkpoint.missing-tensor'],
    ['q_proj.bias', { attention_bias: true }, 'checkpoint.missing-tensor'],
    ['use_sliding_window', { use_sliding_window: true, max_window_layers: 1 }],
    ['layer_types', { layer_types: ['full_attention', 'sliding_attention'] }],
    ['quantization_config', { quantization_config: { bits: 4 } }],
    ['architectures', { model_type: 'llama' }, 'checkpoint.unsupported-architecture'],
    ['architectures', { architectures: ['Qwen3ForCausalLM', 'LlamaForCausalLM'] }, 'checkpoint.unsupported-architecture'],
    ['architectures', { architectures: ['toString'] }, 'checkpoint.unsupported-architecture'],
    ['architectures', { architectures: [], model_type: null }, 'checkpoint.unsupported-architecture'],
    ['rope_scaling', { rope_scaling: { type: 'dynamic', factor: 2 } }],
    ['bos_token_id', { bos_token_id: 'x' }],
  ];
  it.each(cases)('for %s with %j', (word, change, code = 'checkpoint.bad-config') => {
    expectRefusal(set('config.json', change), code, [word]);
  });

  it('for a key that occurs twice', () => {
    const copy = new GoodCopy();
    copy.write('config.json', copy.bytes('config.json').toString().replace('{', '{"vocab_size": 7,'));
    expectRefusal(copy, 'checkpoint.bad-json', ['config.json', 'vocab_size', 'twice']);
  });

  it('for a size that no configuration has', () => {
    expectRefusal(new GoodCopy().write('config.json', ' '.repeat(5 << 20)), 'checkpoint.bad-json', ['config.json', 'at most']);
  });

  it('for token ids outside the vocabulary, by the file that has them', () => {
    expectRefusal(set('generation_config.json', { eos_token_id: [62, 64] }), 'checkpoint.bad-config', ['generation_config.json', 'eos_token_id 64']);
  });

  it('for sampling that is none', () => {
    expectRefusal(set('generation_config.json', { top_p: 2 }), 'checkpoint.bad-config', ['generation_config.json', 'top_p']);
  });
});

describe('config.json opens', () => {
  it('whatever is said about precision, training and a window that no layer uses', () => {
    const { config } = opened(set('config.json', { torch_dtype: 'float64', dtype: 'x', attention_dropout: 0.5, use_sliding_window: true, max_window_layers: 2 }));
    expect(config).toMatchObject({ kind: 'qwen3', headDim: 8, qkNorm: true, attentionBias: false, contextLength: 512 });
  });

  it('with Llama’s defaults: heads for missing KV heads, divided head size', () => {
    const { config } = opened(set('config.json', { head_dim: null, num_key_value_heads: 1 }, LLAMA));
    expect(config).toMatchObject({ kind: 'llama', headDim: 12, kvHeads: 1, qkNorm: false, rmsNormEps: 1e-5 });
  });

  it('with several end tokens, no padding and its own sampling', () => {
    const copy = set('generation_config.json', { eos_token_id: [62, 1, 62], pad_token_id: -1, temperature: 0.3, top_k: 5, top_p: 0.5, min_p: 0.1 });
    const { tokens, generation } = opened(copy);
    expect(tokens).toEqual({ bos: 61, eos: [62, 1], pad: null });
    expect(generation).toEqual({ temperature: 0.3, topK: 5, topP: 0.5, minP: 0.1 });
  });

  it('greedy where do_sample is false, whatever temperature stands beside it', () => {
    expect(opened(set('generation_config.json', { do_sample: false, temperature: 0.7 })).generation.temperature).toBe(0);
    expect(opened(set('generation_config.json', { do_sample: true, temperature: 0.7 })).generation.temperature).toBe(0.7);
  });
});

describe('tah_config.json is refused', () => {
  it.each([
    ['max_iter', { max_iter: 65 }, 'checkpoint.bad-config'],
    ['max_iter', { max_iter: 2.5 }, 'checkpoint.bad-config'],
    ['iter_attention_mode', { iter_attention_mode: 'causal' }, 'checkpoint.bad-config'],
    ['input_updater', { input_updater: 'Qwen3MLPUpdater' }, 'checkpoint.bad-config'],
    ['eval_iter_decider', { eval_iter_decider: 'IterLabelDecider' }, 'checkpoint.bad-decider'],
    ['eval_iter_decider', { eval_iter_decider: 'MLPIterDecider' }, 'checkpoint.bad-decider'],
    ['iter_decider', { iter_decider: 'IterLabelDecider' }, 'checkpoint.bad-decider'],
    ['iter_decider', { iter_decider: null }, 'checkpoint.bad-config'],
    ['input_updater_kwargs', { input_updater_kwargs: [] }, 'checkpoint.bad-config'],
    ['input_updater_kwargs.topk', { input_updater_kwargs: { topk: 0 } }, 'checkpoint.bad-config'],
    ['adapter_kwargs', { adapter_kwargs: 'lora' }, 'checkpoint.bad-config'],
    ['hidden_states_size', { iter_decider_kwargs: null }, 'checkpoint.bad-config'],
  ] as const)('for %s with %j', (word, change, code) => {
    const copy = set('tah_config.json', change);
    if (word === 'hidden_states_size') expectRefusal(copy, code, ['iter_decider_kwargs']);
    else expectRefusal(copy, code, ['tah_config.json', word]);
  });

  it.each([
    ['topk', { topk: 0 }],
    ['topk', { topk: '6' }],
    ['hidden_dims', { hidden_dims: [] }],
    ['hidden_dims', { hidden_dims: [8, 0] }],
    ['hidden_dims', { hidden_dims: 8 }],
    ['hidden_states_layer_nums', { hidden_states_layer_nums: [1, 1.5] }],
    ['hidden_states_layer_nums', { hidden_states_layer_nums: ['1', '2'] }],
    ['threshold', { threshold: '0.5' }],
    ['threshold', { threshold: null }],
    ['expansion_factor', { expansion_factor: 0.5 }],
    ['normalize_input', { normalize_input: 'no' }],
    ['dtype', { dtype: 'torch.float32' }],
    ['dtype', { dtype: { __dtype__: true, __str__: 'torch.float8' } }],
    ['dtype', { dtype: { __type__: true, __module__: 'os', __name__: 'system' } }],
    ['load_path', { load_path: '/etc' }],
    ['max_iter', { max_iter: 0 }],
  ])('for iter_decider_kwargs.%s with %j', (word, change) => {
    expectRefusal(setIn('iter_decider_kwargs', change), 'checkpoint.bad-decider', ['tah_config.json', `iter_decider_kwargs.${word}`]);
  });

  it.each([
    ['logits_projection.weight', { topk: 7 }, '[16, 7]'],
    ['combined_projection.weight', { hidden_states_layer_nums: [1, 1, 2] }, '[8, 64]'],
    ['backbone.blocks.1.layer_norm.weight', { hidden_dims: [8, 8] }, 'missing'],
    ['backbone.blocks.0.mlp.0.weight', { expansion_factor: 3 }, '[24, 8]'],
    ['combined_projection.weight', { hidden_dims: [1 << 20] }, '[1048576, 48]'],
    ['layer_norm_hidden_states.weight', { normalize_input: true }, 'missing'],
  ])('where it asks for another %s', (tensor, change, words) => {
    expectRefusal(setIn('iter_decider_kwargs', change), 'checkpoint.bad-decider', ['iter_decider.bin', tensor, words]);
  });

  it('where an infinite threshold is written', () => {
    const copy = new GoodCopy();
    copy.write('tah_config.json', copy.bytes('tah_config.json').toString().replace('"threshold": 0.5', '"threshold": 1e999'));
    expectRefusal(copy, 'checkpoint.bad-decider', ['tah_config.json', 'threshold', 'Infinity']);
  });
});

describe('tah_config.json opens', () => {
  it.each([
    ['one pass', { max_iter: 1 }, { maxIter: 1 }],
    ['keys that newer releases dropped', { input_updater: 'TrivialUpdater', output_updater: 'AdditiveLogitsUpdater', iter_attention_mode: 'duo' }, { maxIter: 2 }],
    ['no word on the eval decider', { eval_iter_decider: null }, { maxIter: 2 }],
    ['another spelling of the embedding', { embedding_key: 'self.model.embed_tokens' }, { maxIter: 2 }],
    ['a mix of more tokens than there are', { input_updater_kwargs: { topk: 1000 } }, { inputTopK: 64 }],
    ['no word on the mix', { input_updater_kwargs: {} }, { inputTopK: 64 }],
  ])('with %s', (_name, change, expected) => {
    expect(opened(set('tah_config.json', change)).tah).toMatchObject(expected);
  });

  it.each([
    ['unsorted and repeated layers, in their order', { hidden_states_layer_nums: [2, 2] }, { layers: [2, 2] }],
    ['a threshold that no probability passes', { threshold: 2 }, { threshold: 2 }],
    ['float16', { threshold: 0.3, dtype: { __dtype__: true, __str__: 'torch.float16' } }, { threshold: 0.300048828125 }],
    ['torch’s default dtype', { threshold: 0.3, dtype: null }, { threshold: Math.fround(0.3) }],
    ['the threshold of the state dict', { threshold: undefined }, { threshold: 0.5 }],
  ])('with a decider of %s', (_name, change, expected) => {
    expect(opened(setIn('iter_decider_kwargs', change)).tah?.decider.config).toMatchObject(expected);
  });

  it('with the smaller of the model’s and the decider’s limits of passes, as the reference stops', () => {
    expect(opened(set('tah_config.json', { max_iter: 4 })).tah?.maxIter).toBe(2);
    const missing = setIn('iter_decider_kwargs', { max_iter: undefined }).edit('tah_config.json', (value) => (value['max_iter'] = 4));
    expect(opened(missing).tah?.maxIter).toBe(3);
  });

  it('with fields replaced by an override, where null and {} replace nothing', () => {
    const checkpoint = openCheckpoint(GOOD, { tahConfigOverride: { max_iter: 1, input_updater_kwargs: {}, adapter: null } });
    checkpoint.close();
    expect(checkpoint.tah).toMatchObject({ maxIter: 1, inputTopK: 8 });
    expect(caught(() => openCheckpoint(GOOD, { tahConfigOverride: { adapter: 'ia3' } })).message).toContain('ia3');
  });
});

describe('the two LoRA configurations', () => {
  it.each([
    ['r', setIn('adapter_kwargs', { r: 4 }), '4'],
    ['r', setIn('adapter_kwargs', { r: undefined }), '8'],
    ['use_rslora', set('lora/adapter_config.json', { use_rslora: true }), 'false'],
    ['target_modules', set('lora/adapter_config.json', { target_modules: ['q_proj'] }), 'all-linear'],
  ])('that disagree on %s are refused with both values', (word, copy, value) => {
    expectRefusal(copy, 'checkpoint.bad-lora', ['lora/adapter_config.json', word, 'tah_config.json', value]);
  });

  it.each([
    ['peft_type', { peft_type: 'IA3' }],
    ['bias', { bias: 'all' }],
    ['use_dora', { use_dora: true }],
    ['rank_pattern', { rank_pattern: { q_proj: 4 } }],
    ['alpha_pattern', { alpha_pattern: { q_proj: 4 } }],
    ['modules_to_save', { modules_to_save: ['lm_head'] }],
    ['layers_to_transform', { layers_to_transform: [0] }],
    ['fan_in_fan_out', { fan_in_fan_out: true }],
    ['some_new_setting', { some_new_setting: 'on' }],
    ['init_lora_weights', { init_lora_weights: 'pissa' }],
    ['r', { r: 2.5 }],
    ['lora_alpha', { lora_alpha: '4' }],
    ['target_modules', { target_modules: ['q_proj', 'lm_head'] }],
    ['target_modules', { target_modules: '.*proj' }],
    ['target_modules', { target_modules: [] }],
    ['target_modules', { target_modules: ['model.layers.0.self_attn.q_proj'] }],
  ])('are refused for %s with %j', (word, change) => {
    expectRefusal(set('lora/adapter_config.json', change), 'checkpoint.bad-lora', ['lora/adapter_config.json', word]);
    if (word !== 'peft_type') expectRefusal(setIn('adapter_kwargs', change), 'checkpoint.bad-lora', ['tah_config.json', `adapter_kwargs.${word}`]);
  });

  it('are refused where tensors are there that no target wants', () => {
    expectRefusal(both({ target_modules: ['q_proj', 'mlp.up_proj'] }), 'checkpoint.bad-lora', ['lora/adapter_model.safetensors', 'does not belong']);
  });

  it('give alpha / sqrt(r) with rank-stabilised LoRA', () => {
    expect(opened(both({ use_rslora: true })).tah?.lora.config).toEqual({ rank: 2, scale: 4 / Math.sqrt(2) });
  });

  it('take the targets that PEFT wrote where tah_config.json names none', () => {
    expect(opened(setIn('adapter_kwargs', { target_modules: undefined })).tah?.lora.adapts('mlp.up_proj')).toBe(true);
  });
});

describe('duplicate keys', () => {
  it.each([
    ['{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}', null],
    ['{"a":"\\"a\\":1","b":"a"}', null],
    ['{"a":[1,"a","a"],"b":1}', null],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"x":{"k":1,"y":{},"k":2}}', 'k'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ])('are found in %s: %s', (text, key) => {
    expect(firstDuplicateKey(text)).toBe(key);
  });
});

describe('a mutated configuration', () => {
  it.each(['config.json', 'tah_config.json', 'lora/adapter_config.json', 'generation_config.json'])('%s is opened or refused with a TahError, never anything else', (file) => {
    const copy = new GoodCopy();
    const original = copy.json(file);
    const keys = Object.keys(original);
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.double(), fc.maxSafeInteger()), fc.option(fc.constantFrom('topk', 'r', 'hidden_dims', 'factor', 'rope_type')), (key, value, inner) => {
        copy.write(file, JSON.stringify({ ...original, [key]: inner === null ? value : { ...(original[key] as object | null), [inner]: value } }));
        try {
          readAll(copy.dir);
        } catch (error) {
          if (!(error instanceof TahError) || !error.code.startsWith('checkpoint.')) throw error;
        }
      }),
      { numRuns: 150 },
    );
    copy.discard();
  });
});
