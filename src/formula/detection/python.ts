/**
 * Formulas of a Python text: in docstrings, strings and comments only, never in code. There, what the language of
 * the document adds (comment marks, string escapes, braces of f-strings) is taken off before anything is read, and
 * every formula is given back at its place in the document. Also Sphinx: :math:`…` and `.. math::`. Linear.
 */

import { isDollarMath, looksLikeTex } from './dollars.ts';
import type { Formula } from './formula.ts';
import { inlineFormulas } from './markdown.ts';
import { readPythonTexts } from './pythonTexts.ts';
import type { PythonText } from './pythonTexts.ts';
import { sphinxFormulas } from './sphinx.ts';

export function pythonFormulas(source: string): Formula[] {
  return readPythonTexts(source).flatMap(formulasOfText);
}

function formulasOfText(text: PythonText): Formula[] {
  // Most strings have no mathematics: nothing is read twice.
  if (!/[$\\]|math::?|:math/.test(text.plain)) return [];
  const sphinx = text.kind === 'string' ? [] : sphinxFormulas(text.plain);
  const inline = inlineFormulas(text.plain, { start: 0, end: text.plain.length }).filter((formula) => isMeant(text, formula) && !sphinx.some(({ start, end }) => formula.start < end && formula.end > start));
  return [...sphinx, ...inline]
    .sort((a, b) => a.start - b.start)
    .filter((formula) => !text.isInterpolated(formula.start, formula.end))
    .map((formula) => ({ ...formula, start: text.placeOf(formula.start), end: text.placeOf(formula.end - 1) + 1 }));
}

/** Classes of characters, lookarounds, repeats: r'\\((\\d+)\\)' looks for brackets. */
const REGULAR_EXPRESSION = /\\[dwsDWSB](?![a-zA-Z])|\.[*+]|\[\^|\(\?[:=!<]|\\\)\?/;

/** A dollar in a program may also be a price, a template or a regular expression. */
function isMeant({ kind, plain }: PythonText, { start, end }: Formula): boolean {
  if (kind === 'string' && REGULAR_EXPRESSION.test(plain.slice(start, end))) return false;
  if (plain.charAt(start) !== '$' || plain.charAt(start + 1) === '$') return true;
  const content = plain.slice(start + 1, end - 1);
  return isDollarMath(content, plain.charAt(end)) && looksLikeTex(content);
}
