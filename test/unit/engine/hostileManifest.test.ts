/** A manifest that a stranger wrote: every file that it makes the engine open lies in the folder and is listed with its hash. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder } from '../../../src/engine/modelFolder.ts';
import { TahError } from '../../../src/protocol/errors.ts';
import { MANIFEST_FILE, type ModelManifest } from '../../../src/protocol/manifest.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

let model: TinyModel;
let sound: ModelManifest;

beforeAll(async () => {
  model = await importTinyModel();
  sound = JSON.parse(fs.readFileSync(path.join(model.dir, MANIFEST_FILE), 'utf8')) as ModelManifest;
});
afterAll(() => { model.remove(); });

function codeOf(manifest: unknown): string {
  fs.writeFileSync(path.join(model.dir, MANIFEST_FILE), JSON.stringify(manifest));
  try {
    openModelFolder(model.dir);
    return 'opened';
  } catch (error) {
    if (error instanceof TahError) return error.code;
    throw error;
  }
}

describe.each(['../model.onnx', '/etc/passwd', 'C:\\model.onnx', '..', '.', '', 'a/../model.onnx', 'model.onnx\0'])('the name %j', (name) => {
  it('leads nowhere, wherever it stands', () => {
    expect(codeOf({ ...sound, graph: { ...sound.graph, file: name } })).toBe('model.bad-manifest');
    expect(codeOf({ ...sound, graph: { ...sound.graph, others: [{ flavour: 'webgpu', file: name }] } })).toBe('model.bad-manifest');
    expect(codeOf({ ...sound, graph: { ...sound.graph, others: [{ flavour: 'webgpu', file: sound.graph.file, mergeFile: name }] } })).toBe('model.bad-manifest');
    expect(codeOf({ ...sound, files: [...sound.files, { path: name, bytes: 4096, sha256: '0'.repeat(64) }] })).toBe('model.bad-manifest');
  });
});

it('a graph without a hash in the list is not opened', () => {
  fs.writeFileSync(path.join(model.dir, 'stranger.onnx'), 'x');
  expect(codeOf({ ...sound, graph: { ...sound.graph, others: [{ flavour: 'webgpu', file: 'stranger.onnx' }] } })).toBe('model.corrupted');
  expect(codeOf(sound)).toBe('opened');
});
