/**
 * `npm run test:fuzz -- [--target NAME] [--mutations N] [--seed S]`: hostile input for everything that reads what
 * strangers wrote, and a table of what came of it. Ends with 1 where something must not have happened. Each target runs
 * in a process of its own, so that what hangs, crashes or eats memory is found too. Targets: test/fuzz/targets.ts.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { run } from './processes.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');
const MUTATIONS = 100_000;
const MOST_MEMORY = 512 * 2 ** 20;
/** An input that is not done after this much time by the clock hangs, however busy the machine is. */
const HANG_MS = 120_000;
const START_MS = 300_000;
/** A target that crashes or hangs goes on behind the input that did it, but not for ever. */
const MOST_STARTS = 6;

/**
 * @typedef {{ at: number, what: string, seed: string }} Found
 * @typedef {{ mutations: number, accepted: number, refused: number, slowest: { ms: number, at: number }, largest: { bytes: number, at: number, peak: number }, codes: Record<string, number>, findings: Found[] }} Report
 * @typedef {{ name: string, report: Report, seconds: number }} Row
 */

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    mutations: { type: 'string', default: String(MUTATIONS) },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    /** Seconds by the clock instead of HANG_MS. */
    hang: { type: 'string' },
    /** Runs targets that do what must not happen: each has to be found. */
    'self-check': { type: 'boolean', default: false },
  },
});
const MAIN = values['self-check'] ? 'selfCheck' : 'main';
const hangMs = values.hang === undefined ? HANG_MS : Number(values.hang) * 1000;
const total = Number(values.mutations);
if (!Number.isSafeInteger(total) || total < 1) throw new Error(`--mutations is ${values.mutations}; a whole number is expected`);

mkdirSync(path.join(ROOT, 'node_modules/.cache'), { recursive: true });
const folder = mkdtempSync(path.join(ROOT, 'node_modules/.cache/fuzz-'));
let failed = 0;
try {
  await bundle();
  const targets = await listTargets();
  const chosen = values.target === undefined ? targets : values.target.map((name) => targets.find((target) => target.name === name) ?? unknown(name, targets));
  const weights = chosen.reduce((sum, { weight }) => sum + weight, 0);
  console.log(`fuzz: seed ${values.seed}, ${total} mutations`);
  /** @type {Row[]} */
  const rows = [];
  for (const { name, weight } of chosen) {
    const row = await fuzz(name, Math.max(1, Math.round((total * weight) / weights)));
    rows.push(row);
    console.log(values['self-check'] ? `${name}: ${row.report.findings[0]?.what.split('\n')[0] ?? 'NOTHING WAS FOUND'}` : line(row));
  }
  if (values['self-check']) failed = rows.filter(({ report }) => report.findings.length === 0).length;
  else {
    failed = rows.reduce((sum, { report }) => sum + report.findings.length, 0);
    console.log(`\n${table(rows)}`);
    for (const row of rows) show(row);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;

/** @param {string} name @param {readonly { name: string }[]} targets @returns {never} */
function unknown(name, targets) {
  throw new Error(`There is no target "${name}"; there are ${targets.map((target) => target.name).join(', ')}.`);
}

async function bundle() {
  await build({
    entryPoints: [path.join(ROOT, 'test/fuzz', `${MAIN}.ts`)],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // A target's process loads what that target needs.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'error',
    alias: {
      vscode: path.join(ROOT, 'test/fuzz/vscodeTexts.ts'),
      'webview-views': path.join(ROOT, 'test/fuzz/webview/views.ts'),
    },
  });
  await run(process.execPath, ['esbuild.mjs', '--only', 'mathWorker', '--quiet', '--outdir', path.join(folder, 'bundles')], { cwd: ROOT });
}

/** @returns {Promise<readonly { name: string, weight: number }[]>} */
async function listTargets() {
  return JSON.parse(await run(process.execPath, [...nodeOptions(), path.join(folder, `${MAIN}.mjs`), '--list']));
}

function nodeOptions() {
  // The heap's limit is below that of the resident memory, so that what is left uncollected does not count.
  return ['--enable-source-maps', '--max-old-space-size=400', '--no-warnings'];
}

/** @param {string} name @param {number} count @returns {Promise<Row>} */
async function fuzz(name, count) {
  const work = path.join(folder, name);
  mkdirSync(work, { recursive: true });
  const started = Date.now();
  /** @type {Report} */
  const report = { mutations: 0, accepted: 0, refused: 0, slowest: { ms: 0, at: 0 }, largest: { bytes: 0, at: 0, peak: 0 }, codes: {}, findings: [] };
  let from = 0;
  for (let starts = 0; from < count && starts < MOST_STARTS; starts++) {
    const end = await one(name, work, from, count);
    if (end.report !== null) add(report, end.report);
    if (end.how !== '') {
      report.findings.push(await lost(name, work, end.at, end.how));
      // What it had not counted yet was run all the same.
      report.mutations += end.at + 1 - from - (end.report?.mutations ?? 0);
    }
    from = end.how === '' ? count : end.at + 1;
  }
  if (report.largest.peak > MOST_MEMORY) report.findings.push(await lost(name, work, report.largest.at, `takes ${megabytes(report.largest.peak)} MB of memory; at most ${megabytes(MOST_MEMORY)} are allowed`));
  return { name, report, seconds: (Date.now() - started) / 1000 };
}

/** @param {Report} sum @param {Report} more */
function add(sum, more) {
  for (const key of /** @type {const} */ (['mutations', 'accepted', 'refused'])) sum[key] += more[key];
  if (more.slowest.ms > sum.slowest.ms) sum.slowest = more.slowest;
  if (more.largest.peak > sum.largest.peak) sum.largest = more.largest;
  for (const [code, times] of Object.entries(more.codes)) sum.codes[code] = (sum.codes[code] ?? 0) + times;
  sum.findings.push(...more.findings);
}

/**
 * One process from input `from` on.
 * @param {string} name @param {string} work @param {number} from @param {number} to
 * @returns {Promise<{ report: Report | null, at: number, how: string }>} `how` it was lost, '' where it came to its end; what it has counted
 */
async function one(name, work, from, to) {
  const at = path.join(work, 'at');
  const result = path.join(work, 'report.json');
  rmSync(at, { force: true });
  const counted = path.join(work, 'counted.json');
  for (const file of [result, counted]) rmSync(file, { force: true });
  const child = spawn(process.execPath, [...nodeOptions(), path.join(folder, `${MAIN}.mjs`), ...childArgs(name, work), '--from', String(from), '--to', String(to)], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-3000)));
  let ended = false;
  let hangs = false;
  const end = new Promise((resolve) => child.once('close', (code, signal) => { ended = true; resolve(signal ?? code); }));
  const now = () => (existsSync(at) ? Number.parseInt(readFileSync(at, 'utf8'), 10) || from : from);
  let [last, since] = [-1, Date.now()];
  while (!ended) {
    await Promise.race([end, sleep(500)]);
    const starting = !existsSync(at);
    if (now() !== last) [last, since] = [now(), Date.now()];
    if (starting) last = -1;
    if (!ended && Date.now() - since > (starting ? START_MS : hangMs)) {
      hangs = true;
      child.kill('SIGKILL');
      await end;
    }
  }
  if (existsSync(result)) return { report: JSON.parse(readFileSync(result, 'utf8')), at: to, how: '' };
  if (!existsSync(at)) throw new Error(`The target ${name} could not be started:\n${said}`);
  return { report: existsSync(counted) ? JSON.parse(readFileSync(counted, 'utf8')) : null, at: now(), how: hangs ? `hangs: it is not done after ${hangMs / 1000} s` : `crashes with ${await end}: ${said.trim().split('\n').slice(-12).join('\n')}` };
}

/** @param {string} name @param {string} work */
function childArgs(name, work) {
  return ['--target', name, '--work', work, '--seed', values.seed, '--root', ROOT, '--bundles', path.join(folder, 'bundles')];
}

/**
 * The input that a process was lost with, made again by another one that does not run it.
 * @param {string} name @param {string} work @param {number} at @param {string} what
 * @returns {Promise<Found>}
 */
async function lost(name, work, at, what) {
  const file = path.join(work, 'lost.json');
  await run(process.execPath, [...nodeOptions(), path.join(folder, `${MAIN}.mjs`), ...childArgs(name, work), '--from', String(at), '--write', file, '--why', what.split('\n')[0] ?? '']);
  return { at, what, seed: readFileSync(file, 'utf8') };
}

/** @param {number} bytes */
function megabytes(bytes) {
  return Math.round(bytes / 2 ** 20);
}

/** @param {Row} row */
function line({ name, report, seconds }) {
  return `${name}: ${report.mutations} in ${seconds.toFixed(0)} s, ${report.findings.length} findings`;
}

/** @param {readonly Row[]} rows */
function table(rows) {
  const cells = [['target', 'mutations', 'accepted', 'refused', 'findings', 'slowest ms', 'peak MB'], ...rows.map(({ name, report: r }) => [name, r.mutations, r.accepted, r.refused, r.findings.length, Math.round(r.slowest.ms), megabytes(r.largest.peak)])];
  const sum = (/** @type {'mutations' | 'accepted' | 'refused'} */ key) => rows.reduce((total, { report }) => total + report[key], 0);
  cells.push(['all', sum('mutations'), sum('accepted'), sum('refused'), rows.reduce((n, { report }) => n + report.findings.length, 0), Math.round(Math.max(...rows.map(({ report }) => report.slowest.ms))), megabytes(Math.max(...rows.map(({ report }) => report.largest.peak)))]);
  const widths = cells[0]?.map((_, i) => Math.max(...cells.map((row) => String(row[i]).length))) ?? [];
  return cells.map((row) => row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i] ?? 0) : String(cell).padStart(widths[i] ?? 0))).join('  ')).join('\n');
}

/** Findings, and where their inputs are. @param {Row} row */
function show({ name, report }) {
  for (const { at, what, seed } of report.findings) {
    const file = path.join(ROOT, 'artifacts/fuzz', `${name}-${values.seed}-${at}.json`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, seed);
    console.log(`\n${name}, input ${at} (${path.relative(ROOT, file)}):\n${what}`);
  }
}
