/**
 * `npm run test:faults`: processes killed, disks full, folders damaged, clocks that jump, all at random moments of the
 * real code. Prints how often each was tried and how often all went well; exit code 0 only where nothing failed.
 * `--seed N` chooses the moments, `--times N` how many kills (100 is the full count; the other rows follow), `--only
 * NAME` one group.
 */
import fs from 'node:fs';
import { layOut, type Bench } from '../fixtures/stress/bench.ts';
import { readStressOptions } from '../fixtures/stress/options.ts';
import { randomOf, type Random } from '../fixtures/stress/random.ts';
import { Report } from '../fixtures/stress/report.ts';
import { jumpClocks } from './clock.ts';
import { corruptModels } from './corruption.ts';
import { DISK, fillDisks, onSmallDisk, ROWS } from './diskFull.ts';
import { startHub, type Hub } from './downloading.ts';
import { killHost } from './hostDeath.ts';
import { killEngine } from './kills.ts';
import { sleepInDownloads } from './sleeping.ts';
import { importTwice } from './twoWindows.ts';

const FULL = 100;

type Group = (report: Report, bench: Bench, hub: Hub, random: Random, times: number) => Promise<void>;

const GROUPS: Readonly<Record<string, Group>> = {
  kills: killEngine,
  host: killHost,
  disk: (report, bench, _, random, times) => fillDisks(report, bench, random, times),
  corruption: corruptModels,
  windows: importTwice,
  clock: jumpClocks,
  sleep: sleepInDownloads,
};

async function main(): Promise<number> {
  const { seed, times, only } = readStressOptions(FULL);
  const report = new Report('Faults', 'faults.json');
  if (process.platform !== 'linux') {
    report.notRun('all', `the processes of a test are found in /proc, which ${process.platform} has not`);
    return report.finish(seed);
  }
  const names = Object.keys(GROUPS).filter((name) => only === null || name === only);
  if (names.length === 0) throw new Error(`There is no group "${only ?? ''}"; there are ${Object.keys(GROUPS).join(', ')}.`);
  const bench = await layOut();
  const hub = await startHub();
  const disk = process.env[DISK];
  try {
    if (disk !== undefined) {
      await onSmallDisk(report, bench, hub, randomOf(seed), times, disk);
      fs.writeFileSync(process.env[ROWS] ?? '', JSON.stringify(report.rows));
      return 0;
    }
    for (const [index, name] of names.entries()) await GROUPS[name]?.(report, bench, hub, randomOf(seed * 1000 + index), times);
  } finally {
    await hub.stop();
  }
  return report.finish(seed);
}

main().then(
  (code) => { process.exit(code); },
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
