/**
 * Where the tokens of a measured run stand in the document that its text came from. Pure: the text may have moved in
 * the document, or no longer be there.
 */

import type { Run } from '../../protocol/run.ts';

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** @param endHint where the text ended when it was measured, kept right over edits; null where that is not known */
export function measuredStart(documentText: string, text: string, endHint: number | null): number | null {
  if (text === '') return null;
  // The nearest one: the hint may be the end without the white space that was measured too.
  const hint = endHint === null ? 0 : Math.max(0, endHint - text.length);
  const after = documentText.indexOf(text, hint);
  const before = documentText.lastIndexOf(text, hint);
  if (after < 0 || before < 0) return Math.max(after, before) < 0 ? null : Math.max(after, before);
  return after - hint <= hint - before ? after : before;
}

/** Offsets of the token's text within the measured text. The first token is the prompt's: nothing predicts it. */
export function tokenRange({ prompt, tokens }: Pick<Run, 'prompt' | 'tokens'>, index: number): Range | null {
  const token = tokens[index];
  if (token === undefined) return null;
  let start = prompt.reduce((length, { text }) => length + text.length, 0);
  for (let i = 0; i < index; i++) start += tokens[i]?.text.length ?? 0;
  return { start, end: start + token.text.length };
}

/** The token whose text holds the character at `offset` of the measured text; null for the prompt's and outside. */
export function tokenAt({ prompt, tokens }: Pick<Run, 'prompt' | 'tokens'>, offset: number): number | null {
  let start = prompt.reduce((length, { text }) => length + text.length, 0);
  if (offset < start) return null;
  for (const [index, { text }] of tokens.entries()) {
    start += text.length;
    if (offset < start) return index;
  }
  return null;
}
