/** What a check of a final answer can say, and why. */

export type CheckState = 'verified' | 'contradicted' | 'unchecked';

export interface AnswerCheck {
  readonly state: CheckState;
  /** One plain sentence: how it was checked, or why it could not be. */
  readonly reason: string;
}
