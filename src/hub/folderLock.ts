/**
 * One download at a time in a folder, across processes and machines that share a disk: a lock file with the owner's
 * process id and host, touched while it is held. A lock whose owner is gone is taken over at once; one whose owner may
 * live (its process id may be another program's by now, or it is on another machine) when nobody touches it while it
 * is watched. No clock is believed, since clocks are set and machines sleep: only that a file changes or doesn't.
 */
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isAlive, thisHost } from '../disk/owner.ts';
import { TahError } from '../protocol/errors.ts';
import { sleepUnlessCancelled } from './retry.ts';

const LOCK_FILE = '.tah-download.lock';
const TOUCH_MS = 5000;
/** Untouched since then by the clock: worth a watch. A lock that is younger is held. */
const QUIET_MS = 3 * TOUCH_MS;

export interface FolderLock {
  /**
   * Call before each write. Asks the disk only where this process may have slept.
   * @throws TahError hub.busy where another download has taken the folder over meanwhile
   */
  check(): Promise<void>;
  release(): Promise<void>;
}

export interface LockOptions {
  /** Between two touches, milliseconds; for tests. Default 5000. */
  readonly touchMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws TahError hub.busy where another download has it */
export async function lockFolder(dir: string, { touchMs = TOUCH_MS, signal }: LockOptions = {}): Promise<FolderLock> {
  const file = path.join(dir, LOCK_FILE);
  const content = `${process.pid} ${thisHost()} ${randomBytes(8).toString('hex')}`;
  await create(file, content, dir, touchMs, signal);
  const isOurs = async (): Promise<boolean> => (await ownerOf(file)) === content;
  let touched = performance.now();
  let lost = false;
  /** Whoever has not touched it in time may have been asleep, and somebody else may have it now. */
  const verify = async (): Promise<void> => {
    if (performance.now() - touched < 2 * touchMs) return;
    if (!(await isOurs())) lost = true;
  };
  const timer = setInterval(() => {
    void verify().then(async () => {
      if (lost) return;
      const now = new Date();
      await utimes(file, now, now);
      touched = performance.now();
    }).catch(() => undefined); // Whoever removed the folder has also ended the download: its own writes tell.
  }, touchMs);
  timer.unref();
  return {
    async check() {
      await verify();
      if (lost) throw busy(dir);
    },
    async release() {
      clearInterval(timer);
      if (await isOurs()) await rm(file, { force: true });
    },
  };
}

async function create(file: string, content: string, dir: string, touchMs: number, signal: AbortSignal | undefined): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    try {
      await writeFile(file, content, { flag: 'wx' });
      return;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) {
        // Made, but not written: the disk is full.
        if (!isCode(error, 'ENOENT')) await rm(file, { force: true });
        throw error;
      }
    }
    const owner = await ownerOf(file);
    if (owner !== null && heldBy(owner) !== 'nobody' && !(await isLeft(file, touchMs, signal))) throw busy(dir);
    if (owner !== null) await removeLeft(file, owner);
  }
  throw busy(dir);
}

/** Moved aside before it is removed: of two that find it left only one gets it, and a new owner's lock is put back. */
async function removeLeft(file: string, owner: string): Promise<void> {
  const aside = `${file}.${randomBytes(4).toString('hex')}`;
  const moved = await rename(file, aside).then(() => true, () => false);
  if (!moved) return;
  if ((await ownerOf(aside)) === owner) await rm(aside, { force: true });
  else await rename(aside, file);
}

/** True while another download works in the folder, as far as can be told at once. */
export async function isLocked(dir: string): Promise<boolean> {
  const file = path.join(dir, LOCK_FILE);
  const owner = await ownerOf(file);
  return owner !== null && heldBy(owner) !== 'nobody' && ((await quietMs(file)) ?? 0) < QUIET_MS;
}

/** Null where there is no lock. */
function ownerOf(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null);
}

/** `perhaps`: on another machine, where its process can't be looked for, or not written yet. */
function heldBy(owner: string): 'nobody' | 'somebody' | 'perhaps' {
  const [pid = '', host] = owner.split(' ');
  // Earlier versions wrote no host, but a longer random number.
  if (pid === '' || (host?.length === 8 && host !== thisHost())) return 'perhaps';
  return isAlive(Number.parseInt(pid, 10)) ? 'somebody' : 'nobody';
}

/** Watches a lock that seems quiet for as long as its owner may take to touch it, and a little more. */
async function isLeft(file: string, touchMs: number, signal: AbortSignal | undefined): Promise<boolean> {
  if (((await quietMs(file)) ?? Infinity) < 3 * touchMs) return false;
  const before = await looksOf(file);
  await sleepUnlessCancelled(2 * touchMs, signal);
  return (await looksOf(file)) === before;
}

/** Since the last touch, by the clock; null where the clock can't tell, since that time is still to come. */
async function quietMs(file: string): Promise<number | null> {
  const touched = await stat(file).then(({ mtimeMs }) => mtimeMs, () => 0);
  const quiet = Date.now() - touched;
  return quiet < -TOUCH_MS ? null : quiet;
}

async function looksOf(file: string): Promise<string | null> {
  const owner = await ownerOf(file);
  const touched = await stat(file).then(({ mtimeMs, ctimeMs }) => `${mtimeMs} ${ctimeMs}`, () => null);
  return owner === null || touched === null ? null : `${owner} ${touched}`;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function busy(dir: string): TahError {
  return new TahError('hub.busy', `Another window or program downloads into ${dir}.`, { file: dir, hint: 'Wait for it, or cancel it there.' });
}
