/** What the tool is asked and what it says: plain sentences, since a language model reads them. Pure. */

import type { AnswerCheck } from '../../protocol/answer.ts';
import { TahError } from '../../protocol/errors.ts';
import { splitThinking } from '../../protocol/run.ts';

const LONGEST_PROBLEM = 20_000;

/** @throws TahError input.empty, engine.bad-request, engine.context-too-long */
export function readToolInput(input: unknown): string {
  const problem = typeof input === 'object' && input !== null && 'problem' in input ? input.problem : undefined;
  if (typeof problem !== 'string') throw new TahError('engine.bad-request', 'The tool needs the field "problem": the problem as text.', { subject: 'problem' });
  if (problem.trim() === '') throw new TahError('input.empty', 'There is no problem to solve.', { hint: 'Give one in the field "problem".' });
  if (problem.length > LONGEST_PROBLEM) throw new TahError('engine.context-too-long', `The problem has ${problem.length} characters; at most ${LONGEST_PROBLEM} can be solved at once.`, { hint: 'Give a single problem.' });
  return problem.trim();
}

export interface ToolOutcome {
  readonly model: string;
  readonly text: string;
  readonly answer: string | null;
  /** Null where there is no answer. */
  readonly check: AnswerCheck | null;
  /** It came to its own end. */
  readonly ended: boolean;
  /** The model declares its subjects, and the problem is none of them. */
  readonly outside: boolean;
}

export function toolReport({ model, text, answer, check, ended, outside }: ToolOutcome): string {
  const { answer: solution, thinking } = splitThinking(text);
  const lines: string[] = [];
  if (outside) lines.push(`Warning: the problem is outside of what the model ${model} has learned. Do not rely on its solution.`, '');
  lines.push(`Answer: ${answer ?? 'none. The model gave no final answer.'}`, `Check: ${checkText(check)}`);
  if (!ended) lines.push('The solution was cut off at the token limit.');
  lines.push('', `Solution by ${model}:`, (solution.trim() === '' ? (thinking ?? '') : solution).trim());
  return lines.join('\n');
}

function checkText(check: AnswerCheck | null): string {
  if (check === null) return 'nothing to check.';
  switch (check.state) {
    case 'verified':
      return `verified by computer algebra. ${check.reason}`;
    case 'contradicted':
      return `CONTRADICTED by computer algebra: the answer is wrong. ${check.reason}`;
    case 'unchecked':
      return `could not be checked, so it may be wrong. ${check.reason}`;
    default:
      return check.state satisfies never;
  }
}
