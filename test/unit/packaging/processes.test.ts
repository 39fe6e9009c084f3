/** The steps of set-up: one at a time, a second try for a download, and failures that show what the command said. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { oneAtATime, run, twice } from '../../../scripts/processes.mjs';

describe('run', () => {
  it('gives both outputs', async () => {
    expect(await run(process.execPath, ['-e', 'console.log("out"); console.error("err")'])).toMatch(/out[^]*err|err[^]*out/);
  });

  it('fails with the exit code and the end of the output', async () => {
    await expect(run(process.execPath, ['-e', 'console.log("why it failed"); process.exit(3)'])).rejects.toThrow(/exit code 3\.\nwhy it failed/);
  });

  it('ends a command that runs past its time', async () => {
    await expect(run(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 300 })).rejects.toThrow(/was ended by SIGTERM/);
  });

  it('says which program is missing', async () => {
    await expect(run('no-such-program-here', [])).rejects.toThrow(/"no-such-program-here" could not be started/);
  });
});

it.runIf(process.platform === 'linux')('oneAtATime lets a second set-up wait for the first, also when the first fails', async () => {
  const name = `think-at-hard-test-${process.pid}`;
  const order: string[] = [];
  const first = oneAtATime(name, async () => {
    order.push('first starts');
    await delay(200);
    order.push('first ends');
    throw new Error('first failed');
  });
  const second = oneAtATime(name, () => {
    order.push('second');
    return Promise.resolve();
  });
  await expect(first).rejects.toThrow('first failed');
  await second;
  expect(order).toEqual(['first starts', 'first ends', 'second']);
});

describe('twice', () => {
  it('tries once more after a failure', async () => {
    let tries = 0;
    const result = await twice('A step', () => ((tries += 1) === 1 ? Promise.reject(new Error('cut')) : Promise.resolve('done')), 1);
    expect([result, tries]).toEqual(['done', 2]);
  });

  it('gives up after the second failure', async () => {
    let tries = 0;
    await expect(twice('A step', () => Promise.reject(new Error(`cut ${(tries += 1)}`)), 1)).rejects.toThrow('cut 2');
  });
});
