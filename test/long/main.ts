/**
 * `npm run test:long`: what only shows after a while. 2 000 solves in one process whose memory must stay flat, one run
 * of 8 000 tokens, 50 runs stopped at random moments, 100 times an idle engine that ends and comes back. `--times N` is
 * the number of solves (2 000 is the full count; the other rows follow), `--seed N` chooses moments, `--only NAME` one.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkAnswer } from '../../src/answer/checker.ts';
import { extractAnswer } from '../../src/answer/extract.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { keepEnded, RunHistory } from '../../src/host/history.ts';
import { readRunFile, writeRunFile } from '../../src/host/runFile.ts';
import { Runs } from '../../src/host/runs.ts';
import { importCheckpoint } from '../../src/importer/importer.ts';
import type { Run } from '../../src/protocol/run.ts';
import { checkPrefix, idsOf, layOut, type Bench } from '../fixtures/stress/bench.ts';
import { readStressOptions } from '../fixtures/stress/options.ts';
import { enginesOf, until, untilNoneLeft } from '../fixtures/stress/processes.ts';
import { randomOf, type Random } from '../fixtures/stress/random.ts';
import { check, Report } from '../fixtures/stress/report.ts';
import { describe, growthOf, residentBytes, type Sample } from './memory.ts';

const FULL = 2000;
const FLAT = 0.05;
/** So few solves are no measurement: only a leak of the whole cache or the like shows. */
const FLAT_WHEN_FEW = 0.25;
/** Each tenth is solved to its end, and its answer checked; of the others the first tokens will do. */
const WHOLE = 10;
const PART_TOKENS = 24;
const HELD_OUT = 'models/tah-math-small/heldout.jsonl';
const TINY = 'test/golden/vectors/tiny-tied/ckpt';

type Part = (report: Report, bench: Bench, random: Random, share: number) => Promise<void>;
const PARTS: Readonly<Record<string, Part>> = { solves: manySolves, long: oneLongRun, cancels: manyCancels, reloads: manyReloads };

async function main(): Promise<number> {
  const { seed, times, only } = readStressOptions(FULL);
  const report = new Report('Long runs', 'long.json');
  const names = Object.keys(PARTS).filter((name) => only === null || name === only);
  if (names.length === 0) throw new Error(`There is no part "${only ?? ''}"; there are ${Object.keys(PARTS).join(', ')}.`);
  const bench = await layOut();
  for (const [index, name] of names.entries()) {
    if (process.platform !== 'linux' && (name === 'cancels' || name === 'reloads')) report.notRun(name, `the processes of a test are found in /proc, which ${process.platform} has not`);
    else await PARTS[name]?.(report, bench, randomOf(seed * 1000 + index), times / FULL);
  }
  return report.finish(seed);
}

/** Engine, runs, history and the check of answers as in the extension, but all in this process. */
async function manySolves(report: Report, bench: Bench, _: Random, share: number): Promise<void> {
  const solves = Math.max(20, Math.round(FULL * share));
  const problems = fs.readFileSync(HELD_OUT, 'utf8').trim().split('\n').map((line) => String((JSON.parse(line) as { readonly question: unknown }).question));
  const engine = createEngine();
  const runs = new Runs({
    engine,
    extractAnswer,
    checkAnswer: (problem, answer, signal) => checkAnswer(problem, answer, { workerPath: path.join(bench.dist, 'checkWorker.cjs'), signal, timeoutMs: 30_000 }),
    onError: (error) => { throw error; },
    keep: Math.min(50, Math.floor(solves / 8)),
  });
  const folder = path.join(bench.folder('long'), 'history');
  const history = new RunHistory({ folder, keep: Math.min(200, Math.floor(solves / 8)), log: () => undefined, onError: (error) => { throw error; } });
  keepEnded(runs, history);
  const warmUp = Math.floor(solves / 5);
  const every = Math.max(1, Math.floor((solves - warmUp) / 32));
  const samples: Sample[] = [];
  const started = performance.now();
  let tokens = 0;
  await report.row('solves in one process', solves, async (index) => {
    const problem = problems[(index * 37) % problems.length] ?? '';
    const id = runs.start({ model: bench.model, policy: { kind: 'decider' }, problem, sampling: { temperature: 0 }, maxTokens: index % WHOLE === 0 ? 256 : PART_TOKENS });
    await runs.whenFinished(id);
    await history.settled();
    const run = runs.get(id);
    check(run?.state === 'done', `the run ended as ${run?.state ?? 'forgotten'}: ${run?.error?.message ?? ''}`);
    tokens += run.tokens.length;
    if (index + 1 >= warmUp && (index + 1 - warmUp) % every === 0) samples.push({ done: index + 1, bytes: await residentBytes() });
  }, () => `${tokens} tokens in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  const limit = solves >= FULL / 2 ? FLAT : FLAT_WHEN_FEW;
  await report.row(`memory of these solves flat within ${100 * limit} %`, 1, () => {
    check(growthOf(samples) <= limit, describe(samples, 'solve'));
    return Promise.resolve();
  }, () => describe(samples, 'solve'));
  await engine.unload();
}

/** The tiny golden checkpoint with a longer context and no token that ends a text. */
async function oneLongRun(report: Report, bench: Bench, random: Random, share: number): Promise<void> {
  const tokens = Math.max(500, Math.round(8000 * share));
  const checkpoint = bench.folder('long-checkpoint');
  fs.cpSync(TINY, checkpoint, { recursive: true });
  for (const [name, changes] of [['config.json', { eos_token_id: null, max_position_embeddings: 16_384 }], ['generation_config.json', { eos_token_id: null }]] as const) {
    const file = path.join(checkpoint, name);
    fs.writeFileSync(file, JSON.stringify({ ...(JSON.parse(fs.readFileSync(file, 'utf8')) as object), ...changes }));
  }
  const model = path.join(bench.folder('long-model'), 'model');
  for await (const event of importCheckpoint({ checkpoint, out: model, quantization: 'fp32' }, {})) if (event.type === 'done') break;
  const window = bench.window();
  let note = '';
  await report.row(`one run of ${tokens} tokens`, 1, async () => {
    const id = window.runs.start({ model, policy: { kind: 'decider' }, problem: 'long', prompt: { kind: 'tokens', ids: [5, 6, 7] }, sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, seed: random.below(1000) }, maxTokens: tokens });
    const run = await window.ended(id);
    check(run.state === 'done' && run.endReason === 'max-tokens', `it ended as ${run.state}, ${run.endReason ?? ''}: ${run.error?.message ?? ''}`);
    check(run.tokens.length === tokens, `it has ${run.tokens.length} tokens`);
    check(run.tokens.every(({ index, position }, i) => index === i && position === i + 3), 'tokens are missing, doubled or out of order');
    check(run.tokens.every(({ logprob, entropyAfter }) => Number.isFinite(logprob) && Number.isFinite(entropyAfter)), 'a number is not finite');
    const twice = run.tokens.filter(({ iterCount }) => iterCount > 1).length;
    const kept = readRunFile(writeRunFile(run), 'long.tahrun.json');
    check(JSON.stringify(idsOf(kept)) === JSON.stringify(idsOf(run)), 'the run file has other tokens');
    const read = await window.history.read(id);
    check(read?.tokens.length === tokens, 'the history does not have it whole');
    const { residentBytes: bytes } = await window.engine.status();
    note = `${twice} of them thought over twice, ${(run.stats?.decodeMs ?? NaN) / 1000} s, engine ${(bytes / 2 ** 20).toFixed(0)} MiB`;
  }, () => note);
  await window.close();
}

async function manyCancels(report: Report, bench: Bench, random: Random, share: number): Promise<void> {
  const times = Math.max(3, Math.round(50 * share));
  const window = bench.window();
  await window.solve();
  const started = performance.now();
  const whole = await window.solve();
  const span = performance.now() - started;
  let stopped = 0;
  let kept = 0;
  let slowest = 0;
  await report.row('runs stopped at random moments', times, async () => {
    const id = window.start(random.next() < 0.8 ? 'solve' : 'measure');
    await sleep(random.next() * span);
    const asked = performance.now();
    window.runs.stop(id);
    const run = await window.ended(id);
    slowest = Math.max(slowest, performance.now() - asked);
    check(run.state === 'stopped' || run.state === 'done', `it ended as ${run.state}: ${run.error?.message ?? ''}`);
    if (run.kind === 'solve') checkPrefix(run, whole);
    if (run.state === 'stopped') stopped++;
    kept += run.tokens.length;
    check(enginesOf(window.mark).length === 1, 'there is not exactly one engine process');
  }, () => `${stopped} stopped, ${kept} tokens kept, the slowest within ${slowest.toFixed(0)} ms`);
  await report.row('the run after them is as the one before them', 1, async () => {
    const next = await window.solve();
    check(next.state === 'done' && JSON.stringify(idsOf(next)) === JSON.stringify(idsOf(whole)), 'it has other tokens');
    await window.close();
    await untilNoneLeft(window.mark, 2000);
  });
}

async function manyReloads(report: Report, bench: Bench, _: Random, share: number): Promise<void> {
  const times = Math.max(3, Math.round(100 * share));
  const window = bench.window({ idleUnloadMs: 20 });
  const files = (): number => fs.readdirSync('/proc/self/fd').length;
  let first: Run | null = null;
  const samples: Sample[] = [];
  const handles: number[] = [];
  await report.row('idle engine ended and started again', times, async (index) => {
    const run = await window.solve(undefined, 16);
    first ??= run;
    check(run.state === 'done' && JSON.stringify(idsOf(run)) === JSON.stringify(idsOf(first)), `it ended as ${run.state}, or with other tokens: ${run.error?.message ?? ''}`);
    await until(() => window.engine.state.kind === 'stopped', 20_000, 'the idle engine ends');
    await untilNoneLeft(window.mark, 5000);
    handles.push(files());
    if (index >= times / 5) samples.push({ done: index + 1, bytes: await residentBytes() });
  }, () => `the window: ${describe(samples, 'reload')}`);
  await report.row('no file left open by the reloads', 1, () => {
    check((handles.at(-1) ?? 0) <= (handles[Math.min(2, handles.length - 1)] ?? 0), `open files: ${handles.join(', ')}`);
    return Promise.resolve();
  }, () => `${handles.at(-1) ?? 0} open at the end`);
  await window.close();
  const engine = createEngine();
  const loads: Sample[] = [];
  await report.row('model unloaded and loaded again in one process', times, async (index) => {
    await engine.load(bench.model);
    await engine.unload();
    if (index >= times / 5) loads.push({ done: index + 1, bytes: await residentBytes() });
  }, () => describe(loads, 'reload'));
  const limit = times >= 50 ? FLAT : FLAT_WHEN_FEW;
  await report.row(`memory of these loads flat within ${100 * limit} %`, 1, () => {
    check(growthOf(loads) <= limit, describe(loads, 'reload'));
    return Promise.resolve();
  });
}

main().then(
  (code) => { process.exit(code); },
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
