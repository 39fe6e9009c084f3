/** Checks a problem before anything is started. Pure; the longest problem is a screenful of pages, not a book. */

import { phrase, TahError } from '../../protocol/errors.ts';

export const LONGEST_PROBLEM = 20_000;

/** @returns the problem, trimmed @throws TahError input.empty, input.bad-file, engine.context-too-long */
export function readProblem(text: string): string {
  const problem = text.trim();
  if (problem === '') {
    const blank = text === '' ? phrase('There is no problem to solve.') : phrase('There is only white space, no problem to solve.');
    throw new TahError('input.empty', blank, { hint: phrase('Select a problem, or type it.') });
  }
  refuseTooLong(problem.length);
  // Control characters other than white space, or many undecodable bytes: not text.
  if (/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(problem) || (problem.match(/\ufffd/g)?.length ?? 0) > 3) {
    throw new TahError('input.bad-file', phrase('The selection is binary data, not text.'), { hint: phrase('Select the text of a problem.') });
  }
  return problem;
}

/** Said before the text is even read out of the document. */
export function refuseTooLong(length: number): void {
  if (length <= LONGEST_PROBLEM) return;
  throw new TahError('engine.context-too-long', phrase('The problem has {0} characters; at most {1} can be solved at once.', spaced(length), spaced(LONGEST_PROBLEM)), { hint: phrase('Select a single problem.') });
}

function spaced(count: number): string {
  return count.toLocaleString('en-US').replaceAll(',', ' ');
}
