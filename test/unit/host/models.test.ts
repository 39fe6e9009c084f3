import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readMadeFrom } from '../../../src/host/madeFrom.ts';
import { ModelStore } from '../../../src/host/models.ts';
import { TahError } from '../../../src/protocol/errors.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

const HOST = createHash('sha256').update(os.hostname()).digest('hex').slice(0, 8);
/** No process has it. */
const DEAD = 999_999_999;

let tiny: TinyModel;
let folder: string;
let store: ModelStore;

beforeAll(async () => { tiny = await importTinyModel(); });
afterAll(() => { tiny.remove(); });
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-models-'));
  store = new ModelStore({ bundled: path.join(folder, 'none'), imported: folder, folders: () => [] });
});
afterEach(() => { fs.rmSync(folder, { recursive: true, force: true }); });

const put = (name: string): void => { fs.cpSync(tiny.dir, path.join(folder, name), { recursive: true }); };
const listed = async (): Promise<string[]> => (await store.list()).models.map((model) => path.basename(model.path));

describe('the list of models, while an import works or after it was killed', () => {
  it('shows neither the new folder on its way nor the old one on its way out', async () => {
    for (const name of ['m', `m.partial-${process.pid}-${HOST}-0a`, `m.replaced-${process.pid}-${HOST}-0a`]) put(name);
    expect(await listed()).toEqual(['m']);
    expect(fs.readdirSync(folder)).toHaveLength(3);
  });

  it('removes what a killed import had written, whole or not', async () => {
    for (const name of ['m', `m.partial-${DEAD}-${HOST}-0a`, `n.partial-${DEAD}-0a0b0c0d`, `m.replaced-${DEAD}-${HOST}-0b`]) put(name);
    expect(await listed()).toEqual(['m']);
    expect(fs.readdirSync(folder)).toEqual(['m']);
  });

  it('brings back a model that a killed import had moved aside', async () => {
    put(`m.replaced-${DEAD}-${HOST}-0a`);
    expect(await listed()).toEqual(['m']);
    expect(fs.readdirSync(folder)).toEqual(['m']);
  });

  it('touches nothing of another machine on a shared disk', async () => {
    put(`m.partial-${DEAD}-00000000-0a`);
    expect(await listed()).toEqual([]);
    expect(fs.readdirSync(folder)).toHaveLength(1);
  });
});

describe('a damaged model', () => {
  const places = (): ModelStore => new ModelStore({ bundled: path.join(folder, 'bundled'), imported: path.join(folder, 'imported'), folders: () => [path.join(folder, 'own')] });
  const damage = (name: string): void => { fs.truncateSync(path.join(folder, name, 'model.onnx.data'), 10); };

  it('is told by whose it is: the bundled one is reinstalled, others are repaired', async () => {
    for (const name of ['bundled/m', 'imported/m', 'own/m']) {
      put(name);
      damage(name);
    }
    const { models, broken } = await places().list();
    expect([models, broken.map(({ path: dir, source, error }) => [path.relative(folder, dir), source, error.code, error.hint?.split(' ')[0]])]).toEqual([[], [
      [path.join('bundled', 'm'), 'bundled', 'model.bundled-damaged', 'It'],
      [path.join('imported', 'm'), 'imported', 'model.corrupted', 'Repair'],
      [path.join('own', 'm'), 'folder', 'model.corrupted', 'Repair'],
    ]]);
    expect(broken[0]?.error).toMatchObject({ file: path.join(folder, 'bundled/m/model.onnx.data'), hint: expect.stringContaining('reinstall') as string });
  });

  it('that is the bundled one is refused by its name; an imported one does not answer in its place', async () => {
    for (const name of ['bundled/m', 'imported/other']) put(name);
    damage('bundled/m');
    for (const wanted of [null, 'm']) await expect(places().resolve(wanted)).rejects.toMatchObject({ code: 'model.bundled-damaged', file: path.join(folder, 'bundled/m/model.onnx.data') });
    fs.rmSync(path.join(folder, 'bundled/m/manifest.json'));
    await expect(places().resolve(null)).rejects.toMatchObject({ code: 'model.bundled-damaged', message: expect.stringContaining('manifest.json') as string });
  });

  it('that the engine finds is told in the same words, and no other failure is touched', () => {
    const found = (file: string, code: 'model.corrupted' | 'model.no-decider' = 'model.corrupted'): TahError => new TahError(code, 'x has changed.', { file: path.join(folder, file), hint: 'as the engine says' });
    expect(places().explain(found('bundled/m/x'))).toMatchObject({ code: 'model.bundled-damaged', message: 'x has changed.' });
    expect(places().explain(found('imported/m/x'))).toMatchObject({ code: 'model.corrupted', hint: expect.stringContaining('Repair Model…') as string });
    for (const other of [found('bundled/m/x', 'model.no-decider'), new Error('x')]) expect(places().explain(other)).toBe(other);
  });

  it('may be a folder without a manifest in our own place; in the folders of the settings such a one is none of ours', async () => {
    for (const name of ['imported/cut', 'imported/.hidden', `imported/m.partial-${process.pid}-${HOST}-0a`, 'own/photos']) fs.mkdirSync(path.join(folder, name), { recursive: true });
    put('own/m');
    const { models, broken } = await places().list();
    expect(models.map(({ path: dir }) => path.basename(dir))).toEqual(['m']);
    expect(broken.map(({ path: dir, error }) => [path.basename(dir), error.code, error.message])).toEqual([['cut', 'model.corrupted', `${path.join(folder, 'imported/cut')} has no manifest.json: it is no whole model.`]]);
  });

  it('is found by any of its files', async () => {
    put('imported/m');
    for (const file of ['imported/m', 'imported/m/model.onnx', 'imported/m/gone/x']) expect(await places().folderOf(path.join(folder, file))).toBe(path.join(folder, 'imported/m'));
    put('own/n');
    for (const file of ['own/n', 'own/n/model.onnx']) expect(await places().folderOf(path.join(folder, file))).toBe(path.join(folder, 'own/n'));
  });

  it('still says what it was made from, as far as its files are readable', async () => {
    put('m');
    const dir = path.join(folder, 'm');
    const hash = (await new ModelStore({ bundled: '/nowhere', imported: folder, folders: () => [] }).resolve(dir)).hash;
    expect(await readMadeFrom(dir)).toEqual({ isImport: true, checkpoint: null, badRecord: null, download: null, quantization: 'fp32', name: 'ckpt', hash });
    fs.writeFileSync(path.join(dir, 'manifest.json'), '{"quantization":');
    expect(await readMadeFrom(dir)).toEqual({ isImport: true, checkpoint: null, badRecord: null, download: null, quantization: null, name: null, hash: null });
    fs.writeFileSync(path.join(dir, 'source.json'), JSON.stringify({ format: 'tah-source/1', checkpoint: folder, download: null, quantization: 'int4', name: 'Mine' }));
    fs.rmSync(path.join(dir, 'manifest.json'));
    expect(await readMadeFrom(dir)).toEqual({ isImport: true, checkpoint: { path: folder, isThere: false }, badRecord: null, download: null, quantization: 'int4', name: 'Mine', hash: null });
    fs.writeFileSync(path.join(dir, 'source.json'), '{"format":"tah-source/1",');
    const { isImport, checkpoint, badRecord } = await readMadeFrom(dir);
    expect([isImport, checkpoint, badRecord?.code, badRecord?.file]).toEqual([false, null, 'model.no-source', path.join(dir, 'source.json')]);
    fs.rmSync(path.join(dir, 'source.json'));
    expect((await readMadeFrom(dir)).isImport).toBe(false);
  });
});
