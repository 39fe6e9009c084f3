/**
 * How a process finds the CUDA runtime that was fetched, and whether this machine has a use for it.
 *
 * ONNX Runtime looks for its provider libraries beside its own library, under the path by which the loader found that
 * (dladdr). The loader looks in LD_LIBRARY_PATH before the runpath of the Node binding. So a link to the runtime's
 * library lies beside the provider's in the fetched folder, and that folder comes first in LD_LIBRARY_PATH: the package
 * stays as it was installed. A link that leads nowhere is passed over, and only CUDA is then missing.
 */
import { readFileSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { completeCuda } from './cudaRuntime.ts';
import { CUDA_TABLE, type CudaTable } from './cudaTable.ts';

const RUNTIME_LIBRARY = 'libonnxruntime.so.1';
const DRIVER_LIBRARY = 'libcuda.so.1';
const DRIVER_VERSION = '/proc/driver/nvidia/version';
const LOADER_CACHE = '/etc/ld.so.cache';

/** ONNX Runtime has CUDA for Node on Linux x64 alone. */
export function cudaIsPossible(platform: NodeJS.Platform = process.platform, arch: string = process.arch): boolean {
  return platform === 'linux' && arch === 'x64';
}

export interface DriverPlaces {
  readonly version: string;
  readonly loaderCache: string;
  readonly libraryPath: string | undefined;
}

/** The kernel's part of the driver or its library, which is all that WSL has. */
export function hasNvidiaDriver({ version, loaderCache, libraryPath }: DriverPlaces = { version: DRIVER_VERSION, loaderCache: LOADER_CACHE, libraryPath: process.env['LD_LIBRARY_PATH'] }): boolean {
  if (exists(version)) return true;
  if ((libraryPath ?? '').split(':').some((folder) => folder !== '' && exists(path.join(folder, DRIVER_LIBRARY)))) return true;
  try {
    return readFileSync(loaderCache).includes(`${DRIVER_LIBRARY}\0`);
  } catch {
    // A system without that cache has its libraries where the loader looks by itself; none of those is a driver's.
    return false;
  }
}

export interface CudaPlaces {
  /** The folder for what is kept on this machine. */
  readonly storage: string;
  /** A file beside whose node_modules onnxruntime-node is; TAH_RUNTIME_PACKAGE goes before. */
  readonly beside: string;
  readonly table?: CudaTable;
}

/**
 * What a process that shall run on CUDA needs in its environment, from its start; nothing where the runtime is not whole.
 * @throws nothing: where the link can't be made, CUDA stays what it was
 */
export function cudaEnvironment({ storage, beside, table = CUDA_TABLE }: CudaPlaces, env: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string>> {
  const dir = cudaIsPossible() ? completeCuda(storage, table) : null;
  const library = dir === null ? null : runtimeLibrary(beside, env);
  if (dir === null || library === null || !link(library, path.join(dir, RUNTIME_LIBRARY))) return {};
  const others = (env['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== '' && folder !== dir);
  return { LD_LIBRARY_PATH: [dir, ...others].join(':') };
}

function runtimeLibrary(beside: string, env: NodeJS.ProcessEnv): string | null {
  const given = env['TAH_RUNTIME_PACKAGE'];
  try {
    const main = createRequire(beside).resolve(given === undefined || given === '' ? 'onnxruntime-node' : given);
    const file = path.join(path.dirname(main), '..', 'bin', 'napi-v6', 'linux', 'x64', RUNTIME_LIBRARY);
    return exists(file) ? file : null;
  } catch {
    // No runtime at all: whoever loads it says so.
    return null;
  }
}

/** True when `at` leads to `target`. */
function link(target: string, at: string): boolean {
  try {
    if (readlinkSync(at) === target) return true;
  } catch {
    // Not there yet, or no link: it is put in its place.
  }
  const aside = `${at}.${process.pid}`;
  try {
    rmSync(aside, { force: true });
    symlinkSync(target, aside);
    renameSync(aside, at);
    return true;
  } catch {
    // A folder that can't be written, or a disk without links.
    return false;
  }
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}
