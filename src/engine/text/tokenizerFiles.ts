/**
 * The tokenizer's files of a model folder, read and checked: tokenizer.json, tokenizer_config.json, chat_template.jinja.
 * Knows their layout (Hugging Face) and what of it this program reproduces exactly; anything else is refused by name.
 * Knows no tokenization.
 */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { TahError } from '../../protocol/errors.ts';
import type { Alphabet } from './tokenBytes.ts';

export const TOKENIZER_FILE = 'tokenizer.json';
const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';
const CHAT_TEMPLATE_FILE = 'chat_template.jinja';

/** The largest known tokenizer.json has 33 MB. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;
/** The largest known vocabulary has 262 144 tokens. */
const MAX_TOKEN_ID = 4_194_304;

const addedToken = z.object({
  id: z.int().min(0).max(MAX_TOKEN_ID),
  content: z.string(),
  special: z.boolean().default(false),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  /** Whether it is looked for after normalization; transformers' default is "not special". */
  normalized: z.boolean().optional(),
});
export type AddedToken = z.infer<typeof addedToken>;

const tokenizerJson = z.looseObject({
  added_tokens: z.array(addedToken).nullish(),
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: z.unknown().default(null),
  model: z.looseObject({
    type: z.string().nullish(),
    vocab: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]),
  }),
});

/** A special token's name in the configuration is its text, or an object with it. */
const named = z.union([z.string(), z.looseObject({ content: z.string() }).transform((token) => token.content)]).nullish();
const SPECIAL_NAMES = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'] as const;

const configJson = z.looseObject({
  added_tokens_decoder: z.record(z.string().regex(/^\d{1,7}$/), addedToken.omit({ id: true })).nullish(),
  additional_special_tokens: z.array(named).nullish(),
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
  ...Object.fromEntries(SPECIAL_NAMES.map((name) => [name, named])),
});

export interface TokenizerFiles {
  /** tokenizer.json as the library wants it. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly addedTokens: readonly AddedToken[];
  readonly alphabet: Alphabet;
  /** `bos_token` and the like, as chat templates see them. */
  readonly specialTokens: Readonly<Record<string, string | readonly string[]>>;
  /** Jinja source by name; a folder with one template has only `default`. */
  readonly chatTemplates: ReadonlyMap<string, string>;
}

/**
 * @throws TahError model.no-tokenizer without tokenizer.json, checkpoint.bad-json, or checkpoint.bad-tokenizer for content
 * that cannot be reproduced
 */
export function readTokenizerFiles(dir: string): TokenizerFiles {
  const file = join(dir, TOKENIZER_FILE);
  if (!existsSync(file)) {
    throw new TahError('model.no-tokenizer', `The folder ${dir} has no ${TOKENIZER_FILE}, so text cannot be turned into tokens.`, {
      hint: `Copy ${TOKENIZER_FILE} and ${TOKENIZER_CONFIG_FILE} of the original model into the checkpoint and import it again.`,
      file,
    });
  }
  const json = parsed(tokenizerJson, file);
  const configFile = join(dir, TOKENIZER_CONFIG_FILE);
  const config = existsSync(configFile) ? parsed(configJson, configFile) : configJson.parse({});
  const specialTokens = namedTokens(config);
  const addedTokens = mergeAddedTokens(json.added_tokens ?? [], config.added_tokens_decoder ?? {}, specialTokens, configFile);
  checkPieces(json.model, file);
  checkVocabulary(json.model.vocab, addedTokens, file);
  checkPreTokenizer(json.pre_tokenizer, file, 0);
  return {
    json: { ...json, added_tokens: addedTokens },
    config: { eos_token: specialTokens['eos_token'] },
    addedTokens,
    alphabet: alphabetOf(json.decoder, file),
    specialTokens,
    chatTemplates: chatTemplatesOf(dir, config.chat_template),
  };
}

export function badTokenizer(file: string, subject: string, reason: string, cause?: unknown): TahError {
  return new TahError('checkpoint.bad-tokenizer', `The tokenizer file ${file} cannot be used: ${reason}.`, {
    hint: 'Use the tokenizer files that the model was published with; byte-level BPE (Qwen, Llama 3) and sentencepiece BPE with byte fallback are supported.',
    file,
    subject,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A value of the file inside a message: short, and never walked deeply. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE_BYTES) throw badTokenizer(file, 'size', `it has ${size} bytes, more than any known tokenizer`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof TahError) throw error;
    const reason = error instanceof TypeError ? 'it is not UTF-8 text' : error instanceof Error ? error.message : String(error);
    throw new TahError('checkpoint.unreadable', `The file ${file} cannot be read: ${reason}.`, { hint: 'Check the file and its permissions.', file, cause: error });
  }
}

function parsed<T>(schema: z.ZodType<T>, file: string): T {
  const text = readText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TahError('checkpoint.bad-json', `The file ${file} is not JSON: ${reason}`, { hint: 'Download the file again; it may be cut off.', file, cause: error });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.map(String).join('.') ?? '';
  throw badTokenizer(file, path, `${path === '' ? 'its content' : `"${path}"`} is wrong (${issue?.message ?? 'unexpected content'})`);
}

function namedTokens(config: z.infer<typeof configJson>): Record<string, string | readonly string[]> {
  const tokens: Record<string, string | readonly string[]> = {};
  for (const name of SPECIAL_NAMES) {
    const token = named.parse(config[name]);
    if (typeof token === 'string') tokens[name] = token;
  }
  const additional = (config.additional_special_tokens ?? []).filter((token) => typeof token === 'string');
  if (additional.length > 0) tokens['additional_special_tokens'] = additional;
  return tokens;
}

/** As transformers does on loading: tokens that only the configuration has are added, and named ones count as special. */
function mergeAddedTokens(
  own: readonly AddedToken[],
  fromConfig: Readonly<Record<string, Omit<AddedToken, 'id'>>>,
  specialTokens: Readonly<Record<string, string | readonly string[]>>,
  configFile: string,
): AddedToken[] {
  const special = new Set(Object.values(specialTokens).flat());
  const byId = new Map(own.map((token) => [token.id, token]));
  for (const [key, token] of Object.entries(fromConfig)) {
    const id = Number(key);
    const known = byId.get(id);
    if (known !== undefined && known.content !== token.content) {
      throw badTokenizer(configFile, 'added_tokens_decoder', `token ${id} is ${shown(token.content)} here but ${shown(known.content)} in ${TOKENIZER_FILE}`);
    }
    byId.set(id, { ...token, ...known, id, special: token.special || known?.special === true });
  }
  return [...byId.values()].map((token) => ({ ...token, special: token.special || special.has(token.content) }));
}

/** A list of tokens and scores is a Unigram model's: another one would take what stands in it for ids. */
function checkPieces({ type, vocab }: z.infer<typeof tokenizerJson>['model'], file: string): void {
  if (!Array.isArray(vocab)) return;
  if (type != null && type !== 'Unigram') throw badTokenizer(file, 'model.vocab', `its model ${shown(type)} has a list where its tokens and their ids are expected`);
  const odd = vocab.findIndex((piece) => !z.tuple([z.string(), z.number()]).safeParse(piece).success);
  if (odd >= 0) throw badTokenizer(file, 'model.vocab', `entry ${odd} of its list is no token with a score`);
}

function checkVocabulary(vocab: Readonly<Record<string, unknown>> | readonly unknown[], added: readonly AddedToken[], file: string): void {
  const seen = new Map<number, string>();
  const entries: [string, unknown][] = Array.isArray(vocab)
    ? vocab.map((piece: unknown, id) => [Array.isArray(piece) ? String(piece[0]) : '', id])
    : Object.entries(vocab);
  for (const [token, id] of entries) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > MAX_TOKEN_ID) {
      throw badTokenizer(file, 'model.vocab', `the id of the token ${shown(token)} is ${shown(id)}`);
    }
    const other = seen.get(id);
    if (other !== undefined) throw badTokenizer(file, 'model.vocab', `the tokens ${shown(other)} and ${shown(token)} have the same id ${id}`);
    seen.set(id, token);
  }
  for (const token of added) {
    const other = seen.get(token.id);
    if (other !== undefined && other !== token.content) {
      throw badTokenizer(file, 'added_tokens', `token ${token.id} is ${shown(token.content)} here but ${shown(other)} in the vocabulary`);
    }
    if (token.single_word) throw badTokenizer(file, 'added_tokens', `the token ${shown(token.content)} asks for whole words ("single_word"), which is not supported`);
    seen.set(token.id, token.content);
  }
}

const typed = z.looseObject({ type: z.string() });

/** The library splits "Isolated" and "Removed" as the Rust tokenizers do, and other behaviours silently as "Isolated". */
function checkPreTokenizer(node: unknown, file: string, depth: number): void {
  if (node === null) return;
  const step = typed.safeParse(node);
  if (!step.success || depth > 8) throw badTokenizer(file, 'pre_tokenizer', 'its pre_tokenizer is wrong');
  if (step.data.type === 'Sequence') {
    const steps = z.array(z.unknown()).safeParse(step.data['pretokenizers']);
    if (!steps.success) throw badTokenizer(file, 'pre_tokenizer', 'its pre_tokenizer sequence has no list');
    for (const inner of steps.data) checkPreTokenizer(inner, file, depth + 1);
  }
  if (step.data.type !== 'Split') return;
  const { behavior, invert, pattern } = step.data;
  const supported = (behavior === 'Isolated' && invert !== true) || behavior === 'Removed';
  if (!supported) throw badTokenizer(file, 'pre_tokenizer', `the split behaviour ${shown(behavior)} is not supported`);
  if (!z.union([z.object({ Regex: z.string() }), z.object({ String: z.string() })]).safeParse(pattern).success) {
    throw badTokenizer(file, 'pre_tokenizer', 'a split has no pattern');
  }
}

/** Which bytes tokens stand for, read from the decoder: ByteLevel, or sentencepiece's Replace, ByteFallback, Fuse, Strip. */
function alphabetOf(decoder: unknown, file: string): Alphabet {
  const outer = typed.safeParse(decoder);
  if (!outer.success) throw badTokenizer(file, 'decoder', 'it has no decoder');
  const list = outer.data.type === 'Sequence' ? z.array(typed).safeParse(outer.data['decoders']) : { success: true as const, data: [outer.data] };
  if (!list.success) throw badTokenizer(file, 'decoder', 'its decoder sequence is wrong');
  const steps = list.data;
  const names = steps.map((step) => step.type).join(', ');
  if (names === 'ByteLevel') return { kind: 'byte-level' };
  const [replace, , , strip] = steps;
  const space = z.object({ pattern: z.object({ String: z.string().length(1) }), content: z.literal(' ') }).safeParse(replace);
  const cut = strip === undefined ? { success: true as const, data: { start: 0 } } : z.object({ content: z.literal(' '), start: z.int().min(0).max(8), stop: z.literal(0) }).safeParse(strip);
  if (/^Replace, ByteFallback, Fuse(, Strip)?$/.test(names) && space.success && cut.success) {
    return { kind: 'byte-fallback', space: space.data.pattern.String, strip: cut.data.start };
  }
  throw badTokenizer(file, 'decoder', `its decoder (${names}) is not supported`);
}

/** chat_template.jinja wins over tokenizer_config.json, as in transformers. */
function chatTemplatesOf(dir: string, configured: z.infer<typeof configJson>['chat_template']): Map<string, string> {
  const file = join(dir, CHAT_TEMPLATE_FILE);
  if (existsSync(file)) return new Map([['default', readText(file)]]);
  if (typeof configured === 'string') return new Map([['default', configured]]);
  return new Map((configured ?? []).map(({ name, template }) => [name, template]));
}
