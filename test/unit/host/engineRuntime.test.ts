import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findNodeOnPath, findRuntimes, RuntimeChoice } from '../../../src/host/engineRuntime.ts';
import type { Runtime } from '../../../src/host/engineRuntime.ts';

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
    expect(choice.reject('SIGTRAP')).toBe(true);
    choice.prove();
    expect(choice.report()).toEqual([
      { runtime: a, state: 'rejected', reason: 'SIGTRAP' },
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
});
