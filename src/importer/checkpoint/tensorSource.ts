/**
 * The tensors of a model by name, from one safetensors file or from the shards that an index names.
 * Checks that index and shards agree in both directions. Knows no architecture.
 */
import * as z from 'zod';
import type { CheckpointFolder } from './checkpointFolder.ts';
import { conform, objectOf, readJsonObject, text } from './json.ts';
import { refuse, show, type Origin } from './refusal.ts';
import { readFloats, readSafetensors, type SafetensorsEntry } from './safetensors.ts';
import type { TensorInfo, TensorSource } from './types.ts';

export const WEIGHTS_FILE = 'model.safetensors';
const INDEX_FILE = 'model.safetensors.index.json';
const MOST_SHARDS = 1000;

export type Entries = ReadonlyMap<string, SafetensorsEntry>;

/**
 * Entries of the base model. A single file wins over an index, as in Hugging Face transformers.
 * @throws TahError checkpoint.missing-file, checkpoint.bad-path, checkpoint.bad-safetensors, checkpoint.missing-tensor, checkpoint.bad-json
 */
export function openWeights(folder: CheckpointFolder): { readonly entries: Entries; readonly origin: Origin } {
  if (folder.has(WEIGHTS_FILE)) {
    const file = folder.open(WEIGHTS_FILE);
    return { entries: readSafetensors(file), origin: file.origin };
  }
  if (folder.has(INDEX_FILE)) return { entries: openShards(folder), origin: folder.origin(INDEX_FILE) };
  refuse('checkpoint.missing-file', folder.origin(WEIGHTS_FILE), `the weights are missing: neither ${WEIGHTS_FILE} nor ${INDEX_FILE} is there`, {
    hint: 'Weights in other formats (pytorch_model.bin, GGUF) are not read; save the model as safetensors.',
  });
}

function openShards(folder: CheckpointFolder): Entries {
  const origin = folder.origin(INDEX_FILE);
  const schema = objectOf({ weight_map: z.record(z.string(), text(), { error: 'must be an object' }) });
  const index = readJsonObject(folder, INDEX_FILE);
  conform(schema, index, { origin, code: 'checkpoint.bad-json' });
  // Read from the raw object: a tensor named __proto__ must stay a name like any other.
  const map = new Map(Object.entries(Object(index['weight_map']) as Readonly<Record<string, string>>));
  const shards = [...new Set(map.values())].sort();
  if (shards.length > MOST_SHARDS) refuse('checkpoint.bad-json', origin, `it names ${shards.length} shards; at most ${MOST_SHARDS} are read`);
  for (const shard of shards) {
    checkShardName(origin, shard);
    folder.check(folder.origin(shard));
  }
  const entries = new Map<string, SafetensorsEntry>();
  for (const shard of shards) {
    for (const [name, entry] of readSafetensors(folder.open(shard))) addEntry(entries, entry, map.get(name), shard, origin);
  }
  for (const [name, shard] of map) {
    if (!entries.has(name)) {
      refuse('checkpoint.missing-tensor', folder.origin(shard), `tensor ${show(name)} is missing, although ${INDEX_FILE} says it is here`, { subject: name });
    }
  }
  return entries;
}

/** A shard is a plain file name: the index must not lead anywhere else. */
function checkShardName(origin: Origin, shard: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors$/.test(shard)) {
    refuse('checkpoint.bad-path', origin, `it names the shard ${show(shard)}; a file name in the checkpoint folder that ends in .safetensors is expected`, {
      subject: shard,
    });
  }
}

function addEntry(entries: Map<string, SafetensorsEntry>, entry: SafetensorsEntry, expected: string | undefined, shard: string, index: Origin): void {
  const { name } = entry;
  const other = entries.get(name);
  if (other) {
    refuse('checkpoint.bad-safetensors', entry.file.origin, `tensor ${show(name)} is also in ${other.file.origin.name}; it must be in one shard`, { subject: name });
  }
  if (expected !== shard) {
    const said = expected === undefined ? 'does not list it' : `says it is in ${show(expected)}`;
    refuse('checkpoint.bad-safetensors', entry.file.origin, `it holds tensor ${show(name)}, but ${index.name} ${said}`, { subject: name });
  }
  entries.set(name, entry);
}

/** The tensors `names` of `entries`, read on demand. `origin` is named when a tensor is missing. */
export function tensorSource(entries: Entries, names: readonly string[], origin: Origin): TensorSource {
  const known = new Set(names);
  const find = (name: string): SafetensorsEntry => {
    const entry = known.has(name) ? entries.get(name) : undefined;
    if (!entry) refuse('checkpoint.missing-tensor', origin, `tensor ${show(name)} is missing`, { subject: name });
    return entry;
  };
  return {
    names,
    has: (name) => known.has(name),
    info: (name): TensorInfo => {
      const { dtype, shape, file } = find(name);
      return { name, dtype, shape, file: file.origin.name };
    },
    read: (name) => {
      const entry = find(name);
      return readFloats(entry, 0, entry.elements);
    },
    readRows: (name, from, to) => {
      const entry = find(name);
      const [rows, columns] = entry.shape;
      if (rows === undefined || columns === undefined || entry.shape.length !== 2) throw new Error(`${name} is not a matrix`);
      if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= rows)) {
        throw new RangeError(`${name}: rows ${from} to ${to} of ${rows}`);
      }
      return readFloats(entry, from * columns, to * columns);
    },
  };
}
