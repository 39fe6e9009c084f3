/** What a check of a final answer can say, and why. */

import { fewReasons, sayReasons } from './reasons.ts';
import type { Reason, Translate } from './reasons.ts';

export type CheckState = 'verified' | 'contradicted' | 'unchecked';

export interface AnswerCheck {
  readonly state: CheckState;
  /** In English, one plain sentence or a few: how it was checked, or why it could not be. */
  readonly reason: string;
  /** The same as data, a sentence each. Absent in run files of versions that knew the English alone. */
  readonly why?: readonly Reason[];
}

export function answerCheck(state: CheckState, why: readonly Reason[]): AnswerCheck {
  const few = fewReasons(why);
  return { state, reason: sayReasons(few), why: few };
}

/** The reason in the language of `translate`; in English where it is known in no other. */
export function checkReason({ reason, why }: Pick<AnswerCheck, 'reason' | 'why'>, translate: Translate): string {
  return why === undefined ? reason : sayReasons(why, translate);
}
