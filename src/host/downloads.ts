/**
 * The checkpoints that this machine has or gets from a hub, and the downloads of this window. Each has a folder of its
 * own, in which it goes on after a cancel, a failure or a reload, from any window.
 * What brings the bytes is loaded when it is first needed: most windows never download.
 * Imports no `vscode`: `fetch` is passed in, and is asked for at each download (VS Code replaces it).
 */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Downloaded, DownloadOptions } from '../hub/download.ts';
import { isLocked, lockFolder } from '../hub/folderLock.ts';
import type { DownloadProgress } from '../hub/progress.ts';
import { folderNameOf } from '../hub/source.ts';
import type { HubSource } from '../hub/source.ts';
import { phrase, TahError } from '../protocol/errors.ts';

export type { DownloadPlan } from '../hub/layout.ts';
export type { DownloadProgress } from '../hub/progress.ts';
export type { HubSource } from '../hub/source.ts';
export { formatBytes, formatDuration } from '../hub/progress.ts';
export { DEFAULT_HUB, describeSource, parseHubUrl, parseSource } from '../hub/source.ts';

export type DownloadState =
  /** By this window. */
  | { readonly kind: 'running'; readonly progress: DownloadProgress | null }
  /** By another window or program. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'partial'; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly kind: 'complete'; readonly totalBytes: number };

export interface DownloadEntry {
  readonly dir: string;
  readonly source: HubSource;
  readonly state: DownloadState;
}

export interface DownloadsOptions {
  /** Holds a folder for each checkpoint. */
  readonly folder: string;
  readonly fetch: () => typeof fetch;
  /** For tests. */
  readonly timing?: Pick<DownloadOptions, 'stallMs' | 'retries' | 'lockTouchMs'>;
}

export type StartOptions = Pick<DownloadOptions, 'token' | 'confirm' | 'onProgress' | 'signal'>;

interface Running {
  readonly source: HubSource;
  progress: DownloadProgress | null;
  readonly abort: AbortController;
}

export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #running = new Map<string, Running>();

  constructor(options: DownloadsOptions) {
    this.#options = options;
  }

  /** Where the checkpoint of a repository is, or will be. */
  folderOf(source: HubSource): string {
    return join(this.#options.folder, folderNameOf(source));
  }

  /** @throws TahError hub.*, and cancelled by `signal`, `cancel` or `dispose`; what is there is kept */
  async start(source: HubSource, options: StartOptions): Promise<Downloaded> {
    const dir = this.folderOf(source);
    if (this.#running.has(dir)) throw new TahError('hub.busy', phrase('{0} is being downloaded already.', source.repository), { file: dir, hint: phrase('Its notification shows how far it is.') });
    const running: Running = { source, progress: null, abort: new AbortController() };
    this.#running.set(dir, running);
    const onAbort = (): void => {
      running.abort.abort();
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted === true) onAbort();
    try {
      const { downloadCheckpoint } = await import('../hub/download.ts');
      return await downloadCheckpoint(source, dir, {
        ...options,
        ...this.#options.timing,
        fetch: this.#options.fetch(),
        signal: running.abort.signal,
        onProgress: (progress) => {
          running.progress = progress;
          options.onProgress?.(progress);
        },
      });
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
      this.#running.delete(dir);
    }
  }

  /** Whether the folder has all files of that repository, by their hashes; asks no hub. @throws TahError cancelled */
  async isWhole(dir: string, source: HubSource, signal: AbortSignal): Promise<boolean> {
    const { isWholeDownload } = await import('../hub/importSource.ts');
    return isWholeDownload(dir, source, signal);
  }

  /** The repository that a checkpoint's folder was downloaded from, by whatever program; null: it came another way. */
  async sourceOf(dir: string): Promise<HubSource | null> {
    const { downloadOf } = await import('../hub/importSource.ts');
    return downloadOf(dir);
  }

  cancel(dir: string): void {
    this.#running.get(dir)?.abort.abort();
  }

  async list(): Promise<readonly DownloadEntry[]> {
    const entries: DownloadEntry[] = [...this.#running].map(([dir, { source, progress }]) => ({ dir, source, state: { kind: 'running', progress } }));
    // No folder: nothing was downloaded yet.
    const names = await readdir(this.#options.folder).catch(() => []);
    if (names.length === 0) return entries;
    const { readRecord, recordedBytes } = await import('../hub/record.ts');
    for (const name of names.sort()) {
      const dir = join(this.#options.folder, name);
      const record = this.#running.has(dir) ? null : await readRecord(dir);
      if (record === null) continue;
      const { hub, repository, revision } = record;
      const { done, total } = await recordedBytes(dir, record);
      const idle: DownloadState = record.complete && done === total ? { kind: 'complete', totalBytes: total } : { kind: 'partial', doneBytes: done, totalBytes: total };
      entries.push({ dir, source: { hub, repository, revision }, state: (await isLocked(dir)) ? { kind: 'elsewhere' } : idle });
    }
    return entries;
  }

  /** Deletes a checkpoint, or what there is of it. @throws TahError hub.busy while it is being downloaded */
  async remove(dir: string): Promise<void> {
    if (this.#running.has(dir) || (await isLocked(dir))) throw new TahError('hub.busy', phrase('{0} is being downloaded.', dir), { file: dir, hint: phrase('Cancel the download first.') });
    const { readRecord } = await import('../hub/record.ts');
    if ((await readRecord(dir)) === null) throw new TahError('hub.exists', phrase('{0} holds no download, so it is not deleted.', dir), { file: dir });
    // No download may begin in a folder that is on its way out.
    const lock = await lockFolder(dir);
    try {
      await rm(dir, { recursive: true, force: true });
    } finally {
      await lock.release();
    }
  }

  /** Ends the downloads of this window; they go on where they were when they are started again. */
  dispose(): void {
    for (const { abort } of this.#running.values()) abort.abort();
  }
}
