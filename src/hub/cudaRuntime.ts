/**
 * The CUDA runtime on this machine: fetched when a user asks for it and never otherwise, into a folder of its version,
 * which gets its name when every library in it is whole. A fetch that was left goes on where it was: wheels by their
 * bytes, libraries by their hashes. Knows the table and the disk; whether a card is there is asked elsewhere.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { bringFiles, checkSpace, type BringOptions } from './bringFiles.ts';
import { CUDA_TABLE, PYPI_FILES, type CudaTable, type PinnedLibrary, type PinnedWheel } from './cudaTable.ts';
import type { FilePlace } from './downloadFile.ts';
import { diskFailure } from './failures.ts';
import { isLocked, lockFolder, type FolderLock } from './folderLock.ts';
import type { HubFile } from './listing.ts';
import { bytesOnDisk, isWhole } from './partFile.ts';
import type { DownloadProgress } from './progress.ts';
import { cancelledDownload } from './retry.ts';
import { TahError } from '../protocol/errors.ts';
import { libraryName, unpackWheel } from './wheel.ts';

export type CudaState =
  | { readonly kind: 'absent' }
  /** A fetch was left. */
  | { readonly kind: 'partial' }
  /** By another window or program, or by this one. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'complete'; readonly dir: string }
  /** Files have been changed or deleted since. */
  | { readonly kind: 'damaged'; readonly dir: string; readonly files: readonly string[] };

export interface CudaSizes {
  readonly downloadBytes: number;
  readonly unpackedBytes: number;
}

export interface CudaPlan extends CudaSizes {
  readonly wheels: readonly PinnedWheel[];
  readonly from: string;
}

export interface FetchOptions extends BringOptions {
  /** Address below which the index's files are: PyPI's, or a mirror's. */
  readonly base?: string;
  /** Asked before anything is written; false ends it as `cancelled`. */
  readonly confirm?: (plan: CudaPlan) => Promise<boolean>;
  /** For tests. */
  readonly table?: CudaTable;
}

export interface Fetched {
  readonly dir: string;
  readonly receivedBytes: number;
  /** It was whole already: nothing was fetched. */
  readonly wasThere: boolean;
}

const FOLDER = 'cuda-runtime';
const WHEELS = 'wheels';
const MANIFEST_FILE = 'cuda-runtime.json';
const MANIFEST = z.object({
  format: z.literal('tah-cuda-runtime/1'),
  onnxRuntime: z.string(),
  files: z.array(z.object({ name: z.string(), size: z.number(), sha256: z.string() })),
});
/** What else can be done where a download fails. */
const BY_HAND = 'or install CUDA 13 and cuDNN 9 yourself (docs/providers.md)';

/** @param storage the folder for what is kept on this machine */
export function cudaRoot(storage: string): string {
  return path.join(storage, FOLDER);
}

/** The folder of the libraries; its name changes with each of them. */
export function cudaFolder(storage: string, table: CudaTable = CUDA_TABLE): string {
  const contents = createHash('sha256').update(JSON.stringify(librariesOf(table))).digest('hex');
  return path.join(cudaRoot(storage), `${table.onnxRuntime}-${contents.slice(0, 8)}`);
}

export function cudaSizes(table: CudaTable = CUDA_TABLE): CudaSizes {
  const sum = (sizes: readonly { readonly size: number }[]): number => sizes.reduce((total, { size }) => total + size, 0);
  return { downloadBytes: sum(table.wheels), unpackedBytes: sum(librariesOf(table)) };
}

/** By names and sizes; quick enough for every start of an engine. */
export function completeCuda(storage: string, table: CudaTable = CUDA_TABLE): string | null {
  const dir = cudaFolder(storage, table);
  return isNamedWhole(dir) && wrongSizes(dir, table).length === 0 ? dir : null;
}

/** @param thorough whether the hashes are compared too, a few seconds */
export async function cudaState(storage: string, { thorough = false, signal, table = CUDA_TABLE }: { readonly thorough?: boolean; readonly signal?: AbortSignal | undefined; readonly table?: CudaTable } = {}): Promise<CudaState> {
  if (await isLocked(cudaRoot(storage))) return { kind: 'busy' };
  const dir = cudaFolder(storage, table);
  if (!isNamedWhole(dir)) return { kind: (await isEmpty(storage)) ? 'absent' : 'partial' };
  const files = thorough ? await wrongFiles(dir, table, signal) : wrongSizes(dir, table);
  return files.length === 0 ? { kind: 'complete', dir } : { kind: 'damaged', dir, files };
}

/** @throws TahError hub.*; cancelled, and what has come is kept */
export async function fetchCudaRuntime(storage: string, options: FetchOptions): Promise<Fetched> {
  const table = options.table ?? CUDA_TABLE;
  const root = cudaRoot(storage);
  const dir = cudaFolder(storage, table);
  const there = await cudaState(storage, { thorough: true, signal: options.signal, table });
  if (there.kind === 'complete') return { dir, receivedBytes: 0, wasThere: true };
  const place = placeOf(options.base ?? PYPI_FILES, table);
  if ((await options.confirm?.({ ...cudaSizes(table), wheels: table.wheels, from: new URL(place.hub).host })) === false) throw cancelledDownload();
  try {
    await mkdir(root, { recursive: true });
    const lock = await lockFolder(root, { touchMs: options.lockTouchMs, signal: options.signal });
    try {
      // What is right of a damaged one is kept.
      if (there.kind === 'damaged') await rename(dir, stagingOf(dir)).catch(onlyIfTaken);
      const receivedBytes = await bringMissing(place, { root, dir, table }, lock, options);
      await writeManifest(stagingOf(dir), table);
      await rm(dir, { recursive: true, force: true });
      await rename(stagingOf(dir), dir);
      await removeOthers(root, dir);
      return { dir, receivedBytes, wasThere: false };
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw diskFailure(error, root);
  }
}

/** Deletes every version of it and what a fetch has left. False where there was nothing. @throws TahError hub.busy, hub.cannot-write */
export async function removeCudaRuntime(storage: string): Promise<boolean> {
  const root = cudaRoot(storage);
  if (await isEmpty(storage)) return false;
  if (await isLocked(root)) throw new TahError('hub.busy', 'The CUDA runtime is being fetched.', { file: root, hint: 'Cancel that first.' });
  try {
    await rm(root, { recursive: true, force: true });
  } catch (error) {
    throw diskFailure(error, root);
  }
  return true;
}

interface Target {
  readonly root: string;
  readonly dir: string;
  readonly table: CudaTable;
}

async function bringMissing(place: FilePlace, { root, dir, table }: Target, lock: FolderLock, options: FetchOptions): Promise<number> {
  const staging = stagingOf(dir);
  const wheels = path.join(root, WHEELS);
  await mkdir(staging, { recursive: true });
  await mkdir(wheels, { recursive: true });
  const missing: PinnedWheel[] = [];
  for (const wheel of table.wheels) {
    if ((await wrongFiles(staging, { ...table, wheels: [wheel] }, options.signal)).length > 0) missing.push(wheel);
  }
  const files = missing.map(fileOf);
  await checkSpace(files, wheels, options.freeBytes, missing.flatMap(({ libraries }) => libraries).reduce((sum, { size }) => sum + size, 0));
  const onFile = async (file: HubFile, signal: AbortSignal): Promise<void> => {
    const wheel = missing.find((other) => nameOf(other) === file.path);
    const whole = path.join(wheels, file.path);
    await unpackWheel(whole, wheel?.libraries ?? [], staging, signal);
    // The libraries are what counts from here on.
    await rm(whole);
  };
  const doneBytes = cudaSizes(table).downloadBytes - files.reduce((sum, { size }) => sum + size, 0);
  const received = await bringFiles({ place, files, doneBytes, lock, onFile }, wheels, { ...options, byHand: BY_HAND, onProgress: (progress) => options.onProgress?.(staged(progress)) });
  await rm(wheels, { recursive: true, force: true });
  return received;
}

/** When all bytes are there, what is waited for is the unpacking. */
function staged(progress: DownloadProgress): DownloadProgress {
  return progress.stage === 'downloading' && progress.doneBytes === progress.totalBytes ? { ...progress, stage: 'unpacking' } : progress;
}

function placeOf(base: string, table: CudaTable): FilePlace {
  const paths = new Map(table.wheels.map((wheel) => [nameOf(wheel), wheel.path]));
  return { hub: base, name: 'the CUDA runtime', urlOf: (name) => `${base}/${paths.get(name) ?? name}` };
}

function fileOf(wheel: PinnedWheel): HubFile {
  return { path: nameOf(wheel), size: wheel.size, hash: { kind: 'sha256', value: wheel.sha256 } };
}

function nameOf({ path: name }: PinnedWheel): string {
  return path.posix.basename(name);
}

function librariesOf({ wheels }: CudaTable): readonly PinnedLibrary[] {
  return wheels.flatMap(({ libraries }) => libraries);
}

function stagingOf(dir: string): string {
  return `${dir}.part`;
}

async function writeManifest(dir: string, table: CudaTable): Promise<void> {
  const files = librariesOf(table).map((library) => ({ name: libraryName(library), size: library.size, sha256: library.sha256 }));
  const manifest: z.infer<typeof MANIFEST> = { format: 'tah-cuda-runtime/1', onnxRuntime: table.onnxRuntime, files };
  await writeFile(path.join(dir, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The folder has its name, and says itself that it is whole. */
function isNamedWhole(dir: string): boolean {
  try {
    return MANIFEST.safeParse(JSON.parse(readFileSync(path.join(dir, MANIFEST_FILE), 'utf8'))).success;
  } catch {
    // Not there, or not readable as what it should be: as good as not there.
    return false;
  }
}

function wrongSizes(dir: string, table: CudaTable): readonly string[] {
  const wrong = librariesOf(table).filter((library) => statSync(path.join(dir, libraryName(library)), { throwIfNoEntry: false })?.size !== library.size);
  return wrong.map(libraryName);
}

async function wrongFiles(dir: string, table: CudaTable, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const library of librariesOf(table)) {
    const name = libraryName(library);
    const file: HubFile = { path: name, size: library.size, hash: { kind: 'sha256', value: library.sha256 } };
    try {
      if (!(await isWhole(path.join(dir, name), file, signal))) wrong.push(name);
    } catch (error) {
      if (signal?.aborted === true) throw cancelledDownload();
      throw error;
    }
  }
  return wrong;
}

/** How much of the download is there, in wheels that have come or are on their way and in libraries. */
export async function fetchedBytes(storage: string, table: CudaTable = CUDA_TABLE): Promise<number> {
  const staging = stagingOf(cudaFolder(storage, table));
  let bytes = 0;
  for (const wheel of table.wheels) {
    const unpacked = wrongSizes(staging, { ...table, wheels: [wheel] }).length === 0;
    bytes += unpacked ? wheel.size : await bytesOnDisk(path.join(cudaRoot(storage), WHEELS, nameOf(wheel)), fileOf(wheel));
  }
  return bytes;
}

async function isEmpty(storage: string): Promise<boolean> {
  const names = await readdir(cudaRoot(storage)).catch(() => []);
  return names.every((name) => name.startsWith('.tah-download'));
}

/** Older versions: no process that starts now uses them, and one that runs has its libraries open. */
async function removeOthers(root: string, dir: string): Promise<void> {
  for (const name of await readdir(root)) {
    const other = path.join(root, name);
    if (other !== dir && !name.startsWith('.tah-download')) await rm(other, { recursive: true, force: true });
  }
}

/** A folder of the same name is there and not empty: what is in it is looked at anyway. */
function onlyIfTaken(error: unknown): void {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')) return;
  throw error;
}
