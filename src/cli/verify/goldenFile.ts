/** The files of golden vectors (formats tah-golden/1, -sampling/1, -tokenizer/1), read and checked. Knows no engine. */
import fs from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { TahError } from '../../protocol/errors.ts';

const tensor = z.object({ offset: z.number().int().nonnegative(), shape: z.array(z.number().int().nonnegative()), dtype: z.literal('float32') });
const integers = z.array(z.number().int());
const tokenIds = integers.min(1);
const deciderAtDepth = z.object({
  depth: z.number().int(),
  positions: integers,
  evaluated: z.boolean(),
  decision: integers.nullish(),
  logit: z.array(z.number()).nullish(),
  prob: z.array(z.number()).nullish(),
});

const common = {
  id: z.string(),
  policy: z.string(),
  tah_config_override: z.record(z.string(), z.unknown()).nullable(),
  iter_count_labels: integers.nullish(),
  effective_threshold: z.number().nullish(),
  tensors: z.record(z.string(), z.string()),
};

const forwardCase = z.object({
  ...common,
  kind: z.literal('forward'),
  input_ids: tokenIds,
  position_ids: integers,
  iter_count: integers,
  active_positions: z.record(z.string(), integers),
  decider: z.array(deciderAtDepth),
  final_argmax: integers,
  zero_logit_positions: integers.optional(),
  nominal_threshold: z.number().nullish(),
  flipping_positions: integers.nullish(),
});

const decodeCase = z.object({
  ...common,
  kind: z.literal('decode'),
  prompt_ids: tokenIds,
  generated: integers,
  next_after_last: z.number().int().nullish(),
  iter_count_all: integers,
  steps: z.array(
    z.object({
      token: z.number().int().nullable(),
      positions: integers,
      iter_count: integers,
      decider: z.array(deciderAtDepth),
      last_top10_ids: integers,
      last_top10_logits: z.array(z.number()).nullish(),
      next_greedy: z.number().int(),
    }),
  ).min(1),
  final_cache_lengths: z.record(z.string(), z.number().int()).nullish(),
  final_cache_positions: z.record(z.string(), integers),
});

/** What the vectors' authors say of the checkpoint; only what a manifest says too. */
const model = z.object({
  kind: z.string().nullish(),
  vocab_size: z.number().nullish(),
  hidden_size: z.number().nullish(),
  layers: z.number().nullish(),
  heads: z.number().nullish(),
  kv_heads: z.number().nullish(),
  head_dim: z.number().nullish(),
  input_topk: z.number().nullish(),
  lora_scaling: z.number().nullish(),
  effective_threshold: z.number().nullish(),
});

const golden = z.object({
  format: z.literal('tah-golden/1'),
  model: model.nullish(),
  checkpoint: z.string(),
  bin: z.string(),
  tensors: z.record(z.string(), tensor),
  cases: z.array(z.unknown()).min(1),
});

const samplingFile = z.object({
  format: z.literal('tah-golden-sampling/1'),
  bin: z.string(),
  tensors: z.record(z.string(), tensor),
  cases: z
    .array(
      z.object({
        vector: z.string(),
        vector_name: z.string(),
        settings: z.object({ temperature: z.number(), top_k: z.number(), top_p: z.number(), min_p: z.number() }),
        hf_ids: tokenIds,
        hf_probs: z.array(z.number()),
      }),
    )
    .min(1),
});

const tokenizerFile = z.object({
  format: z.literal('tah-golden-tokenizer/1'),
  encodings: z
    .array(
      z.object({
        text: z.string(),
        ids: integers,
        tokens: z.array(z.string()).nullish(),
        decoded: z.string(),
        decoded_skip_special: z.string(),
        prefix_decodes: z.array(z.string()).nullable(),
      }),
    )
    .min(1),
  chats: z.array(
    z.object({
      messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })),
      add_generation_prompt: z.boolean(),
      enable_thinking: z.boolean().optional(),
      text: z.string(),
      ids: integers,
    }),
  ),
});

export type ForwardCase = z.infer<typeof forwardCase>;
export type DecodeCase = z.infer<typeof decodeCase>;
export type DeciderAtDepth = z.infer<typeof deciderAtDepth>;
export type SamplingGolden = z.infer<typeof samplingFile>;
export type TokenizerGolden = z.infer<typeof tokenizerFile>;

export type GoldenCase = ForwardCase | DecodeCase;

export interface Golden {
  readonly checkpoint: string;
  readonly model: z.infer<typeof model>;
  readonly cases: readonly GoldenCase[];
  /** Why a case can't be replayed, one text for each such case. */
  readonly strange: readonly string[];
  /** float32 values and shape of a named tensor. @throws TahError input.bad-file */
  tensor(name: string): { readonly shape: readonly number[]; readonly data: Float32Array };
}

export const readTokenizerGolden = (file: string): TokenizerGolden => parseFile(file, tokenizerFile);

/** @throws TahError input.missing-file, input.bad-file */
export function readGolden(dir: string): Golden {
  const file = path.join(dir, 'golden.json');
  const parsed = parseFile(file, golden);
  const cases: GoldenCase[] = [];
  const strange: string[] = [];
  for (const value of parsed.cases) {
    const read = readCase(value);
    if (typeof read === 'string') strange.push(read);
    else cases.push(read);
  }
  return {
    checkpoint: inside(dir, parsed.checkpoint, file),
    model: parsed.model ?? {},
    cases,
    strange,
    tensor: tensorReader(inside(dir, parsed.bin, file), parsed.tensors),
  };
}

/** The case, or why it is none. */
function readCase(value: unknown): GoldenCase | string {
  const named = z.object({ kind: z.string(), id: z.string() }).safeParse(value);
  if (!named.success) return 'a case without kind and id';
  const { kind, id } = named.data;
  const schema = kind === 'forward' ? forwardCase : kind === 'decode' ? decodeCase : null;
  if (schema === null) return `${id}: the kind "${kind}" is unknown`;
  const result = schema.safeParse(value);
  return result.success ? result.data : `${id}: ${explain(result.error)}`;
}

/** In one line: which field is how wrong. */
function explain(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'content'}: ${issue.message}`).slice(0, 3).join('; ');
}

export function readSamplingGolden(file: string): SamplingGolden & { readonly vector: Golden['tensor'] } {
  const parsed = parseFile(file, samplingFile);
  return { ...parsed, vector: tensorReader(inside(path.dirname(file), parsed.bin, file), parsed.tensors) };
}

function tensorReader(bin: string, tensors: z.infer<typeof golden>['tensors']): Golden['tensor'] {
  const bytes = readFile(bin);
  return (name) => {
    const entry = tensors[name];
    if (entry === undefined) throw new TahError('input.bad-file', `${bin} has no tensor ${name}.`, { file: bin, subject: name });
    const length = entry.shape.reduce((a, b) => a * b, 1);
    if (entry.offset + 4 * length > bytes.length) throw new TahError('input.bad-file', `${bin} ends before tensor ${name} does.`, { file: bin, subject: name });
    return { shape: entry.shape, data: new Float32Array(bytes.slice(entry.offset, entry.offset + 4 * length).buffer) };
  };
}

function parseFile<T>(file: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(readFile(file)));
  } catch (error) {
    if (error instanceof TahError) throw error;
    throw new TahError('input.bad-file', `${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`, { file, cause: error });
  }
  const result = schema.safeParse(json);
  if (!result.success) throw new TahError('input.bad-file', `${file} has another format than golden vectors have: ${explain(result.error)}`, { file });
  return result.data;
}

function readFile(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(fs.readFileSync(file));
  } catch (error) {
    throw new TahError('input.missing-file', `${file} can't be read.`, { file, hint: 'Give a folder that holds golden.json, sampling.json or tokenizer_golden.json.', cause: error });
  }
}

/** A path that a golden file names, which must not leave its folder. */
function inside(dir: string, name: string, file: string): string {
  const full = path.resolve(dir, name);
  const home = path.resolve(dir);
  if (full !== home && !full.startsWith(`${home}${path.sep}`)) throw new TahError('input.bad-file', `${file} names ${name}, which is outside of its folder.`, { file, subject: name });
  return full;
}
