/** Fetching the official Node: a small archive from a server on loopback, and every way in which it can be wrong. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { officialNode } from '../../../src/host/officialNode.ts';
import type { Runtime } from '../../../src/host/engineRuntime.ts';
import { fetchedNode, NODE_BUILDS, nodeBuildFor, type NodeBuild } from '../../../src/hub/nodeBuilds.ts';
import { fetchNode } from '../../../src/hub/nodeRuntime.ts';
import { fileOfTar } from '../../../src/hub/tar.ts';
import { TARGETS } from '../../../scripts/packageContents.mjs';
import { HubServer } from '../../fixtures/hubServer.ts';
import { failure, RETRIES } from './rig.ts';

/** Bytes that a compressor can't shorten. */
const PROGRAM = createHash('shake256', { outputLength: 300_001 }).update('a program').digest();
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

interface Entry {
  readonly name: string;
  readonly bytes: Buffer;
  readonly kind?: string;
}

function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ name, bytes, kind = '0' }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000755\0', 100);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write(kind, 156);
    header.write('        ', 148);
    header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const ENTRIES: readonly Entry[] = [
  { name: 'package/LICENSE', bytes: Buffer.from('a licence') },
  { name: 'package/bin/node', bytes: PROGRAM },
  { name: 'package/package.json', bytes: Buffer.from('{}') },
];

let server: HubServer;
let storage: string;

beforeAll(async () => {
  const empty = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-npm-'));
  server = await HubServer.start(empty);
  fs.rmSync(empty, { recursive: true });
});
beforeEach(() => {
  storage = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-node-'));
});
afterEach(() => {
  server.reset();
  fs.rmSync(storage, { recursive: true, force: true });
});
afterAll(() => server.stop());

/** Serves an archive, and says of it what is right unless told otherwise. */
function serve(entries: readonly Entry[] = ENTRIES, program: Partial<NodeBuild['program']> = {}): NodeBuild {
  const archive = gzipSync(tarOf(entries));
  server.set('node-test/-/node-test-1.2.3.tgz', archive);
  return { version: '1.2.3', package: 'node-test', archive: { size: archive.length, sha256: sha256(archive) }, program: { path: 'package/bin/node', size: PROGRAM.length, sha256: sha256(PROGRAM), ...program } };
}

const mirror = (): string => `${server.url}/${server.repository}/resolve/${server.revision}`;
const bring = (build: NodeBuild, signal?: AbortSignal): Promise<string> => fetchNode(storage, build, { base: mirror(), fetch, retries: RETRIES, ...(signal === undefined ? {} : { signal }) });
const filesIn = (dir: string): readonly string[] => fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => fs.statSync(path.join(dir, name)).isFile());

it('brings the program, executable, and leaves nothing else', async () => {
  const build = serve();
  expect(fetchedNode(storage, build)).toBeNull();
  const program = await bring(build);
  expect(fs.readFileSync(program).equals(PROGRAM)).toBe(true);
  if (process.platform !== 'win32') expect(fs.statSync(program).mode & 0o111).toBe(0o111);
  expect(filesIn(storage)).toEqual([path.relative(storage, program)]);
  expect(fetchedNode(storage, build)).toBe(program);
});

it('is not fetched a second time', async () => {
  const build = serve();
  await bring(build);
  server.reset();
  server.set('node-test/-/node-test-1.2.3.tgz', null);
  expect(await bring(build)).toBe(fetchedNode(storage, build));
});

it.each([
  ['an archive with other contents', (build: NodeBuild) => ({ ...build, archive: { ...build.archive, sha256: sha256(Buffer.from('x')) } }), 'hub.wrong-hash'],
  ['a program with other contents', (build: NodeBuild) => ({ ...build, program: { ...build.program, sha256: sha256(Buffer.from('x')) } }), 'hub.wrong-hash'],
  ['a program of another length', (build: NodeBuild) => ({ ...build, program: { ...build.program, size: 17 } }), 'hub.wrong-length'],
  ['an archive without the program', (build: NodeBuild) => ({ ...build, program: { ...build.program, path: 'package/bin/node.exe' } }), 'hub.bad-archive'],
])('%s is refused, and no program is left', async (_, spoil, code) => {
  const build = spoil(serve());
  expect(await failure(bring(build))).toMatchObject({ code });
  expect(fetchedNode(storage, build)).toBeNull();
  expect(filesIn(storage).filter((name) => /node(\.exe)?(\.tmp)?$/.test(name))).toEqual([]);
});

it('a link of the name of the program is no program', async () => {
  const build = serve([{ name: 'package/bin/node', bytes: Buffer.alloc(0), kind: '2' }]);
  expect(await failure(bring(build))).toMatchObject({ code: 'hub.bad-archive' });
});

it('a full disk is found before the first byte', async () => {
  const build = serve();
  expect(await failure(fetchNode(storage, build, { base: mirror(), fetch, freeBytes: () => Promise.resolve(1000) }))).toMatchObject({ code: 'hub.disk-full' });
});

it('a cancelled one says so and leaves no program', async () => {
  const build = serve();
  expect(await failure(bring(build, AbortSignal.abort()))).toMatchObject({ code: 'cancelled' });
  expect(fetchedNode(storage, build)).toBeNull();
});

describe('fileOfTar', () => {
  const read = async (tar: Buffer, pieces: number, name = 'package/bin/node', size = PROGRAM.length): Promise<Buffer> => {
    const source = (async function* () {
      await Promise.resolve();
      for (let at = 0; at < tar.length; at += pieces) yield tar.subarray(at, at + pieces);
    })();
    const parts: Buffer[] = [];
    for await (const part of fileOfTar(source, name, size)) parts.push(part);
    return Buffer.concat(parts);
  };

  it.each([1, 511, 512, 513, 65_536, 10_000_000])('gives the same bytes in pieces of %d', async (pieces) => {
    expect((await read(tarOf(ENTRIES), pieces)).equals(PROGRAM)).toBe(true);
  });

  it('refuses damage, a cut and a length that no archive has', async () => {
    const tar = tarOf(ENTRIES);
    const damaged = Buffer.from(tar);
    damaged[3] = 0x58;
    const endless = tarOf([{ name: 'package/LICENSE', bytes: Buffer.alloc(0) }, ...ENTRIES]);
    endless.write('77777777777\0', 124);
    expect(await failure(read(damaged, 4096))).toMatchObject({ code: 'hub.bad-archive' });
    expect(await failure(read(endless, 4096))).toMatchObject({ code: 'hub.bad-archive' });
    expect(await failure(read(tar.subarray(0, 5000), 4096))).toMatchObject({ code: 'hub.bad-archive' });
    expect(await failure(read(Buffer.alloc(0), 4096))).toMatchObject({ code: 'hub.bad-archive' });
  });
});

describe('the builds', () => {
  it('are pinned for our targets, but for Windows on ARM, which npm has none for', () => {
    expect(Object.keys(NODE_BUILDS).sort()).toEqual(Object.keys(TARGETS).filter((target) => target !== 'win32-arm64').sort());
    expect(nodeBuildFor('win32', 'arm64')).toBeNull();
    expect(nodeBuildFor('toString', 'x')).toBeNull();
    for (const { archive, program, version } of Object.values(NODE_BUILDS)) {
      expect([archive.sha256, program.sha256].every((hash) => /^[0-9a-f]{64}$/.test(hash))).toBe(true);
      expect(program.size).toBeGreaterThan(archive.size);
      expect(Number(version.split('.')[0])).toBeGreaterThanOrEqual(20);
    }
  });
});

it('what was fetched becomes a runtime of the engine, and only then', async () => {
  const added: Runtime[] = [];
  const node = officialNode({ storage, build: serve(), mirror, fetch: () => fetch, addRuntime: (runtime) => added.push(runtime) });
  node.use();
  expect(added).toEqual([]);
  const execPath = await node.fetch({});
  node.use();
  expect(added).toEqual([{ kind: 'fetched', execPath, env: {} }]);
});

it('a machine without a build is told so, with what to do instead', async () => {
  const node = officialNode({ storage, build: null, fetch: () => fetch, addRuntime: () => undefined });
  expect(await failure(node.fetch({}))).toMatchObject({ code: 'engine.not-starting', hint: expect.stringContaining('Install Node') as string });
});
