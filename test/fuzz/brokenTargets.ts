/** Targets that do each thing that must not happen: a fuzzer that does not find one of them finds nothing. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TahError } from '../../src/protocol/errors.ts';
import { Finding, type Input, type Outcome, type Target } from './target.ts';

const INPUT: Input = { part: '', data: 'x' };
/** What was allocated stays. */
const kept: Buffer[] = [];

function broken(name: string, run: () => Outcome | Promise<Outcome>): Target {
  return { name, weight: 1, limitMs: 1000, open: () => Promise.resolve({ seeds: [INPUT], mutate: (seed) => seed, invent: () => INPUT, run }) };
}

export const TARGETS: readonly Target[] = [
  broken('throws', () => { throw new TypeError('not one of ours'); }),
  broken('internal', () => { throw TahError.from(new RangeError('a fault of ours, wrapped')); }),
  broken('wrong', () => { throw new Finding('what came of it is wrong'); }),
  broken('rejects-later', async (): Promise<Outcome> => {
    void Promise.reject(new Error('nobody waits for this'));
    await sleep(5);
    return 'accepted';
  }),
  broken('slow', () => {
    const start = process.cpuUsage();
    while (process.cpuUsage(start).user < 1_500_000);
    return 'accepted';
  }),
  broken('hangs', () => {
    for (;;);
  }),
  broken('crashes', () => process.abort()),
  broken('exits', () => process.exit(0)),
  broken('eats-memory', () => {
    while (kept.length < 9) kept.push(Buffer.alloc(64 * 2 ** 20, 1));
    return 'accepted';
  }),
  broken('runs-code', () => {
    Reflect.set(globalThis, 'tahCanary', 1);
    return 'accepted';
  }),
  broken('starts-a-program', () => {
    spawnSync(process.execPath, ['--version']);
    return 'accepted';
  }),
  broken('leaves-its-folder', () => {
    existsSync(path.resolve('/etc/passwd'));
    return 'accepted';
  }),
  broken('pollutes', () => {
    Object.defineProperty(Object.prototype, `polluted${process.hrtime.bigint()}`, { value: 1, configurable: true });
    return 'accepted';
  }),
];
