// The files of a benchmark from a hub: which ones, over a network that fails, and from the cache without one.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadTask } from '../../../src/eval/tasks/loadTask.ts';
import { dataSetFiles, filesOfSplit, type SplitWanted } from '../../../src/hub/dataSet.ts';
import type { HubFile } from '../../../src/hub/listing.ts';
import type { HubSource } from '../../../src/hub/source.ts';
import { HubServer, LISTING } from '../../fixtures/hubServer.ts';
import { failure, RETRIES } from '../hub/rig.ts';

const TABLE = 'data/test-00000-of-00001.parquet';
const AIME = fs.readFileSync('test/fixtures/dataSets/aime-snappy.parquet');
let hub: HubServer;
let root: string;

beforeAll(async () => {
  const repository = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-data-'));
  fs.mkdirSync(path.join(repository, 'data'));
  fs.writeFileSync(path.join(repository, TABLE), AIME);
  fs.writeFileSync(path.join(repository, 'README.md'), '# A data set');
  hub = await HubServer.start(repository, 'owner/aime', 'main', 'dataset');
  fs.rmSync(repository, { recursive: true });
});
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-cache-'));
});
afterEach(() => {
  hub.reset();
  fs.rmSync(root, { recursive: true });
});
afterAll(() => hub.stop());

const source = (): HubSource => ({ hub: hub.url, repository: 'owner/aime', revision: 'main' });
const bring = (wanted: SplitWanted = { split: 'test' }): Promise<readonly string[]> => dataSetFiles(source(), wanted, root, { fetch, stallMs: 400, retries: RETRIES });

describe('a data set from a hub', () => {
  it('is its split’s files and nothing else, and the benchmark’s problems are in them', async () => {
    const files = await bring();
    expect(files.map((file) => fs.readFileSync(file).equals(AIME))).toEqual([true]);
    expect(hub.askedFor('README.md')).toEqual([]);
    const task = await loadTask('aime24', { fetch: () => Promise.resolve(files) });
    expect(task).toMatchObject({ id: 'aime24', answers: 'number', problems: [{ id: '2024-I-1', answer: '2' }, { id: '2024-I-2', answer: '3' }] });
  });

  it('is brought once: later it is taken from the cache, without a network too', async () => {
    const files = await bring();
    hub.asked.length = 0;
    expect(await bring()).toEqual(files);
    expect(hub.asked).toEqual([]);
  });

  it('damaged in the cache: is brought again', async () => {
    const [file = ''] = await bring();
    fs.writeFileSync(file, Buffer.alloc(AIME.length));
    const [again = ''] = await bring();
    expect(fs.readFileSync(again).equals(AIME)).toBe(true);
  });

  it('stalled on the way: goes on from there, now and in a later run', async () => {
    hub.plan(TABLE, { kind: 'stall', after: 1000 });
    const [file = ''] = await bring();
    expect(fs.readFileSync(file).equals(AIME)).toBe(true);
    expect(hub.askedFor('test-00000-of-00001.parquet')[1]).toMatchObject({ range: 'bytes=1000-', status: 206 });
    fs.rmSync(root, { recursive: true });
    fs.mkdirSync(root);
    hub.plan(TABLE, { kind: 'stall', after: 700 });
    hub.plan(TABLE, { kind: 'cut', after: 0 }, 9);
    await failure(bring());
    hub.reset();
    await bring();
    expect(hub.askedFor('test-00000-of-00001.parquet')).toMatchObject([{ range: 'bytes=700-' }]);
  });

  it('other bytes than the hub’s hash says: are refused and never read', async () => {
    hub.plan(TABLE, { kind: 'corrupt' }, 9);
    expect((await failure(bring())).code).toBe('hub.wrong-hash');
    expect(fs.readdirSync(root, { recursive: true }).filter((name) => String(name).endsWith('.parquet'))).toEqual([]);
  });

  it('not there, locked, or no network: says so', async () => {
    expect((await failure(dataSetFiles({ ...source(), repository: 'owner/other' }, { split: 'test' }, root, { fetch, retries: RETRIES }))).code).toBe('hub.not-found');
    hub.plan(LISTING, { kind: 'status', status: 401 }, 9);
    expect((await failure(bring())).code).toBe('hub.unauthorized');
    const closed = await failure(dataSetFiles({ ...source(), hub: 'http://127.0.0.1:9' }, { split: 'test' }, root, { fetch, retries: { ...RETRIES, attempts: 1 } }));
    expect(closed.code).toBe('hub.no-network');
  });
});

describe('the files of a split', () => {
  const file = (name: string, size = 10): HubFile => ({ path: name, size, hash: null });
  const choose = (names: readonly string[], wanted: SplitWanted): string[] => filesOfSplit(source(), names.map((name) => file(name)), wanted).map((one) => one.path);

  it.each<[string, string[], SplitWanted, string[]]>([
    ['of a subset in a folder', ['main/test-00000-of-00001.parquet', 'main/train-00000-of-00001.parquet', 'socratic/test-00000-of-00001.parquet'], { split: 'test', subset: 'main' }, ['main/test-00000-of-00001.parquet']],
    ['beside its card', ['.gitattributes', 'README.md', 'test.jsonl'], { split: 'test' }, ['test.jsonl']],
    ['called train only', ['data/train-00000-of-00001.parquet'], { split: 'test' }, ['data/train-00000-of-00001.parquet']],
    ['without a split’s name', ['README.md', 'aime_2024_problems.parquet', 'dataset_infos.json'], { split: 'train' }, ['aime_2024_problems.parquet']],
    ['in several parts', ['data/test-00001-of-00002.parquet', 'data/test-00000-of-00002.parquet'], { split: 'test' }, ['data/test-00000-of-00002.parquet', 'data/test-00001-of-00002.parquet']],
    ['in two formats', ['test.csv', 'test.jsonl'], { split: 'test' }, ['test.jsonl']],
    ['of a subset among many', ['OlympiadBench/OE_TO_maths_en_COMP/OE_TO_maths_en_COMP.parquet', 'OlympiadBench/TP_TO_maths_en_COMP/TP_TO_maths_en_COMP.parquet'], { split: 'train', subset: 'OE_TO_maths_en_COMP' }, ['OlympiadBench/OE_TO_maths_en_COMP/OE_TO_maths_en_COMP.parquet']],
  ])('%s', (_name, names, wanted, expected) => {
    expect(choose(names, wanted)).toEqual(expected);
  });

  it('are not guessed among several data sets, nor read when they are none or huge', () => {
    expect(() => choose(['algebra.jsonl', 'geometry.jsonl'], { split: 'test' })).toThrow(/several data files/);
    expect(() => choose(['README.md', 'picture.png'], { split: 'test' })).toThrow(/no \.parquet/);
    expect(() => filesOfSplit(source(), [file('test.parquet', 3e9)], { split: 'test' })).toThrow(/3\.0 GB/);
  });
});
