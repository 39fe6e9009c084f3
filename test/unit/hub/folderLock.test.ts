import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isLocked, lockFolder } from '../../../src/hub/folderLock.ts';

const LOCK = '.tah-download.lock';
const QUICK = { touchMs: 40 };
const YEAR_MS = 365 * 24 * 3600 * 1000;

let dir: string;
beforeEach(() => { dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-lock-')); });
afterEach(() => {
  vi.useRealTimers();
  fs.rmSync(dir, { recursive: true, force: true });
});

const lockFile = (): string => path.join(dir, LOCK);

describe('a folder that is being downloaded into', () => {
  it('is refused to a second download and free after the first', async () => {
    const lock = await lockFolder(dir, QUICK);
    await expect(lockFolder(dir, QUICK)).rejects.toMatchObject({ code: 'hub.busy' });
    expect(await isLocked(dir)).toBe(true);
    await lock.release();
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it.each([['ahead', YEAR_MS], ['back', -YEAR_MS]])('stays its own when the clock is set far %s', async (_, by) => {
    const lock = await lockFolder(dir, QUICK);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + by });
    await expect(lockFolder(dir, QUICK)).rejects.toMatchObject({ code: 'hub.busy' });
    await lock.check();
    await lock.release();
  });

  it('is taken over when the owner\'s process id has become another program\'s', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    fs.writeFileSync(lockFile(), `${other.pid ?? 0} 0123456789abcdef`);
    fs.utimesSync(lockFile(), new Date(Date.now() - YEAR_MS), new Date(Date.now() - YEAR_MS));
    const lock = await lockFolder(dir, QUICK);
    expect(fs.readFileSync(lockFile(), 'utf8')).toContain(`${process.pid} `);
    await lock.release();
    other.kill();
    await once(other, 'exit');
  });

  it('of another machine on a shared disk is left alone while that one touches it', async () => {
    fs.writeFileSync(lockFile(), '999999999 00000000 0123456789abcdef');
    await expect(lockFolder(dir, QUICK)).rejects.toMatchObject({ code: 'hub.busy' });
    fs.utimesSync(lockFile(), new Date(Date.now() - YEAR_MS), new Date(Date.now() - YEAR_MS));
    await (await lockFolder(dir, QUICK)).release();
  });

  it('that somebody else has taken while this process slept is noticed before the next write', async () => {
    const lock = await lockFolder(dir, { touchMs: 60_000 });
    await lock.check();
    fs.writeFileSync(lockFile(), `${process.ppid} 0123456789abcdef`);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 600_000);
    await expect(lock.check()).rejects.toMatchObject({ code: 'hub.busy' });
    await lock.release();
    vi.restoreAllMocks();
    expect(fs.existsSync(lockFile()), 'the lock of the other one').toBe(true);
  });

  it('whose lock is just being written is not taken', async () => {
    fs.writeFileSync(lockFile(), '');
    await expect(lockFolder(dir, QUICK)).rejects.toMatchObject({ code: 'hub.busy' });
  });

  it('goes to one of many that find the same left lock', async () => {
    fs.writeFileSync(lockFile(), '999999999 0123456789abcdef');
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(dir, QUICK)));
    await sleep(5);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(fs.readdirSync(dir)).toEqual([LOCK]);
  });
});
