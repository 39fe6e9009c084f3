/** Missing libraries are named: read from real libraries of ONNX Runtime, with and without what they need beside them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder } from '../../../../src/engine/modelFolder.ts';
import { cudaFailure, cudaLibraries, missingForCuda } from '../../../../src/engine/providers/cudaLibraries.ts';
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

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('the CUDA provider', () => {
  const MAIN = path.join(BIN, '../../../../dist/index.js');
  const fetched = (): string => {
    const dir = fs.mkdtempSync(path.join(folder, 'fetched-'));
    fs.symlinkSync(path.join(BIN, 'libonnxruntime.so.1'), path.join(dir, 'libonnxruntime.so.1'));
    return dir;
  };
  const names = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];

  it("is looked for beside ONNX Runtime's library: in the folder where the loader finds that, else in the package", () => {
    expect(cudaLibraries(MAIN, {})).toEqual(names.map((name) => path.join(BIN, name)));
    const dir = fetched();
    expect(cudaLibraries(MAIN, { LD_LIBRARY_PATH: `/nowhere:${dir}` })).toEqual(names.map((name) => path.join(dir, name)));
  });

  it('lacks its driver, its libraries, or cuDNN: each is named, and a damaged one too', () => {
    const dir = fetched();
    const env = { LD_LIBRARY_PATH: dir };
    expect(missingForCuda(MAIN, '', env)).toMatch(/^libraries are missing: libonnxruntime_providers_shared\.so, libonnxruntime_providers_cuda\.so \(they are fetched by "tah providers --fetch cuda"/);
    for (const name of names) fs.copyFileSync(path.join(BIN, 'onnxruntime_binding.node'), path.join(dir, name));
    expect(missingForCuda(MAIN, '', env)).toBeNull();
    expect(missingForCuda(MAIN, 'cuDNN is not available.', env)).toMatch(/^a library is missing: libcudnn\.so\.9 /);
    // A library that needs the driver's: one name of the right length is written over in its list.
    const bytes = fs.readFileSync(path.join(BIN, 'onnxruntime_binding.node'));
    const at = bytes.indexOf('libpthread.so.0\0') >= 0 ? bytes.indexOf('libpthread.so.0\0') : bytes.indexOf('libgcc_s.so.1\0');
    bytes.write('libcuda.so.1\0', at, 'latin1');
    fs.writeFileSync(path.join(dir, names[1] ?? ''), bytes);
    if (!fs.existsSync('/proc/driver/nvidia/version')) expect(missingForCuda(MAIN, '', env)).toBe("NVIDIA's driver is not installed (libcuda.so.1 is missing)");
    fs.writeFileSync(path.join(dir, names[1] ?? ''), Buffer.alloc(4096));
    expect(missingForCuda(MAIN, '', env)).toMatch(/libonnxruntime_providers_cuda\.so is no 64-bit library \(it is repaired by/);
  });

  it('fails: what CUDA says is told, without the name of the machine and the places in the source', () => {
    const said = '/onnxruntime_src/cuda_call.cc:146 bool CudaCall(ERRTYPE) CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=secret ; file=/x.cc ; line=352 ; expr=cudaSetDevice(info_.device_id);';
    expect(cudaFailure(said)).toBe('CUDA failure 100: no CUDA-capable device is detected');
    expect(cudaFailure('another reason')).toBeNull();
  });
});
