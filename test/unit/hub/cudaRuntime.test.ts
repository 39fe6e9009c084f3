/** Fetching the CUDA runtime, with small wheels from a server on loopback that fails in every way that the hub's tests know. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { completeCuda, cudaFolder, cudaRoot, cudaSizes, cudaState, fetchCudaRuntime, fetchedBytes, removeCudaRuntime, type Fetched, type FetchOptions } from '../../../src/hub/cudaRuntime.ts';
import type { CudaTable, PinnedWheel } from '../../../src/hub/cudaTable.ts';
import type { DownloadProgress } from '../../../src/hub/progress.ts';
import { HubServer } from '../../fixtures/hubServer.ts';
import { zip, type Packed } from '../../fixtures/zip.ts';
import { failure, RETRIES } from './rig.ts';

const FIRST = 'packages/aa/bb/first-1.0-py3-none-linux.whl';
const SECOND = 'packages/cc/dd/second-2.0-py3-none-linux.whl';

let server: HubServer;
let storage: string;
let table: CudaTable;

/** Bytes that a compressor can't shorten, so that a cut falls into them. */
function library(seed: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}

const LIBRARIES = { 'libone.so.1': library('one', 600_000), 'libtwo.so.2': library('two', 40_000), 'libthree.so.3': library('three', 300_000) };
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Serves the wheel and says what the table says of it; `libraries` are those that shall be taken from it. */
function wheel(at: string, contents: readonly Packed[], libraries: readonly string[]): PinnedWheel {
  const bytes = zip(contents);
  server.set(at, bytes);
  const pinned = libraries.map((name) => {
    const packed = LIBRARIES[path.posix.basename(name) as keyof typeof LIBRARIES];
    return { path: name, size: packed.length, sha256: sha256(packed) };
  });
  return { what: path.basename(at), path: at, size: bytes.length, sha256: sha256(bytes), libraries: pinned };
}

const one = { name: 'nvidia/lib/libone.so.1', bytes: LIBRARIES['libone.so.1'] };
const two = { name: 'nvidia/lib/libtwo.so.2', bytes: LIBRARIES['libtwo.so.2'] };
const three = { name: 'runtime/libthree.so.3', bytes: LIBRARIES['libthree.so.3'] };
const unwanted = { name: 'nvidia/include/header.h', bytes: Buffer.from('not a library') };

beforeAll(async () => {
  const empty = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-wheels-'));
  server = await HubServer.start(empty);
  fs.rmSync(empty, { recursive: true });
});
beforeEach(() => {
  storage = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-cuda-'));
  table = { onnxRuntime: '1.2.3', wheels: [wheel(FIRST, [unwanted, one, two], [one.name, two.name]), wheel(SECOND, [three], [three.name])] };
});
afterEach(() => {
  server.reset();
  fs.rmSync(storage, { recursive: true, force: true });
});
afterAll(() => server.stop());

const bring = (options: Partial<FetchOptions> = {}): Promise<Fetched> =>
  fetchCudaRuntime(storage, { base: `${server.url}/owner/tiny/resolve/main`, fetch, stallMs: 400, retries: RETRIES, table, ...options });

/** Every library is there byte by byte, the manifest says so, and nothing else is left. */
function expectWhole(): void {
  const dir = completeCuda(storage, table);
  if (dir === null) throw new Error('the runtime is not whole');
  expect(fs.readdirSync(dir).sort()).toEqual(['cuda-runtime.json', ...Object.keys(LIBRARIES)].sort());
  for (const [name, bytes] of Object.entries(LIBRARIES)) expect(fs.readFileSync(path.join(dir, name)).equals(bytes), name).toBe(true);
  expect(fs.readdirSync(cudaRoot(storage))).toEqual([path.basename(dir)]);
}

/** Nothing has the name of a whole runtime, and nothing lies outside of the folder. */
function expectNotThere(): void {
  expect(completeCuda(storage, table)).toBeNull();
  expect(fs.readdirSync(storage).filter((name) => name !== 'cuda-runtime')).toEqual([]);
}

describe('fetching the CUDA runtime', () => {
  it('brings the libraries of the table and nothing else of the wheels, and says what they are', async () => {
    const steps: DownloadProgress[] = [];
    const { dir, receivedBytes } = await bring({ onProgress: (step) => steps.push(step) });
    expectWhole();
    expect(receivedBytes).toBe(cudaSizes(table).downloadBytes);
    expect(JSON.parse(fs.readFileSync(path.join(dir, 'cuda-runtime.json'), 'utf8'))).toMatchObject({ onnxRuntime: '1.2.3', files: expect.arrayContaining([{ name: 'libtwo.so.2', size: 40_000, sha256: sha256(two.bytes) }]) as unknown });
    expect(steps.at(-1)).toMatchObject({ stage: 'unpacking', doneBytes: receivedBytes, totalBytes: receivedBytes });
    expect(await cudaState(storage, { table, thorough: true })).toEqual({ kind: 'complete', dir });
  });

  it('asks first, with the sizes: who says no gets nothing', async () => {
    let asked: unknown;
    const error = await failure(bring({ confirm: (plan) => { asked = plan; return Promise.resolve(false); } }));
    expect([error.code, server.asked, fs.readdirSync(storage)]).toEqual(['cancelled', [], []]);
    expect(asked).toMatchObject({ ...cudaSizes(table), from: `127.0.0.1:${server.port}` });
  });

  it('asks the network nothing when all is there', async () => {
    await bring();
    server.asked.length = 0;
    expect(await bring()).toMatchObject({ wasThere: true, receivedBytes: 0 });
    expect(server.asked).toEqual([]);
  });

  it('puts a new version in the place of the old one', async () => {
    await bring();
    const old = cudaFolder(storage, table);
    table = { ...table, onnxRuntime: '1.2.4' };
    expect(completeCuda(storage, table)).toBeNull();
    await bring();
    expectWhole();
    expect(fs.existsSync(old)).toBe(false);
  });

  it('is refused while another one runs, and removes all of it when it is told to', async () => {
    server.plan(FIRST, { kind: 'stall', after: 1000 });
    const abort = new AbortController();
    const first = bring({ signal: abort.signal, stallMs: 20_000 });
    await expect.poll(() => cudaState(storage, { table }), { timeout: 15_000 }).toEqual({ kind: 'busy' });
    expect((await failure(bring())).code).toBe('hub.busy');
    expect((await failure(removeCudaRuntime(storage))).code).toBe('hub.busy');
    abort.abort();
    await failure(first);
    expect(await removeCudaRuntime(storage)).toBe(true);
    expect(fs.readdirSync(storage)).toEqual([]);
    expect(await removeCudaRuntime(storage)).toBe(false);
  });
});

describe('a fetch that fails', () => {
  it('cut: goes on from there, and no byte comes twice', async () => {
    server.plan(FIRST, { kind: 'cut', after: 200_000 });
    expect((await bring()).receivedBytes).toBe(cudaSizes(table).downloadBytes);
    expectWhole();
    expect(server.askedFor(FIRST)[1]).toMatchObject({ range: expect.stringMatching(/^bytes=[1-9]\d+-$/) as string, status: 206 });
  });

  it('cancelled: keeps what has come, and the next one asks for the rest alone', async () => {
    server.plan(FIRST, { kind: 'stall', after: 200_000 });
    const abort = new AbortController();
    const running = bring({ signal: abort.signal, stallMs: 20_000 });
    // The other wheel comes whole and is unpacked meanwhile.
    await expect.poll(() => fs.existsSync(path.join(`${cudaFolder(storage, table)}.part`, 'libthree.so.3')), { timeout: 15_000 }).toBe(true);
    abort.abort();
    expect((await failure(running)).code).toBe('cancelled');
    expectNotThere();
    expect(await cudaState(storage, { table })).toEqual({ kind: 'partial' });
    const kept = await fetchedBytes(storage, table);
    expect(kept).toBeGreaterThan(table.wheels[1]?.size ?? Infinity);
    const { receivedBytes } = await bring();
    expect(receivedBytes).toBe(cudaSizes(table).downloadBytes - kept);
    expect(server.askedFor(SECOND)).toHaveLength(1);
    expectWhole();
  });

  it.each([
    ['wrong bytes', { kind: 'corrupt' }, 'hub.wrong-hash'],
    ['more bytes', { kind: 'long', extra: 10 }, 'hub.wrong-length'],
    ['another length announced', { kind: 'lie-about-length', by: 5 }, 'hub.wrong-length'],
    ['fewer bytes, again and again', { kind: 'short', bytes: 1000 }, 'hub.wrong-length'],
    ['not there', { kind: 'status', status: 404 }, 'hub.not-found'],
    ['a server in trouble', { kind: 'status', status: 503 }, 'hub.server-error'],
  ] as const)('%s: is told, and nothing takes its name', async (_, fault, code) => {
    server.plan(FIRST, fault, 10);
    expect((await failure(bring())).code).toBe(code);
    expectNotThere();
    server.reset();
    await bring();
    expectWhole();
  });

  it('no network: says what else can be done, and speaks of no checkpoint', async () => {
    const error = await failure(bring({ base: 'http://127.0.0.1:9', retries: { ...RETRIES, attempts: 1 } }));
    expect(error.code).toBe('hub.no-network');
    expect(error.hint).toMatch(/install CUDA 13 and cuDNN 9/);
    expect(error.hint).not.toMatch(/checkpoint/);
  });

  it('too little space: is told before anything comes, and counts the unpacked libraries', async () => {
    const { downloadBytes, unpackedBytes } = cudaSizes(table);
    const enough = downloadBytes + unpackedBytes + 64 * 1024 * 1024;
    const error = await failure(bring({ freeBytes: () => Promise.resolve(enough - 1) }));
    expect([error.code, server.asked]).toEqual(['hub.disk-full', []]);
    await bring({ freeBytes: () => Promise.resolve(enough) });
    expectWhole();
  });

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('a folder that can not be written: is told', async () => {
    fs.chmodSync(storage, 0o500);
    expect((await failure(bring())).code).toBe('hub.cannot-write');
    fs.chmodSync(storage, 0o700);
  });
});

describe('a wheel that is not what it should be', () => {
  const only = (at: string, contents: readonly Packed[], libraries: readonly string[]): void => {
    table = { onnxRuntime: '1.2.3', wheels: [wheel(at, contents, libraries)] };
  };

  it.each(['../../escaped.so', '/tmp/tah-escaped.so', 'nvidia/../../../escaped.so', 'C:\\escaped.so'])('names %s: nothing is written outside', async (name) => {
    only(FIRST, [one, { name, bytes: Buffer.from('out') }], [one.name]);
    expect((await failure(bring())).code).toBe('hub.bad-path');
    expectNotThere();
    expect(fs.readdirSync(cudaRoot(storage), { recursive: true }).filter((file) => String(file).includes('escaped'))).toEqual([]);
    expect(fs.existsSync('/tmp/tah-escaped.so')).toBe(false);
  });

  it('ends in the middle: is told', async () => {
    const whole = zip([one, two]);
    only(FIRST, [one, two], [one.name]);
    const half = whole.subarray(0, whole.length / 2);
    server.set(FIRST, half);
    table = { ...table, wheels: table.wheels.map((pinned) => ({ ...pinned, size: half.length, sha256: sha256(half) })) };
    expect((await failure(bring())).code).toBe('hub.bad-archive');
    expectNotThere();
  });

  it('lacks a library: it is named', async () => {
    only(FIRST, [one], [one.name, two.name]);
    const error = await failure(bring());
    expect([error.code, error.message]).toEqual(['hub.bad-archive', expect.stringContaining('nvidia/lib/libtwo.so.2 is not in it')]);
    expectNotThere();
  });

  it('has another library under that name: is told', async () => {
    only(FIRST, [{ name: two.name, bytes: Buffer.alloc(two.bytes.length, 7) }], [two.name]);
    expect((await failure(bring())).code).toBe('hub.wrong-hash');
    expectNotThere();
  });

  it('has a library of another size, or one that grows while it is unpacked: is told before more than that is written', async () => {
    only(FIRST, [{ name: two.name, bytes: Buffer.alloc(5_000_000) }], [two.name]);
    expect((await failure(bring())).code).toBe('hub.wrong-length');
    only(FIRST, [{ name: two.name, bytes: Buffer.alloc(5_000_000), claims: two.bytes.length }], [two.name]);
    expect((await failure(bring())).code).toBe('hub.bad-archive');
    expectNotThere();
  });
});

describe('a runtime that was changed on the disk', () => {
  it('is noticed by its sizes at once and by its hashes when looked at, and only the wheel of that library comes again', async () => {
    const { dir } = await bring();
    const file = path.join(dir, 'libthree.so.3');
    fs.writeFileSync(file, Buffer.alloc(300_000));
    expect(completeCuda(storage, table)).toBe(dir);
    expect(await cudaState(storage, { table, thorough: true })).toEqual({ kind: 'damaged', dir, files: ['libthree.so.3'] });
    fs.rmSync(file);
    expect(completeCuda(storage, table)).toBeNull();
    server.asked.length = 0;
    await bring();
    expectWhole();
    expect(server.asked.map(({ path: name }) => path.basename(name))).toEqual([path.basename(SECOND)]);
  });
});
