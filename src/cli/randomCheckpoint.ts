/**
 * `tah random-checkpoint`: a checkpoint of an official shape with random weights, for tests of size, memory and speed.
 * Written tensor by tensor, so that the 1.7B shape needs no memory. The same seed gives the same bytes.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LINEARS, type ModelConfig } from '../importer/checkpoint/types.ts';
import { TahError } from '../protocol/errors.ts';
import { torchStateDict, type StateTensor } from './torchFile.ts';

type Shape = Pick<ModelConfig, 'hiddenSize' | 'intermediateSize' | 'layers' | 'heads' | 'kvHeads' | 'headDim' | 'vocabSize'>;

const QWEN3 = { layers: 28, heads: 16, kvHeads: 8, headDim: 128, vocabSize: 151936 } as const;
/** method.md, "Checkpoint layout"; `tiny` is for tests of the generator itself. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  tiny: { hiddenSize: 64, intermediateSize: 128, layers: 2, heads: 4, kvHeads: 2, headDim: 16, vocabSize: 512 },
  'qwen3-0.6b': { ...QWEN3, hiddenSize: 1024, intermediateSize: 3072 },
  'qwen3-1.7b': { ...QWEN3, hiddenSize: 2048, intermediateSize: 6144 },
};

/** What turns a plain model into a Think-at-Hard one: the sizes of the published 0.6B and 1.7B models. */
const TAH = { rank: 16, alpha: 32, mixTopK: 100, deciderTopK: 100, hiddenDims: [256, 256, 256, 256, 256, 256], expansion: 4 } as const;

/** @param tah with LoRA and decider; the base weights are the same with and without @throws TahError input.bad-option, import.exists */
export function writeRandomCheckpoint(shapeName: string, out: string, seed: number, tah = false): void {
  const shape = SHAPES[shapeName];
  if (shape === undefined) throw new TahError('input.bad-option', `There is no shape "${shapeName}".`, { subject: '--shape', hint: `Choose one of ${Object.keys(SHAPES).join(', ')}.` });
  if (fs.existsSync(out)) throw new TahError('import.exists', `${out} is already there.`, { file: out, hint: 'Choose another folder.' });
  fs.mkdirSync(out, { recursive: true });
  fs.writeFileSync(path.join(out, 'config.json'), JSON.stringify(configOf(shape), null, 2));
  writeSafetensors(path.join(out, 'model.safetensors'), tensorsOf(shape), uniform(seed));
  if (tah) writeTah(shape, out, uniform(seed + 1));
}

function writeTah(shape: Shape, out: string, next: () => number): void {
  const topk = Math.min(TAH.deciderTopK, shape.vocabSize);
  // Five of the 28 layers in the published models; as many evenly spread ones here, where there are so many.
  const layers = [...new Set([0, 0.25, 0.47, 0.72, 0.93].map((part) => Math.floor(part * shape.layers)))];
  const config = {
    embedding_key: 'model.embed_tokens',
    max_iter: 2,
    iter_decider: DECIDER,
    iter_decider_kwargs: { topk, hidden_states_size: shape.hiddenSize, hidden_states_layer_nums: layers, hidden_dims: TAH.hiddenDims, expansion_factor: TAH.expansion, normalize_input: false, threshold: 0.9, max_iter: 2, dtype: { __dtype__: true, __str__: 'torch.float32' } },
    eval_iter_decider: 'iter_decider',
    eval_iter_decider_kwargs: {},
    input_updater_kwargs: { topk: TAH.mixTopK },
    adapter: 'lora',
    adapter_kwargs: { r: TAH.rank, lora_alpha: TAH.alpha, target_modules: 'all-linear' },
  };
  fs.writeFileSync(path.join(out, 'tah_config.json'), JSON.stringify(config, null, 2));
  fs.writeFileSync(path.join(out, 'iter_decider.bin'), torchStateDict(DECIDER, deciderTensors(shape, layers.length, topk, next)));
  fs.mkdirSync(path.join(out, 'lora'));
  fs.writeFileSync(path.join(out, 'lora', 'adapter_config.json'), JSON.stringify({ peft_type: 'LORA', r: TAH.rank, lora_alpha: TAH.alpha, target_modules: LINEARS.map((name) => name.split('.').at(-1)) }, null, 2));
  writeSafetensors(path.join(out, 'lora', 'adapter_model.safetensors'), loraTensors(shape), next);
}

const DECIDER = 'MLPIterDecider';

/** The state dict that importer/checkpoint/decider.ts expects. */
function deciderTensors({ hiddenSize }: Shape, layers: number, topk: number, next: () => number): StateTensor[] {
  const tensors: StateTensor[] = [];
  const add = (name: string, shape: readonly number[], values: (index: number) => number): void => {
    tensors.push({ name, shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => values(index)) });
  };
  const linear = (name: string, into: number, outOf: number): void => {
    const spread = Math.sqrt(3 / into);
    add(`${name}.weight`, [outOf, into], () => (2 * next() - 1) * spread);
    add(`${name}.bias`, [outOf], () => 0);
  };
  const norm = (name: string, size: number): void => {
    add(`${name}.weight`, [size], () => 1);
    add(`${name}.bias`, [size], () => 0);
  };
  const [width] = TAH.hiddenDims;
  linear('logits_projection', topk, hiddenSize);
  linear('combined_projection', hiddenSize * (layers + 1), width);
  linear('backbone.input_projection', width, width);
  TAH.hiddenDims.forEach((_, i) => {
    norm(`backbone.blocks.${i}.layer_norm`, width);
    linear(`backbone.blocks.${i}.mlp.0`, width, width * TAH.expansion);
    linear(`backbone.blocks.${i}.mlp.3`, width * TAH.expansion, width);
  });
  norm('backbone.output_layer.0', width);
  linear('backbone.output_layer.1', width, 1);
  return tensors;
}

function loraTensors(shape: Shape): TensorShape[] {
  const base = new Map(tensorsOf(shape));
  return Array.from({ length: shape.layers }, (_, layer) => LINEARS.flatMap((linear): TensorShape[] => {
    const name = `model.layers.${layer}.${linear}`;
    const [out = 0, into = 0] = base.get(`${name}.weight`) ?? [];
    return [[`base_model.model.${name}.lora_A.weight`, [TAH.rank, into]], [`base_model.model.${name}.lora_B.weight`, [out, TAH.rank]]];
  })).flat();
}

function configOf(shape: Shape): unknown {
  return {
    architectures: ['Qwen3ForCausalLM'],
    model_type: 'qwen3',
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.intermediateSize,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDim,
    vocab_size: shape.vocabSize,
    hidden_act: 'silu',
    max_position_embeddings: 40960,
    rms_norm_eps: 1e-6,
    rope_theta: 1e6,
    rope_scaling: null,
    attention_bias: false,
    tie_word_embeddings: true,
    use_sliding_window: false,
    eos_token_id: 1,
  };
}

type TensorShape = readonly [string, readonly number[]];

function tensorsOf(shape: Shape): TensorShape[] {
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = shape;
  const block = (layer: number): TensorShape[] => {
    const at = `model.layers.${layer}`;
    return [
      [`${at}.input_layernorm.weight`, [hiddenSize]],
      [`${at}.post_attention_layernorm.weight`, [hiddenSize]],
      [`${at}.self_attn.q_norm.weight`, [headDim]],
      [`${at}.self_attn.k_norm.weight`, [headDim]],
      [`${at}.self_attn.q_proj.weight`, [heads * headDim, hiddenSize]],
      [`${at}.self_attn.k_proj.weight`, [kvHeads * headDim, hiddenSize]],
      [`${at}.self_attn.v_proj.weight`, [kvHeads * headDim, hiddenSize]],
      [`${at}.self_attn.o_proj.weight`, [hiddenSize, heads * headDim]],
      [`${at}.mlp.gate_proj.weight`, [intermediateSize, hiddenSize]],
      [`${at}.mlp.up_proj.weight`, [intermediateSize, hiddenSize]],
      [`${at}.mlp.down_proj.weight`, [hiddenSize, intermediateSize]],
    ];
  };
  return [
    ['model.embed_tokens.weight', [shape.vocabSize, hiddenSize]],
    ['model.norm.weight', [hiddenSize]],
    ...Array.from({ length: shape.layers }, (_, layer) => block(layer)).flat(),
  ];
}

function writeSafetensors(file: string, tensors: readonly TensorShape[], next: () => number): void {
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const [name, shape] of tensors) {
    const bytes = 2 * shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: 'BF16', shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(json.length), true);
  const fd = fs.openSync(file, 'wx');
  try {
    fs.writeSync(fd, new Uint8Array(length.buffer));
    fs.writeSync(fd, json);
    for (const [, shape] of tensors) writeTensor(fd, shape, next);
  } finally {
    fs.closeSync(fd);
  }
}

/** Norm weights are 1; matrices uniform with the variance 1 / inputs, so that activations keep their size. */
function writeTensor(fd: number, shape: readonly number[], next: () => number): void {
  const [rows = 1, columns] = shape;
  const one = 0x3f80;
  if (columns === undefined) {
    fs.writeSync(fd, new Uint8Array(new Uint16Array(rows).fill(one).buffer));
    return;
  }
  const spread = Math.sqrt(3 / columns);
  const slab = Math.max(1, Math.floor((4 << 20) / columns));
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  for (let from = 0; from < rows; from += slab) {
    const values = new Uint16Array(Math.min(slab, rows - from) * columns);
    for (let i = 0; i < values.length; i++) {
      float[0] = (2 * next() - 1) * spread;
      values[i] = (bits[0] ?? 0) >>> 16;
    }
    let done = 0;
    const data = new Uint8Array(values.buffer);
    while (done < data.length) done += fs.writeSync(fd, data, done);
  }
}

/** Mulberry32: uniform in [0, 1), seeded. */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
