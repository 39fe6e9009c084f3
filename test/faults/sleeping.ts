/** A program that downloads sleeps (SIGSTOP) while the hub drops its connection, and wakes again: the download ends whole. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../fixtures/stress/bench.ts';
import type { Random } from '../fixtures/stress/random.ts';
import { check, type Report } from '../fixtures/stress/report.ts';
import { checkDownloaded, Downloader, WEIGHTS, type Hub } from './downloading.ts';

/** Generous: a busy machine takes its time to answer, too. */
const STALL_MS = 3000;

export async function sleepInDownloads(report: Report, bench: Bench, hub: Hub, random: Random, times: number): Promise<void> {
  const { server } = hub;
  let resumed = 0;
  await report.row('download sleeps and its connection is cut', Math.max(2, Math.round(times / 10)), async () => {
    server.reset();
    // What is sent while it sleeps is lost with the connection.
    server.plan(WEIGHTS, { kind: 'cut', after: 200_000 + random.below(3_000_000) }, 2);
    const downloader = await Downloader.start(bench, hub);
    await sleep(random.next() * 50);
    downloader.process.kill('SIGSTOP');
    await sleep(100 + random.next() * 300);
    downloader.process.kill('SIGCONT');
    await downloader.whole();
    checkDownloaded(downloader.dir, hub);
    if (server.askedFor(WEIGHTS).some(({ range }) => range !== null)) resumed++;
  }, () => `${resumed} went on from where they were`);
  await report.row('download sleeps longer than it waits for a byte', Math.max(1, Math.round(times / 25)), async () => {
    hub.slow(60, 20);
    const downloader = await Downloader.start(bench, hub, undefined, STALL_MS);
    await sleep(100 + random.next() * 200);
    downloader.process.kill('SIGSTOP');
    await sleep(2 * STALL_MS);
    downloader.process.kill('SIGCONT');
    await downloader.whole();
    checkDownloaded(downloader.dir, hub);
  });
  // It takes half a minute of waiting.
  if (times >= 20) await report.row('another window takes the download over while one sleeps', 1, async () => {
    hub.slow(100, 40);
    const sleeper = await Downloader.start(bench, hub);
    while (server.askedFor(WEIGHTS).length === 0) await sleep(5);
    sleeper.process.kill('SIGSTOP');
    // Its lock is not touched any more, but young: refused first.
    const refused = await (await Downloader.start(bench, hub, sleeper.folder)).failure();
    check(refused?.includes('hub.busy') === true, `the second download: ${refused ?? 'went through'}`);
    await sleep(16_000);
    hub.slow(40, 8);
    await (await Downloader.start(bench, hub, sleeper.folder)).whole();
    checkDownloaded(sleeper.dir, hub);
    sleeper.process.kill('SIGCONT');
    const error = await sleeper.failure();
    check(error === null || error.includes('hub.busy'), `the one that slept: ${error ?? ''}`);
    checkDownloaded(sleeper.dir, hub);
    check((await sleeper.list())[0]?.state.kind === 'complete', 'the download is not complete');
  });
  hub.slow(40, 8);
}
