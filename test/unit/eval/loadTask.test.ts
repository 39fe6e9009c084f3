// Task files: the forms that are read, and the faults that are named with file and line before a run starts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadTask } from '../../../src/eval/tasks/loadTask.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'tah-task-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

function file(name: string, ...lines: string[]): string {
  const full = path.join(folder, name);
  writeFileSync(full, lines.join('\n'));
  return full;
}

describe('loadTask', () => {
  it('reads our own form, null answers included', async () => {
    const task = await loadTask(file('own.jsonl', '{"id":"sums-1","family":"sums","question":"2+3","answer":"5"}', '', '{"id":"r","family":"refuse","question":"Hi","answer":null}'));
    expect(task).toEqual({ id: 'own', problems: [{ id: 'sums-1', family: 'sums', question: '2+3', answer: '5' }, { id: 'r', family: 'refuse', question: 'Hi', answer: null }] });
  });

  it('keeps a worked solution beside the answer, and names the line of one that is no text', async () => {
    const task = await loadTask(file('solved.jsonl', '{"question":"2+3","answer":"5","solution":"2+3=5"}'));
    expect(task.problems).toEqual([{ id: 'line 1', question: '2+3', answer: '5', solution: '2+3=5' }]);
    await expect(loadTask(file('bad-solution.jsonl', '{"question":"2+3","answer":"5","solution":5}'))).rejects.toMatchObject({ code: 'input.bad-file', subject: 'line 1' });
  });

  it('takes the last line of a GSM8K solution as its answer', async () => {
    const task = await loadTask('gsm8k', { file: path.resolve('test/fixtures/gsm8k/sample.jsonl') });
    expect(task.id).toBe('gsm8k');
    expect(task.problems).toHaveLength(50);
    expect(task.problems.slice(0, 3).map(({ answer }) => answer)).toEqual(['18', '3', '70000']);
  });

  it('reads the form of MATH-500, and the box of a solution where there is no answer', async () => {
    const task = await loadTask(file('math.jsonl', '{"problem":"p","solution":"so \\\\boxed{1}","answer":"\\\\frac{1}{2}","subject":"Algebra","unique_id":"u/1"}', '{"problem":"q","solution":"so \\\\boxed{7}"}', '{"question":"n","answer":12}'));
    expect(task.problems).toEqual([{ id: 'u/1', family: 'Algebra', question: 'p', answer: '\\frac{1}{2}', solution: 'so \\boxed{1}' }, { id: 'line 2', question: 'q', answer: '7', solution: 'so \\boxed{7}' }, { id: 'line 3', question: 'n', answer: '12' }]);
  });

  it.each([
    ['{"question":"2+3"', /line 2: it is not JSON/], ['[1]', /line 2: it is not a JSON object/], ['{"answer":"5"}', /line 2: "question" is missing/], ['{"question":"2+3"}', /line 2: "answer" is missing/], ['{"question":"q","answer":" "}', /line 2: "answer"/],
    ['{"question":"q","solution":"no box"}', /line 2: there is no "answer"/], ['{"question":"q","answer":"1","family":3}', /"family" is not a text/], ['{"question":"q","answer":"1","id":"a"}', /the id "a" is that of line 1 too/], ['{"question":"q","answer":{}}', /line 2: "answer"/],
  ])('names file and line of %s', async (line, message) => {
    const bad = file('bad.jsonl', '{"id":"a","question":"q","answer":"1"}', line);
    await expect(loadTask(bad)).rejects.toMatchObject({ code: 'input.bad-file', file: bad });
    await expect(loadTask(bad)).rejects.toThrow(message);
  });

  it('says what to do where a file is missing, empty or a folder', async () => {
    await expect(loadTask('gsm8k')).rejects.toMatchObject({ code: 'input.missing-file', hint: expect.stringContaining('jsonl') as string });
    await expect(loadTask(path.join(folder, 'nowhere.jsonl'))).rejects.toMatchObject({ code: 'input.missing-file' });
    await expect(loadTask(file('empty.jsonl', '', ' '))).rejects.toMatchObject({ code: 'input.bad-file' });
    await expect(loadTask(folder)).rejects.toMatchObject({ code: 'input.bad-file' });
  });
});
