/**
 * Reads a task from a local .jsonl file: our own form, GSM8K's and MATH-500's. The whole file is checked before the
 * first problem runs: a bad line 900 must not end a run of hours. Knows no network.
 */

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { extractAnswer } from '../../answer/extract.ts';
import { TahError } from '../../protocol/errors.ts';
import type { EvalProblem, Task } from './task.ts';

const NAMED_TASKS = ['gsm8k', 'math500', 'aime24', 'aime25', 'amc23', 'olympiadbench'] as const;
export type TaskName = (typeof NAMED_TASKS)[number];

const LARGEST_FILE = 256 * 1024 * 1024;
/** The last line of a GSM8K solution. */
const FINAL = /####[ \t]*(.+?)\s*$/;

export interface LoadTaskOptions {
  /** File of a named task. */
  readonly file?: string;
}

/**
 * @param nameOrFile a .jsonl file, or a known name together with `options.file`.
 * @throws TahError input.missing-file, input.bad-file (with file and line)
 */
export async function loadTask(nameOrFile: string, options: LoadTaskOptions = {}): Promise<Task> {
  const name = NAMED_TASKS.find((known) => known === nameOrFile);
  if (name === undefined) return { id: path.basename(nameOrFile).replace(/\.jsonl$/, ''), problems: await readProblems(nameOrFile) };
  if (options.file === undefined) {
    throw new TahError('input.missing-file', `The task "${name}" needs its file: benchmarks are not downloaded by this version.`, {
      subject: name,
      hint: `Download the test set of ${name} as .jsonl yourself and give its path instead of the name.`,
    });
  }
  return { id: name, problems: await readProblems(options.file) };
}

async function readProblems(file: string): Promise<EvalProblem[]> {
  const text = await readText(file);
  const problems: EvalProblem[] = [];
  const lineOf = new Map<string, number>();
  for (const [index, line] of text.replace(/^\uFEFF/, '').split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const problem = readLine(line, file, index + 1);
    const before = lineOf.get(problem.id);
    if (before !== undefined) throw badLine(file, index + 1, `the id "${problem.id}" is that of line ${before} too`);
    lineOf.set(problem.id, index + 1);
    problems.push(problem);
  }
  if (problems.length === 0) throw new TahError('input.bad-file', `${file} holds no problems.`, { file, hint: 'It should have one JSON object a line with "question" and "answer".' });
  return problems;
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST_FILE) throw new TahError('input.bad-file', `${file} is larger than ${LARGEST_FILE / 1024 / 1024} MiB.`, { file });
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof TahError) throw error;
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new TahError(missing ? 'input.missing-file' : 'input.bad-file', missing ? `There is no file ${file}.` : `${file} can't be read: ${error instanceof Error ? error.message : String(error)}`, {
      file,
      hint: `Give a .jsonl file, or one of the names ${NAMED_TASKS.join(', ')} with its file.`,
      cause: error,
    });
  }
}

function badLine(file: string, line: number, what: string): TahError {
  return new TahError('input.bad-file', `${file}, line ${line}: ${what}.`, { file, subject: `line ${line}`, hint: 'A line should be a JSON object with "question" (or "problem") and "answer".' });
}

function readLine(line: string, file: string, number: number): EvalProblem {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (error) {
    throw badLine(file, number, `it is not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw badLine(file, number, 'it is not a JSON object');
  const fields = new Map<string, unknown>(Object.entries(row));
  const question = fields.get('question') ?? fields.get('problem');
  if (typeof question !== 'string' || question.trim() === '') throw badLine(file, number, '"question" is missing or not a text');
  const family = fields.get('family') ?? fields.get('subject');
  if (family !== undefined && typeof family !== 'string') throw badLine(file, number, '"family" is not a text');
  const id = fields.get('id') ?? fields.get('unique_id') ?? `line ${number}`;
  if (typeof id !== 'string' && typeof id !== 'number') throw badLine(file, number, '"id" is neither a text nor a number');
  const solution = fields.get('solution');
  if (solution !== undefined && typeof solution !== 'string') throw badLine(file, number, '"solution" is not a text');
  return { id: String(id), question, answer: referenceAnswer(fields, file, number), ...(family === undefined ? {} : { family }), ...(solution === undefined ? {} : { solution }) };
}

function referenceAnswer(fields: ReadonlyMap<string, unknown>, file: string, number: number): string | null {
  const answer = fields.get('answer') ?? (fields.has('answer') ? null : fields.get('solution'));
  if (answer === null) return null;
  if (typeof answer === 'number' && Number.isFinite(answer)) return String(answer);
  if (typeof answer !== 'string' || answer.trim() === '') throw badLine(file, number, '"answer" is missing, or neither a text, a number nor null');
  if (!fields.has('answer')) {
    const boxed = extractAnswer(answer);
    if (boxed === null) throw badLine(file, number, 'there is no "answer", and "solution" has no \\boxed{…}');
    return boxed;
  }
  return FINAL.exec(answer)?.[1] ?? answer.trim();
}
