import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ModelStore } from '../../../src/host/models.ts';
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
