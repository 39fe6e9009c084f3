/** The clock is set far ahead and back while something runs: nothing is lost, nothing hangs, no number is nonsense. */
import path from 'node:path';
import { RunHistory } from '../../src/host/history.ts';
import type { Run } from '../../src/protocol/run.ts';
import { idsOf, type Bench } from '../fixtures/stress/bench.ts';
import type { Random } from '../fixtures/stress/random.ts';
import { check, type Report } from '../fixtures/stress/report.ts';
import { checkDownloaded, Downloader, type Hub } from './downloading.ts';
import { jumpingDate } from './jumpingDate.ts';

export async function jumpClocks(report: Report, bench: Bench, hub: Hub, random: Random, times: number): Promise<void> {
  const some = Math.max(2, Math.round(times / 10));
  const clock = path.join(bench.dist, 'jumpingClock.cjs');
  const window = bench.window({ execArgv: ['--require', clock], env: { TAH_STRESS_CLOCK: String(random.below(1000)) } });
  const calm = bench.window();
  const whole = await calm.solve();
  await calm.close();
  const RealDate = globalThis.Date;
  await report.row('clocks of host and engine jump in a run', some, async () => {
    globalThis.Date = jumpingDate(random.below(1_000_000));
    let run: Run;
    try {
      run = await window.solve();
    } finally {
      globalThis.Date = RealDate;
    }
    check(run.state === 'done' && JSON.stringify(idsOf(run)) === JSON.stringify(idsOf(whole)), `it ended as ${run.state}, or with other tokens: ${run.error?.message ?? ''}`);
    check(run.stats !== null && Object.values(run.stats).every((value) => Number.isFinite(value) && value >= 0), `its numbers: ${JSON.stringify(run.stats)}`);
    check(run.tokens.every(({ elapsedMs }) => elapsedMs === null || elapsedMs >= 0), 'a token took less than no time');
    check((await window.history.read(run.id))?.tokens.length === run.tokens.length, 'the history does not have it');
    check(window.historyErrors.length === 0, window.historyErrors.map(String).join('; '));
  });
  await window.close();
  await report.row('clock jumps in a download', some, async () => {
    const downloader = await Downloader.start(bench, hub, undefined, 5000, ['--require', clock]);
    await downloader.whole();
    checkDownloaded(downloader.dir, hub);
  });
  await report.row('clock jumps over a full history', some, async () => {
    const history = new RunHistory({ folder: path.join(bench.folder('clock'), 'history'), keep: 5, log: (line) => { throw new Error(line); }, onError: (error) => { throw error; } });
    const back = (2 * random.next() - 1) * 3e11;
    const save = async (id: string, at: number): Promise<void> => {
      history.save({ ...whole, id, createdAt: new Date(at).toISOString() });
      await history.settled();
    };
    // Made under a wrong clock, ahead or behind by years, then under the right one.
    for (let n = 0; n < 5; n++) await save(`wrong-${n}`, Date.now() + back + n * 1000);
    for (let n = 0; n < 5; n++) await save(`right-${n}`, Date.now() - 5000 + n * 1000);
    const ids = (await history.list()).map(({ run }) => run.id);
    check(ids.join() === [4, 3, 2, 1, 0].map((n) => `right-${n}`).join(), `kept: ${ids.join(', ')}`);
  });
}
