/**
 * A task from local files, in our own form or in those of the paper's benchmarks. All rows are checked before the
 * first problem runs: a bad line 900 must not end a run of hours. Knows no network.
 */

import path from 'node:path';
import { extractAnswer } from '../../answer/extract.ts';
import { TahError } from '../../protocol/errors.ts';
import { BENCHMARKS, findBenchmark, type Benchmark } from './benchmarks.ts';
import { badRow, FORMATS, readRows, type Row } from './readRows.ts';
import type { EvalProblem, Task } from './task.ts';

/** The last line of a GSM8K solution. */
const FINAL = /####[ \t]*(.+?)\s*$/;
/** GSM8K's notes for a calculator, which are no part of what is to be written. */
const CALCULATOR = /<<[^<>]*>>/g;

export interface LoadTaskOptions {
  /** File of a named task. */
  readonly file?: string;
  /** Brings a benchmark's files; paths on this machine. */
  readonly fetch?: (benchmark: Benchmark) => Promise<readonly string[]>;
}

/**
 * @param nameOrFile a .jsonl, .json, .csv or .parquet file; or a benchmark by its name or its repository's, together
 *   with `options.file` or `options.fetch`.
 * @throws TahError input.missing-file, input.bad-file (with file and row), and what `fetch` throws
 */
export async function loadTask(nameOrFile: string, options: LoadTaskOptions = {}): Promise<Task> {
  const benchmark = findBenchmark(nameOrFile);
  if (benchmark === null) return { id: path.basename(nameOrFile).replace(/\.[a-z]+$/i, ''), problems: await readProblems([nameOrFile]) };
  const files = options.file === undefined ? await options.fetch?.(benchmark) : [options.file];
  if (files === undefined) {
    throw new TahError('input.missing-file', `The task "${benchmark.name}" needs its file.`, { subject: benchmark.name, hint: `Give a file (${FORMATS.join(', ')}) with its problems.` });
  }
  return { id: benchmark.name, problems: await readProblems(files), answers: benchmark.answers };
}

async function readProblems(files: readonly string[]): Promise<EvalProblem[]> {
  const problems: EvalProblem[] = [];
  const labelOf = new Map<string, string>();
  for (const file of files) {
    for (const row of await readRows(file)) {
      const problem = readProblem(row, file, files.length > 1 ? `${path.basename(file)} ` : '');
      const before = labelOf.get(problem.id);
      if (before !== undefined) throw badRow(file, row.label, `the id "${problem.id}" is that of ${before} too`);
      labelOf.set(problem.id, row.label);
      problems.push(problem);
    }
  }
  const [file = ''] = files;
  if (problems.length === 0) throw new TahError('input.bad-file', `${file} holds no problems.`, { file, hint: `It should have rows with "question" and "answer". Benchmarks have names: ${BENCHMARKS.map(({ name }) => name).join(', ')}.` });
  return problems;
}

/** By the first of the names that the row has, in any case; null is a value. */
function field(row: Row, ...names: readonly string[]): unknown {
  for (const name of names) {
    for (const [key, value] of row.fields) if (key.toLowerCase() === name && value !== undefined) return value;
  }
  return undefined;
}

function readProblem(row: Row, file: string, prefix: string): EvalProblem {
  const bad = (what: string): TahError => badRow(file, row.label, what);
  const question = field(row, 'question', 'problem');
  if (typeof question !== 'string' || question.trim() === '') throw bad('"question" is missing or not a text');
  const family = field(row, 'family', 'subject', 'subfield') ?? undefined;
  if (family !== undefined && typeof family !== 'string') throw bad('"family" is not a text');
  const id = field(row, 'id', 'unique_id', 'problem_idx', 'question_id') ?? `${prefix}${row.label}`;
  if (typeof id !== 'string' && typeof id !== 'number' && typeof id !== 'bigint') throw bad('"id" is neither a text nor a number');
  const given = textOf(field(row, 'solution') ?? undefined);
  if (given === null) throw bad('"solution" is not a text');
  const written = field(row, 'answer');
  const solution = given ?? (typeof written === 'string' && FINAL.test(written) ? written.replace(CALCULATOR, '') : undefined);
  return { id: String(id), question, answer: referenceAnswer(row, given, bad), ...(family === undefined ? {} : { family }), ...(solution === undefined ? {} : { solution }) };
}

/** A text, or the texts of a list with the separator between; undefined stays so, null for anything else. */
function textOf(value: unknown, separator = '\n\n'): string | null | undefined {
  if (value === undefined || typeof value === 'string') return value;
  return Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string') ? value.join(separator) : null;
}

function referenceAnswer(row: Row, solution: string | undefined, bad: (what: string) => TahError): string | null {
  const answer = field(row, 'answer', 'final_answer', 'expected_answer');
  if (answer === null) return null;
  if (answer === undefined && solution !== undefined) {
    const boxed = extractAnswer(solution);
    if (boxed === null) throw bad('there is no "answer", and "solution" has no \\boxed{…}');
    return boxed;
  }
  if (typeof answer === 'bigint' || (typeof answer === 'number' && Number.isFinite(answer))) return String(answer);
  const text = textOf(answer, ', ');
  if (typeof text !== 'string' || text.trim() === '') throw bad('"answer" is missing, or neither a text, a number nor null');
  return FINAL.exec(text)?.[1] ?? text.trim();
}
