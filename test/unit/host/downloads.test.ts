/** Downloads as a window has them: their states in the list, one at a time each, cancel and end of the window. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Downloads, type DownloadState, type HubSource } from '../../../src/host/downloads.ts';
import { HubTokens, tokenFault } from '../../../src/host/hubTokens.ts';
import { ModelStore } from '../../../src/host/models.ts';
import { TahError } from '../../../src/protocol/errors.ts';
import { HubServer } from '../../fixtures/hubServer.ts';
import { importTinyModel, TINY_CHECKPOINT } from '../../fixtures/tinyModel.ts';

let hub: HubServer;
let root: string;
let downloads: Downloads;
const source = (): HubSource => ({ hub: hub.url, repository: 'owner/tiny', revision: 'main' });
const states = async (of = downloads): Promise<DownloadState[]> => (await of.list()).map(({ state }) => state);
const window = (): Downloads => new Downloads({ folder: path.join(root, 'downloads'), fetch: () => fetch, timing: { stallMs: 5000, retries: { attempts: 1, delaysMs: [0], longestWaitMs: 0 } } });

beforeAll(async () => { hub = await HubServer.start(TINY_CHECKPOINT); });
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-downloads-'));
  downloads = window();
});
afterEach(() => {
  hub.reset();
  fs.rmSync(root, { recursive: true, force: true });
});
afterAll(() => hub.stop());

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'none', (error: unknown) => TahError.from(error).code);
}

describe('downloads', () => {
  it('none at first; complete after one; gone after it is deleted', async () => {
    expect(await states()).toEqual([]);
    const { dir, plan } = await downloads.start(source(), {});
    expect(await states()).toEqual([{ kind: 'complete', totalBytes: plan.totalBytes }]);
    await downloads.remove(dir);
    expect(await states()).toEqual([]);
  });

  it('under way: this window sees progress, another one sees that it is busy; neither starts it twice or deletes it', async () => {
    hub.plan('model.safetensors', { kind: 'stall', after: 200_000 });
    const running = codeOf(downloads.start(source(), {}));
    const dir = downloads.folderOf(source());
    await expect.poll(() => fs.existsSync(path.join(dir, 'model.safetensors.part')), { timeout: 20_000 }).toBe(true);
    expect(await states()).toMatchObject([{ kind: 'running' }]);
    const other = window();
    expect(await states(other)).toEqual([{ kind: 'elsewhere' }]);
    expect(await codeOf(downloads.start(source(), {}))).toBe('hub.busy');
    expect(await codeOf(other.start(source(), {}))).toBe('hub.busy');
    expect(await codeOf(downloads.remove(dir))).toBe('hub.busy');
    downloads.cancel(dir);
    expect(await running).toBe('cancelled');
    expect(await states()).toMatchObject([{ kind: 'partial' }]);
    // Any window goes on with it.
    expect(await codeOf(other.start(source(), {}))).toBe('none');
  });

  it('the end of the window ends its downloads', async () => {
    hub.plan('model.safetensors', { kind: 'stall', after: 0 });
    const running = codeOf(downloads.start(source(), {}));
    await expect.poll(() => hub.askedFor('model.safetensors').length, { timeout: 20_000 }).toBe(1);
    downloads.dispose();
    expect(await running).toBe('cancelled');
  });

  it('deletes nothing that it has not made', async () => {
    expect(await codeOf(downloads.remove(root))).toBe('hub.exists');
    expect(fs.existsSync(root)).toBe(true);
  });
});

describe('tokens', () => {
  it('are kept for each hub by itself, and forgotten', async () => {
    const kept = new Map<string, string>();
    const tokens = new HubTokens({
      get: (key) => Promise.resolve(kept.get(key)),
      store: (key, value) => Promise.resolve(void kept.set(key, value)),
      delete: (key) => Promise.resolve(void kept.delete(key)),
    });
    await tokens.set('https://hub.example/path', 'hf_x');
    expect([await tokens.get('https://hub.example'), await tokens.get('https://mirror.example')]).toEqual(['hf_x', null]);
    expect([await tokens.forget('https://hub.example'), await tokens.forget('https://hub.example'), kept.size]).toEqual([true, false, 0]);
  });

  it('what can be no header is no token', () => {
    expect(['hf_abc', ' hf_abc ', '', '  ', 'a b', 'hf_\n', 'hf_ä'].map(tokenFault)).toEqual([null, null, 'empty', 'empty', 'characters', null, 'characters']);
  });
});

describe('a model folder', () => {
  const store = (): ModelStore => new ModelStore({ bundled: path.join(root, 'none'), imported: path.join(root, 'models'), folders: () => [] });

  it('that lost a file is broken, with the file; one of the importer is deleted, another is not', async () => {
    const tiny = await importTinyModel();
    const dir = path.join(root, 'models', 'tiny');
    fs.cpSync(tiny.dir, dir, { recursive: true });
    tiny.remove();
    expect((await store().list()).models).toHaveLength(1);
    fs.truncateSync(path.join(dir, 'model.onnx.data'), 10);
    const { models, broken } = await store().list();
    expect([models.length, broken[0]?.error.code, broken[0]?.error.file]).toEqual([0, 'model.corrupted', path.join(dir, 'model.onnx.data')]);
    expect(await codeOf(store().resolve(dir))).toBe('model.corrupted');
    expect(await codeOf(store().remove(root))).toBe('model.not-found');
    await store().remove(dir);
    expect([fs.existsSync(dir), await codeOf(store().resolve(dir))]).toEqual([false, 'model.not-found']);
  });
});
