import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openModelFolder, verifyHashes } from '../../../src/engine/modelFolder.ts';
import { loadTokenizer } from '../../../src/engine/text/tokenizer.ts';
import { createImporter, importCheckpoint } from '../../../src/importer/importer.ts';
import type { ImportEvent, ImportRequest } from '../../../src/protocol/importer.ts';
import { TINY_CHECKPOINT } from '../../fixtures/tinyModel.ts';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-import-'));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

function request(changes: Partial<ImportRequest> = {}): ImportRequest {
  return { checkpoint: TINY_CHECKPOINT, out: path.join(folder, 'model'), quantization: 'fp32', ...changes };
}

async function run(events: AsyncIterable<ImportEvent>): Promise<ImportEvent[]> {
  const all: ImportEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('two windows that import the same model at the same time', () => {
  it('leave one whole model and nothing else, whoever was first', async () => {
    await run(createImporter().import(request()));
    const both = await Promise.all([1, 2].map(() => run(createImporter().import(request({ replace: true })))));
    expect(both.map((events) => events.at(-1)?.type)).toEqual(['done', 'done']);
    await verifyHashes(openModelFolder(path.join(folder, 'model')));
    expect(fs.readdirSync(folder)).toEqual(['model']);
  });

  it('a rename that fails brings the older model back', async () => {
    await run(createImporter().import(request()));
    const rename = vi.spyOn(fs, 'renameSync');
    // The first moves the older model aside, the second would put the new one there.
    rename.mockImplementationOnce((from, to) => { fs.cpSync(from.toString(), to.toString(), { recursive: true }); fs.rmSync(from, { recursive: true }); });
    rename.mockImplementationOnce(() => { throw Object.assign(new Error('EPERM: planned'), { code: 'EPERM' }); });
    await expect(run(createImporter().import(request({ replace: true })))).rejects.toMatchObject({ code: 'import.cannot-write' });
    rename.mockRestore();
    await verifyHashes(openModelFolder(path.join(folder, 'model')));
    expect(fs.readdirSync(folder)).toEqual(['model']);
  });
});

describe('import', () => {
  it.each(['fp32', 'int8', 'int4'] as const)('%s makes a whole model folder and says how far it is', async (quantization) => {
    const events = await run(createImporter().import(request({ quantization })));
    const progress = events.flatMap((event) => (event.type === 'progress' ? [event.doneBytes / event.totalBytes] : []));
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(events.at(-1)?.type).toBe('done');
    const model = openModelFolder(path.join(folder, 'model'));
    await verifyHashes(model);
    expect(model.manifest.quantization.kind).toBe(quantization);
    expect(model.info).toMatchObject({ maxIter: 2, architecture: 'qwen3', contextLength: 512 });
    expect(fs.readdirSync(folder)).toEqual(['model']);
  });

  it('stores a tied embedding once', async () => {
    await run(importCheckpoint(request(), {}));
    const weights = fs.statSync(path.join(folder, 'model', 'model.onnx.data')).size;
    const checkpoint = fs.statSync(path.join(TINY_CHECKPOINT, 'model.safetensors')).size + fs.statSync(path.join(TINY_CHECKPOINT, 'lora/adapter_model.safetensors')).size;
    const embedding = 512 * 64 * 4;
    // Page alignment and the decider come on top, a second embedding must not.
    expect(weights - checkpoint).toBeLessThan(embedding + 4096 * 100);
  });

  it('leaves nothing when it is cancelled half-way', async () => {
    const stop = new AbortController();
    const cancelled = async (): Promise<void> => {
      let seen = 0;
      for await (const event of importCheckpoint(request(), {}, stop.signal)) if (event.type === 'progress' && ++seen === 3) stop.abort();
    };
    await expect(cancelled()).rejects.toMatchObject({ code: 'cancelled' });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('leaves nothing when its reader goes away', async () => {
    for await (const event of importCheckpoint(request(), {})) if (event.type === 'progress' && event.doneBytes > 0) break;
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('refuses a folder that is there, replaces a model folder when asked, and never anything else', async () => {
    await run(importCheckpoint(request(), {}));
    await expect(run(importCheckpoint(request(), {}))).rejects.toMatchObject({ code: 'import.exists' });
    await run(importCheckpoint(request({ replace: true, quantization: 'int8' }), {}));
    expect(openModelFolder(path.join(folder, 'model')).info.quantization).toBe('int8');
    fs.mkdirSync(path.join(folder, 'thesis'));
    fs.writeFileSync(path.join(folder, 'thesis', 'chapter.tex'), 'years of work');
    await expect(run(importCheckpoint(request({ out: path.join(folder, 'thesis'), replace: true }), {}))).rejects.toMatchObject({ code: 'import.exists' });
    expect(fs.readFileSync(path.join(folder, 'thesis', 'chapter.tex'), 'utf8')).toBe('years of work');
  });

  it('clears what a killed import left, but not what a living one writes', async () => {
    const dead = path.join(folder, 'model.partial-999999999-00ff00ff');
    const living = path.join(folder, `model.partial-${process.pid}-00ff00ff`);
    fs.mkdirSync(dead);
    fs.mkdirSync(living);
    await run(importCheckpoint(request(), {}));
    expect([fs.existsSync(dead), fs.existsSync(living)]).toEqual([false, true]);
  });

  it('brings back the older model that a killed import had moved aside, and removes what it had written', async () => {
    await run(importCheckpoint(request(), {}));
    const { out } = request();
    fs.renameSync(out, `${out}.replaced-999999999-00ff00ff-00ff00ff`.replace('00ff00ff-', `${createHash('sha256').update(os.hostname()).digest('hex').slice(0, 8)}-`));
    fs.mkdirSync(`${out}.partial-999999999-00ff00ff`);
    await expect(run(importCheckpoint(request(), {}))).rejects.toMatchObject({ code: 'import.exists' });
    expect(fs.readdirSync(folder)).toEqual(['model']);
    await verifyHashes(openModelFolder(out));
  });

  it('leaves what another machine writes to a disk that both share', async () => {
    const theirs = path.join(folder, 'model.partial-999999999-00ff00ff-00ff00ff');
    fs.mkdirSync(theirs);
    await run(importCheckpoint(request(), {}));
    expect(fs.readdirSync(folder).sort()).toEqual(['model', path.basename(theirs)]);
  });

  it('two imports that may replace end well in either order, with one whole model and nothing beside it', async () => {
    await run(importCheckpoint(request(), {}));
    const both = (['int8', 'fp32'] as const).map((quantization) => run(importCheckpoint(request({ replace: true, quantization }), {})));
    await Promise.all(both);
    expect(fs.readdirSync(folder)).toEqual(['model']);
    await verifyHashes(openModelFolder(request().out));
  });

  it('says when the target can not be written', async () => {
    fs.writeFileSync(path.join(folder, 'file'), '');
    await expect(run(importCheckpoint(request({ out: path.join(folder, 'file', 'model') }), {}))).rejects.toMatchObject({ code: 'import.cannot-write' });
  });

  it('ends with an error where no folder can be made, and removes the folders above that it made', async () => {
    if (process.platform === 'linux') await expect(run(importCheckpoint(request({ out: '/proc/tah/model' }), {}))).rejects.toMatchObject({ code: 'import.cannot-write' });
    fs.symlinkSync(path.join(folder, 'loop'), path.join(folder, 'loop'));
    await expect(run(importCheckpoint(request({ out: path.join(folder, 'loop/model') }), {}))).rejects.toMatchObject({ code: 'import.cannot-write' });
    fs.rmSync(path.join(folder, 'loop'));
    const out = path.join(folder, 'new/deep/model');
    await expect(run(importCheckpoint(request({ out, checkpoint: path.join(TINY_CHECKPOINT, '../../broken/nan-weights') }), {}))).rejects.toMatchObject({ code: 'checkpoint.not-finite' });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('two imports of one target at once: one folder, and an error for the slower one', async () => {
    const results = await Promise.allSettled([run(importCheckpoint(request(), {})), run(importCheckpoint(request(), {}))]);
    expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((result) => result.status === 'rejected')?.reason).toMatchObject({ code: 'import.exists' });
    expect(fs.readdirSync(folder)).toEqual([path.basename(request().out)]);
  });

  it('never replaces a model folder that holds the checkpoint', async () => {
    await run(importCheckpoint(request(), {}));
    const checkpoint = path.join(request().out, 'checkpoint');
    fs.cpSync(TINY_CHECKPOINT, checkpoint, { recursive: true });
    await expect(run(importCheckpoint(request({ checkpoint, replace: true }), {}))).rejects.toMatchObject({ code: 'import.exists' });
    expect(fs.existsSync(path.join(checkpoint, 'config.json'))).toBe(true);
  });

  it('refuses a tokenizer that the engine could not use, before anything is written', async () => {
    const options = { checkTokenizer: loadTokenizer };
    const checkpoint = path.join(folder, 'ck');
    fs.cpSync(TINY_CHECKPOINT, checkpoint, { recursive: true });
    fs.writeFileSync(path.join(checkpoint, 'tokenizer.json'), '{"model": {"vocab": {}}}');
    await expect(run(importCheckpoint(request({ checkpoint }), options))).rejects.toMatchObject({ code: 'checkpoint.bad-tokenizer' });
    expect(fs.readdirSync(folder)).toEqual(['ck']);
    await run(importCheckpoint(request(), options));
  });

  it('takes along what a checkpoint declares of its subjects, and names it in the manifest', async () => {
    const checkpoint = path.join(folder, 'ck');
    fs.cpSync(TINY_CHECKPOINT, checkpoint, { recursive: true });
    fs.writeFileSync(path.join(checkpoint, 'subjects.json'), '{"subjects": []}');
    await run(importCheckpoint(request({ checkpoint }), {}));
    const { out } = request();
    expect(fs.readFileSync(path.join(out, 'subjects.json'), 'utf8')).toBe('{"subjects": []}');
    expect(openModelFolder(out).manifest.files.map((file) => file.path)).toContain('subjects.json');
  });

  it('writes nothing for a checkpoint that is refused when its values are read', async () => {
    const checkpoint = path.join(TINY_CHECKPOINT, '../../broken/nan-weights');
    await expect(run(importCheckpoint(request({ checkpoint }), {}))).rejects.toMatchObject({ code: 'checkpoint.not-finite' });
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe('a model folder at the door', () => {
  it('is refused when it is missing, no model, cut, changed, or of another format', async () => {
    const out = path.join(folder, 'model');
    expect(() => openModelFolder(out)).toThrow(/no model/);
    expect(() => openModelFolder(TINY_CHECKPOINT)).toThrow(/not been imported/);
    await run(importCheckpoint(request(), {}));
    const weights = path.join(out, 'model.onnx.data');
    const bytes = fs.readFileSync(weights);
    const changed = Buffer.from(bytes);
    changed[100] = (changed[100] ?? 0) ^ 1;
    fs.writeFileSync(weights, changed);
    await expect(verifyHashes(openModelFolder(out))).rejects.toMatchObject({ code: 'model.corrupted', file: weights });
    fs.writeFileSync(weights, bytes.subarray(1));
    expect(() => openModelFolder(out)).toThrow(/bytes instead of/);
    const manifest = path.join(out, 'manifest.json');
    fs.writeFileSync(manifest, fs.readFileSync(manifest, 'utf8').replace('tah-model/1', 'tah-model/9'));
    expect(() => openModelFolder(out)).toThrow(/format/);
    fs.writeFileSync(manifest, '{');
    expect(() => openModelFolder(out)).toThrow(/no JSON/);
  });
});
