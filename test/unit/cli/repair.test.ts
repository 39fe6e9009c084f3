/** `tah repair` as a user starts it: a damaged model is made again from what was recorded at its import, or it is said why not. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openModelFolder, verifyHashes } from '../../../src/engine/modelFolder.ts';
import { HubServer } from '../../fixtures/hubServer.ts';
import { TINY_CHECKPOINT } from '../../fixtures/tinyModel.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
let dist: string;
let folder: string;
let hub: HubServer;

beforeAll(async () => {
  fs.mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  dist = fs.mkdtempSync(path.join(ROOT, '.cache/cli-repair-'));
  await promisify(execFile)(process.execPath, ['esbuild.mjs', '--only', 'cli', '--quiet', '--outdir', dist], { cwd: ROOT });
  hub = await HubServer.start(TINY_CHECKPOINT);
});
// As the commands see it: the cache may be a link.
beforeEach(() => { folder = fs.realpathSync(fs.mkdtempSync(path.join(dist, 'work-'))); });
afterEach(() => {
  hub.reset();
  fs.rmSync(folder, { recursive: true, force: true });
});
afterAll(async () => {
  await hub.stop();
  fs.rmSync(dist, { recursive: true, force: true });
});

async function tah(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return promisify(execFile)(process.execPath, [path.join(dist, 'cli.cjs'), ...args], { cwd: folder }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => error as { code: number; stdout: string; stderr: string },
  );
}

const at = (...names: readonly string[]): string => path.join(folder, ...names);
const hashOf = (): string => openModelFolder(at('model')).info.hash;

function flipAByte(file: string): void {
  const bytes = fs.readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  fs.writeFileSync(file, bytes);
}

async function importLocal(...more: readonly string[]): Promise<void> {
  fs.cpSync(TINY_CHECKPOINT, at('mine'), { recursive: true });
  expect((await tah('import', 'mine', '--out', 'model', '--quantization', 'int8', ...more)).code).toBe(0);
}

async function importDownloaded(): Promise<void> {
  expect((await tah('download', 'owner/tiny', '--out', 'ckpt', '--mirror', hub.url)).code).toBe(0);
  expect((await tah('import', 'ckpt', '--out', 'model', '--quantization', 'fp32')).code).toBe(0);
  hub.asked.length = 0;
}

describe('tah repair', () => {
  it('leaves a whole model as it is', async () => {
    await importLocal();
    const before = fs.statSync(at('model')).ino;
    expect(await tah('repair', 'model')).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to repair') as string });
    expect(fs.statSync(at('model')).ino).toBe(before);
  });

  it.each(['model.onnx.data', 'manifest.json', 'tokenizer.json'])('makes a model whose %s is damaged again from the local folder, with the same precision and hash', async (name) => {
    await importLocal();
    const hash = hashOf();
    flipAByte(at('model', name));
    if (name === 'manifest.json') fs.writeFileSync(at('model', name), '{');
    const { code, stdout } = await tah('repair', 'model');
    expect([code, stdout]).toEqual([0, expect.stringContaining(at('model', name))]);
    const model = openModelFolder(at('model'));
    await verifyHashes(model);
    expect([model.info.hash, model.info.quantization]).toEqual([hash, 'int8']);
    expect(fs.readdirSync(folder).sort()).toEqual(['mine', 'model']);
  });

  it('makes one again that has lost its manifest', async () => {
    await importLocal();
    fs.rmSync(at('model', 'manifest.json'));
    expect((await tah('repair', 'model')).code).toBe(0);
    await verifyHashes(openModelFolder(at('model')));
  });

  it('asks no hub where the download is still whole', async () => {
    await importDownloaded();
    flipAByte(at('model', 'model.onnx.data'));
    expect((await tah('repair', 'model')).code).toBe(0);
    await verifyHashes(openModelFolder(at('model')));
    expect(hub.asked).toEqual([]);
  });

  it('downloads what of the checkpoint is damaged or gone, and nothing else', async () => {
    await importDownloaded();
    fs.rmSync(at('model', 'model.onnx'));
    fs.rmSync(at('ckpt', 'tokenizer.json'));
    flipAByte(at('ckpt', 'iter_decider.bin'));
    expect((await tah('repair', 'model')).code).toBe(0);
    await verifyHashes(openModelFolder(at('model')));
    const files = hub.asked.map((asked) => path.basename(asked.path)).filter((name) => name !== 'main');
    expect(files.sort()).toEqual(['iter_decider.bin', 'tokenizer.json']);
  });

  it('downloads the whole checkpoint again where its folder was deleted', async () => {
    await importDownloaded();
    fs.rmSync(at('ckpt'), { recursive: true });
    flipAByte(at('model', 'model.onnx.data'));
    expect((await tah('repair', 'model')).code).toBe(0);
    await verifyHashes(openModelFolder(at('model')));
  });

  it('that fails leaves what was there', async () => {
    await importDownloaded();
    fs.rmSync(at('ckpt'), { recursive: true });
    flipAByte(at('model', 'model.onnx.data'));
    const before = fs.readFileSync(at('model', 'model.onnx.data'));
    hub.plan('model.safetensors', { kind: 'status', status: 404 }, 9);
    const { code, stderr } = await tah('repair', 'model');
    expect([code, stderr]).toEqual([1, expect.stringContaining('model.safetensors')]);
    expect(fs.readFileSync(at('model', 'model.onnx.data')).equals(before)).toBe(true);
    expect(fs.readdirSync(folder).sort()).toEqual(['ckpt', 'model']);
  });

  it('says that the checkpoint is gone, and takes another folder', async () => {
    await importLocal();
    fs.renameSync(at('mine'), at('moved'));
    flipAByte(at('model', 'model.onnx.data'));
    const { code, stderr } = await tah('repair', 'model');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/mine is gone[^]*--checkpoint/)]);
    expect((await tah('repair', 'model', '--checkpoint', 'moved')).code).toBe(0);
    await verifyHashes(openModelFolder(at('model')));
    // The next repair knows where it is.
    flipAByte(at('model', 'model.onnx.data'));
    expect((await tah('repair', 'model')).code).toBe(0);
  });

  it('of a model without a record says so', async () => {
    await importLocal('--no-record');
    expect(fs.existsSync(at('model', 'source.json'))).toBe(false);
    flipAByte(at('model', 'model.onnx.data'));
    const { code, stderr } = await tah('repair', 'model');
    expect([code, stderr]).toEqual([1, expect.stringContaining('nothing in it says what it was made from')]);
    expect((await tah('repair', 'model', '--checkpoint', 'mine')).code).toBe(0);
    expect(openModelFolder(at('model')).info.quantization).toBe('int8');
  });

  it.each([
    ['a hub that is no address', { hub: 'file:///etc', repository: 'a/b', revision: 'main' }],
    ['a repository that leads elsewhere', { hub: 'http://127.0.0.1:9', repository: '../../x', revision: 'main' }],
    ['the address of another hub', { hub: 'http://127.0.0.1:9', repository: 'http://elsewhere.invalid/a/b', revision: 'main' }],
    ['a revision that leads elsewhere', { hub: 'http://127.0.0.1:9', repository: 'a/b', revision: '../x' }],
  ])('believes no record with %s', async (_, download) => {
    await importLocal();
    const file = at('model', 'source.json');
    fs.writeFileSync(file, JSON.stringify({ ...(JSON.parse(fs.readFileSync(file, 'utf8')) as object), download }));
    flipAByte(at('model', 'model.onnx.data'));
    const { code, stderr } = await tah('repair', 'model');
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${file} is damaged`)]);
    expect(stderr).toContain('--checkpoint');
  });

  it.each([
    ['is cut', (file: string): void => { fs.truncateSync(file, 40); }],
    ['is a folder', (file: string): void => { fs.rmSync(file); fs.mkdirSync(file); }],
    ['is larger than any', (file: string): void => { fs.writeFileSync(file, ' '.repeat(70_000)); }],
  ])('names a record that %s, and does without it where the checkpoint is given', async (_, damage) => {
    await importLocal();
    damage(at('model', 'source.json'));
    flipAByte(at('model', 'model.onnx.data'));
    const { code, stderr } = await tah('repair', 'model');
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${at('model', 'source.json')} is damaged`)]);
    expect((await tah('repair', 'model', '--checkpoint', 'mine')).code).toBe(0);
    expect(openModelFolder(at('model')).info.quantization).toBe('int8');
  });

  it('of a folder that is no model is refused', async () => {
    fs.mkdirSync(at('photos'));
    expect(await tah('repair', 'photos')).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no model in') as string });
    expect(fs.readdirSync(at('photos'))).toEqual([]);
  });
});
