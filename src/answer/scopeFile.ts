/**
 * Reads what a model declares of itself: `subjects.json` in its folder, which the importer copies from the checkpoint.
 * Knows the file and its form; decides nothing. A model without the file has no subjects, and no question is outside.
 */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { TahError } from '../protocol/errors.ts';
import { SUBJECTS_FILE, type ScopeVerdict } from '../protocol/scope.ts';
import { ScopeJudge, type DeclaredSubjects } from './scope.ts';

const SUBJECTS = z.object({
  subjects: z.array(z.object({ id: z.string(), title: z.string(), example: z.string(), range: z.string() })).min(1),
  refusal: z.string().min(1),
  scope: z
    .object({
      names: z.array(z.string()),
      kinds: z.array(z.string()).min(1),
      largest: z.array(z.number()),
      together: z.base64(),
      longest: z.number().int().positive(),
    })
    .refine(({ kinds, largest }) => kinds.length === largest.length, { message: '"largest" must have a number for each of "kinds"' })
    .refine(({ kinds, together }) => Buffer.from(together, 'base64').length === Math.ceil((kinds.length * (kinds.length - 1)) / 16), { message: '"together" must have a bit for each pair of "kinds"' }),
});

/** @throws TahError model.bad-manifest where the file is there and can't be used */
export async function readSubjects(model: string): Promise<DeclaredSubjects | null> {
  const file = path.join(model, SUBJECTS_FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw bad(file, error instanceof Error ? error.message : String(error), error);
  }
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw bad(file, 'it is not JSON', error);
  }
  const parsed = SUBJECTS.safeParse(data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw bad(file, issue === undefined ? 'it has another form' : `${issue.path.join('.')}: ${issue.message}`, parsed.error);
  }
  return parsed.data;
}

function bad(file: string, why: string, cause: unknown): TahError {
  return new TahError('model.bad-manifest', `${file} can't be used: ${why}.`, { file, subject: SUBJECTS_FILE, hint: 'Import the checkpoint again.', cause });
}

/**
 * Judges a question, or with `text` what the model wrote to it; null where the model declares no subjects, or its text
 * says nothing about them.
 * @throws TahError as readSubjects does
 */
export async function judgeScope(model: string, question: string, text: string | null): Promise<ScopeVerdict | null> {
  const declared = await readSubjects(model);
  if (declared === null) return null;
  const judge = new ScopeJudge(declared);
  return text === null ? judge.judgeQuestion(question) : judge.judgeText(text);
}
