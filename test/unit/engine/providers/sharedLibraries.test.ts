/** Missing libraries are named: read from real libraries of ONNX Runtime, with and without what they need beside them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder } from '../../../../src/engine/modelFolder.ts';
import { libraryNeeds, missingLibraries } from '../../../../src/engine/providers/sharedLibraries.ts';
import { openSession } from '../../../../src/engine/session.ts';
import { importTinyModel } from '../../../fixtures/tinyModel.ts';

const BIN = path.join(import.meta.dirname, '../../../../node_modules/onnxruntime-node/bin/napi-v6/linux', process.arch);
let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-libraries-'));
});
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

describe.skipIf(process.platform !== 'linux')('shared libraries', () => {
  it('are read from the list of the library that needs them, with the folders that it names', () => {
    const { needed, folders } = libraryNeeds(path.join(BIN, 'onnxruntime_binding.node'));
    expect(needed).toEqual(expect.arrayContaining(['libonnxruntime.so.1', 'libc.so.6']));
    expect(folders.map((name) => path.resolve(name))).toContain(BIN);
  });

  it('are found beside the library, in LD_LIBRARY_PATH, and in the system', () => {
    expect(missingLibraries(path.join(BIN, 'onnxruntime_binding.node'), {})).toEqual([]);
    const alone = path.join(folder, 'alone.node');
    fs.copyFileSync(path.join(BIN, 'onnxruntime_binding.node'), alone);
    expect(missingLibraries(alone, {})).toEqual(['libonnxruntime.so.1']);
    expect(missingLibraries(alone, { LD_LIBRARY_PATH: `/nowhere:${BIN}` })).toEqual([]);
  });

  it('that are not there are named themselves, and what is no library is refused', () => {
    expect(missingLibraries(path.join(folder, 'libonnxruntime_providers_cuda.so'), {})).toEqual(['libonnxruntime_providers_cuda.so']);
    const text = path.join(folder, 'text.so');
    fs.writeFileSync(text, 'no library at all, but long enough to hold a header of sixty-four bytes');
    expect(() => missingLibraries(text, {})).toThrow(/no 64-bit library/);
  });

  it.skipIf(fs.existsSync(path.join(BIN, 'libonnxruntime_providers_cuda.so')))('CUDA without its provider library is refused with the name of what is missing', async () => {
    const tiny = await importTinyModel();
    await expect(openSession(openModelFolder(tiny.dir).graphFile, { provider: 'cuda' })).rejects.toMatchObject({
      code: 'engine.provider-unavailable',
      message: expect.stringContaining('libraries are missing: libonnxruntime_providers_shared.so, libonnxruntime_providers_cuda.so') as string,
    });
    tiny.remove();
  });
});
