/** What a run is started with: settings, models and the place of its problem. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ModelStore } from '../../../src/host/models.ts';
import { markOf, Origins, shiftOffset } from '../../../src/host/origins.ts';
import { NEVER_MS, readSettings, withTemperature } from '../../../src/host/settings.ts';

function settings(values: Record<string, unknown>): ReturnType<typeof readSettings> {
  return readSettings({ get: (key) => values[key] });
}

describe('settings', () => {
  it('have the declared defaults where nothing is set', () => {
    expect(settings({})).toEqual({ model: null, modelFolders: [], endpoints: [], policy: { kind: 'decider' }, maxTokens: 2048, temperature: null, provider: 'auto', nodePath: null, idleUnloadMs: 600_000, hubUrl: 'https://huggingface.co', cudaMirror: null, nodeMirror: null, quantization: 'int8' });
  });

  it('that a file got wrong fall back instead of reaching the engine', () => {
    const wrong = settings({ model: 7, modelFolders: 'x', thinkingPolicy: 'sometimes', threshold: 3, maxTokens: 'many', temperature: -1, provider: 'tpu', nodePath: [], idleUnloadMinutes: NaN });
    expect(wrong).toEqual(settings({}));
  });

  it('carry threshold 0 and idle time 0 as they are meant', () => {
    expect(settings({ threshold: 0 }).policy).toEqual({ kind: 'decider', threshold: 0 });
    expect(settings({ thinkingPolicy: 'always', threshold: 0.5 }).policy).toEqual({ kind: 'always' });
    expect(settings({ idleUnloadMinutes: 0 }).idleUnloadMs).toBe(NEVER_MS);
    expect(withTemperature({ temperature: 0.6, topK: 20, topP: 0.95, minP: 0 }, 0)).toEqual({ temperature: 0, topK: 20, topP: 0.95, minP: 0, seed: 0 });
  });
});

describe('the place of a problem', () => {
  it('moves with edits before it and stays with edits behind it', () => {
    expect(shiftOffset(10, [{ offset: 2, removed: 0, inserted: 5 }])).toBe(15);
    expect(shiftOffset(10, [{ offset: 2, removed: 3, inserted: 1 }])).toBe(8);
    expect(shiftOffset(10, [{ offset: 10, removed: 0, inserted: 5 }])).toBe(10);
    expect(shiftOffset(10, [{ offset: 30, removed: 4, inserted: 0 }, { offset: 0, removed: 0, inserted: 1 }])).toBe(11);
  });

  it('goes to the end of a replacement that reaches over it', () => {
    expect(shiftOffset(10, [{ offset: 8, removed: 10, inserted: 1 }])).toBe(9);
    expect(shiftOffset(10, [{ offset: 0, removed: 100, inserted: 0 }])).toBe(0);
  });

  it('is per document, and a retried run has the first one\'s', () => {
    const origins = new Origins();
    origins.set('a', { uri: 'file:///1', offset: 4, text: markOf('abcd') });
    origins.copy('a', 'b');
    origins.applyEdits('file:///2', [{ offset: 0, removed: 0, inserted: 9 }]);
    origins.applyEdits('file:///1', [{ offset: 0, removed: 0, inserted: 1 }]);
    expect(origins.get('b')).toMatchObject({ uri: 'file:///1', offset: 5 });
    expect(origins.get('c')).toBeNull();
  });
});

describe('models', () => {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tah-models-'));
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  async function model(path: string, more: Record<string, unknown> = {}): Promise<void> {
    const manifest = {
      format: 'tah-model/1', id: path.split('/').at(-1), name: 'A model', architecture: { parameters: 5, contextLength: 1024 }, tah: { maxIter: 2 }, quantization: { kind: 'int8' },
      generation: { temperature: 0, topK: 0, topP: 1, minP: 0 }, files: [], ...more,
    };
    await mkdir(join(root, path), { recursive: true });
    await writeFile(join(root, path, 'manifest.json'), JSON.stringify(manifest));
  }

  function store(folders: readonly string[] = []): ModelStore {
    return new ModelStore({ bundled: join(root, 'bundled'), imported: join(root, 'imported'), folders: () => folders.map((name) => join(root, name)) });
  }

  it('are found in all places, bundled first, and an import under way is not among them', async () => {
    await model('bundled/small');
    await model('imported/big');
    await model('imported/.big.part');
    await model('own/one', { tah: null });
    const { models, broken } = await store(['own', 'own/one']).list();
    expect(models.map(({ id, source, maxIter }) => [id, source, maxIter])).toEqual([['small', 'bundled', 2], ['big', 'imported', 2], ['one', 'folder', 1]]);
    expect(broken).toEqual([]);
    expect((await store().resolve(null)).id).toBe('small');
    expect((await store().resolve('big')).path).toBe(join(root, 'imported/big'));
    expect((await store().resolve(join(root, 'own/one'))).id).toBe('one');
  });

  it('that cannot be read are named, not hidden, and do not hide the others', async () => {
    await model('bundled/small');
    await model('bundled/newer', { format: 'tah-model/9' });
    await mkdir(join(root, 'bundled/cut'));
    await writeFile(join(root, 'bundled/cut/manifest.json'), '{"format":');
    const { models, broken } = await store(['nothing']).list();
    expect(models).toHaveLength(1);
    expect(broken.map(({ error }) => error.code)).toEqual(['model.bundled-damaged', 'model.bundled-damaged', 'model.not-found']);
  });

  it('that are missing are refused with what to do', async () => {
    await expect(store().resolve(null)).rejects.toMatchObject({ code: 'model.not-found' });
    await expect(store().resolve('gone')).rejects.toThrow('There is no model named "gone".');
    await expect(store().resolve(join(root, 'gone'))).rejects.toMatchObject({ code: 'model.not-found', file: join(root, 'gone') });
  });
});
