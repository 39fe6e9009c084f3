/**
 * The engine process ends by SIGKILL at random moments of what it does, and so does the process that downloads. What
 * had been said is kept, nothing is left behind, and the next command works.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelStore } from '../../src/host/models.ts';
import { TahError } from '../../src/protocol/errors.ts';
import { BUNDLED, checkPrefix, checkWholeModel, namesIn, type Bench, type Window } from '../fixtures/stress/bench.ts';
import { enginesOf, signal, untilNoneLeft } from '../fixtures/stress/processes.ts';
import type { Random } from '../fixtures/stress/random.ts';
import { check, type Report } from '../fixtures/stress/report.ts';
import { checkDownloaded, Downloader, type Hub } from './downloading.ts';
import type { Run } from '../../src/protocol/run.ts';

/** As in the extension, but a hundred crashes a minute are no reason to give up. */
const BACKOFF = { delaysMs: [0], limit: 10_000, windowMs: 60_000 };
const KILLED = ['engine.crashed', 'engine.not-starting'];

/** @param times kills in all: 35 % in a solve, 20 % in a measurement, 25 % in an import, 20 % in a download */
export async function killEngine(report: Report, bench: Bench, hub: Hub, random: Random, times: number): Promise<void> {
  const share = (part: number): number => Math.max(1, Math.round(part * times));
  const measures = share(0.2);
  const imports = share(0.25);
  const downloads = share(0.2);
  await killInRuns(report, bench, random, 'solve', Math.max(1, times - measures - imports - downloads));
  await killInRuns(report, bench, random, 'measure', measures);
  await killInImports(report, bench, random, imports);
  await killInDownloads(report, bench, hub, random, downloads);
}

async function killInRuns(report: Report, bench: Bench, random: Random, kind: 'solve' | 'measure', times: number): Promise<void> {
  const window = bench.window({ backoff: BACKOFF });
  const once = (): Promise<Run> => window.ended(window.start(kind));
  // The first load of all tests the providers; that is done once a machine.
  await once();
  await endEngine(window);
  const cold = await timed(once);
  const whole = await once();
  check(whole.state === 'done' && whole.tokens.length > 10, `the run without a fault: ${whole.state}, ${whole.error?.message ?? ''}`);
  const warm = await timed(once);
  let killed = 0;
  let kept = 0;
  let afterStart = 0;
  await report.row(`engine killed in a ${kind}`, times, async (index) => {
    // Every other kill may fall into the start of the process and the load of the model.
    const span = index % 2 === 0 ? warm : cold;
    for (let tries = 0; ; tries++) {
      check(tries < 50, 'no engine process was there to be killed');
      if (span === cold) await endEngine(window);
      const id = window.start(kind);
      await sleep(random.next() * span);
      const hit = killEngines(window.mark);
      const run = await window.ended(id);
      if (!hit) continue;
      killed++;
      await checkKept(window, run, whole);
      if (run.state === 'failed') {
        kept += run.tokens.length;
        if (run.tokens.length > 0) afterStart++;
      }
      break;
    }
    const next = await once();
    check(next.state === 'done', `the next ${kind} failed: ${next.error?.message ?? ''}`);
    checkPrefix(next, whole);
    check(enginesOf(window.mark).length === 1, 'there is not exactly one engine process');
  }, () => `${killed} killed, ${afterStart} of them after the first token; ${kept} tokens kept`);
  await report.row(`no process left after the kills in a ${kind}`, 1, async () => {
    await window.close();
    await untilNoneLeft(window.mark, 2000);
    check(window.errors.length === 0 && window.historyErrors.length === 0, `told beside the runs: ${[...window.errors, ...window.historyErrors].map(String).join('; ')}`);
  });
}

/** Ends the engine as an idle one ends: the next request starts another. */
async function endEngine(window: Window): Promise<void> {
  killEngines(window.mark);
  await untilNoneLeft(window.mark, 5000);
}

function killEngines(mark: string): boolean {
  return enginesOf(mark).map(({ pid }) => signal(pid, 'SIGKILL')).includes(true);
}

/** The run has what it had, says why it ended, and so does the history. */
async function checkKept(window: Window, run: Run, whole: Run): Promise<void> {
  checkPrefix(run, whole);
  if (run.state === 'done') check(run.tokens.length === whole.tokens.length, 'a run that ended well is not whole');
  else check(run.state === 'failed' && run.error !== null && KILLED.includes(run.error.code), `the run ended as ${run.state}, ${run.error?.code ?? 'without an error'}`);
  if (run.kind !== 'solve') return;
  const kept = await window.history.read(run.id);
  check(kept !== null && kept.state === run.state && kept.tokens.length === run.tokens.length, 'the history keeps another run');
  const strays = namesIn(window.historyFolder).filter((name) => !name.endsWith('.tahrun.json'));
  check(strays.length === 0, `left in the history: ${strays.join(', ')}`);
}

async function killInImports(report: Report, bench: Bench, random: Random, times: number): Promise<void> {
  const window = bench.window({ backoff: BACKOFF });
  const imported = bench.folder('models');
  const store = new ModelStore({ bundled: path.join(bench.dist, 'models'), imported, folders: () => [] });
  const out = path.join(imported, 'model-fp32');
  const request = { checkpoint: BUNDLED, out, quantization: 'fp32', replace: true } as const;
  const importIt = async (): Promise<void> => {
    for await (const event of window.engine.import(request)) if (event.type === 'done') return;
    throw new Error('the import ended without saying that it is done');
  };
  const cold = await timed(importIt);
  const warm = await timed(importIt);
  let killed = 0;
  await report.row('engine killed in an import', times, async (index) => {
    for (let tries = 0; ; tries++) {
      check(tries < 50, 'no engine process was there to be killed');
      // Half of them replace a model that must stay until the new one is whole.
      const replaces = index % 2 === 0;
      if (!replaces) fs.rmSync(out, { recursive: true, force: true });
      const ended = importIt().then(() => null, (error: unknown) => TahError.from(error));
      await sleep(random.next() * (index % 4 < 2 ? warm : cold));
      const hit = killEngines(window.mark);
      const error = await ended;
      if (!hit || error === null) continue;
      killed++;
      check(KILLED.includes(error.code), `the import failed with ${error.code}: ${error.message}`);
      const { models, broken } = await store.list();
      check(broken.length === 0, `broken: ${broken.map(String).join('; ')}`);
      check(!replaces || models.some((model) => model.path === out), 'the model that was to be replaced is gone');
      const left = fs.readdirSync(imported).filter((name) => name !== path.basename(out));
      check(left.length === 0, `left beside the model: ${left.join(', ')}`);
      if (fs.existsSync(out)) await checkWholeModel(out);
      break;
    }
    await importIt();
    await checkWholeModel(out);
    check(fs.readdirSync(imported).length === 1, `beside the model: ${fs.readdirSync(imported).join(', ')}`);
  }, () => `${killed} killed`);
  await report.row('no process left after the kills in an import', 1, async () => {
    await window.close();
    await untilNoneLeft(window.mark, 2000);
  });
}

/** Half of them kill the program that downloads; in the others a window downloads while its engine is killed. */
async function killInDownloads(report: Report, bench: Bench, hub: Hub, random: Random, times: number): Promise<void> {
  const window = bench.window({ backoff: BACKOFF });
  const calm = await Downloader.start(bench, hub);
  const span = await timed(() => calm.whole());
  let resumed = 0;
  await report.row('downloading program killed', Math.ceil(times / 2), async () => {
    for (let tries = 0; ; tries++) {
      check(tries < 50, 'no download was there to be killed');
      const downloader = await Downloader.start(bench, hub);
      await sleep(random.next() * span);
      if (!(await downloader.kill())) continue;
      const [entry] = await downloader.list();
      check(entry === undefined || entry.state.kind === 'partial' || entry.state.kind === 'complete', `the download of a killed program is ${entry?.state.kind ?? ''}`);
      const next = await Downloader.start(bench, hub, downloader.folder);
      await next.whole();
      checkDownloaded(next.dir, hub);
      if (next.received < hub.totalBytes) resumed++;
      check((await next.list())[0]?.state.kind === 'complete', 'the download is not complete');
      break;
    }
  }, () => `${resumed} went on from what was there`);
  await report.row('engine killed while its window downloads', Math.max(1, Math.floor(times / 2)), async () => {
    const id = window.start('solve');
    const downloads = hub.downloads(bench.folder('downloads'));
    const ended = downloads.start(hub.source, {});
    await sleep(random.next() * span * 0.5);
    killEngines(window.mark);
    const { dir } = await ended;
    checkDownloaded(dir, hub);
    check(['done', 'failed'].includes((await window.ended(id)).state), 'the run did not end');
    check((await window.solve()).state === 'done', 'the next solve failed');
  });
  await window.close();
  await untilNoneLeft(window.mark, 2000);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

