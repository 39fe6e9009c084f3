/**
 * The packaged engine under the Nodes that VS Code ships, oldest and newest, and under the one that runs the tests; each
 * as plain Node, and as Electron's, for which ONNX Runtime's arena is left out (Electron's allocator ends a process at
 * the arena's large blocks). Electron itself is not to be had from a package registry: it is pretended to the engine,
 * so its allocator is not under test here.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { nodeProgram, VSCODE_NODES } from '../../scripts/setupNodes.mjs';
import { createEngineClient, type EngineClient } from '../../src/host/engineClient.ts';
import type { Runtime } from '../../src/host/engineRuntime.ts';
import { readAll, textOf } from '../fixtures/engine/fakeEngine.ts';
import { openZip } from './zip.ts';

const preload = join(import.meta.dirname, '../fixtures/runtime/asElectron.cjs');
const PROBLEM = '3x + 5 = 20';
/** Of the extension that is pretended to run: Electron 37.7.0 is VS Code 1.106's. */
const ELECTRON = '37.7.0';

let folder = '';
let dist = '';
let build = '';
const log: string[] = [];
let client: EngineClient | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tah-runtimes-'));
  dist = join(folder, 'extension', 'dist');
  const zip = await openZip(inject('vsix'));
  for (const name of zip.names.filter((file) => file.startsWith('extension/dist/'))) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), zip.read(name));
  }
  // Host and engine compare their builds; here the host is the source, so it says what the package's host would.
  build = /"(\d+\.\d+\.\d+-[0-9a-f]{12})"/.exec(await readFile(join(dist, 'engineProcess.cjs'), 'utf8'))?.[1] ?? '';
  expect(build).not.toBe('');
});
afterEach(async () => {
  await client?.dispose();
  log.length = 0;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function start(runtimes: readonly Runtime[], env: Readonly<Record<string, string>> = {}): EngineClient {
  const note = (line: string): void => { log.push(line); };
  client = createEngineClient({
    entry: join(dist, 'engineProcess.cjs'),
    build,
    runtimes,
    execArgv: ['--require', preload],
    env: { TAH_CACHE_DIR: join(folder, 'cache'), ...env },
    log: { info: note, warn: note, error: note },
    handshakeMs: 60_000,
  });
  return client;
}

const solve = (engine: EngineClient): ReturnType<typeof readAll> =>
  readAll(engine.generate({ model: join(dist, 'models', 'tah-math-small'), prompt: { kind: 'chat', messages: [{ role: 'user', content: PROBLEM }] }, policy: { kind: 'decider' }, sampling: { temperature: 0 }, maxTokens: 128, provider: 'cpu' }));

const programs: readonly { readonly name: string; readonly version: string; readonly program: () => Promise<string> }[] = [
  { name: 'the Node of the tests', version: process.versions.node, program: () => Promise.resolve(process.execPath) },
  ...VSCODE_NODES.map(({ vsCode, node }) => ({ name: `VS Code ${vsCode}'s Node`, version: node, program: () => nodeProgram(node) })),
];

describe.each(programs)('$name ($version)', ({ version, program }) => {
  it('solves a problem with the bundled model, with the arena', async () => {
    const { events, error } = await solve(start([{ kind: 'node', execPath: await program(), env: {} }]));
    expect(error).toBeNull();
    expect(textOf(events)).toContain('\\boxed{x = 5}');
    expect(client?.state).toMatchObject({ kind: 'ready', runtime: `Node ${version}` });
    expect(log.filter((line) => line.includes('arena:'))).toEqual(['engine: arena: true']);
  });

  it("solves it as Electron's Node, without the arena, to the same tokens", async () => {
    const execPath = await program();
    const plain = await solve(start([{ kind: 'node', execPath, env: {} }]));
    await client?.dispose();
    log.length = 0;
    const { events, error } = await solve(start([{ kind: 'electron', execPath, env: { ELECTRON_RUN_AS_NODE: '1' } }], { PRETEND_ELECTRON: ELECTRON }));
    expect(error).toBeNull();
    expect(textOf(events)).toBe(textOf(plain.events));
    expect(client?.state).toMatchObject({ kind: 'ready', runtime: `Electron ${ELECTRON} (Node ${version})` });
    expect(log.filter((line) => line.includes('arena:'))).toEqual(['engine: arena: false']);
  });
});

it('a runtime that dies while it loads a model is left for the next one, which answers the same request', async () => {
  const dying = join(folder, 'dying-node');
  // As Electron does it: the handshake is answered, the model's load ends the process.
  await writeFile(dying, `#!/bin/sh\nexec "${process.execPath}" --require "${join(folder, 'dies.cjs')}" "$@"\n`, { mode: 0o755 });
  await writeFile(join(folder, 'dies.cjs'), "const M = require('node:module'); const r = M.prototype.require; M.prototype.require = function (n) { if (n === 'onnxruntime-node') process.kill(process.pid, 'SIGTRAP'); return r.call(this, n); };");
  const { events, error } = await solve(start([
    { kind: 'electron', execPath: dying, env: { ELECTRON_RUN_AS_NODE: '1' } },
    { kind: 'path', execPath: await nodeProgram(VSCODE_NODES[0]?.node ?? ''), env: {} },
  ]));
  expect(error).toBeNull();
  expect(textOf(events)).toContain('\\boxed{x = 5}');
  expect(client?.runtimes().map(({ state, reason }) => [state, reason])).toEqual([
    ['rejected', expect.stringContaining('SIGTRAP')],
    ['proven', null],
  ]);
});
