import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunHistory, findRun, keepEnded } from '../../../src/host/history.ts';
import type { HistoryOptions } from '../../../src/host/history.ts';
import { Runs } from '../../../src/host/runs.ts';
import type { GenerateEvent } from '../../../src/protocol/engine.ts';
import type { TahError } from '../../../src/protocol/errors.ts';
import { keptRun } from '../../fixtures/keptRun.ts';

let folder: string;
let lines: string[];
let errors: TahError[];

beforeEach(() => {
  folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'tah-history-')), 'history');
  lines = [];
  errors = [];
});
afterEach(() => {
  fs.rmSync(path.dirname(folder), { recursive: true, force: true });
});

/** A window's view of the one folder. */
function open(more: Partial<HistoryOptions> = {}): RunHistory {
  return new RunHistory({ folder, log: (line) => lines.push(line), onError: (error) => errors.push(error), ...more });
}

const at = (minute: number, id = `r${minute}`): ReturnType<typeof keptRun> => keptRun({ id, createdAt: `2026-01-02T03:${String(minute).padStart(2, '0')}:00.000Z` });
const ids = async (history: RunHistory): Promise<string[]> => (await history.list()).map(({ run }) => run.id);
const files = (): string[] => fs.readdirSync(folder).sort();

describe('the history', () => {
  it('gives a run back to the next window, and lists the newest first', async () => {
    const first = open();
    for (const run of [at(1), at(3), at(2)]) first.save(run);
    await first.settled();
    const next = open();
    expect(await ids(next)).toEqual(['r3', 'r2', 'r1']);
    expect((await next.list())[0]?.run).toMatchObject({ problem: 'Solve x + 1 = 2', answer: '1', check: { state: 'verified' } });
    expect(await next.read('r2')).toMatchObject({ id: 'r2', tokens: at(2).tokens });
    expect(errors).toEqual([]);
  });

  it('does nothing to the disk before there is something to keep', async () => {
    const history = open();
    expect(await history.list()).toEqual([]);
    expect(await history.read('r1')).toBeNull();
    await history.remove('r1');
    await history.clear();
    expect(fs.existsSync(folder)).toBe(false);
  });

  it('writes the newest state of a run, once', async () => {
    const history = open();
    history.save(keptRun({ check: null }));
    history.save(keptRun());
    await history.settled();
    expect(files()).toHaveLength(1);
    expect((await history.read('run-1'))?.check?.state).toBe('verified');
  });

  it('is bounded by count and by bytes: the oldest go first, the newest never', async () => {
    const few = open({ keep: 2 });
    for (const run of [at(1), at(2), at(3)]) few.save(run);
    expect(await ids(few)).toEqual(['r3', 'r2']);
    const small = open({ keepBytes: 10 });
    small.save(at(4));
    expect(await ids(small)).toEqual(['r4']);
  });

  it('that is full keeps the newest runs when the clock has gone back: those of the future are the old ones', async () => {
    const years = (year: number, id: string): ReturnType<typeof keptRun> => keptRun({ id, createdAt: `${year}-01-02T03:04:05.000Z` });
    const history = open({ keep: 3 });
    for (const run of [years(2098, 'f1'), years(2099, 'f2'), years(2025, 'n1'), years(2026, 'n2')]) {
      history.save(run);
      await history.settled();
    }
    expect(await ids(history)).toEqual(['n2', 'n1', 'f2']);
  });

  it('removes what a window that was killed was writing, at once, and nothing of a window that writes', async () => {
    const history = open();
    history.save(at(1));
    await history.settled();
    const host = createHash('sha256').update(os.hostname()).digest('hex').slice(0, 8);
    const living = `.${process.pid}-${host}-0a.tmp`;
    for (const name of [`.999999999-${host}-0a.tmp`, living, '.999999999-00000000-0a.tmp']) fs.writeFileSync(path.join(folder, name), '{');
    fs.utimesSync(path.join(folder, living), new Date(0), new Date(0));
    history.save(at(2));
    await history.settled();
    expect(files().filter((name) => name.endsWith('.tmp'))).toEqual(['.999999999-00000000-0a.tmp', living].sort());
  });

  it('deletes one, or all', async () => {
    const history = open();
    for (const run of [at(1), at(2), at(3)]) history.save(run);
    await history.remove('r2');
    expect(await ids(history)).toEqual(['r3', 'r1']);
    await history.clear();
    expect(await ids(history)).toEqual([]);
    expect(files()).toEqual([]);
  });

  it('of two windows at once loses nothing, and what one deletes is just gone for the other', async () => {
    const one = open();
    const two = open();
    for (let i = 0; i < 8; i++) (i % 2 === 0 ? one : two).save(at(i));
    await Promise.all([one.settled(), two.settled()]);
    expect((await ids(one)).length).toBe(8);
    await Promise.all([one.remove('r3'), two.list(), two.remove('r3'), one.list()]);
    expect(await two.read('r3')).toBeNull();
    await Promise.all([one.clear(), two.clear()]);
    expect([lines, errors]).toEqual([[], []]);
  });
});

describe('a damaged file', () => {
  it('is moved aside and told, and the others are listed still', async () => {
    const history = open();
    for (const run of [at(1), at(2), at(3)]) history.save(run);
    await history.settled();
    const [one = '', two = ''] = files();
    fs.writeFileSync(path.join(folder, one), '{"format":"tah-run/1","run":{');
    const whole = fs.readFileSync(path.join(folder, two));
    fs.writeFileSync(path.join(folder, two), whole.subarray(0, whole.length - 40));
    expect(await ids(history)).toEqual(['r3', 'r2']);
    // Its first line is whole; what is cut is found when it is opened.
    expect(await history.read('r2')).toBeNull();
    expect(await ids(history)).toEqual(['r3']);
    expect(fs.readdirSync(path.join(folder, 'damaged')).sort()).toEqual([one, two]);
    expect(lines.filter((line) => line.includes('damaged'))).toHaveLength(2);
    expect(lines.join()).not.toContain('Solve x');
  });

  it('of a newer version stays where it is, for the window that can read it', async () => {
    const history = open();
    history.save(at(1));
    await history.settled();
    const [name = ''] = files();
    fs.writeFileSync(path.join(folder, name), '{"format":"tah-run/2"}\n');
    expect(await ids(history)).toEqual([]);
    expect(files()).toEqual([name]);
    expect(lines.join()).toContain('newer version');
  });

  it('that another hand has laid out is read all the same', async () => {
    const history = open();
    history.save(at(1));
    await history.settled();
    const file = path.join(folder, files()[0] ?? '');
    fs.writeFileSync(file, JSON.stringify(JSON.parse(fs.readFileSync(file, 'utf8')), null, 2));
    expect(await ids(history)).toEqual(['r1']);
  });

  it('that a window left half written is removed in time, and is never listed', async () => {
    fs.mkdirSync(folder, { recursive: true });
    for (const name of ['.old.tmp', '.new.tmp']) fs.writeFileSync(path.join(folder, name), 'x');
    fs.utimesSync(path.join(folder, '.old.tmp'), 0, 0);
    const history = open();
    history.save(at(1));
    expect(await ids(history)).toEqual(['r1']);
    expect(files()).not.toContain('.old.tmp');
    expect(files()).toContain('.new.tmp');
  });
});

it('a disk that takes nothing is told, and the next run is tried again', async () => {
  fs.writeFileSync(folder, 'a file where the folder should be');
  const history = open();
  history.save(at(1));
  await history.settled();
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatchObject({ code: 'run-file.cannot-write', file: folder });
  fs.rmSync(folder);
  history.save(at(2));
  expect(await ids(history)).toEqual(['r2']);
});

describe('runs and their history', () => {
  const script: readonly GenerateEvent[] = [
    { type: 'start', model: keptRun().model ?? fail(), provider: { provider: 'cpu', reason: '', rejected: [] }, prompt: keptRun().prompt, policy: { kind: 'decider' }, sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 } },
    ...keptRun().tokens.map((token) => ({ type: 'token', token }) as const),
    { type: 'end', reason: 'stop-token', stats: keptRun().stats ?? fail() },
  ];
  async function* generate(): AsyncGenerator<GenerateEvent> {
    for (const event of script) yield await Promise.resolve(event);
  }
  const newRuns = (): Runs => new Runs({ engine: { generate, measure: generate }, extractAnswer: () => '1', checkAnswer: () => Promise.resolve({ state: 'verified', reason: 'put in' }), onError: (error) => { throw error; } });

  it('every solve that ends is kept with its check, an explanation is not', async () => {
    const runs = newRuns();
    const history = open();
    keepEnded(runs, history);
    const solved = runs.start({ problem: 'p', model: '/m', policy: { kind: 'decider' }, maxTokens: 9 });
    const explained = runs.start({ kind: 'explain', problem: 'p', model: '/m', policy: { kind: 'decider' }, maxTokens: 9 });
    await runs.settled();
    expect(await ids(history)).toEqual([solved]);
    expect((await history.read(solved))?.check?.state).toBe('verified');
    expect(runs.get(explained)?.state).toBe('done');
  });

  it('a run of an earlier window is found again, and is then one of the runs', async () => {
    open().save(at(1));
    const runs = newRuns();
    await expect.poll(() => findRun(runs, open(), 'r1')).toMatchObject({ id: 'r1' });
    expect(runs.ids()).toEqual(['r1']);
    expect(runs.running()).toBeNull();
    expect(runs.get('r1')?.tokens).toEqual(at(1).tokens);
    expect(await findRun(runs, open(), 'unknown')).toBeNull();
  });

  it('a run of an earlier window can be solved again and branched from', async () => {
    const runs = newRuns();
    runs.adopt(at(1));
    const place = { model: '/m', maxTokens: 50 };
    const again = runs.retry('r1', place) ?? '';
    const branch = runs.branch('r1', 1, { kind: 'token', id: 3, text: 'c' }, place);
    await runs.settled();
    expect(runs.get(again)).toMatchObject({ problem: at(1).problem, state: 'done' });
    expect(runs.get(branch)).toMatchObject({ branch: { parentId: 'r1' }, state: 'done' });
  });
});

function fail(): never {
  throw new Error('the example run has none');
}
