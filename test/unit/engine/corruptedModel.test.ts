/** Guards against answers of a model whose files have changed since its import. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { openModelFolder, verifyUnlessKnown } from '../../../src/engine/modelFolder.ts';
import { importCheckpoint } from '../../../src/importer/importer.ts';
import { importTinyModel, TINY_CHECKPOINT, type TinyModel } from '../../fixtures/tinyModel.ts';

let model: TinyModel;
beforeEach(async () => { model = await importTinyModel(); });
afterEach(() => { model.remove(); });

async function solve(engine = createEngine()): Promise<number> {
  let tokens = 0;
  for await (const event of engine.generate({ model: model.dir, prompt: { kind: 'tokens', ids: [5, 6, 7] }, policy: { kind: 'decider' }, maxTokens: 3 })) if (event.type === 'token') tokens++;
  await engine.unload();
  return tokens;
}

/** Same length and time: only its contents tell. */
function flip(name: string): string {
  const file = path.join(model.dir, name);
  const { atime, mtime } = fs.statSync(file);
  const bytes = fs.readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  fs.writeFileSync(file, bytes);
  fs.utimesSync(file, atime, mtime);
  return file;
}

it('a changed file is refused by its name at the next load, in the process that had loaded it before too', async () => {
  const engine = createEngine();
  expect(await solve(engine)).toBe(3);
  for (const name of openModelFolder(model.dir).manifest.files.map((file) => file.path)) {
    const file = flip(name);
    await expect(solve(engine), name).rejects.toMatchObject({ code: 'model.corrupted', file });
    await expect(solve(), name).rejects.toMatchObject({ code: 'model.corrupted', file });
    flip(name);
    expect(await solve(engine), name).toBe(3);
  }
});

it('a model that is imported anew between two loads is the new one', async () => {
  const engine = createEngine();
  await solve(engine);
  for await (const event of importCheckpoint({ checkpoint: TINY_CHECKPOINT, out: model.dir, quantization: 'int8', replace: true }, {})) if (event.type === 'done') break;
  expect((await engine.load(model.dir)).model.quantization).toBe('int8');
  await engine.unload();
});

it('the check of a large model can be stopped', async () => {
  await expect(verifyUnlessKnown(openModelFolder(model.dir), AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
});
