/** A hub on loopback that takes its time, and programs that download from it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { Downloads, type DownloadEntry, type HubSource } from '../../src/host/downloads.ts';
import { openCheckpoint } from '../../src/importer/checkpoint/openCheckpoint.ts';
import { HubServer } from '../fixtures/hubServer.ts';
import { BUNDLED, namesIn, type Bench } from '../fixtures/stress/bench.ts';
import { check } from '../fixtures/stress/report.ts';

export const WEIGHTS = 'model.safetensors';
const RETRIES = { attempts: 20, delaysMs: [20, 50, 100], longestWaitMs: 60_000 };

export interface Hub {
  readonly server: HubServer;
  readonly source: HubSource;
  readonly totalBytes: number;
  /** The downloads of a window. */
  downloads(folder: string): Downloads;
  /** Sends the weights slowly from now on, so that there is time for a fault. */
  slow(pieces: number, pauseMs: number): void;
  stop(): Promise<void>;
}

/** Serves the bundled checkpoint. */
export async function startHub(): Promise<Hub> {
  const server = await HubServer.start(BUNDLED);
  const totalBytes = namesIn(BUNDLED).filter((name) => !name.endsWith('/')).reduce((sum, name) => sum + fs.statSync(path.join(BUNDLED, name)).size, 0);
  const hub: Hub = {
    server,
    source: { hub: server.url, repository: server.repository, revision: server.revision },
    totalBytes,
    downloads: (folder) => new Downloads({ folder, fetch: () => fetch, timing: { stallMs: 5000, retries: RETRIES } }),
    slow: (pieces, pauseMs) => {
      server.reset();
      server.plan(WEIGHTS, { kind: 'trickle', bytes: Math.ceil(fs.statSync(path.join(BUNDLED, WEIGHTS)).size / pieces), pauseMs }, 1_000_000);
    },
    stop: () => server.stop(),
  };
  hub.slow(40, 8);
  return hub;
}

/** A program of its own that downloads. */
export class Downloader {
  received = NaN;
  #said = '';
  #failed = '';

  private constructor(private readonly hub: Hub, readonly folder: string, readonly process: ChildProcess) {
    process.stdout?.setEncoding('utf8').on('data', (text: string) => { this.#said += text; });
    process.stderr?.setEncoding('utf8').on('data', (text: string) => { this.#failed += text; });
  }

  /** Resolves when it has sent its first request. @param folder of the downloads; default: a new one */
  static async start(bench: Bench, hub: Hub, folder = bench.folder('downloads'), stallMs = 5000, execArgv: readonly string[] = []): Promise<Downloader> {
    const asked = hub.server.asked.length;
    const { hub: url, repository, revision } = hub.source;
    const child = spawn(process.execPath, [...execArgv, path.join(bench.dist, 'downloadProgram.cjs'), url, repository, revision, folder, String(stallMs)], { stdio: ['ignore', 'pipe', 'pipe'] });
    const downloader = new Downloader(hub, folder, child);
    while (hub.server.asked.length === asked && child.exitCode === null && child.signalCode === null) await new Promise((resolve) => setTimeout(resolve, 2));
    return downloader;
  }

  get dir(): string {
    return this.hub.downloads(this.folder).folderOf(this.hub.source);
  }

  /** @throws Error with what it said where it fails */
  async whole(): Promise<void> {
    const error = await this.failure();
    if (error !== null) throw new Error(`the download failed: ${error}`);
    this.received = Number(this.#said);
  }

  /** What it failed with, as JSON; null where it ended well. */
  async failure(): Promise<string | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'close');
    return this.process.exitCode === 0 ? null : `${this.process.signalCode ?? ''}${this.#failed}`;
  }

  /** @returns false where it had ended already */
  async kill(): Promise<boolean> {
    this.process.kill('SIGKILL');
    await this.failure();
    return this.process.signalCode === 'SIGKILL';
  }

  list(): Promise<readonly DownloadEntry[]> {
    return this.hub.downloads(this.folder).list();
  }
}

/** @throws Error unless every file is there byte by byte, and nothing else */
export function checkDownloaded(dir: string, hub: Hub): void {
  const names = namesIn(dir).filter((name) => !name.endsWith('/'));
  for (const name of names) if (name !== 'tah-download.json') check(fs.readFileSync(path.join(dir, name)).equals(hub.server.bytesOf(name)), `${name} has other bytes than the hub's`);
  openCheckpoint(dir).close();
}
