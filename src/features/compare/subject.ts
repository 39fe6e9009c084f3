/** What is to be compared: a problem, or a given text; typed, selected, or that of a run. Pure. */

import { readProblem } from '../../host/problem/problem.ts';
import type { Runs } from '../../host/runs.ts';
import type { ComparisonKind } from '../../protocol/comparison.ts';
import { phrase, TahError } from '../../protocol/errors.ts';

export interface Subject {
  readonly kind: ComparisonKind;
  readonly text: string;
}

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
  if (run === null) throw new TahError('input.empty', phrase('This run is no longer there.'), { hint: phrase('Select the problem, and compare again.') });
  return { kind: run.kind === 'measure' ? 'measure' : 'solve', text: run.problem };
}
