// The forms of task files beside .jsonl: what is read from them, and the faults that are named with their row.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as zlib from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { BENCHMARKS, findBenchmark } from '../../../src/eval/tasks/benchmarks.ts';
import { loadTask } from '../../../src/eval/tasks/loadTask.ts';
import { readRows } from '../../../src/eval/tasks/readRows.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tah-rows-'));
afterAll(() => { rmSync(folder, { recursive: true }); });
function file(name: string, text: string): string {
  const full = path.join(folder, name);
  writeFileSync(full, text);
  return full;
}
const fixture = (name: string): string => path.join('test', 'fixtures', 'dataSets', `${name}.parquet`);
const fieldsOf = async (name: string): Promise<unknown[]> => (await readRows(name)).map(({ fields }) => Object.fromEntries(fields));

describe('a Parquet file', () => {
  it.each(['aime-snappy', 'aime-gzip', 'aime-brotli'])('%s is read', async (name) => {
    expect((await loadTask(fixture(name))).problems).toEqual([
      { id: '2024-I-1', question: 'Find $1+1$.', answer: '2', solution: '$1+1=\\boxed{2}$' },
      { id: '2024-I-2', question: 'Find $m+n$ for $\\frac{1}{2}$.', answer: '3', solution: '$\\boxed{3}$' },
    ]);
  });

  it('packed with Zstandard is read where Node can, else it is said what is needed', async () => {
    if ('zstdDecompressSync' in zlib) expect((await loadTask(fixture('aime-zstd'))).problems).toHaveLength(2);
    else await expect(loadTask(fixture('aime-zstd'))).rejects.toThrow(/Zstandard, which needs Node 22\.15/);
  });

  it('with lists of answers and solutions is read as OlympiadBench means it', async () => {
    const task = await loadTask('olympiadbench', { file: fixture('olympiad') });
    expect(task.problems).toEqual([
      { id: '1606', question: 'Solve $x^2=1$.', answer: '1, -1', solution: '$x=\\pm1$', family: 'Algebra' },
      { id: '1612', question: 'Evaluate $\\pi$ twice.', answer: '$2 \\pi$', solution: '$2\\pi$', family: 'Geometry' },
    ]);
  });

  it('that is none is refused', async () => {
    await expect(readRows(file('no.parquet', 'PAR1 but not really PAR1'))).rejects.toMatchObject({ code: 'input.bad-file' });
  });
});

describe('a CSV file', () => {
  it('may have commas, quotes and new lines in quotes', async () => {
    expect(await fieldsOf(file('a.csv', 'question,answer\r\n"What is 1,000 + ""1""?","1001"\r\n"two\nlines",2\n'))).toEqual([{ question: 'What is 1,000 + "1"?', answer: '1001' }, { question: 'two\nlines', answer: '2' }]);
  });

  it.each([['question,answer\na,1,2\n', /row 1: it has 3 values/], ['question,answer\n"a,1\n', /quotation mark/], ['question,answer\na,\n', /"answer" is missing/]])('%j is refused with its row', async (text, message) => {
    await expect(loadTask(file('bad.csv', text))).rejects.toThrow(message);
  });
});

describe('a JSON file', () => {
  it('is an array, or has one in it, as a hub’s viewer gives it', async () => {
    const rows = [{ question: 'q', answer: '1' }];
    expect(await fieldsOf(file('a.json', JSON.stringify(rows)))).toEqual(rows);
    expect(await fieldsOf(file('b.json', JSON.stringify({ features: {}, rows: [{ row_idx: 0, row: rows[0] }] })))).toEqual(rows);
  });

  it.each([['{"question"', /not JSON/], ['{"a":1}', /no list of problems/], ['[1]', /row 1: it is not a JSON object/]])('%s is refused', async (text, message) => {
    await expect(readRows(file('bad.json', text))).rejects.toThrow(message);
  });
});

describe('benchmarks', () => {
  it('are found by name and by each of their repositories', () => {
    expect(BENCHMARKS.map(({ name }) => name)).toEqual(['gsm8k', 'math500', 'aime24', 'aime25', 'amc23', 'olympiadbench']);
    for (const benchmark of BENCHMARKS) {
      expect(findBenchmark(benchmark.name)).toBe(benchmark);
      for (const repository of [benchmark.repository, ...benchmark.also.map((one) => one.repository)]) expect(findBenchmark(repository)).toMatchObject({ name: benchmark.name, repository });
    }
    expect(findBenchmark('sums.jsonl')).toBeNull();
  });

  it('of GSM8K have the worked solution, without the notes for a calculator', async () => {
    const task = await loadTask('gsm8k', { file: 'test/fixtures/gsm8k/sample.jsonl' });
    expect(task.problems[0]?.solution).toMatch(/#### 18$/);
    expect(task.problems.every(({ solution }) => solution?.includes('<<') === false)).toBe(true);
  });
});
