/** What of a run is its answer. Pure. */

import { phrase, TahError } from '../../protocol/errors.ts';
import { runText, splitThinking } from '../../protocol/run.ts';
import type { Run } from '../../protocol/run.ts';

/** What the model answers, without its thinking. @throws TahError input.empty */
export function answerText(run: Run): string {
  const { answer, thinking } = splitThinking(runText(run));
  const text = answer.trim() === '' ? (thinking ?? '') : answer;
  if (text.trim() === '') throw new TahError('input.empty', phrase('The model has not written anything yet.'));
  return text;
}
