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

/** @param source what is imported: a folder that holds it is not replaced @throws TahError import.exists, import.cannot-write */
export function prepareTarget(out: string, replace: boolean, source: string): Target {
  const unique = `${process.pid}-${randomBytes(4).toString('hex')}`;
  const parent = path.dirname(out);
  const folder = `${out}.partial-${unique}`;
  let created: string | null = null;
  let made = false;
  const discard = (): void => {
    if (made) fs.rmSync(folder, { recursive: true, force: true });
    if (created !== null) removeEmpty(parent, created);
  };
  try {
    if (exists(out)) checkReplaceable(out, replace, source);
    created = createFolder(parent);
    removeAbandoned(parent, path.basename(out));
    fs.mkdirSync(folder);
    made = true;
  } catch (error) {
    discard();
    throw diskError(error, out);
  }
  return { out, folder, commit: () => commit(folder, out, replace ? `${out}.replaced-${unique}` : null), discard };
}

function checkReplaceable(out: string, replace: boolean, source: string): void {
  if (!replace) throw alreadyThere(out);
  const no = (why: string): TahError => new TahError('import.exists', `${out} ${why}, so it is not replaced.`, { file: out, hint: 'Choose another folder.' });
  if (!fs.existsSync(path.join(out, MANIFEST_FILE))) throw no('is no model folder');
  if (`${fs.realpathSync(source)}${path.sep}`.startsWith(`${fs.realpathSync(out)}${path.sep}`)) throw no('holds the checkpoint');
}

/** Also a link that leads nowhere. */
function exists(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

function alreadyThere(out: string): TahError {
  return new TahError('import.exists', `${out} is already there.`, { file: out, hint: 'Choose another folder, or remove this one first.' });
}

/**
 * The folder and those above it that are missing; the topmost one that was made, or null. Not mkdir's own `recursive`:
 * Node's never ends where a file system takes no folders (/proc).
 */
function createFolder(folder: string): string | null {
  if (fs.existsSync(folder)) return null;
  const top = createFolder(path.dirname(folder));
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    // Made by another import at the same time.
    if (!fs.existsSync(folder)) throw error;
  }
  return top ?? folder;
}

/** Removes the folders from `folder` up to `top` as far as they are empty: an import that fails leaves none behind. */
function removeEmpty(folder: string, top: string): void {
  for (let dir = folder; dir.startsWith(top) && exists(dir) && fs.readdirSync(dir).length === 0; dir = path.dirname(dir)) fs.rmdirSync(dir);
}

/** @param aside where an older folder waits for its removal; null where none may be replaced */
function commit(folder: string, out: string, aside: string | null): number {
  const bytes = fs.readdirSync(folder).reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0);
  const replaced = exists(out);
  // Another import may have been faster.
  if (replaced && aside === null) throw alreadyThere(out);
  if (replaced && aside !== null) fs.renameSync(out, aside);
  try {
    fs.renameSync(folder, out);
  } catch (error) {
    // The older one comes back, unless another import has put its own there.
    if (replaced && aside !== null && !exists(out)) fs.renameSync(aside, out);
    throw error;
  }
  if (replaced && aside !== null) fs.rmSync(aside, { recursive: true, force: true });
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
    case 'ENOTEMPTY':
    case 'ELOOP':
    case 'ENOENT':
      return new TahError('import.cannot-write', `${out} can't be written: ${error.message}`, { ...detail, hint: 'Choose a folder that you may write to.' });
    default:
      return error;
  }
}
