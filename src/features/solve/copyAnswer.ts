/** Copies an answer in the language of its problem's document, as Insert would write it there. Knows no editor: it is given the clipboard. */

import type { Run } from '../../protocol/run.ts';
import { answerText } from './answerText.ts';
import { copiedText } from './insertion.ts';
import type { Surroundings } from './insertion.ts';

export interface CopyPorts {
  readonly writeText: (text: string) => PromiseLike<void>;
  /** Null where the run's problem stands in no document, or in one that is gone. */
  readonly surroundingsOf: (run: Run) => Promise<Surroundings | null>;
}

/** @throws TahError input.empty where nothing has been written yet */
export async function copyAnswer(run: Run, { writeText, surroundingsOf }: CopyPorts): Promise<void> {
  const answer = answerText(run);
  const surroundings = await surroundingsOf(run);
  await writeText(surroundings === null ? answer : copiedText(answer, surroundings));
}
