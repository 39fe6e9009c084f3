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
  const hint = endHint === null ? 0 : Math.max(0, endHint - text.length);
  if (documentText.startsWith(text, hint)) return hint;
  // The hint is the end of the text without the white space around it.
  const near = documentText.indexOf(text, Math.max(0, hint - text.length));
  const found = near >= 0 ? near : documentText.indexOf(text);
  return found < 0 ? null : found;
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
