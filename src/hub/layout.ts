/**
 * Which files of a repository a checkpoint needs (the layout that the importer reads), and what is missing for one.
 * Everything else of a repository stays on the hub: other formats of the weights, pictures, logs.
 */
import * as z from 'zod';
import { TahError } from '../protocol/errors.ts';
import type { HubConnection } from './connection.ts';
import type { HubFile } from './listing.ts';
import { withRetries, type Waiting } from './retry.ts';
import { describeSource, type HubSource } from './source.ts';

const CONFIG = 'config.json';
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** All of them, or none: then it is a plain model. */
const TAH = ['tah_config.json', 'iter_decider.bin', 'lora/adapter_config.json', 'lora/adapter_model.safetensors'] as const;
const WHERE_THERE = ['generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'chat_template.jinja', 'chat_template.json'] as const;
/** A shard is a plain file name beside its index. */
const SHARD = /^[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors$/;
const LARGEST_INDEX = 4 * 1024 * 1024;
const INDEX_SCHEMA = z.object({ weight_map: z.record(z.string(), z.string()) });

export interface DownloadPlan {
  readonly source: HubSource;
  /** Smallest first: what is wrong with a repository shows early. */
  readonly files: readonly HubFile[];
  readonly totalBytes: number;
  /** False: a plain model without a decider. */
  readonly thinksTwice: boolean;
}

/** @throws TahError hub.not-a-checkpoint naming what is missing, and what asking for the index throws */
export async function planDownload(connection: HubConnection, source: HubSource, listed: readonly HubFile[], signal: AbortSignal | undefined, onWait: (waiting: Waiting) => void): Promise<DownloadPlan> {
  const byPath = new Map(listed.map((file) => [file.path, file]));
  const need = (path: string, why: string): HubFile => {
    const file = byPath.get(path);
    if (file === undefined) throw noCheckpoint(source, path, why);
    return file;
  };
  const files = [need(CONFIG, 'it says what the model is')];
  for (const path of WHERE_THERE) {
    const file = byPath.get(path);
    if (file !== undefined) files.push(file);
  }
  const thinksTwice = TAH.some((path) => byPath.has(path));
  if (thinksTwice) files.push(...TAH.map((path) => need(path, 'the other files of Think-at-Hard are there')));
  if (byPath.has(WEIGHTS)) files.push(need(WEIGHTS, ''));
  else {
    const index = need(INDEX, `${WEIGHTS} is not there either, and weights in other formats are not read`);
    const shards = await shardsOf(connection, source, signal, onWait);
    files.push(index, ...shards.map((shard) => need(shard, `${INDEX} names it`)));
  }
  return { source, files: files.toSorted((a, b) => a.size - b.size), totalBytes: files.reduce((sum, file) => sum + file.size, 0), thinksTwice };
}

async function shardsOf(connection: HubConnection, source: HubSource, signal: AbortSignal | undefined, onWait: (waiting: Waiting) => void): Promise<readonly string[]> {
  const ask = { url: fileUrl(source, INDEX), what: `${INDEX} of ${describeSource(source)}`, signal };
  const { text } = await withRetries(connection.retries, signal, onWait, () => connection.text(ask, LARGEST_INDEX));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw badIndex(source, 'is no JSON', cause);
  }
  const parsed = INDEX_SCHEMA.safeParse(json);
  if (!parsed.success) throw badIndex(source, 'names no shards');
  const shards = [...new Set(Object.values(parsed.data.weight_map))].sort();
  const odd = shards.find((shard) => !SHARD.test(shard));
  if (odd !== undefined) throw new TahError('hub.bad-path', `${INDEX} of ${describeSource(source)} names the shard ${JSON.stringify(odd.slice(0, 100))}, which is no plain file name.`, { subject: odd, hint: "Don't trust this repository." });
  return shards;
}

/** Where the hub serves a file of the repository. */
export function fileUrl({ hub, repository, revision, type }: HubSource, path: string): string {
  return `${hub}/${type === 'dataset' ? 'datasets/' : ''}${repository}/resolve/${encodeURIComponent(revision)}/${path.split('/').map(encodeURIComponent).join('/')}`;
}

function noCheckpoint(source: HubSource, path: string, why: string): TahError {
  return new TahError('hub.not-a-checkpoint', `${describeSource(source)} is no checkpoint that can be imported: ${path} is missing (${why}).`, {
    subject: path,
    hint: 'Choose a repository with a Qwen3 or Llama model as safetensors.',
  });
}

function badIndex(source: HubSource, why: string, cause?: unknown): TahError {
  return new TahError('hub.bad-answer', `${INDEX} of ${describeSource(source)} ${why}.`, { subject: INDEX, hint: 'Check the address of the hub or mirror.', cause });
}
