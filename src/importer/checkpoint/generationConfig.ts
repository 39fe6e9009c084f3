/**
 * Token ids and sampling settings: generation_config.json where there is one, then config.json, then the paper's values.
 * Knows Hugging Face's keys. Does not know the tokenizer.
 */
import * as z from 'zod';
import type { CheckpointFolder } from './checkpointFolder.ts';
import { conform, given, objectOf, readJsonObject, real, whole, type JsonObject, type Place } from './json.ts';
import { refuse } from './refusal.ts';
import type { Checkpoint } from './types.ts';

const GENERATION_FILE = 'generation_config.json';
/** Sampling of the paper's evaluation. */
const PAPER = { temperature: 0.6, topK: 20, topP: 0.95, minP: 0 } as const;

const tokenSchema = objectOf({
  bos_token_id: whole(0, 2 ** 24).nullish(),
  // Some Llama checkpoints write -1 for "none".
  pad_token_id: whole(-1, 2 ** 24).nullish(),
  eos_token_id: z.union([whole(0, 2 ** 24), z.array(whole(0, 2 ** 24)).max(1000)], { error: 'must be a token id or an array of them' }).nullish(),
});

const samplingSchema = objectOf({
  // Hugging Face's word for greedy; the other settings then mean nothing.
  do_sample: z.boolean({ error: 'must be true or false' }).nullish(),
  temperature: real(0, 1000).nullish(),
  top_k: whole(0, 2 ** 24).nullish(),
  // 0 would leave no token; transformers keeps the best one then, which is what temperature 0 says.
  top_p: real(1e-6, 1).nullish(),
  min_p: real(0, 1).nullish(),
});

/** @throws TahError checkpoint.bad-json, checkpoint.bad-config */
export function readGeneration(folder: CheckpointFolder, config: JsonObject, configPlace: Place, vocabSize: number): Pick<Checkpoint, 'tokens' | 'generation'> {
  const place: Place = { origin: folder.origin(GENERATION_FILE), code: 'checkpoint.bad-config' };
  const raw = folder.has(GENERATION_FILE) ? readJsonObject(folder, GENERATION_FILE) : {};
  const ours = conform(tokenSchema, raw, place);
  const theirs = conform(tokenSchema, config, configPlace);
  const sampling = conform(samplingSchema, raw, place);
  const eos = ours.eos_token_id ?? theirs.eos_token_id ?? [];
  const pad = ours.pad_token_id ?? theirs.pad_token_id ?? null;
  const tokens = {
    bos: ours.bos_token_id ?? theirs.bos_token_id ?? null,
    eos: [...new Set(typeof eos === 'number' ? [eos] : eos)],
    pad: pad === -1 ? null : pad,
  };
  for (const [key, ids] of [['bos_token_id', [tokens.bos]], ['eos_token_id', tokens.eos], ['pad_token_id', [tokens.pad]]] as const) {
    const outside = ids.find((id) => id !== null && id >= vocabSize);
    if (given(outside)) {
      const said = given(raw[key]) ? place : configPlace;
      refuse(said.code, said.origin, `${key} ${outside} is outside the vocabulary of ${vocabSize} tokens`, { subject: key });
    }
  }
  return {
    tokens,
    generation: {
      temperature: sampling.do_sample === false ? 0 : (sampling.temperature ?? PAPER.temperature),
      topK: sampling.top_k ?? PAPER.topK,
      topP: sampling.top_p ?? PAPER.topP,
      minP: sampling.min_p ?? PAPER.minP,
    },
  };
}
