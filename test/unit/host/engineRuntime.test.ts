import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findNodeOnPath, findRuntimes, RuntimeChoice } from '../../../src/host/engineRuntime.ts';
import type { Runtime } from '../../../src/host/engineRuntime.ts';
import { reason } from '../../../src/protocol/reasons.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tah-path-'));
  await mkdir(join(folder, 'directory', 'node'), { recursive: true });
  for (const name of ['plain', 'runs']) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'node'), '');
  }
  await chmod(join(folder, 'runs', 'node'), 0o755);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('findRuntimes', () => {
  const env = {};

  it('prefers the configured Node, then Electron as Node', () => {
    const found = findRuntimes({ configured: '/opt/node', execPath: '/usr/share/code/code', electron: true, env });
    expect(found).toEqual([
      { kind: 'configured', execPath: '/opt/node', env: {} },
      { kind: 'electron', execPath: '/usr/share/code/code', env: { ELECTRON_RUN_AS_NODE: '1' } },
    ]);
  });

  it('does not set the Electron variable where the host is plain Node, and lists a program once', () => {
    const path = join(folder, 'runs');
    expect(findRuntimes({ configured: '', execPath: join(path, 'node'), electron: false, env: { PATH: path }, platform: 'linux' })).toEqual([
      { kind: 'node', execPath: join(path, 'node'), env: {} },
    ]);
  });

  it('puts the fetched Node last: it is there because the others failed, and they may have changed', () => {
    const found = findRuntimes({ execPath: '/usr/share/code/code', electron: true, fetched: '/storage/node', env: { PATH: join(folder, 'runs') }, platform: 'linux' });
    expect(found.map(({ kind }) => kind)).toEqual(['electron', 'path', 'fetched']);
    expect(findRuntimes({ execPath: '/x', electron: true, fetched: null, env }).map(({ kind }) => kind)).toEqual(['electron']);
  });

  it('finds only executable files in absolute folders of PATH', () => {
    const at = (...names: string[]): string => names.map((name) => join(folder, name)).join(delimiter);
    expect(findNodeOnPath({ PATH: `.${delimiter}${at('missing', 'directory', 'plain', 'runs')}` }, 'linux')).toBe(join(folder, 'runs', 'node'));
    expect(findNodeOnPath({ PATH: at('missing', 'directory', 'plain') }, 'linux')).toBeNull();
    expect(findNodeOnPath({}, 'linux')).toBeNull();
  });
});

describe('RuntimeChoice', () => {
  const a: Runtime = { kind: 'electron', execPath: '/a', env: {} };
  const b: Runtime = { kind: 'path', execPath: '/b', env: {} };

  it('goes on to the next and keeps the reason', () => {
    const choice = new RuntimeChoice([a, b]);
    expect(choice.reject('signal SIGTRAP', false, reason('process-signal', 'SIGTRAP'))).toBe(true);
    choice.prove();
    expect(choice.report()).toEqual([
      { runtime: a, state: 'rejected', reason: 'signal SIGTRAP', why: { kind: 'process-signal', args: ['SIGTRAP'] } },
      { runtime: b, state: 'proven', reason: null },
    ]);
  });

  it('starts over from the first when none is left, instead of being stuck', () => {
    const choice = new RuntimeChoice([a, b]);
    choice.reject('one');
    expect(choice.reject('two')).toBe(false);
    expect(choice.current).toBe(a);
    choice.prove();
    expect(choice.report()[0]).toEqual({ runtime: a, state: 'proven', reason: null });
  });

  it('does not try again what an earlier session has rejected while another is left', () => {
    expect(new RuntimeChoice([a, b], { '/a': 'SIGTRAP' }).current).toBe(b);
    expect(new RuntimeChoice([a], { '/a': 'SIGTRAP' }).current).toBe(a);
  });

  it('tries all again when an earlier session has rejected all, not only the first', () => {
    const choice = new RuntimeChoice([a, b], { '/a': 'SIGTRAP', '/b': 'gone' });
    expect(choice.current).toBe(a);
    expect(choice.reject('SIGTRAP')).toBe(true);
    expect(choice.current).toBe(b);
  });

  it('tells which reasons a later session should know: deaths, until the runtime proves itself, and no mere silence', () => {
    const told: Readonly<Record<string, string>>[] = [];
    const choice = new RuntimeChoice([a, b], {}, (reasons) => told.push(reasons));
    choice.reject("it didn't answer within 20 s", true);
    expect(told).toEqual([]);
    choice.reject('SIGTRAP');
    expect(told.at(-1)).toEqual({ '/b': 'SIGTRAP' });
    choice.reject('SIGTRAP too');
    expect(told.at(-1)).toEqual({ '/a': 'SIGTRAP too', '/b': 'SIGTRAP' });
    choice.prove();
    expect(told.at(-1)).toEqual({ '/b': 'SIGTRAP' });
  });

  it('takes a runtime that has come since next, but not from one that has loaded a model', () => {
    const fetched: Runtime = { kind: 'fetched', execPath: '/f', env: {} };
    const failing = new RuntimeChoice([a]);
    failing.reject('SIGTRAP');
    failing.add(fetched);
    expect(failing.current).toBe(fetched);
    expect(failing.report().map(({ state }) => state)).toEqual(['rejected', 'chosen']);
    const working = new RuntimeChoice([a]);
    working.prove();
    working.add(fetched);
    expect(working.current).toBe(a);
    expect(working.report().map(({ state }) => state)).toEqual(['proven', 'untried']);
  });

  it('gives one that was rejected and comes again another chance, and tells so', () => {
    const told: Readonly<Record<string, string>>[] = [];
    const choice = new RuntimeChoice([a, b], { '/b': 'cut off' }, (reasons) => told.push(reasons));
    choice.add({ ...b });
    expect(choice.current).toBe(b);
    expect(choice.report()).toHaveLength(2);
    expect(told).toEqual([{}]);
  });
});
