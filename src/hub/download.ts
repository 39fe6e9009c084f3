/**
 * Downloads a checkpoint from a hub or a mirror into a folder: lists it, checks what is needed and that there is space,
 * and brings the files. Cancelled or failed, everything that has come stays, and the next download of the same
 * repository goes on from there.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { bringFiles, checkSpace, type BringOptions } from './bringFiles.ts';
import { HubConnection } from './connection.ts';
import { diskFailure } from './failures.ts';
import { lockFolder } from './folderLock.ts';
import { fileUrl, planDownload, type DownloadPlan } from './layout.ts';
import { listRepository } from './listing.ts';
import type { DownloadProgress } from './progress.ts';
import { checkFolder, writeRecord } from './record.ts';
import { cancelledDownload, type Waiting } from './retry.ts';
import { describeSource, type HubSource } from './source.ts';

export interface DownloadOptions extends BringOptions {
  /** Asked when the size is known, before anything is written; false ends it as `cancelled`. */
  readonly confirm?: (plan: DownloadPlan) => Promise<boolean>;
}

export interface Downloaded {
  readonly dir: string;
  readonly plan: DownloadPlan;
  /** Over the network in this download; the rest was there. */
  readonly receivedBytes: number;
}

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
export function downloadCheckpoint(source: HubSource, folder: string, options: DownloadOptions): Promise<Downloaded> {
  return downloadPlanned(source, folder, planOf, options);
}

/** Brings the files that `planner` names. @throws TahError hub.*, input.*; cancelled */
export async function downloadPlanned(source: HubSource, folder: string, planner: typeof planOf, options: DownloadOptions): Promise<Downloaded> {
  const dir = path.resolve(folder);
  try {
    await checkFolder(dir, source);
    const plan = await planner(source, options);
    if ((await options.confirm?.(plan)) === false) throw cancelledDownload();
    await mkdir(dir, { recursive: true });
    const lock = await lockFolder(dir, { touchMs: options.lockTouchMs, signal: options.signal });
    try {
      await checkSpace(plan.files, dir, options.freeBytes);
      await writeRecord(dir, plan, false);
      const place = { hub: source.hub, name: describeSource(source), urlOf: (name: string) => fileUrl(source, name) };
      const receivedBytes = await bringFiles({ place, files: plan.files, lock }, dir, options);
      await writeRecord(dir, plan, true);
      return { dir, plan, receivedBytes };
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw diskFailure(error, dir);
  }
}
