/**
 * Runs that have ended, kept on disk as run files, one a run, so that they outlive the window. Bounded: the oldest go
 * first. Several windows share the folder: a file is written beside its name and renamed, and one that another window
 * has removed is no failure. What can't be read is moved aside and told, never deleted. Imports no `vscode`.
 */

import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, thisHost } from '../disk/owner.ts';
import { phrase, TahError } from '../protocol/errors.ts';
import type { Run, RunHead } from '../protocol/run.ts';
import type { Subscription } from './emitter.ts';
import type { Runs } from './runs.ts';

export interface HistoryOptions {
  readonly folder: string;
  /** Files at most. Default 200. */
  readonly keep?: number;
  /** Bytes of all files at most. Default 256 MB. */
  readonly keepBytes?: number;
  /** One line for the log; never a problem or an answer. */
  readonly log: (line: string) => void;
  /** A run could not be kept. */
  readonly onError: (error: TahError) => void;
}

export interface HistoryEntry {
  /** Name of the file within the folder. */
  readonly file: string;
  readonly run: Omit<RunHead, 'prompt'>;
}

const EXTENSION = '.tahrun.json';
const NAME = /^\d{4}-\d{2}-\d{2}T[\d-]+\.?\d*Z_([\w-]{1,100})\.tahrun\.json$/;
/** `.<pid>-<host>-<random>.tmp`; earlier versions named neither process nor host. */
const UNFINISHED = /^\.(?:(\d+)-([0-9a-f]{8})-)?[\w-]+\.tmp$/;
const DAMAGED = 'damaged';
/** A file that was left by a window of another machine, or of an earlier version, that ended while it wrote. */
const UNFINISHED_MS = 3_600_000;
/** The first line of a file: long problems and chosen passes included. */
const LONGEST_HEAD = 4 * 1024 * 1024;
const PIECE = 64 * 1024;

export class RunHistory {
  /** Runs that wait to be written; a newer state of a run replaces the older. */
  private readonly waiting = new Map<string, Run>();
  private writing: Promise<void> | null = null;

  constructor(private readonly options: HistoryOptions) {}

  /** Keeps the run as it is now; failures are told, and the run stays in memory. */
  save(run: Run): void {
    this.waiting.set(run.id, run);
    this.writing ??= this.writeWaiting();
  }

  /** Resolves when everything that was to be kept is on disk, or has been told of. */
  async settled(): Promise<void> {
    while (this.writing !== null) await this.writing;
  }

  /** Newest first; files that are damaged are moved aside. */
  async list(): Promise<readonly HistoryEntry[]> {
    await this.settled();
    const entries: HistoryEntry[] = [];
    for (const file of (await this.names()).reverse()) {
      const run = await this.orAside(file, (name) => readHead(join(this.options.folder, file), name));
      if (run !== null) entries.push({ file, run });
    }
    return entries;
  }

  /** Null where it is not kept (any more), or can't be read. */
  async read(runId: string): Promise<Run | null> {
    await this.settled();
    const file = (await this.names()).find((name) => NAME.exec(name)?.[1] === runId);
    if (file === undefined) return null;
    return this.orAside(file, async (name) => (await import('./runFile.ts')).readRunFile(await readFile(join(this.options.folder, file)), name));
  }

  async remove(runId: string): Promise<void> {
    this.waiting.delete(runId);
    await this.settled();
    for (const file of await this.names()) if (NAME.exec(file)?.[1] === runId) await this.unlink(file);
  }

  /** Everything that is kept, damaged files too. */
  async clear(): Promise<void> {
    this.waiting.clear();
    await this.settled();
    for (const file of await this.names()) await this.unlink(file);
    await rm(join(this.options.folder, DAMAGED), { recursive: true, force: true });
  }

  private async writeWaiting(): Promise<void> {
    try {
      for (let next = this.next(); next !== null; next = this.next()) {
        try {
          await this.write(next);
        } catch (error) {
          this.options.onError(cannotKeep(error, this.options.folder));
        }
      }
    } finally {
      this.writing = null;
    }
  }

  private next(): Run | null {
    for (const [id, run] of this.waiting) {
      this.waiting.delete(id);
      return run;
    }
    return null;
  }

  private async write(run: Run): Promise<void> {
    const { folder } = this.options;
    const bytes = (await import('./runFile.ts')).writeRunFile(run);
    await mkdir(folder, { recursive: true });
    const unfinished = join(folder, `.${process.pid}-${thisHost()}-${randomUUID()}.tmp`);
    try {
      const file = await open(unfinished, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, join(folder, nameOf(run)));
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    await this.dropOldest(nameOf(run));
  }

  /** @param newest stays, however large it is */
  private async dropOldest(newest: string): Promise<void> {
    const { keep = 200, keepBytes = 256 * 1024 * 1024 } = this.options;
    const files: { name: string; bytes: number }[] = [];
    for (const name of await this.names()) files.push({ name, bytes: await this.size(name) });
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    let left = files.length;
    for (const file of files) {
      if (left <= keep && bytes <= keepBytes) break;
      if (file.name === newest) continue;
      await this.unlink(file.name);
      bytes -= file.bytes;
      left--;
    }
    await this.dropUnfinished();
  }

  private async dropUnfinished(): Promise<void> {
    for (const name of await readdir(this.options.folder)) {
      const [unfinished, pid, host] = UNFINISHED.exec(name) ?? [];
      if (unfinished === undefined) continue;
      // The process says it best: a clock that was set tells nothing of a file's age.
      if (pid !== undefined && host === thisHost()) {
        if (!isAlive(Number(pid))) await this.unlink(name);
        continue;
      }
      const made = await stat(join(this.options.folder, name)).catch(unlessGone);
      if (made !== null && Date.now() - made.mtimeMs > UNFINISHED_MS) await this.unlink(name);
    }
  }

  /**
   * Names of kept runs, oldest first. One from the future was written before the clock went back, so before all that
   * are written now.
   */
  private async names(): Promise<string[]> {
    const names = ((await readdir(this.options.folder).catch(unlessGone)) ?? []).filter((name) => NAME.test(name)).sort();
    const now = stampOf(new Date().toISOString());
    const firstOfFuture = names.findIndex((name) => name > `${now}_~`);
    return firstOfFuture < 0 ? names : [...names.slice(firstOfFuture), ...names.slice(0, firstOfFuture)];
  }

  private async size(name: string): Promise<number> {
    return (await stat(join(this.options.folder, name)).catch(unlessGone))?.size ?? 0;
  }

  private async unlink(name: string): Promise<void> {
    await unlink(join(this.options.folder, name)).catch(unlessGone);
  }

  /** What `read` gives; null where the file is gone, of a newer version, or damaged, and then it is moved aside. */
  private async orAside<T>(file: string, read: (name: string) => Promise<T>): Promise<T | null> {
    try {
      return await read(file);
    } catch (thrown) {
      const error = TahError.from(thrown);
      if (isGone(thrown)) return null;
      if (error.code === 'run-file.invalid') await this.moveAside(file);
      this.options.log(`History: ${error.message}${error.code === 'run-file.invalid' ? ` It was moved to ${join(this.options.folder, DAMAGED)}.` : ''}`);
      return null;
    }
  }

  private async moveAside(file: string): Promise<void> {
    const aside = join(this.options.folder, DAMAGED);
    await mkdir(aside, { recursive: true });
    await rename(join(this.options.folder, file), join(aside, file)).catch(unlessGone);
  }
}

/** Keeps every solve that ends, branches and comparisons among them, and again when its answer has been checked. */
export function keepEnded(runs: Runs, history: RunHistory): Subscription {
  return runs.onDidChange(({ runId, change }) => {
    if (change.type !== 'end' && change.type !== 'check') return;
    const run = runs.get(runId);
    if (run?.kind === 'solve') history.save(run);
  });
}

/** A run of this window, or one of an earlier window, which is then one of this window's. */
export async function findRun(runs: Runs, history: RunHistory, runId: string): Promise<Run | null> {
  if (runs.get(runId) === null) {
    const kept = await history.read(runId);
    if (kept !== null) runs.adopt(kept);
  }
  return runs.get(runId);
}

/** Sorts by time, and is a name on every system. */
function nameOf(run: Run): string {
  return `${stampOf(run.createdAt)}_${run.id}${EXTENSION}`;
}

function stampOf(time: string): string {
  return time.replaceAll(':', '-');
}

async function readHead(path: string, name: string): Promise<Omit<RunHead, 'prompt'>> {
  const { readRunHead, readRunFile } = await import('./runFile.ts');
  const line = await firstLine(path);
  if (line !== null) {
    try {
      return readRunHead(line, name);
    } catch (error) {
      // Laid out by another hand, it is read whole; a newer version is not.
      if (TahError.from(error).code !== 'run-file.invalid') throw error;
    }
  }
  return readRunFile(await readFile(path), name);
}

/** Null where it is longer than a head may be. */
async function firstLine(path: string): Promise<string | null> {
  const file = await open(path, 'r');
  try {
    const pieces: Buffer[] = [];
    for (let position = 0; position < LONGEST_HEAD; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE), 0, PIECE, position);
      const piece = buffer.subarray(0, bytesRead);
      const end = piece.indexOf('\n');
      pieces.push(end < 0 ? piece : piece.subarray(0, end));
      if (end >= 0 || bytesRead === 0) return Buffer.concat(pieces).toString('utf8');
      position += bytesRead;
    }
    return null;
  } finally {
    await file.close();
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** For `catch`: another window has removed it. */
function unlessGone(error: unknown): null {
  if (isGone(error)) return null;
  throw error;
}

function cannotKeep(thrown: unknown, folder: string): TahError {
  if (thrown instanceof TahError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : null;
  const reason = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? 'it may not be written' : thrown instanceof Error ? thrown.message : String(thrown);
  return new TahError('run-file.cannot-write', phrase('The run could not be kept in the history {0}: {1}.', folder, reason), { file: folder, hint: phrase('It stays until the window closes; save it as a file to keep it.'), cause: thrown });
}
