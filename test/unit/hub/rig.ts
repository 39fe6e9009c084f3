/** A hub on loopback and a fresh folder for each test of a file: what the tests of downloads share. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { downloadCheckpoint, type Downloaded, type DownloadOptions } from '../../../src/hub/download.ts';
import type { HubSource } from '../../../src/hub/source.ts';
import { openCheckpoint } from '../../../src/importer/checkpoint/openCheckpoint.ts';
import { TahError } from '../../../src/protocol/errors.ts';
import { HubServer } from '../../fixtures/hubServer.ts';
import { TINY_CHECKPOINT } from '../../fixtures/tinyModel.ts';

export const WEIGHTS = 'model.safetensors';
export const RETRIES = { attempts: 3, delaysMs: [5, 10], longestWaitMs: 200 };

export interface Rig {
  readonly hub: HubServer;
  /** Empty at the start of a test. */
  readonly root: string;
  /** Where downloads go to. */
  readonly dir: string;
  readonly source: HubSource;
  download(options?: Partial<DownloadOptions>, from?: HubSource): Promise<Downloaded>;
  /** Every file of the checkpoint is there, byte by byte, and nothing else. */
  expectWhole(): void;
  /** Ends a download in the middle of the weights and gives the bytes that are there. */
  interrupted(): Promise<number>;
}

/** Call once, at the top of a file. */
export function useHub(): () => Rig {
  let hub: HubServer;
  let rig: Rig;
  beforeAll(async () => {
    hub = await HubServer.start(TINY_CHECKPOINT);
  });
  beforeEach(() => {
    rig = makeRig(hub, fs.mkdtempSync(path.join(os.tmpdir(), 'tah-hub-')));
  });
  afterEach(() => {
    hub.reset();
    fs.rmSync(rig.root, { recursive: true, force: true });
  });
  afterAll(() => hub.stop());
  return () => rig;
}

function makeRig(hub: HubServer, root: string): Rig {
  const dir = path.join(root, 'ckpt');
  const source: HubSource = { hub: hub.url, repository: hub.repository, revision: hub.revision };
  const download: Rig['download'] = (options = {}, from = source) => downloadCheckpoint(from, dir, { fetch, stallMs: 400, retries: RETRIES, ...options });
  return {
    hub,
    root,
    dir,
    source,
    download,
    expectWhole() {
      const names = fs.readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)));
      for (const name of names) {
        if (name !== 'tah-download.json') expect(fs.readFileSync(path.join(dir, name)).equals(hub.bytesOf(name)), name).toBe(true);
      }
      expect(names.filter((name) => /part|lock|tmp/.test(name))).toEqual([]);
      openCheckpoint(dir).close();
    },
    async interrupted() {
      hub.plan(WEIGHTS, { kind: 'cut', after: 300_000 }, 10);
      await failure(download({ retries: { ...RETRIES, attempts: 1 } }));
      const { size } = fs.statSync(path.join(dir, `${WEIGHTS}.part`));
      hub.reset();
      expect(size).toBeGreaterThan(0);
      return size;
    },
  };
}

export async function failure(promise: Promise<unknown>): Promise<TahError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(thrown instanceof TahError)) throw new Error(`expected a TahError, got ${String(thrown)}`);
  return thrown;
}
