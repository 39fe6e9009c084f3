/** The options of `tah eval`, and which of them a result depends on: kept results of other settings are never mixed with new ones. */
import { createHash } from 'node:crypto';
import type { Task } from '../eval/tasks/task.ts';
import type { StudyPolicy } from '../eval/study.ts';
import type { ProviderChoice, SamplingOptions, ThinkingPolicy } from '../protocol/engine.ts';
import { BUILD_ID } from '../protocol/rpc.ts';
import type { TaskFilesOptions } from './taskFiles.ts';

export interface EvalCommand extends TaskFilesOptions {
  readonly model?: string;
  readonly policy: ThinkingPolicy;
  readonly sampling: Partial<SamplingOptions>;
  readonly maxTokens: number;
  readonly limit?: number;
  readonly data?: string;
  readonly refusal?: string;
  readonly provider: ProviderChoice;
  /** Every problem's result with the scorecard, not only the sums. */
  readonly results: boolean;
  /** File of results: an evaluation with the same settings goes on from it. */
  readonly resume?: string;
  /** With `out`: what is compared. */
  readonly policies?: readonly StudyPolicy[];
  readonly thresholds?: readonly number[];
  /** Folder of a study: its results and page. */
  readonly out?: string;
  /** Scores the decider on the task's worked solutions instead of the answers. */
  readonly decider: boolean;
}

export interface SettingsOptions {
  readonly policy: unknown;
  readonly sampling: Partial<SamplingOptions>;
  readonly maxTokens: number;
  readonly refusal?: string;
}

/** Another build of the program may judge otherwise, so it counts too. */
export function settingsOf(task: Task, modelHash: string | null, { policy, sampling, maxTokens, refusal }: SettingsOptions): unknown {
  const problems = createHash('sha256').update(JSON.stringify(task.problems)).digest('hex').slice(0, 16);
  return { task: task.id, problems, model: modelHash, program: BUILD_ID, policy, sampling, maxTokens, refusal: refusal ?? null };
}
