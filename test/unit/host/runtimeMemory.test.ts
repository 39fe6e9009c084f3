/** What a window knows of runtimes that have died in an earlier one. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Runtime } from '../../../src/host/engineRuntime.ts';
import { programIdentity, reasonsThatHold, reasonsToSave } from '../../../src/host/runtimeMemory.ts';

let folder: string;
let electron: Runtime;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tah-memory-'));
  electron = { kind: 'electron', execPath: join(folder, 'code'), env: {} };
  writeFileSync(electron.execPath, 'one');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const saveSigtrap = (): unknown => JSON.parse(JSON.stringify(reasonsToSave({ [electron.execPath]: 'SIGTRAP' })));

it('a reason comes back in the next session', () => {
  expect(reasonsThatHold(saveSigtrap(), [electron])).toEqual({ [electron.execPath]: 'SIGTRAP' });
});

it('holds no longer when the program has changed: an update may have mended it', () => {
  const saved = saveSigtrap();
  writeFileSync(electron.execPath, 'two, which is longer');
  expect(reasonsThatHold(saved, [electron])).toEqual({});
});

it('holds no longer when a program of the same size has come in its place', () => {
  const saved = saveSigtrap();
  utimesSync(electron.execPath, new Date(), new Date(2_000_000_000_000));
  expect(reasonsThatHold(saved, [electron])).toEqual({});
});

it('a program that was missing is tried when it is there', () => {
  const late: Runtime = { kind: 'configured', execPath: join(folder, 'late'), env: {} };
  const saved = reasonsToSave({ [late.execPath]: 'ENOENT' });
  expect(programIdentity(late.execPath)).toBe('missing');
  expect(reasonsThatHold(saved, [late])).toEqual({ [late.execPath]: 'ENOENT' });
  writeFileSync(late.execPath, 'node');
  expect(reasonsThatHold(saved, [late])).toEqual({});
});

it('a runtime that nothing was saved of has no reason, and what is saved of others is left out', () => {
  expect(reasonsThatHold(saveSigtrap(), [{ ...electron, execPath: join(folder, 'node') }])).toEqual({});
});

it.each([undefined, null, 'x', 3, [], { '/a': null }, { '/a': { program: 1 } }, { '/a': { program: 'missing', reason: 7 } }])('what can not be read counts as nothing: %j', (saved) => {
  expect(reasonsThatHold(saved, [{ ...electron, execPath: '/a' }], () => 'missing')).toEqual({});
});
