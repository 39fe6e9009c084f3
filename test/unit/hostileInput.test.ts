/**
 * The fuzzer of test/fuzz with few mutations and a fixed seed, and what once did harm; `npm run test:fuzz` is the whole
 * of it. First it has to find what a broken target does.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { TARGETS as BROKEN } from '../fuzz/brokenTargets.ts';
import { TARGETS } from '../fuzz/targets.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MUTATIONS = 4000;
const SEED = '20260727';

/** Exit code and everything that was printed. */
function fuzz(...args: readonly string[]): Promise<{ readonly code: number | string; readonly text: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(ROOT, 'scripts/fuzz.mjs'), ...args], { cwd: ROOT, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? 1), text: stdout + stderr });
    });
  });
}

describe('the fuzzer', { timeout: 600_000 }, () => {
  it('finds each thing that must not happen', async () => {
    const { code, text } = await fuzz('--self-check', '--mutations', String(BROKEN.length), '--hang', '20');
    for (const { name } of BROKEN) expect(text).toMatch(new RegExp(`^${name}: (?!NOTHING)`, 'm'));
    expect(code, text).toBe(0);
  });

  it('finds nothing in the readers', async () => {
    const { code, text } = await fuzz('--mutations', String(MUTATIONS), '--seed', SEED);
    for (const { name } of TARGETS) expect(text).toMatch(new RegExp(`^${name} +\\d+ +\\d+ +\\d+ +0 `, 'm'));
    expect(code, text).toBe(0);
  });
});
