/** The host is killed while its engine works: the engine process and whatever it has started end within 2 s. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { randomUUID } from 'node:crypto';
import { ModelStore } from '../../src/host/models.ts';
import { BUNDLED, type Bench } from '../fixtures/stress/bench.ts';
import { enginesOf, MARK, until, untilNoneLeft } from '../fixtures/stress/processes.ts';
import type { Random } from '../fixtures/stress/random.ts';
import { check, type Report } from '../fixtures/stress/report.ts';

/** From the moment that the engine's program runs: one that is being loaded can notice nothing. */
const LIMIT_MS = 2000;
const ACTIVITIES = ['solve', 'measure', 'import', 'idle', 'first-load'] as const;

/** @param times of the kills of the engine; a fifth of it here, each activity at least once */
export async function killHost(report: Report, bench: Bench, _: unknown, random: Random, times: number): Promise<void> {
  const loadMs = startUpMs(bench);
  for (const activity of ACTIVITIES) {
    const limit = LIMIT_MS + (activity === 'first-load' ? 2 * loadMs : 0);
    let slowest = 0;
    await report.row(`host killed in: ${activity}`, Math.max(1, Math.round(times / 25)), async () => {
      const mark = randomUUID();
      const imported = bench.folder('models');
      const out = path.join(imported, 'model');
      // A first load tests the providers, in processes of their own.
      const cache = activity === 'first-load' ? { TAH_CACHE_DIR: bench.folder('cache') } : {};
      const host = spawn(process.execPath, [path.join(bench.dist, 'hostProgram.cjs'), activity === 'first-load' ? 'solve' : activity, bench.model, BUNDLED, out], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...cache, [MARK]: mark } });
      const lines = createInterface({ input: host.stdout });
      if (activity === 'first-load') await until(() => enginesOf(mark).length > 0, 60_000, 'the engine process is there');
      else await once(lines, 'line');
      await sleep(random.next() * 300);
      host.kill('SIGKILL');
      await once(host, 'exit');
      slowest = Math.max(slowest, await untilNoneLeft(mark, limit));
      const { broken } = await new ModelStore({ bundled: imported, imported, folders: () => [] }).list();
      check(broken.length === 0, `broken: ${broken.map(String).join('; ')}`);
      const left = fs.readdirSync(imported).filter((name) => name !== 'model');
      check(left.length === 0, `left of the import: ${left.join(', ')}`);
    }, () => `the slowest end took ${slowest.toFixed(0)} of ${limit.toFixed(0)} ms`);
  }
}

/** How long the engine's program takes to be loaded on this machine now: it says at once that nobody has forked it. */
function startUpMs(bench: Bench): number {
  const times = Array.from({ length: 3 }, () => {
    const started = performance.now();
    const { status } = spawnSync(process.execPath, [path.join(bench.dist, 'engineProcess.cjs')], { stdio: 'ignore' });
    check(status === 1, `the engine process that nobody forked ended with ${status ?? 'a signal'}`);
    return performance.now() - started;
  });
  return Math.max(...times);
}
