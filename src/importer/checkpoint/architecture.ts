/**
 * The tensors that a Qwen3 or Llama model must have, with their shapes, and the check that a checkpoint has just these.
 * Knows names and shapes of Hugging Face transformers. Reads no values, but
 * compares a tied head that was saved twice.
 */
import { sameValues } from './safetensors.ts';
import { refuse, sameShape, show, showShape, type Origin } from './refusal.ts';
import type { Entries } from './tensorSource.ts';
import { LINEARS, type Linear, type ModelConfig } from './types.ts';

const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';

/** [out, in] of a block's linear. */
export function linearShape(config: ModelConfig, linear: Linear): readonly [number, number] {
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  switch (linear) {
    case 'self_attn.q_proj':
      return [heads * headDim, hiddenSize];
    case 'self_attn.k_proj':
    case 'self_attn.v_proj':
      return [kvHeads * headDim, hiddenSize];
    case 'self_attn.o_proj':
      return [hiddenSize, heads * headDim];
    case 'mlp.gate_proj':
    case 'mlp.up_proj':
      return [intermediateSize, hiddenSize];
    case 'mlp.down_proj':
      return [hiddenSize, intermediateSize];
    default:
      return linear satisfies never;
  }
}

/** Name to shape of every tensor of the model, in the order of the computation. */
export function expectedTensors(config: ModelConfig): ReadonlyMap<string, readonly number[]> {
  const { hiddenSize, vocabSize, headDim } = config;
  const tensors = new Map<string, readonly number[]>([[EMBEDDING, [vocabSize, hiddenSize]]]);
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `model.layers.${layer}.`;
    tensors.set(`${block}input_layernorm.weight`, [hiddenSize]);
    for (const linear of LINEARS) {
      const [out, into] = linearShape(config, linear);
      tensors.set(`${block}${linear}.weight`, [out, into]);
      if (linear.startsWith('mlp.') ? config.mlpBias : config.attentionBias) tensors.set(`${block}${linear}.bias`, [out]);
    }
    if (config.qkNorm) {
      tensors.set(`${block}self_attn.q_norm.weight`, [headDim]);
      tensors.set(`${block}self_attn.k_norm.weight`, [headDim]);
    }
    tensors.set(`${block}post_attention_layernorm.weight`, [hiddenSize]);
  }
  tensors.set('model.norm.weight', [hiddenSize]);
  if (!config.tiedEmbedding) tensors.set(HEAD, [vocabSize, hiddenSize]);
  return tensors;
}

/** Older files carry the frequencies that config.json already gives. */
const COMPUTED = /^model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq$/;

/**
 * Names of the model's tensors, once the entries are known to be exactly these.
 * @throws TahError checkpoint.missing-tensor, checkpoint.wrong-shape, checkpoint.bad-safetensors for a tensor of another architecture
 */
export function checkTensors(entries: Entries, config: ModelConfig, origin: Origin): readonly string[] {
  const expected = expectedTensors(config);
  for (const [name, shape] of expected) {
    const entry = entries.get(name);
    if (!entry) {
      refuse('checkpoint.missing-tensor', origin, `tensor ${show(name)} of shape ${showShape(shape)} is missing`, {
        subject: name,
        hint: 'Save the whole model again; config.json may also describe another one.',
      });
    }
    if (!sameShape(entry.shape, shape)) {
      refuse('checkpoint.wrong-shape', entry.file.origin, `tensor ${show(name)} has shape ${showShape(entry.shape)}, but config.json asks for ${showShape(shape)}`, {
        subject: name,
      });
    }
  }
  for (const [name, entry] of entries) {
    if (expected.has(name) || COMPUTED.test(name)) continue;
    if (!config.tiedEmbedding || name !== HEAD) {
      refuse('checkpoint.bad-safetensors', entry.file.origin, `tensor ${show(name)} does not belong to the architecture that config.json describes`, { subject: name });
    }
    const embedding = entries.get(EMBEDDING);
    if (embedding && !sameValues(entry, embedding)) {
      refuse('checkpoint.bad-safetensors', entry.file.origin, `tensor ${show(name)} differs from ${show(EMBEDDING)}, but tie_word_embeddings in config.json says they are one`, {
        subject: name,
      });
    }
  }
  return [...expected.keys()];
}
