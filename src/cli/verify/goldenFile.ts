/** The files of golden vectors (formats tah-golden/1, -sampling/1, -tokenizer/1), read and checked. Knows no engine. */
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { TahError } from '../../protocol/errors.ts';

const tensor = z.object({ offset: z.number().int().nonnegative(), shape: z.array(z.number().int().nonnegative()), dtype: z.literal('float32') });
const integers = z.array(z.number().int());
const deciderAtDepth = z.object({
  depth: z.number().int(),
  positions: integers,
  evaluated: z.boolean(),
  decision: integers.nullish(),
  prob: z.array(z.number()).nullish(),
});

const common = {
  id: z.string(),
  policy: z.string(),
  tah_config_override: z.record(z.string(), z.unknown()).nullable(),
  effective_threshold: z.number().nullish(),
  tensors: z.record(z.string(), z.string()),
};

const forwardCase = z.object({
  ...common,
  kind: z.literal('forward'),
  input_ids: integers,
  iter_count_labels: integers.nullish(),
  position_ids: integers,
  iter_count: integers,
  active_positions: z.record(z.string(), integers),
  decider: z.array(deciderAtDepth),
  final_argmax: integers,
  zero_logit_positions: integers.optional(),
});

const decodeCase = z.object({
  ...common,
  kind: z.literal('decode'),
  prompt_ids: integers,
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
      next_greedy: z.number().int(),
    }),
  ),
  final_cache_positions: z.record(z.string(), integers),
});

const golden = z.object({
  format: z.literal('tah-golden/1'),
  checkpoint: z.string(),
  bin: z.string(),
  tensors: z.record(z.string(), tensor),
  cases: z.array(z.unknown()),
});

const samplingFile = z.object({
  format: z.literal('tah-golden-sampling/1'),
  bin: z.string(),
  tensors: z.record(z.string(), tensor),
  cases: z.array(
    z.object({
      vector: z.string(),
      vector_name: z.string(),
      settings: z.object({ temperature: z.number(), top_k: z.number(), top_p: z.number(), min_p: z.number() }),
      hf_ids: integers,
      hf_probs: z.array(z.number()),
    }),
  ),
});

const tokenizerFile = z.object({
  format: z.literal('tah-golden-tokenizer/1'),
  encodings: z.array(
    z.object({ text: z.string(), ids: integers, decoded: z.string(), decoded_skip_special: z.string(), prefix_decodes: z.array(z.string()).nullable() }),
  ),
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

export interface Golden {
  readonly checkpoint: string;
  /** A case that is neither is kept as text and is a failure. */
  readonly cases: readonly (ForwardCase | DecodeCase | { readonly kind: 'unknown'; readonly reason: string })[];
  /** float32 values and shape of a named tensor. @throws TahError input.bad-file */
  tensor(name: string): { readonly shape: readonly number[]; readonly data: Float32Array };
}

export const readTokenizerGolden = (file: string): TokenizerGolden => parseFile(file, tokenizerFile);

/** @throws TahError input.missing-file, input.bad-file */
export function readGolden(dir: string): Golden {
  const file = path.join(dir, 'golden.json');
  const parsed = parseFile(file, golden);
  return {
    checkpoint: inside(dir, parsed.checkpoint, file),
    cases: parsed.cases.map((value) => {
      const kind = z.object({ kind: z.string(), id: z.string() }).safeParse(value);
      if (!kind.success) return { kind: 'unknown' as const, reason: 'a case without kind and id' };
      const schema = kind.data.kind === 'forward' ? forwardCase : kind.data.kind === 'decode' ? decodeCase : null;
      if (schema === null) return { kind: 'unknown' as const, reason: `${kind.data.id}: the kind "${kind.data.kind}" is unknown` };
      const result = schema.safeParse(value);
      return result.success ? result.data : { kind: 'unknown' as const, reason: `${kind.data.id}: ${z.prettifyError(result.error)}` };
    }),
    tensor: tensorReader(inside(dir, parsed.bin, file), parsed.tensors),
  };
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
  if (!result.success) throw new TahError('input.bad-file', `${file} has another format than golden vectors have: ${z.prettifyError(result.error)}`, { file });
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
  if (!full.startsWith(`${path.resolve(dir)}${path.sep}`)) throw new TahError('input.bad-file', `${file} names ${name}, which is outside of its folder.`, { file, subject: name });
  return full;
}
