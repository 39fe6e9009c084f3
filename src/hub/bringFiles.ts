/**
 * Brings files from one place into a folder, a few at a time, with progress, and with a look at the space first.
 * Cancelled or failed, what has come stays, and the next download of the same files goes on from there.
 */
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { TahError } from '../protocol/errors.ts';
import { HubConnection, type ConnectionOptions } from './connection.ts';
import { downloadFile, type FilePlace } from './downloadFile.ts';
import type { FolderLock } from './folderLock.ts';
import type { HubFile } from './listing.ts';
import { bytesOnDisk } from './partFile.ts';
import { formatBytes, ProgressMeter, type DownloadProgress } from './progress.ts';
import { cancelledDownload, isAborted, type Waiting } from './retry.ts';

export interface BringOptions extends ConnectionOptions {
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** Bytes that are free on the disk of a folder; for tests. */
  readonly freeBytes?: (dir: string) => Promise<number>;
  /** How often the folder's lock is touched, milliseconds; for tests. */
  readonly lockTouchMs?: number | undefined;
}

export interface Brought {
  readonly place: FilePlace;
  readonly files: readonly HubFile[];
  /** Bytes of files that are not asked for, because what they are for is there already: told as done. */
  readonly doneBytes?: number;
  /** Of the folder, so that nothing is written after another download has taken it over. */
  readonly lock: Pick<FolderLock, 'check'>;
  /** Called with each file that is whole; the next one of the queue waits for it. Failing, it ends the download. */
  readonly onFile?: (file: HubFile, signal: AbortSignal) => Promise<void>;
}

/** Files at a time: enough to hide the waits between small ones, too few to look like an attack. */
const PARALLEL = 3;
const TELL_MS = 500;
/** Left free beside the files. */
const SPARE_BYTES = 64 * 1024 * 1024;

/** Returns how many bytes came over the network. @throws TahError hub.*, cancelled, and what `onFile` throws */
export async function bringFiles({ place, files, doneBytes = 0, lock, onFile }: Brought, dir: string, options: BringOptions): Promise<number> {
  const connection = new HubConnection(place.hub, options);
  const meter = new ProgressMeter(files.reduce((sum, { size }) => sum + size, doneBytes), options.onProgress ?? (() => undefined));
  if (doneBytes > 0) meter.set('', doneBytes, 'disk');
  // One that fails ends the others; what they have is kept.
  const abort = new AbortController();
  const onAbort = (): void => {
    abort.abort();
  };
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (isAborted(options.signal)) abort.abort();
  const queue = [...files];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined && !abort.signal.aborted; file = queue.shift()) {
      const { path: name } = file;
      try {
        const events = { onBytes: (bytes: number, from: 'network' | 'disk') => { meter.set(name, bytes, from); }, onWait: ({ reason, ms }: Waiting) => { meter.waiting(reason, ms); }, beforeWrite: () => lock.check() };
        await downloadFile(connection, place, file, dir, events, abort.signal);
        await onFile?.(file, abort.signal);
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

/** @param more bytes that are written beside the files @throws TahError hub.disk-full */
export async function checkSpace(files: readonly HubFile[], dir: string, free: BringOptions['freeBytes'] = freeBytes, more = 0): Promise<void> {
  const there = await Promise.all(files.map((file) => bytesOnDisk(path.join(dir, ...file.path.split('/')), file)));
  const needed = files.reduce((sum, { size }) => sum + size, more) - there.reduce((sum, bytes) => sum + bytes, 0) + SPARE_BYTES;
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
