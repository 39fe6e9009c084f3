/** What a task is: problems with reference answers. Knows no file format, no model and no verdict. */

import type { AnswerKind } from './benchmarks.ts';

export interface EvalProblem {
  readonly id: string;
  readonly question: string;
  /** The reference answer as it would stand in the box; null: the model is to refuse. */
  readonly answer: string | null;
  /** A worked solution, as the model would write it: what the decider is scored on. */
  readonly solution?: string;
  /** Kind of problem, for a score of its own. */
  readonly family?: string;
}

export interface Task {
  readonly id: string;
  readonly problems: readonly EvalProblem[];
  /** How the benchmark's reference answers are read by its grader; left out: no benchmark, as LaTeX. */
  readonly answers?: AnswerKind;
}
