/** What the model list offers of the CUDA runtime: nothing without a driver, and never a fetch that nobody asked for. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CudaRuntime } from '../../../src/host/cudaRuntime.ts';
import { cudaFolder } from '../../../src/hub/cudaRuntime.ts';
import type { CudaTable } from '../../../src/hub/cudaTable.ts';

const TABLE: CudaTable = { onnxRuntime: '1.2.3', wheels: [{ what: 'one', path: 'packages/a/one.whl', size: 10, sha256: '0'.repeat(64), libraries: [{ path: 'lib/libone.so.1', size: 4, sha256: '0'.repeat(64) }] }] };
let storage: string;
let asked = 0;

beforeEach(() => {
  storage = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-cuda-host-'));
  asked = 0;
});
afterEach(() => {
  fs.rmSync(storage, { recursive: true, force: true });
});

function runtime(machine: { possible: boolean; driver: boolean }, mirror: string | null = null): CudaRuntime {
  const never: typeof fetch = () => {
    asked++;
    return Promise.reject(new Error('nobody asked for this'));
  };
  return new CudaRuntime({ storage, entry: path.join(storage, 'engineProcess.cjs'), fetch: () => never, mirror: () => mirror, machine, table: TABLE });
}

const options = (yes: boolean): Parameters<CudaRuntime['fetch']>[0] => ({ confirm: () => Promise.resolve(yes), onProgress: () => undefined, signal: new AbortController().signal });

it('is offered where a driver is and CUDA can be, and asks the network nothing for it', async () => {
  expect(await runtime({ possible: true, driver: true }).offer()).toEqual({ kind: 'fetch', downloadBytes: 10 });
  expect(await runtime({ possible: true, driver: false }).offer()).toBeNull();
  expect(await runtime({ possible: false, driver: true }).offer()).toBeNull();
  expect([asked, fs.readdirSync(storage)]).toEqual([0, []]);
});

it('that was fetched in part, damaged or whole is shown as that, with or without a driver', async () => {
  const cuda = runtime({ possible: true, driver: false });
  const wheels = path.join(storage, 'cuda-runtime', 'wheels');
  fs.mkdirSync(wheels, { recursive: true });
  fs.writeFileSync(path.join(wheels, 'one.whl.part'), 'abc');
  expect(await cuda.offer()).toEqual({ kind: 'continue', doneBytes: 3, downloadBytes: 10 });
  const dir = cudaFolder(storage, TABLE);
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, 'cuda-runtime.json'), JSON.stringify({ format: 'tah-cuda-runtime/1', onnxRuntime: '1.2.3', files: [] }));
  expect(await cuda.offer()).toEqual({ kind: 'repair', files: ['libone.so.1'] });
  fs.writeFileSync(path.join(dir, 'libone.so.1'), '1234');
  expect(await cuda.offer()).toEqual({ kind: 'there', unpackedBytes: 4 });
  await cuda.remove();
  expect(await cuda.offer()).toBeNull();
});

it('is not fetched when the question is answered with no, nor from what is no address', async () => {
  await expect(runtime({ possible: true, driver: true }).fetch(options(false))).rejects.toMatchObject({ code: 'cancelled' });
  await expect(runtime({ possible: true, driver: true }, 'ftp://mirror').fetch(options(true))).rejects.toMatchObject({ code: 'input.bad-option', subject: 'thinkAtHard.cudaMirror' });
  expect(asked).toBe(0);
});

it('puts nothing into the environment of the engine until it is whole', async () => {
  expect(await runtime({ possible: true, driver: true }).environment()).toEqual({});
  expect(await runtime({ possible: false, driver: true }).environment()).toEqual({});
});
