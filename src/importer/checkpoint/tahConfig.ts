/**
 * tah_config.json: how a Think-at-Hard model iterates. Checked against the model, with the reference's defaults.
 * Knows the reference's precedence and its quirks (TaH commit 1e07bc3: tah_config.py, tah_model.py, iter_decider.py).
 * Reads no weights; what the reference would load silently and compute wrongly is refused.
 */
import * as z from 'zod';
import type { CheckpointFolder } from './checkpointFolder.ts';
import type { FloatFormat } from './floatFormats.ts';
import { conform, given, isObject, objectOf, readJsonObject, real, text, truth, whole, type JsonObject, type Place } from './json.ts';
import { refuse, show } from './refusal.ts';
import type { ModelConfig, OpenCheckpointOptions } from './types.ts';

export const TAH_CONFIG_FILE = 'tah_config.json';
export const DECIDER_CLASS = 'MLPIterDecider';
const LABEL_DECIDER_CLASS = 'IterLabelDecider';
const MOST_PASSES = 64;

const DTYPES: Readonly<Record<string, FloatFormat>> = { 'torch.float32': 'float32', 'torch.float16': 'float16', 'torch.bfloat16': 'bfloat16' };

export interface DeciderSettings {
  readonly topK: number;
  readonly layers: readonly number[];
  readonly hiddenDims: readonly number[];
  readonly expansionFactor: number;
  readonly normalizeInput: boolean;
  /** As given, not rounded; null where the state dict's counts. */
  readonly threshold: number | null;
  /** What threshold and weights are rounded to on load. */
  readonly format: FloatFormat;
}

export interface TahConfig {
  readonly maxIter: number;
  readonly inputTopK: number;
  readonly decider: DeciderSettings;
  /** Arguments of PEFT's LoraConfig, unchecked. */
  readonly adapter: JsonObject;
}

const topSchema = objectOf({
  embedding_key: text().optional(),
  max_iter: whole(1, MOST_PASSES),
  adapter: text().optional(),
  iter_decider: text(),
  eval_iter_decider: text().nullish(),
  input_updater: text().nullish(),
  output_updater: text().nullish(),
  iter_attention_mode: text().nullish(),
});

const kwargsSchema = z.custom<JsonObject>(isObject, { error: 'must be an object' }).optional();

const deciderSchema = objectOf({
  topk: whole(1, 2 ** 24).default(100),
  hidden_states_size: whole(1, 2 ** 20).default(1024),
  hidden_states_layer_nums: z.array(whole(-(2 ** 31), 2 ** 31), { error: 'must be an array of layer numbers' }).max(1024, { error: 'must name at most 1024 layers' }).default([16, 20, 24, 28]),
  hidden_dims: z
    .array(whole(1, 2 ** 20), { error: 'must be an array of sizes' })
    .min(1, { error: 'must not be empty' })
    .max(256, { error: 'must name at most 256 sizes' })
    .default([256, 512, 256]),
  expansion_factor: whole(1, 1024).default(4),
  dropout_rate: real(0, 1).optional(),
  normalize_input: truth().default(false),
  threshold: real(-3e38, 3e38).optional(),
  max_iter: whole(1, 2 ** 31).default(3),
  dtype: z.unknown().optional(),
});

/** @throws TahError checkpoint.bad-json, checkpoint.bad-config, checkpoint.bad-decider, checkpoint.bad-lora */
export function readTahConfig(folder: CheckpointFolder, model: ModelConfig, options: OpenCheckpointOptions): TahConfig {
  const origin = folder.origin(TAH_CONFIG_FILE);
  const place: Place = { origin, code: 'checkpoint.bad-config' };
  const raw = override(readJsonObject(folder, TAH_CONFIG_FILE), options);
  const top = conform(topSchema, raw, place);
  refuseOtherMethods(top, place);
  const labelled = readEvalDecider(top.eval_iter_decider, options, place);
  const updater = kwargs(raw, 'input_updater_kwargs', place);
  const { topk } = conform(z.object({ topk: whole(1, 2 ** 24).default(100) }), updater, { ...place, at: 'input_updater_kwargs' });
  if (updater['use_hidden_states'] === true) {
    refuse(place.code, origin, 'input_updater_kwargs.use_hidden_states is true; only the mix of embeddings is supported', { subject: 'use_hidden_states' });
  }
  const { decider, maxIter } = readDecider(kwargs(raw, 'iter_decider_kwargs', place), model, place);
  return {
    // The reference's decider stops at its own limit too; labels know none but the model's.
    maxIter: labelled ? top.max_iter : Math.min(top.max_iter, maxIter),
    inputTopK: Math.min(topk, model.vocabSize),
    decider,
    adapter: kwargs(raw, 'adapter_kwargs', place),
  };
}

/** A field that is null or {} leaves the file's value, as the reference's `tah_config=` argument does. */
function override(raw: JsonObject, options: OpenCheckpointOptions): JsonObject {
  const entries = Object.entries(options.tahConfigOverride ?? {});
  const effective = entries.filter(([, value]) => given(value) && !(isObject(value) && Object.keys(value).length === 0));
  return { ...raw, ...Object.fromEntries(effective) };
}

function kwargs(raw: JsonObject, key: string, place: Place): JsonObject {
  return conform(z.object({ [key]: kwargsSchema }), raw, place)[key] ?? {};
}

function refuseOtherMethods(top: z.infer<typeof topSchema>, place: Place): void {
  const no = (key: string, value: unknown, expected: string): never =>
    refuse(place.code, place.origin, `${key} is ${show(value)}; ${expected} is expected`, { subject: key });
  const embedding = (top.embedding_key ?? 'model.embed_tokens').split('.').filter((step) => step !== '' && step !== 'self');
  if (embedding.join('.') !== 'model.embed_tokens') no('embedding_key', top.embedding_key, '"model.embed_tokens"');
  if (top.adapter !== undefined && top.adapter !== 'lora') no('adapter', top.adapter, '"lora"');
  if (top.iter_decider !== DECIDER_CLASS) {
    refuse('checkpoint.bad-decider', place.origin, `iter_decider is ${show(top.iter_decider)}; ${DECIDER_CLASS} is expected`, {
      subject: 'iter_decider',
      ...(top.iter_decider === LABEL_DECIDER_CLASS ? { hint: 'This is a checkpoint of the first training stage; the second one trains the decider.' } : {}),
    });
  }
  // Fields of older releases, where they name what the paper does.
  if (given(top.input_updater) && top.input_updater !== 'TrivialUpdater') no('input_updater', top.input_updater, '"TrivialUpdater"');
  if (given(top.output_updater) && top.output_updater !== 'AdditiveLogitsUpdater') no('output_updater', top.output_updater, '"AdditiveLogitsUpdater"');
  if (given(top.iter_attention_mode) && top.iter_attention_mode !== 'duo') no('iter_attention_mode', top.iter_attention_mode, '"duo"');
}

/** Whether labels decide, which only a caller who has labels can ask for. */
function readEvalDecider(name: string | null | undefined, options: OpenCheckpointOptions, place: Place): boolean {
  if (!given(name) || name === '' || name === 'iter_decider') return false;
  const asked = options.tahConfigOverride?.['eval_iter_decider'] === name;
  if (name === LABEL_DECIDER_CLASS && asked) return true;
  refuse('checkpoint.bad-decider', place.origin, `eval_iter_decider is ${show(name)}; "iter_decider", the trained one, is expected`, {
    subject: 'eval_iter_decider',
    ...(name === LABEL_DECIDER_CLASS ? { hint: 'Such a decider needs labels, which there are only in training.' } : {}),
  });
}

function readDecider(raw: JsonObject, model: ModelConfig, place: Place): { readonly decider: DeciderSettings; readonly maxIter: number } {
  const inside: Place = { origin: place.origin, code: 'checkpoint.bad-decider', at: 'iter_decider_kwargs' };
  const no = (key: string, what: string): never => refuse(inside.code, inside.origin, `iter_decider_kwargs.${key} ${what}`, { subject: key });
  for (const key of Object.keys(raw)) {
    if (!Object.hasOwn(deciderSchema.shape, key)) no(key, `is not an argument of ${DECIDER_CLASS}`);
  }
  const given = conform(deciderSchema, raw, inside);
  if (given.hidden_states_size !== model.hiddenSize) {
    no('hidden_states_size', `is ${given.hidden_states_size}, but the model's hidden_size is ${model.hiddenSize}`);
  }
  if (given.topk > model.vocabSize) no('topk', `is ${given.topk}, but the vocabulary has only ${model.vocabSize} tokens`);
  const wrong = given.hidden_states_layer_nums.find((layer) => layer < 0 || layer > model.layers);
  if (wrong !== undefined) no('hidden_states_layer_nums', `has ${wrong}; the model has hidden states 0 to ${model.layers}`);
  const decider: DeciderSettings = {
    topK: given.topk,
    // No layer named means the last one.
    layers: given.hidden_states_layer_nums.length > 0 ? given.hidden_states_layer_nums : [model.layers],
    hiddenDims: given.hidden_dims,
    expansionFactor: given.expansion_factor,
    normalizeInput: given.normalize_input,
    threshold: given.threshold ?? null,
    format: readFormat(raw, inside),
  };
  return { decider, maxIter: given.max_iter };
}

/** `{"__dtype__": true, "__str__": "torch.float32"}`; without the key the reference takes bfloat16, with null torch's default. */
function readFormat(raw: JsonObject, place: Place): FloatFormat {
  const dtype = raw['dtype'];
  if (dtype === undefined) return 'bfloat16';
  if (dtype === null) return 'float32';
  const name = isObject(dtype) && dtype['__dtype__'] === true ? dtype['__str__'] : undefined;
  const format = typeof name === 'string' && Object.hasOwn(DTYPES, name) ? DTYPES[name] : undefined;
  if (format === undefined) {
    const shown = name === undefined ? show(dtype) : show(name);
    refuse(place.code, place.origin, `iter_decider_kwargs.dtype is ${shown}; {"__dtype__": true, "__str__": one of ${Object.keys(DTYPES).join(', ')}} is expected`, { subject: 'dtype' });
  }
  return format;
}
