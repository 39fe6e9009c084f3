/**
 * The disk fills up while a model is imported, a checkpoint downloaded, a run kept. The disk is a small tmpfs in a mount
 * namespace of its own, so that nothing is left mounted whatever happens; what needs it runs in there as another
 * process of this program, and its rows are taken over.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { RunHistory } from '../../src/host/history.ts';
import { TahError } from '../../src/protocol/errors.ts';
import { BUNDLED, checkWholeModel, hashOf, namesIn, type Bench } from '../fixtures/stress/bench.ts';
import type { Random } from '../fixtures/stress/random.ts';
import { check, type Report, type Row } from '../fixtures/stress/report.ts';
import { checkDownloaded, type Hub } from './downloading.ts';

/** Set for the process within the namespace: the folder that is the small disk, and the file for its rows. */
export const DISK = 'TAH_STRESS_DISK';
export const ROWS = 'TAH_STRESS_ROWS';

const SIZE_MB = 160;
const ROWS_OF_DISK = ['disk full before an import', 'disk full in an import', 'disk full in a download', 'disk full when a run is kept'] as const;
/** As the superuser, or as one in a namespace of one's own. */
const WAYS = [['unshare', '--mount'], ['unshare', '--map-root-user', '--mount']] as const;

export function fillDisks(report: Report, bench: Bench, random: Random, times: number): Promise<void> {
  const disk = bench.folder('disk');
  const rows = path.join(bench.work, 'disk-rows.json');
  const reasons: string[] = [];
  for (const [command, ...options] of WAYS) {
    const mount = `mount -t tmpfs -o size=${SIZE_MB}m tmpfs "$0"`;
    const tried = spawnSync(command, [...options, 'sh', '-c', mount, disk], { encoding: 'utf8' });
    if (tried.status !== 0) {
      reasons.push(`${[command, ...options].join(' ')}: ${tried.error?.message ?? tried.stderr.trim()}`);
      continue;
    }
    const inside = spawnSync(command, [...options, 'sh', '-c', `${mount} && exec "$@"`, disk, process.execPath, process.argv[1] ?? '', '--seed', String(random.below(1_000_000)), '--times', String(times)], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, [DISK]: disk, [ROWS]: rows },
    });
    check(fs.existsSync(rows), `the process with the small disk ended with ${inside.status ?? inside.signal ?? ''}`);
    report.take(JSON.parse(fs.readFileSync(rows, 'utf8')) as readonly Row[]);
    return Promise.resolve();
  }
  for (const what of ROWS_OF_DISK) report.notRun(what, `no small disk can be mounted here (${reasons.join('; ')})`);
  return Promise.resolve();
}

/** Within the namespace. */
export async function onSmallDisk(report: Report, bench: Bench, hub: Hub, random: Random, times: number, disk: string): Promise<void> {
  const some = Math.max(2, Math.round(times / 10));
  const [before, importing, downloading, keeping] = ROWS_OF_DISK;
  await importOnFullDisk(report, bench, random, disk, { before, importing, some });
  // Progress is told five times a second: slow enough that the disk is full before the last piece.
  hub.slow(80, 40);
  await report.row(downloading, some, async () => {
    const folder = path.join(disk, 'downloads');
    const downloads = hub.downloads(folder);
    const from = random.next() * 0.8 * hub.totalBytes;
    let full = false;
    const error = await failure(downloads.start(hub.source, {
      onProgress: ({ doneBytes }) => {
        if (full || doneBytes < from) return;
        full = true;
        fill(disk, random.below(4) * 4096);
      },
    }));
    check(error.code === 'hub.disk-full' && (error.hint ?? '').includes('Free some space'), `${error.code}: ${error.message}`);
    const dir = downloads.folderOf(hub.source);
    const names = namesIn(dir).filter((name) => !name.endsWith('/') && !/\.part(\.json)?$/.test(name));
    for (const name of names) if (name !== 'tah-download.json') check(fs.readFileSync(path.join(dir, name)).equals(hub.server.bytesOf(name)), `${name} has its name but is not whole`);
    check(!names.some((name) => name.includes('lock') || name.endsWith('.tmp')), `left: ${names.join(', ')}`);
    empty(disk);
    const { receivedBytes } = await downloads.start(hub.source, {});
    check(receivedBytes <= hub.totalBytes, 'more came than there is');
    checkDownloaded(dir, hub);
    fs.rmSync(folder, { recursive: true });
  });
  hub.slow(40, 8);
  const window = bench.window();
  const run = await window.solve();
  await window.close();
  await report.row(keeping, some, async () => {
    const folder = path.join(disk, 'history');
    const errors: TahError[] = [];
    const history = new RunHistory({ folder, log: (line) => { throw new Error(line); }, onError: (error) => errors.push(error) });
    for (const id of ['a', 'b']) history.save({ ...run, id });
    await history.settled();
    const old = hashOf(folder);
    fill(disk, random.below(4) * 4096);
    // A new run, and a newer state of one that is kept.
    for (const id of ['c', 'a']) {
      history.save({ ...run, id, answer: 'another' });
      await history.settled();
    }
    const told = [...errors];
    check(told.length === 2 && told.every((error) => error.code === 'run-file.cannot-write' && error.message.includes('the disk is full')), `told: ${errors.map(String).join('; ')}`);
    check(hashOf(folder) === old, `the history changed: ${namesIn(folder).join(', ')}`);
    check((await history.list()).length === 2, 'what was kept can no longer be listed');
    empty(disk);
    history.save({ ...run, id: 'c' });
    await history.settled();
    check((await history.read('c'))?.tokens.length === run.tokens.length && errors.length === told.length, 'the next run is not kept');
    fs.rmSync(folder, { recursive: true });
  });
}

async function importOnFullDisk(report: Report, bench: Bench, random: Random, disk: string, { before, importing, some }: { readonly before: string; readonly importing: string; readonly some: number }): Promise<void> {
  const window = bench.window();
  const folder = path.join(disk, 'models');
  const out = path.join(folder, 'model');
  const request = { checkpoint: BUNDLED, out, quantization: 'fp32', replace: true } as const;
  const importIt = async (onBytes: (done: number, total: number) => void = () => undefined): Promise<void> => {
    for await (const event of window.engine.import(request)) {
      if (event.type === 'done') return;
      onBytes(event.doneBytes, event.totalBytes);
    }
  };
  await importIt();
  const old = hashOf(folder);
  const refused = async (error: TahError): Promise<void> => {
    check(error.code === 'import.disk-full' && (error.hint ?? '').includes('Free some space'), `${error.code}: ${error.message}`);
    check(hashOf(folder) === old && namesIn(folder).every((name) => name.startsWith('model')), `the old model changed, or something is left: ${fs.readdirSync(folder).join(', ')}`);
    await checkWholeModel(out);
  };
  await report.row(before, some, async () => {
    fill(disk, random.below(20) * 1024 * 1024);
    await refused(await failure(importIt()));
    empty(disk);
  });
  let missed = 0;
  await report.row(importing, some, async () => {
    for (let tries = 0; ; tries++) {
      check(tries < 20, 'the disk never became full in time');
      const from = random.next() * 0.7;
      let full = false;
      const error = await importIt((done, total) => {
        if (full || done < from * total) return;
        full = true;
        fill(disk, random.below(64) * 4096);
      }).then(() => null, (thrown: unknown) => TahError.from(thrown));
      empty(disk);
      if (error !== null) {
        await refused(error);
        break;
      }
      // The importer was faster than its progress.
      missed++;
      await checkWholeModel(out);
    }
    await importIt();
    await checkWholeModel(out);
  }, () => `${missed} imports were done before the disk was full`);
  await window.close();
  fs.rmSync(folder, { recursive: true });
}

/** Fills the disk until so many bytes are free. */
function fill(disk: string, leave: number): void {
  const file = fs.openSync(path.join(disk, 'ballast'), 'a');
  try {
    const piece = Buffer.alloc(1 << 20);
    for (;;) {
      const { bavail, bsize } = fs.statfsSync(disk);
      const more = bavail * bsize - leave;
      if (more <= 0) return;
      fs.writeSync(file, piece, 0, Math.min(piece.length, more));
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  } finally {
    fs.closeSync(file);
  }
}

function empty(disk: string): void {
  fs.rmSync(path.join(disk, 'ballast'), { force: true });
}

async function failure(promise: Promise<unknown>): Promise<TahError> {
  const error = await promise.then(() => null, (thrown: unknown) => TahError.from(thrown));
  check(error !== null, 'it went through on a full disk');
  return error;
}
