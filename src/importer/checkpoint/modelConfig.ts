/**
 * config.json of a Hugging Face Qwen3 or Llama model, checked and with transformers' defaults (4.52.4).
 * Knows which settings change the mathematics; what we can't compute is refused. Knows no tensors.
 */
import * as z from 'zod';
import type { CheckpointFolder } from './checkpointFolder.ts';
import { conform, given, objectOf, readJsonObject, real, text, truth, whole, type JsonObject, type Place } from './json.ts';
import { refuse, show } from './refusal.ts';
import { readRope } from './rope.ts';
import type { ModelConfig } from './types.ts';

export const CONFIG_FILE = 'config.json';

const ARCHITECTURES = { Qwen3ForCausalLM: 'qwen3', LlamaForCausalLM: 'llama' } as const;
const QWEN3_HEAD_DIM = 128;
const QWEN3_WINDOW_LAYERS = 28;
const CONTEXT = { qwen3: 32768, llama: 2048 } as const;

const schema = objectOf({
  vocab_size: whole(1, 2 ** 24),
  hidden_size: whole(1, 2 ** 17),
  intermediate_size: whole(1, 2 ** 20),
  num_hidden_layers: whole(1, 1024),
  num_attention_heads: whole(1, 2 ** 12),
  num_key_value_heads: whole(1, 2 ** 12).nullish(),
  head_dim: whole(2, 2 ** 12).nullish(),
  max_position_embeddings: whole(1, 2 ** 30).optional(),
  rms_norm_eps: real(0, 1).optional(),
  hidden_act: text().optional(),
  tie_word_embeddings: truth().nullish(),
  attention_bias: truth().nullish(),
  mlp_bias: truth().nullish(),
  use_sliding_window: truth().nullish(),
  sliding_window: whole(0, 2 ** 30).nullish(),
  max_window_layers: whole(0, 2 ** 20).nullish(),
  layer_types: z.array(z.unknown(), { error: 'must be an array' }).nullish(),
});
type RawConfig = z.infer<typeof schema>;

/** @throws TahError checkpoint.missing-file, checkpoint.bad-json, checkpoint.bad-config, checkpoint.unsupported-architecture */
export function readModelConfig(folder: CheckpointFolder): { readonly config: ModelConfig; readonly raw: JsonObject } {
  const origin = folder.origin(CONFIG_FILE);
  const place: Place = { origin, code: 'checkpoint.bad-config' };
  if (!folder.has(CONFIG_FILE)) {
    refuse('checkpoint.missing-file', origin, 'the file is missing, so this is not a checkpoint folder', { hint: 'Name the folder that holds config.json.' });
  }
  const raw = readJsonObject(folder, CONFIG_FILE);
  const kind = readKind(raw, place);
  const c = conform(schema, raw, place);
  refuseOtherMathematics(c, raw, kind, place);
  const kvHeads = c.num_key_value_heads ?? c.num_attention_heads;
  if (c.num_attention_heads % kvHeads !== 0) {
    refuse(place.code, origin, `num_attention_heads ${c.num_attention_heads} must be a multiple of num_key_value_heads ${kvHeads}`, { subject: 'num_attention_heads' });
  }
  const headDim = readHeadDim(c, kind, place);
  const contextLength = c.max_position_embeddings ?? CONTEXT[kind];
  const rope = readRope(raw, headDim, contextLength, place);
  const config: ModelConfig = {
    kind,
    vocabSize: c.vocab_size,
    hiddenSize: c.hidden_size,
    intermediateSize: c.intermediate_size,
    layers: c.num_hidden_layers,
    heads: c.num_attention_heads,
    kvHeads,
    headDim,
    rmsNormEps: c.rms_norm_eps ?? 1e-6,
    tiedEmbedding: c.tie_word_embeddings ?? false,
    attentionBias: c.attention_bias ?? false,
    mlpBias: kind === 'llama' && (c.mlp_bias ?? false),
    qkNorm: kind === 'qwen3',
    contextLength,
    ropeInverseFrequencies: rope.inverseFrequencies,
    ropeAttentionFactor: rope.attentionFactor,
  };
  return { config, raw };
}

function readKind(raw: JsonObject, place: Place): ModelConfig['kind'] {
  const { architectures, model_type: type } = raw;
  const names: readonly unknown[] = Array.isArray(architectures) ? architectures : [];
  const name = names[0] ?? Object.entries(ARCHITECTURES).find(([, kind]) => kind === type)?.[0];
  const kind = typeof name === 'string' && Object.hasOwn(ARCHITECTURES, name) ? ARCHITECTURES[name as keyof typeof ARCHITECTURES] : undefined;
  if (kind === undefined || names.length > 1 || (given(type) && type !== kind)) {
    const said = `architectures ${show(architectures)} with model_type ${show(type)}`;
    refuse('checkpoint.unsupported-architecture', place.origin, `${said} is not supported; Qwen3ForCausalLM (qwen3) and LlamaForCausalLM (llama) are`, {
      subject: 'architectures',
    });
  }
  return kind;
}

function refuseOtherMathematics(c: RawConfig, raw: JsonObject, kind: ModelConfig['kind'], place: Place): void {
  const no = (key: string, value: unknown, expected: string): never =>
    refuse(place.code, place.origin, `${key} is ${show(value)}; ${expected}`, { subject: key });
  if (c.hidden_act !== undefined && c.hidden_act !== 'silu') no('hidden_act', c.hidden_act, 'only "silu" is supported');
  if (given(raw['quantization_config'])) no('quantization_config', raw['quantization_config'], 'only weights that are not quantised are read');
  const other = c.layer_types?.find((type) => type !== 'full_attention');
  if (other !== undefined) no('layer_types', c.layer_types, 'only "full_attention" is supported');
  // Llama has no window; Qwen3 has one in the layers from max_window_layers on.
  const windowed = kind === 'qwen3' && (c.use_sliding_window ?? false) && c.sliding_window !== null;
  if (windowed && c.num_hidden_layers > (c.max_window_layers ?? QWEN3_WINDOW_LAYERS)) {
    no('use_sliding_window', true, `with max_window_layers ${c.max_window_layers ?? QWEN3_WINDOW_LAYERS} some layers would attend to a window only, which is not supported`);
  }
}

function readHeadDim(c: RawConfig, kind: ModelConfig['kind'], place: Place): number {
  const divided = c.hidden_size / c.num_attention_heads;
  const headDim = c.head_dim ?? (kind === 'qwen3' && c.head_dim === undefined ? QWEN3_HEAD_DIM : divided);
  if (!Number.isInteger(headDim)) {
    refuse(place.code, place.origin, `without head_dim, hidden_size ${c.hidden_size} must be a multiple of num_attention_heads ${c.num_attention_heads}`, { subject: 'head_dim' });
  }
  if (headDim % 2 !== 0) refuse(place.code, place.origin, `head_dim must be even, but is ${headDim}`, { subject: 'head_dim' });
  return headDim;
}
