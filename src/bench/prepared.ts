/**
 * What the bench needs and keeps in its cache folder, outside of the repository: checkpoints with random weights, their
 * model folders and GGUF files, llama.cpp. Each is made where it is missing, and made again when what makes it has changed.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { writeRandomCheckpoint } from '../cli/randomCheckpoint.ts';
import { writeGguf } from './gguf.ts';
import { importedIn } from './importing.ts';

const LLAMA = 'node-llama-cpp@3.22.1';
const SEED = 6;
const ROOT = path.join(import.meta.dirname, '..');

export const SHAPES = { tiny: 'tiny', '0.6b': 'qwen3-0.6b', '1.7b': 'qwen3-1.7b' } as const;
export type ShapeName = keyof typeof SHAPES;

export function cacheFolder(given: string | undefined): string {
  const folder = given ?? path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'think-at-hard', 'bench');
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

export function checkpointOf(shape: ShapeName, tah: boolean, cache: string): string {
  const folder = path.join(cache, `${shape}-${tah ? 'tah' : 'plain'}.checkpoint`);
  const half = `${folder}.part`;
  if (fs.existsSync(folder)) return folder;
  fs.rmSync(half, { recursive: true, force: true });
  writeRandomCheckpoint(SHAPES[shape], half, SEED, tah);
  fs.renameSync(half, folder);
  return folder;
}

/** The checkpoint's model folder at int4, imported by the importer of this very source. */
export async function modelOf(shape: ShapeName, tah: boolean, cache: string): Promise<string> {
  const checkpoint = checkpointOf(shape, tah, cache);
  const folder = path.join(cache, `${shape}-${tah ? 'tah' : 'plain'}.int4`);
  const stamp = `${folder}.source`;
  const source = importerFingerprint();
  if (!fs.existsSync(stamp) || fs.readFileSync(stamp, 'utf8') !== source) {
    fs.rmSync(folder, { recursive: true, force: true });
    await importedIn(checkpoint, folder, 'int4');
    fs.writeFileSync(stamp, source);
  }
  return folder;
}

function importerFingerprint(): string {
  const hash = createHash('sha256');
  for (const room of ['importer', 'protocol']) {
    const folder = path.join(ROOT, 'src', room);
    const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const file of files.map((entry) => path.join(entry.parentPath, entry.name)).sort()) hash.update(fs.readFileSync(file));
  }
  return hash.digest('hex');
}

export function ggufOf(shape: ShapeName, cache: string): string {
  const file = path.join(cache, `${shape}.q4_0.gguf`);
  if (!fs.existsSync(file)) writeGguf(checkpointOf(shape, false, cache), file);
  return file;
}

/** Installs it with npm where it is missing. @returns its folder @throws Error where npm fails */
export async function llamaFolder(cache: string): Promise<string> {
  const folder = path.join(cache, 'llama');
  if (fs.existsSync(path.join(folder, 'node_modules', 'node-llama-cpp', 'package.json'))) return folder;
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  // Its install script would compile llama.cpp where no prebuilt binary fits; the binaries are packages of their own.
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  await promisify(execFile)(npm, ['install', '--ignore-scripts', '--no-audit', '--no-fund', LLAMA], { cwd: folder, shell: process.platform === 'win32' });
  return folder;
}

/** A Python with PyTorch and transformers: the one named, else the one that the training uses. @throws Error that says why not */
export async function pythonOf(given: string | undefined): Promise<string> {
  const own = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
  const named = given ?? process.env['TAH_PYTHON'];
  const python = named === undefined ? path.join(ROOT, '.cache', 'training', ...own) : fs.statSync(named, { throwIfNoEntry: false })?.isDirectory() === true ? path.join(named, ...own) : named;
  try {
    await promisify(execFile)(python, ['-c', 'import torch, transformers']);
  } catch (error) {
    const words = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    throw new Error(`${python} can't import torch and transformers (${words ?? ''}); name another with --python, or make one: node scripts/setupTraining.mjs`, { cause: error });
  }
  return python;
}

export function scriptFile(name: string): string {
  return path.join(ROOT, 'scripts', 'bench', name);
}
