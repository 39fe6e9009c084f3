/** How a process gets the CUDA runtime: the driver is looked for, the folder is named only when it is whole, and the link follows the package. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rerunWithCuda } from '../../../src/cli/cudaProcess.ts';
import { cudaEnvironment, cudaIsPossible, hasNvidiaDriver, type DriverPlaces } from '../../../src/hub/cudaEnvironment.ts';
import { cudaFolder } from '../../../src/hub/cudaRuntime.ts';
import { CUDA_TABLE, PYPI_FILES } from '../../../src/hub/cudaTable.ts';
import packageJson from '../../../package.json' with { type: 'json' };

const BESIDE = path.join(import.meta.dirname, 'any.cjs');
const LIBRARIES = CUDA_TABLE.wheels.flatMap(({ libraries }) => libraries);
let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-cuda-env-'));
});
afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

/** Files of the right names and sizes that take no space: nobody loads them here. */
function pretendFetched(storage: string): string {
  const dir = cudaFolder(storage);
  fs.mkdirSync(dir, { recursive: true });
  for (const { path: name, size } of LIBRARIES) {
    const file = path.join(dir, path.posix.basename(name));
    fs.writeFileSync(file, '');
    fs.truncateSync(file, size);
  }
  fs.writeFileSync(path.join(dir, 'cuda-runtime.json'), JSON.stringify({ format: 'tah-cuda-runtime/1', onnxRuntime: CUDA_TABLE.onnxRuntime, files: [] }));
  return dir;
}

describe('the table', () => {
  it('is for the version of onnxruntime-node that is installed, from PyPI, with a hash for everything and no name twice', () => {
    expect(CUDA_TABLE.onnxRuntime).toBe(packageJson.dependencies['onnxruntime-node']);
    expect(PYPI_FILES).toBe('https://files.pythonhosted.org');
    for (const { sha256, size } of [...CUDA_TABLE.wheels, ...LIBRARIES]) expect([sha256, size > 0]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), true]);
    const names = LIBRARIES.map(({ path: name }) => path.posix.basename(name));
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_shared.so', 'libcudart.so.13', 'libcublas.so.13', 'libcublasLt.so.13', 'libcurand.so.10', 'libcudnn.so.9', 'libnvrtc.so.13']));
  });
});

describe("NVIDIA's driver", () => {
  const nowhere = (): DriverPlaces => ({ version: path.join(root, 'version'), loaderCache: path.join(root, 'cache'), libraryPath: undefined });

  it('is not there where nothing speaks for it', () => {
    expect(hasNvidiaDriver(nowhere())).toBe(false);
    fs.writeFileSync(path.join(root, 'cache'), 'libcuda.so.12\0libcudart.so.13\0');
    expect(hasNvidiaDriver(nowhere())).toBe(false);
  });

  it('is found by its kernel module, by the cache of the loader, or in LD_LIBRARY_PATH', () => {
    expect(hasNvidiaDriver({ ...nowhere(), version: BESIDE.replace('any.cjs', 'rig.ts') })).toBe(true);
    fs.writeFileSync(path.join(root, 'libcuda.so.1'), '');
    expect(hasNvidiaDriver({ ...nowhere(), libraryPath: `:/nowhere:${root}` })).toBe(true);
    fs.writeFileSync(path.join(root, 'cache'), 'libc.so.6\0libcuda.so.1\0/usr/lib/libcuda.so.1\0');
    expect(hasNvidiaDriver(nowhere())).toBe(true);
  });
});

describe.skipIf(!cudaIsPossible())('the environment of a process', () => {
  it('is as it was until the runtime is whole, and again when a library is gone', () => {
    expect(cudaEnvironment({ storage: root, beside: BESIDE }, {})).toEqual({});
    const dir = pretendFetched(root);
    expect(cudaEnvironment({ storage: root, beside: BESIDE }, {})).toEqual({ LD_LIBRARY_PATH: dir });
    fs.truncateSync(path.join(dir, 'libcudart.so.13'), 5);
    expect(cudaEnvironment({ storage: root, beside: BESIDE }, {})).toEqual({});
  });

  it("has the folder first, once, and keeps the user's own", () => {
    const dir = pretendFetched(root);
    const once = cudaEnvironment({ storage: root, beside: BESIDE }, { LD_LIBRARY_PATH: '/mine::/other' });
    expect(once).toEqual({ LD_LIBRARY_PATH: `${dir}:/mine:/other` });
    expect(cudaEnvironment({ storage: root, beside: BESIDE }, once)).toEqual(once);
  });

  it("leads to the package's own library of ONNX Runtime, also after the package has moved", () => {
    const dir = pretendFetched(root);
    fs.symlinkSync('/an/extension/that/is/gone/libonnxruntime.so.1', path.join(dir, 'libonnxruntime.so.1'));
    cudaEnvironment({ storage: root, beside: BESIDE }, {});
    const target = fs.readlinkSync(path.join(dir, 'libonnxruntime.so.1'));
    expect(target).toMatch(/node_modules\/onnxruntime-node\/bin\/napi-v6\/linux\/x64\/libonnxruntime\.so\.1$/);
    expect(fs.existsSync(target)).toBe(true);
  });

  it('is as it was where there is no package', () => {
    pretendFetched(root);
    expect(cudaEnvironment({ storage: root, beside: path.join(root, 'x.cjs') }, {})).toEqual({});
  });
});

describe.skipIf(!cudaIsPossible())('the command line', () => {
  it('runs in a process with the runtime where one was fetched, with its exit code, and only then', async () => {
    const dist = path.join(import.meta.dirname, '../../../node_modules/.cache', `cuda-${process.pid}`);
    fs.mkdirSync(dist, { recursive: true });
    const seen = path.join(root, 'seen');
    fs.writeFileSync(path.join(dist, 'cli.cjs'), "require('node:fs').writeFileSync(process.argv[2], process.env.LD_LIBRARY_PATH); process.exit(7);");
    const before = { cache: process.env['TAH_CACHE_DIR'], libraries: process.env['LD_LIBRARY_PATH'] };
    process.env['TAH_CACHE_DIR'] = root;
    try {
      expect(await rerunWithCuda(dist, [seen])).toBeNull();
      const dir = pretendFetched(root);
      expect(await rerunWithCuda(dist, [seen])).toBe(7);
      expect(fs.readFileSync(seen, 'utf8').split(':')[0]).toBe(dir);
      process.env['LD_LIBRARY_PATH'] = fs.readFileSync(seen, 'utf8');
      expect(await rerunWithCuda(dist, [seen])).toBeNull();
    } finally {
      restore('TAH_CACHE_DIR', before.cache);
      restore('LD_LIBRARY_PATH', before.libraries);
      fs.rmSync(dist, { recursive: true });
    }
  });
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}
