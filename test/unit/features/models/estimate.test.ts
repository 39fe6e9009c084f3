/** What an import will need is told before it: compared with what an import really makes. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { estimate, importFolderName, isImportOf, sizeOfCheckpoint } from '../../../../src/features/models/estimate.ts';
import { importTinyModel, TINY_CHECKPOINT, type TinyModel } from '../../../fixtures/tinyModel.ts';

let root: string;
beforeAll(() => { root = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-estimate-')); });
afterAll(() => { fs.rmSync(root, { recursive: true, force: true }); });

describe('the estimate of an import', () => {
  it('is near what the import writes, for float32', async () => {
    const size = await sizeOfCheckpoint(TINY_CHECKPOINT);
    expect(size).not.toBeNull();
    const model: TinyModel = await importTinyModel('fp32');
    const bytes = fs.statSync(path.join(model.dir, 'model.onnx.data')).size;
    model.remove();
    const told = size === null ? 0 : estimate(size, 'fp32').diskBytes;
    // Adapter and decider are beside the weights that it knows.
    expect(told / bytes).toBeGreaterThan(0.5);
    expect(told / bytes).toBeLessThan(1.3);
  });

  it('of bfloat16 weights: two bytes each', async () => {
    fs.writeFileSync(path.join(root, 'config.json'), JSON.stringify({ num_hidden_layers: 28, num_attention_heads: 16, num_key_value_heads: 8, head_dim: 128, torch_dtype: 'bfloat16' }));
    fs.writeFileSync(path.join(root, 'model-00001-of-00002.safetensors'), Buffer.alloc(1000));
    fs.writeFileSync(path.join(root, 'model-00002-of-00002.safetensors'), Buffer.alloc(1000));
    expect(await sizeOfCheckpoint(root)).toEqual({ parameters: 1000, cacheBytesPerToken: 2 * 28 * 8 * 128 * 4 });
  });

  it('less precision needs less of both', () => {
    const needs = (['fp32', 'int8', 'int4'] as const).map((kind) => estimate({ parameters: 1.7e9, cacheBytesPerToken: 1e5 }, kind));
    expect(needs.map(({ diskBytes }) => Math.round(diskBytes / 1e8) / 10)).toEqual([6.8, 1.9, 0.9]);
    expect(needs.every(({ diskBytes, memoryBytes }) => memoryBytes > diskBytes)).toBe(true);
  });

  it.each(['nowhere', 'test/golden'])('of %s, which is no checkpoint: none', async (dir) => {
    expect(await sizeOfCheckpoint(dir)).toBeNull();
  });
});

it('an import is found again by the name of its folder, and not by a name that begins alike', () => {
  const name = importFolderName('owner--model x', 'int4');
  expect(name).toBe('owner--model-x-int4');
  expect([isImportOf('owner--model-int4', 'owner--model'), isImportOf('owner--model-large-int4', 'owner--model')]).toEqual([true, false]);
});
