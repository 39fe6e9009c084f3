/**
 * The folder that an import makes: a temporary one beside the target, renamed when it is whole, removed otherwise.
 * Knows file systems and their errors; knows nothing of models.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fateOf, readSideFolder, sideFolderName } from '../disk/sideFolders.ts';
import { TahError } from '../protocol/errors.ts';
import { MANIFEST_FILE, SOURCE_FILE } from '../protocol/manifest.ts';

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

/** Of several imports of one target at once each may find another's model in the place: so often it tries again. */
const MOST_TRIES = 20;
/** Beside the weights: graph, tokenizer, manifest. */
const SPARE_BYTES = 32 * 1024 * 1024;

/** @param source what is imported: a folder that holds it is not replaced @throws TahError import.exists, import.cannot-write */
export function prepareTarget(out: string, replace: boolean, source: string): Target {
  const parent = path.dirname(out);
  const folder = sideFolderName('partial', out);
  let created: string | null = null;
  let made = false;
  const discard = (): void => {
    if (made) fs.rmSync(folder, { recursive: true, force: true });
    if (created !== null) removeEmpty(parent, created);
  };
  try {
    if (fs.existsSync(parent)) clearAbandoned(parent, path.basename(out));
    if (exists(out)) checkReplaceable(out, replace, source);
    created = createFolder(parent);
    fs.mkdirSync(folder);
    made = true;
  } catch (error) {
    discard();
    throw diskError(error, out);
  }
  return { out, folder, commit: () => commit(folder, out, replace), discard };
}

function checkReplaceable(out: string, replace: boolean, source: string): void {
  if (!replace) throw alreadyThere(out);
  if (!isModel(out)) throw noModel(out);
  if (`${fs.realpathSync(source)}${path.sep}`.startsWith(`${fs.realpathSync(out)}${path.sep}`)) throw notReplaced(out, 'holds the checkpoint');
}

/** One that has lost its manifest is one that an import has made, too. */
function isModel(folder: string): boolean {
  return [MANIFEST_FILE, SOURCE_FILE].some((name) => fs.existsSync(path.join(folder, name)));
}

function noModel(out: string): TahError {
  return notReplaced(out, 'is no model folder');
}

function notReplaced(out: string, why: string): TahError {
  return new TahError('import.exists', `${out} ${why}, so it is not replaced.`, { file: out, hint: 'Choose another folder.' });
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

/** @param replace whether a model folder that is there makes room, also one that another import has just put there */
function commit(folder: string, out: string, replace: boolean): number {
  const bytes = fs.readdirSync(folder).reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0);
  const asides: string[] = [];
  try {
    for (let tries = 1; !takePlace(folder, out); tries++) {
      if (!replace || tries > MOST_TRIES) throw alreadyThere(out);
      const aside = moveAside(out);
      if (aside !== null) asides.push(aside);
    }
  } catch (error) {
    // The older one comes back, unless another import has put its own there.
    const newest = exists(out) ? undefined : asides.pop();
    if (newest !== undefined) fs.renameSync(newest, out);
    throw error;
  } finally {
    for (const aside of asides) fs.rmSync(aside, { recursive: true, force: true });
  }
  return bytes;
}

/** @returns false where something is there already; an empty folder is something, too */
function takePlace(folder: string, out: string): boolean {
  if (exists(out)) return false;
  try {
    fs.renameSync(folder, out);
    return true;
  } catch (error) {
    // Another import was faster by a moment.
    if (exists(out) && isCode(error, 'ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES')) return false;
    throw error;
  }
}

/** Where the older folder is now; null where another import has just moved it. @throws TahError import.exists for what is no model */
function moveAside(out: string): string | null {
  const aside = sideFolderName('replaced', out);
  if (!isModel(out) && exists(out)) throw noModel(out);
  try {
    fs.renameSync(out, aside);
    return aside;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Removes what killed imports of the same target left, and brings back the older model that one had moved aside. */
function clearAbandoned(parent: string, base: string): void {
  for (const name of fs.readdirSync(parent)) {
    const side = readSideFolder(name);
    if (side?.model !== base) continue;
    const fate = fateOf(side, exists(path.join(parent, base)));
    if (fate === 'restore') fs.renameSync(path.join(parent, name), path.join(parent, base));
    if (fate === 'remove') fs.rmSync(path.join(parent, name), { recursive: true, force: true });
  }
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
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
