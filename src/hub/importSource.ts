/**
 * What an imported model was made from, as `source.json` of its folder says, and whether that is still whole. A model
 * folder may come from anybody: addresses and names are checked as a user's are. Writes nothing.
 */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { phrase, TahError } from '../protocol/errors.ts';
import { SOURCE_FILE, SOURCE_FORMAT, type SourceManifest } from '../protocol/manifest.ts';
import { isWhole } from './partFile.ts';
import { readRecord } from './record.ts';
import { cancelledDownload, isAborted } from './retry.ts';
import { parseHubUrl, parseSource, type HubSource } from './source.ts';

const LARGEST = 64 * 1024;
const CONFIG = 'config.json';

const SOURCE = z.object({
  format: z.literal(SOURCE_FORMAT),
  checkpoint: z.string().refine((text) => path.isAbsolute(text) && !text.includes('\0')),
  download: z.object({ hub: z.string(), repository: z.string(), revision: z.string() }).nullable(),
  quantization: z.enum(['fp32', 'int8', 'int4']),
  name: z.string().max(1000).nullable(),
});

/** Null where there is no record. @throws TahError model.no-source where there is one that can't be believed; its file is the record */
export async function readSource(model: string): Promise<SourceManifest | null> {
  const file = path.join(model, SOURCE_FILE);
  const source = await readJson(file);
  if (source === null) return null;
  const { data } = SOURCE.safeParse(source.json);
  if (data !== undefined && (data.download === null || isSource(data.download))) return data;
  throw unbelievable(file);
}

/** Null where there is no such file. @throws TahError model.no-source */
async function readJson(file: string): Promise<{ readonly json: unknown } | null> {
  try {
    const found = await stat(file);
    // What is no file may have no end.
    if (!found.isFile() || found.size > LARGEST) throw unbelievable(file);
    return { json: JSON.parse(await readFile(file, 'utf8')) };
  } catch (error) {
    if (error instanceof TahError) throw error;
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw unbelievable(file, error);
  }
}

function unbelievable(file: string, cause?: unknown): TahError {
  return new TahError('model.no-source', phrase('{0} is damaged or of another version: it does not say what the model was made from.', file), { file, cause });
}

function isSource({ hub, repository, revision }: HubSource): boolean {
  try {
    const same = parseSource(repository, parseHubUrl(hub), revision);
    return same.hub === hub && same.repository === repository;
  } catch (error) {
    if (error instanceof TahError) return false;
    throw error;
  }
}

/** The repository that the files of a checkpoint's folder were downloaded from; null: they came another way. */
export async function downloadOf(checkpoint: string): Promise<HubSource | null> {
  const record = await readRecord(checkpoint);
  return record === null ? null : { hub: record.hub, repository: record.repository, revision: record.revision };
}

/** Whether the folder holds the whole download of the repository, by the hashes of its list of files. @throws TahError cancelled */
export async function isWholeDownload(checkpoint: string, { hub, repository, revision }: HubSource, signal?: AbortSignal): Promise<boolean> {
  const record = await readRecord(checkpoint);
  if (record?.complete !== true || record.hub !== hub || record.repository !== repository || record.revision !== revision) return false;
  try {
    for (const file of record.files) {
      const parts = file.path.split('/');
      // A name that leads elsewhere is no file of the checkpoint.
      if (parts.includes('..') || !(await isWhole(path.join(checkpoint, ...parts), file, signal))) return false;
    }
    return true;
  } catch (error) {
    if (isAborted(signal)) throw cancelledDownload();
    throw error;
  }
}

/** Whether there is a checkpoint in the folder at all; what is wrong with one, the import says. */
export async function isCheckpoint(folder: string): Promise<boolean> {
  return stat(path.join(folder, CONFIG)).then((found) => found.isFile(), () => false);
}
