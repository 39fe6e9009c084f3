/**
 * One download at a time in a folder, across processes: a lock file with the owner's process id, touched while it is
 * held. A lock whose owner is gone, or that nobody has touched for a while (its process id may be another program's
 * by now), is taken over.
 */
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TahError } from '../protocol/errors.ts';

const LOCK_FILE = '.tah-download.lock';
const TOUCH_MS = 5000;
const STALE_MS = 60_000;

export interface FolderLock {
  release(): Promise<void>;
}

/** @throws TahError hub.busy where another download has it */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const file = path.join(dir, LOCK_FILE);
  const content = `${process.pid} ${randomBytes(8).toString('hex')}`;
  await create(file, content, dir);
  const timer = setInterval(() => {
    const now = new Date();
    // Whoever removed the folder has also ended the download: its own writes tell.
    utimes(file, now, now).catch(() => undefined);
  }, TOUCH_MS);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      const owner = await readFile(file, 'utf8').catch(() => null);
      if (owner === content) await rm(file, { force: true });
    },
  };
}

async function create(file: string, content: string, dir: string): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    try {
      await writeFile(file, content, { flag: 'wx' });
      return;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
    const owner = await readFile(file, 'utf8').catch(() => null);
    if (owner !== null && (await isHeld(file, owner))) throw busy(dir);
    // Moved aside before it is removed: of two that find it stale only one gets it.
    const aside = `${file}.${randomBytes(4).toString('hex')}`;
    const moved = await rename(file, aside).then(() => true, () => false);
    if (moved) await rm(aside, { force: true });
  }
  throw busy(dir);
}

/** True while another download works in the folder. */
export async function isLocked(dir: string): Promise<boolean> {
  const file = path.join(dir, LOCK_FILE);
  const owner = await readFile(file, 'utf8').catch(() => null);
  return owner !== null && (await isHeld(file, owner));
}

async function isHeld(file: string, owner: string): Promise<boolean> {
  const touched = await stat(file).then(({ mtimeMs }) => mtimeMs, () => 0);
  return Date.now() - touched < STALE_MS && isAlive(Number.parseInt(owner, 10));
}

/** Whether a process of this id runs on this machine. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    return isCode(error, 'EPERM');
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function busy(dir: string): TahError {
  return new TahError('hub.busy', `Another window or program downloads into ${dir}.`, { file: dir, hint: 'Wait for it, or cancel it there.' });
}
