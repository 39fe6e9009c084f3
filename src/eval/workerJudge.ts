/** The judge that the product uses: computer algebra in a worker with limits. */

import { checkAnswer, compareAnswers, gradeText } from '../answer/checker.ts';
import type { Judge } from './evaluate.ts';

/** @param workerPath dist/checkWorker.cjs */
export function workerJudge(workerPath: string): Judge {
  const options = (signal: AbortSignal | undefined): Parameters<typeof checkAnswer>[2] => ({ workerPath, ...(signal === undefined ? {} : { signal }) });
  return {
    check: (problem, answer, signal) => checkAnswer(problem, answer, options(signal)),
    same: (answer, reference, signal) => compareAnswers(answer, reference, options(signal)),
    grade: (text, reference, kind, signal) => gradeText(text, reference, kind, options(signal)),
  };
}
