/**
 * What a model wrote, taken apart into text and formulas. The text is hostile: it is only ever given on as text.
 * Pure; does not know how the parts are shown.
 */

import { inlineFormulas } from '../../formula/detection/markdown.ts';

export type TextPart = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'math'; readonly tex: string; readonly display: boolean };

/** A model that doesn't stop is shown up to here. */
export const LONGEST_SHOWN = 12_000;

/** @param growing a formula that is not closed yet is left out until it is */
export function partsOf(text: string, growing: boolean): readonly TextPart[] {
  const cut = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)} …` : text;
  const parts: TextPart[] = [];
  let at = 0;
  for (const { start, end, tex, display } of [...inlineFormulas(cut, { start: 0, end: cut.length }), ...boxes(cut)].sort((a, b) => a.start - b.start)) {
    if (start < at) continue;
    if (start > at) parts.push({ kind: 'text', text: cut.slice(at, start) });
    parts.push({ kind: 'math', tex, display });
    at = end;
  }
  const rest = cut.slice(at);
  const open = growing ? /(?:\$|\\\(|\\\[|\\boxed)[^\n]*$/.exec(rest) : null;
  const last = open === null ? rest : rest.slice(0, open.index);
  return last === '' ? parts : [...parts, { kind: 'text', text: last }];
}

/** `\boxed{…}` outside of dollars: many models end with it. */
function boxes(text: string): { readonly start: number; readonly end: number; readonly tex: string; readonly display: boolean }[] {
  return [...text.matchAll(/\\boxed\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}/g)].map((match) => ({ start: match.index, end: match.index + match[0].length, tex: match[0], display: false }));
}
