/**
 * The folder that an import makes: a temporary one beside the target, renamed when it is whole, removed otherwise.
 * Knows file systems and their errors; knows nothing of models.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { TahError } from '../protocol/errors.ts';
import { MANIFEST_FILE } from '../protocol/manifest.ts';

export interface Target {
  /** The folder that will be there in the end. */
  readonly out: string;
  /** The temporary folder to write to. */
  readonly folder: string;
  /** Puts the folder in its place and returns its size in bytes. */
  commit(): number;
  /** Removes what is left; nothing after commit(). */
  discard(): void;
}

/** `name.partial-<pid>-<random>`: the pid tells a later import whether the writer still lives. */
const PARTIAL = /\.(?:partial|replaced)-(\d+)-[0-9a-f]+$/;
/** Beside the weights: graph, tokenizer, manifest. */
const SPARE_BYTES = 32 * 1024 * 1024;

/** @throws TahError import.exists, import.cannot-write */
export function prepareTarget(out: string, replace: boolean): Target {
  if (fs.existsSync(out)) {
    if (!replace) throw new TahError('import.exists', `${out} is already there.`, { file: out, hint: 'Choose another folder, or remove this one first.' });
    if (!fs.existsSync(path.join(out, MANIFEST_FILE))) {
      throw new TahError('import.exists', `${out} is no model folder, so it is not replaced.`, { file: out, hint: 'Choose another folder.' });
    }
  }
  const unique = `${process.pid}-${randomBytes(4).toString('hex')}`;
  const folder = `${out}.partial-${unique}`;
  try {
    fs.mkdirSync(path.dirname(out), { recursive: true });
    removeAbandoned(path.dirname(out), path.basename(out));
    fs.mkdirSync(folder);
  } catch (error) {
    throw diskError(error, out);
  }
  return {
    out,
    folder,
    commit: () => commit(folder, out, `${out}.replaced-${unique}`),
    discard: () => {
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

function commit(folder: string, out: string, aside: string): number {
  const bytes = fs.readdirSync(folder).reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0);
  const replaced = fs.existsSync(out);
  if (replaced) fs.renameSync(out, aside);
  fs.renameSync(folder, out);
  if (replaced) fs.rmSync(aside, { recursive: true, force: true });
  return bytes;
}

/** Removes what killed imports of the same target left. */
function removeAbandoned(parent: string, base: string): void {
  for (const name of fs.readdirSync(parent)) {
    const match = name.startsWith(`${base}.`) ? PARTIAL.exec(name) : null;
    if (match !== null && !isAlive(Number(match[1]))) fs.rmSync(path.join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** @throws TahError import.disk-full when the file system says that it has less than is needed */
export function checkSpace(folder: string, bytes: number): void {
  const { bavail, bsize } = fs.statfsSync(folder);
  const free = bavail * bsize;
  if (free < bytes + SPARE_BYTES) {
    throw new TahError('import.disk-full', `The model needs ${megabytes(bytes + SPARE_BYTES)} on the disk of ${folder}, which has ${megabytes(free)} free.`, {
      file: folder,
      hint: 'Free some space or choose a folder on another disk.',
    });
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

/** A file-system failure in the user's words; every other error unchanged. */
export function diskError(error: unknown, out: string): unknown {
  if (error instanceof TahError || !(error instanceof Error) || !('code' in error)) return error;
  const detail = { file: out, cause: error };
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new TahError('import.disk-full', `The disk is full; ${out} was not written.`, { ...detail, hint: 'Free some space or choose a folder on another disk.' });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
    case 'EEXIST':
      return new TahError('import.cannot-write', `${out} can't be written: ${error.message}`, { ...detail, hint: 'Choose a folder that you may write to.' });
    default:
      return error;
  }
}
