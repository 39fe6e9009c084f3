/**
 * Which model folders there are: bundled ones, imported ones and those of the user's folders. Reads manifests, and of
 * those only what a choice needs; the engine checks a folder fully when it opens it. Imports no `vscode`.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fateOf, readSideFolder } from '../disk/sideFolders.ts';
import { endpointName } from '../protocol/engine.ts';
import type { ModelInfo, SamplingOptions } from '../protocol/engine.ts';
import { isDamage, phrase, TahError } from '../protocol/errors.ts';
import { MANIFEST_FILE, MANIFEST_FORMAT } from '../protocol/manifest.ts';
import type { Quantization } from '../protocol/manifest.ts';

export type ModelSource = 'bundled' | 'imported' | 'folder';

export interface ModelEntry {
  /** Model folder. */
  readonly path: string;
  readonly id: string;
  readonly name: string;
  readonly source: ModelSource;
  readonly quantization: Quantization;
  readonly parameters: number;
  readonly contextLength: number;
  /** 1 for a plain model. */
  readonly maxIter: number;
  readonly generation: Omit<SamplingOptions, 'seed'>;
  /** `ModelInfo.hash` of the engine: identifies the weights, wherever the folder is. */
  readonly hash: string;
}

/** A folder that should be a model, or a folder of the settings that has none, and why it is not one. */
export interface BrokenModel {
  readonly path: string;
  readonly source: ModelSource;
  readonly error: TahError;
}

/** What a text can be asked of: a model folder, or an endpoint, of which nothing is known before it answers. */
export interface ChosenModel extends Pick<ModelEntry, 'path' | 'id' | 'name' | 'generation'> {
  /** Null: not known. */
  readonly maxIter: number | null;
}

/** An endpoint is told nothing but what differs from this. */
const SERVERS_OWN: ModelEntry['generation'] = { temperature: 1, topK: 0, topP: 1, minP: 0 };

export interface ModelPlaces {
  readonly bundled: string;
  readonly imported: string;
  /** Model folders, or folders of model folders. */
  readonly folders: () => readonly string[];
}

const LARGEST_MANIFEST = 16 * 1024 * 1024;

export class ModelStore {
  constructor(private readonly places: ModelPlaces) {}

  /** Folder that imports are written to, one subfolder each. */
  get importFolder(): string {
    return this.places.imported;
  }

  /**
   * Every model that can be read, bundled first; `broken` has the folders that look like one and can't be read. In our
   * own places every folder should be a model, and one that is none is among them.
   */
  async list(): Promise<{ readonly models: readonly ModelEntry[]; readonly broken: readonly BrokenModel[] }> {
    const models: ModelEntry[] = [];
    const broken: BrokenModel[] = [];
    const add = async (path: string, source: ModelSource): Promise<void> => {
      if (models.some((model) => model.path === path)) return;
      try {
        models.push(await this.read(path, source));
      } catch (error) {
        broken.push({ path, source, error: TahError.from(error) });
      }
    };
    for (const path of await modelFoldersIn(this.places.bundled, 'whole or not')) await add(path, 'bundled');
    await clearAbandoned(resolve(this.places.imported));
    for (const path of await modelFoldersIn(this.places.imported, 'whole or not')) await add(path, 'imported');
    for (const folder of this.places.folders()) {
      const found = await modelFoldersIn(folder, 'with a manifest');
      if (found.length === 0) broken.push({ path: folder, source: 'folder', error: new TahError('model.not-found', phrase('There is no model in {0}.', folder), { file: folder, hint: phrase('Check the setting thinkAtHard.modelFolders.') }) });
      for (const path of found) await add(path, 'folder');
    }
    return { models, broken };
  }

  /** Whose the folder is, or the folder that a file lies in. */
  sourceOf(path: string): ModelSource {
    if (isIn(path, this.places.bundled)) return 'bundled';
    return isIn(path, this.places.imported) ? 'imported' : 'folder';
  }

  /** The model folder that a file of it belongs to; the folder itself where it is one. */
  async folderOf(path: string): Promise<string> {
    for (const place of [this.places.bundled, this.places.imported]) {
      if (isIn(path, place)) return join(resolve(place), relative(resolve(place), resolve(path)).split(sep)[0] ?? '');
    }
    return (await isFolder(path)) ? resolve(path) : dirname(resolve(path));
  }

  /** A damage in the words of whoever can help: the bundled model comes with the extension, every other one is repaired. Other errors as they are. */
  explain(thrown: unknown): unknown {
    if (!(thrown instanceof TahError) || !isDamage(thrown.code) || thrown.file === undefined) return thrown;
    const { file } = thrown;
    const message = thrown.phrases.message ?? thrown.message;
    return this.sourceOf(file) === 'bundled'
      ? new TahError('model.bundled-damaged', message, { file, hint: phrase('It belongs to the extension: reinstall Think-at-Hard, or choose another model.'), cause: thrown })
      : new TahError(thrown.code, message, { file, hint: phrase('Repair it with Think-at-Hard: Repair Model…, or choose another one.'), cause: thrown });
  }

  private async read(path: string, source: ModelSource): Promise<ModelEntry> {
    try {
      return await readModel(path, source);
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** Deletes an imported model, or what is left of one. @throws TahError model.not-found where it is none of ours */
  async remove(path: string): Promise<void> {
    const folder = resolve(path);
    if (dirname(folder) !== resolve(this.places.imported)) throw new TahError('model.not-found', phrase('{0} was not imported by this extension, so it is not deleted.', folder), { file: folder });
    await rm(folder, { recursive: true, force: true });
  }

  /** As `resolve`, and endpoints too: for whoever asks for a text only. @throws TahError model.not-found, model.bad-manifest */
  async choose(wanted: string | null): Promise<ChosenModel> {
    const endpoint = wanted === null ? null : endpointName(wanted);
    if (wanted === null || endpoint === null) return this.resolve(wanted);
    return { path: wanted, id: wanted, name: endpoint, maxIter: null, generation: SERVERS_OWN };
  }

  /**
   * The model that a setting names by id or folder; null: the first bundled one.
   * @throws TahError model.not-found, model.bad-manifest, endpoint.cannot
   */
  async resolve(wanted: string | null): Promise<ModelEntry> {
    const endpoint = wanted === null ? null : endpointName(wanted);
    if (endpoint !== null) throw new TahError('endpoint.cannot', phrase('This needs a model of this machine; the endpoint {0} is chosen.', endpoint), { subject: endpoint, hint: phrase('Choose another model with Think-at-Hard: Select Model….') });
    if (wanted !== null && isAbsolute(wanted)) return this.read(resolve(wanted), this.sourceOf(wanted));
    const { models, broken } = await this.list();
    // A damaged model is told of; another one that happens to be there does not answer in its place.
    const damaged = broken.find(({ path, source }) => source === 'bundled' && (wanted === null || basename(path) === wanted));
    const model = wanted === null ? models.find((entry) => damaged === undefined || entry.source === 'bundled') : models.find(({ id }) => id === wanted);
    if (model !== undefined) return model;
    if (damaged !== undefined) throw damaged.error;
    throw wanted === null
      ? new TahError('model.not-found', phrase('No model is installed.'), { hint: phrase('Choose Think-at-Hard: Select Model… to import one.') })
      : new TahError('model.not-found', phrase('There is no model named "{0}".', wanted), { subject: wanted, hint: phrase('Choose Think-at-Hard: Select Model… to pick another one.') });
  }

  /**
   * The folder that holds the weights of a run: where they were, the one that a setting names, or any that is known.
   * @throws TahError model.not-found naming the model
   */
  async withWeightsOf({ name, quantization, hash, path }: Pick<ModelInfo, 'name' | 'quantization' | 'hash' | 'path'>, setting: string | null): Promise<ModelEntry> {
    for (const folder of [path, setting]) {
      if (folder === null || !isAbsolute(folder)) continue;
      const model = await readModel(folder, 'folder').catch(() => null); // Gone or replaced: looked for by its hash below.
      if (model?.hash === hash) return model;
    }
    const found = hash === null ? undefined : (await this.list()).models.find((model) => model.hash === hash);
    if (found !== undefined) return found;
    const which = [quantization, hash?.slice(0, 12)].filter((part) => part !== undefined && part !== null).join(', ');
    const named = which === '' ? name : `${name} (${which})`;
    throw new TahError('model.not-found', phrase('The model of this run, {0}, is not on this machine.', named), {
      subject: name,
      hint: phrase('Import it with Think-at-Hard: Select Model…, or solve the problem again with another model.'),
    });
  }
}

/** The folder itself where it is a model, else its subfolders that are, or that should be; none where it can't be read. */
async function modelFoldersIn(folder: string, which: 'with a manifest' | 'whole or not'): Promise<string[]> {
  const path = resolve(folder);
  if (await isFile(join(path, MANIFEST_FILE))) return [path];
  let names: string[];
  try {
    names = await readdir(path);
  } catch {
    // Not there: no models. A folder of the settings that has none is reported by `list`.
    return [];
  }
  const found: string[] = [];
  for (const name of names.sort()) {
    if (name.startsWith('.') || readSideFolder(name) !== null) continue;
    const isOne = which === 'whole or not' ? await isFolder(join(path, name)) : await isFile(join(path, name, MANIFEST_FILE));
    if (isOne) found.push(join(path, name));
  }
  return found;
}

/** Removes what killed imports left in our own folder, and brings back a model that one was about to replace. */
async function clearAbandoned(folder: string): Promise<void> {
  // No folder: nothing was imported yet.
  const names: readonly string[] = await readdir(folder).catch(() => []);
  for (const name of names) {
    const side = readSideFolder(name);
    if (side === null) continue;
    const fate = fateOf(side, names.includes(side.model));
    // Another window may be faster, and a folder that can't be removed is no reason to list nothing.
    if (fate === 'restore') await rename(join(folder, name), join(folder, side.model)).catch(() => undefined);
    if (fate === 'remove') await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    // Missing or not readable: either way no model there.
    return false;
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then((found) => found.isDirectory(), () => false);
}

/** Whether the path lies in the folder, not the folder itself. */
function isIn(path: string, folder: string): boolean {
  return resolve(path).startsWith(resolve(folder) + sep);
}

async function readModel(path: string, source: ModelSource): Promise<ModelEntry> {
  const file = join(path, MANIFEST_FILE);
  const isThere = await isFile(file);
  if (!isThere && source !== 'folder' && (await isFolder(path))) throw new TahError('model.corrupted', phrase('{0} has no {1}: it is no whole model.', path, MANIFEST_FILE), { file: path, hint: phrase('Import the checkpoint again, or delete the folder.') });
  if (!isThere) throw new TahError('model.not-found', phrase('There is no model in {0}.', path), { file: path, hint: phrase('Choose Think-at-Hard: Select Model… to pick another one.') });
  if ((await stat(file)).size > LARGEST_MANIFEST) throw badManifest(file);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw badManifest(file, error);
  }
  const entry = entryOf(json, path, source);
  if (entry === null) throw badManifest(file);
  await checkFiles(path, record(json)?.['files']);
  return entry;
}

/** That every file is there with its size; contents are the engine's to check. @throws TahError model.corrupted */
async function checkFiles(folder: string, files: unknown): Promise<void> {
  for (const file of Array.isArray(files) ? files : []) {
    const { path, bytes } = record(file) ?? {};
    if (typeof path !== 'string' || typeof bytes !== 'number') continue;
    const size = await stat(join(folder, path)).then((found) => found.size, () => null);
    if (size === bytes) continue;
    const what = size === null ? phrase('{0} is missing.', join(folder, path)) : phrase('{0} has {1} bytes instead of {2}.', join(folder, path), size, bytes);
    throw new TahError('model.corrupted', what, { file: join(folder, path), hint: phrase('Import the checkpoint again, or delete the model.') });
  }
}

function badManifest(file: string, cause?: unknown): TahError {
  return new TahError('model.bad-manifest', phrase('{0} is not the manifest of a model that this version can read.', file), { file, hint: phrase('Import the checkpoint again.'), cause });
}

function entryOf(json: unknown, path: string, source: ModelSource): ModelEntry | null {
  const manifest = record(json);
  const generation = record(manifest?.['generation']);
  if (manifest?.['format'] !== MANIFEST_FORMAT || generation === null) return null;
  const { id, name } = manifest;
  const kind = record(manifest['quantization'])?.['kind'];
  const { parameters, contextLength } = record(manifest['architecture']) ?? {};
  const maxIter = manifest['tah'] === null ? 1 : record(manifest['tah'])?.['maxIter'];
  const { temperature, topK, topP, minP } = generation;
  if (typeof id !== 'string' || typeof name !== 'string' || typeof parameters !== 'number' || typeof contextLength !== 'number' || typeof maxIter !== 'number') return null;
  if (kind !== 'fp32' && kind !== 'int8' && kind !== 'int4') return null;
  if (typeof temperature !== 'number' || typeof topK !== 'number' || typeof topP !== 'number' || typeof minP !== 'number') return null;
  const hash = weightsHash(manifest['files']);
  return hash === null ? null : { path, id, name, source, quantization: kind, parameters, contextLength, maxIter, generation: { temperature, topK, topP, minP }, hash };
}

/** As the engine computes it when it opens the folder (a test compares them). */
export function weightsHash(files: unknown): string | null {
  if (!Array.isArray(files)) return null;
  const hash = createHash('sha256');
  for (const file of files) {
    const { path, sha256 } = record(file) ?? {};
    if (typeof path !== 'string' || typeof sha256 !== 'string') return null;
    hash.update(`${path}:${sha256}\n`);
  }
  return hash.digest('hex');
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}
