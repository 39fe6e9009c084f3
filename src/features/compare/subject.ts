/** What is to be compared: a problem, or a given text; typed, selected, or that of a run. Pure. */

import type { Runs } from '../../host/runs.ts';
import type { ComparisonKind } from '../../protocol/comparison.ts';
import { TahError } from '../../protocol/errors.ts';

export interface Subject {
  readonly kind: ComparisonKind;
  readonly text: string;
}

export const LONGEST_PROBLEM = 20_000;

/**
 * @param given a problem, `{ runId }` of a run, or `{ text }` that is to be measured; null for anything else
 * @throws TahError input.empty, input.bad-file, engine.context-too-long
 */
export function readSubject(given: unknown, runs: Pick<Runs, 'get'>): Subject | null {
  if (typeof given === 'string') return { kind: 'solve', text: readProblem(given) };
  if (typeof given !== 'object' || given === null) return null;
  if ('text' in given && typeof given.text === 'string') return { kind: 'measure', text: given.text };
  if (!('runId' in given) || typeof given.runId !== 'string') return null;
  const run = runs.get(given.runId);
  if (run === null) throw new TahError('input.empty', 'This run is no longer there.', { hint: 'Select the problem, and compare again.' });
  return { kind: run.kind === 'measure' ? 'measure' : 'solve', text: run.problem };
}

function readProblem(text: string): string {
  const problem = text.trim();
  if (problem === '') throw new TahError('input.empty', 'There is no problem to compare.', { hint: 'Select one, or type it.' });
  refuseTooLong(problem.length);
  if (/[\u0000-\u0008]/.test(problem)) throw new TahError('input.bad-file', 'The selection is binary data, not text.', { hint: 'Select the text of a problem.' });
  return problem;
}

/** Said before the text is even read out of its document. */
export function refuseTooLong(length: number): void {
  if (length > LONGEST_PROBLEM) throw new TahError('engine.context-too-long', `The problem has ${length} characters; at most ${LONGEST_PROBLEM} can be compared.`, { hint: 'Select a single problem.' });
}
