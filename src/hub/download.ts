/**
 * Downloads a checkpoint from a hub or a mirror into a folder: lists it, checks what is needed and that there is space,
 * and brings the files, a few at a time. Cancelled or failed, everything that has come stays, and the next download of
 * the same repository goes on from there.
 */
import { mkdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import { TahError } from '../protocol/errors.ts';
import { HubConnection, type ConnectionOptions } from './connection.ts';
import { downloadFile } from './downloadFile.ts';
import { diskFailure } from './failures.ts';
import { lockFolder } from './folderLock.ts';
import { planDownload, type DownloadPlan } from './layout.ts';
import { listRepository } from './listing.ts';
import { bytesOnDisk } from './partFile.ts';
import { formatBytes, ProgressMeter, type DownloadProgress } from './progress.ts';
import { checkFolder, writeRecord } from './record.ts';
import { cancelledDownload, isAborted, type Waiting } from './retry.ts';
import type { HubSource } from './source.ts';

export interface DownloadOptions extends ConnectionOptions {
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Asked when the size is known, before anything is written; false ends it as `cancelled`. */
  readonly confirm?: (plan: DownloadPlan) => Promise<boolean>;
  readonly signal?: AbortSignal;
  /** Bytes that are free on the disk of a folder; for tests. */
  readonly freeBytes?: (dir: string) => Promise<number>;
}

export interface Downloaded {
  readonly dir: string;
  readonly plan: DownloadPlan;
  /** Over the network in this download; the rest was there. */
  readonly receivedBytes: number;
}

/** Files at a time: enough to hide the waits between small ones, too few to look like an attack. */
const PARALLEL = 3;
const TELL_MS = 500;
/** Left free beside the files. */
const SPARE_BYTES = 64 * 1024 * 1024;

/** What a download would bring. @throws TahError hub.*, cancelled */
export async function planOf(source: HubSource, options: DownloadOptions): Promise<DownloadPlan> {
  const connection = new HubConnection(source.hub, options);
  const emit = (waiting: DownloadProgress['waiting']): void => options.onProgress?.({ stage: 'listing', doneBytes: 0, totalBytes: 0, bytesPerSecond: null, secondsLeft: null, waiting });
  const onWait = (waiting: Waiting): void => {
    emit(waiting);
  };
  emit(null);
  const listed = await listRepository(connection, source, options.signal, onWait);
  return planDownload(connection, source, listed, options.signal, onWait);
}

/** @throws TahError hub.*, input.*; cancelled */
export async function downloadCheckpoint(source: HubSource, folder: string, options: DownloadOptions): Promise<Downloaded> {
  const dir = path.resolve(folder);
  try {
    await checkFolder(dir, source);
    const plan = await planOf(source, options);
    if ((await options.confirm?.(plan)) === false) throw cancelledDownload();
    await mkdir(dir, { recursive: true });
    const lock = await lockFolder(dir);
    try {
      await checkSpace(plan, dir, options.freeBytes ?? freeBytes);
      await writeRecord(dir, plan, false);
      const receivedBytes = await bringAll(plan, dir, options);
      await writeRecord(dir, plan, true);
      return { dir, plan, receivedBytes };
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw diskFailure(error, dir);
  }
}

async function bringAll(plan: DownloadPlan, dir: string, options: DownloadOptions): Promise<number> {
  const connection = new HubConnection(plan.source.hub, options);
  const meter = new ProgressMeter(plan.totalBytes, options.onProgress ?? (() => undefined));
  // One that fails ends the others; what they have is kept.
  const abort = new AbortController();
  const onAbort = (): void => {
    abort.abort();
  };
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (isAborted(options.signal)) abort.abort();
  const queue = [...plan.files];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined && !abort.signal.aborted; file = queue.shift()) {
      const { path: name } = file;
      try {
        const events = { onBytes: (bytes: number, from: 'network' | 'disk') => { meter.set(name, bytes, from); }, onWait: ({ reason, ms }: Waiting) => { meter.waiting(reason, ms); } };
        await downloadFile(connection, plan.source, file, dir, events, abort.signal);
      } catch (error) {
        failures.push(error);
        abort.abort();
      }
    }
  };
  // Speed falls and the last bytes are told while nothing comes, too.
  const timer = setInterval(() => { meter.tick(); }, TELL_MS);
  try {
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  } finally {
    clearInterval(timer);
    options.signal?.removeEventListener('abort', onAbort);
    meter.tell();
  }
  if (isAborted(options.signal)) throw cancelledDownload();
  // The first one is the cause; those after it were ended by it.
  if (failures.length > 0) throw failures[0];
  return meter.received;
}

async function checkSpace(plan: DownloadPlan, dir: string, free: (dir: string) => Promise<number>): Promise<void> {
  const there = await Promise.all(plan.files.map((file) => bytesOnDisk(path.join(dir, ...file.path.split('/')), file)));
  const needed = plan.totalBytes - there.reduce((sum, bytes) => sum + bytes, 0) + SPARE_BYTES;
  const available = await free(dir);
  if (available >= needed) return;
  throw new TahError('hub.disk-full', `The download needs ${formatBytes(needed)} more on the disk of ${dir}, which has ${formatBytes(available)} free.`, {
    file: dir,
    hint: 'Free some space, or choose a folder on another disk. Nothing was downloaded.',
  });
}

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
