/** What a task is: problems with reference answers. Knows no file format, no model and no verdict. */

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
}
