/**
 * What a model is asked about a formula, by what kind of formula it is. Whether a model has learned such questions is
 * its own to say (answer/scopeFile.ts). Pure.
 */

import type { FormulaFacts } from '../../answer/facts/formulaFacts.ts';
import { plainTex, systemLines } from '../../answer/facts/plainTex.ts';

/** In plain words and TeX, one line. */
export function questionOf(tex: string, facts: FormulaFacts): string {
  const plain = plainTex(tex).replace(/\\left(?![a-zA-Z])|\\right(?![a-zA-Z])/g, '').replace(/\s+/g, ' ').trim();
  switch (facts.kind) {
    case 'number':
      return `Calculate ${plain}`;
    case 'equation':
      return facts.variables.length === 0 ? `Is it true that ${plain}?` : `Solve ${plain} for ${facts.variables.join(', ')}`;
    case 'system': {
      const lines = (systemLines(plain) ?? [plain]).map((line) => line.trim());
      return `Solve ${lines.join(', ')} for ${facts.variables.join(' and ')}`;
    }
    case 'function':
      return expressionQuestion((plain.split('=')[1] ?? plain).trim());
    case 'expression':
      return expressionQuestion(plain);
    case 'relation':
    case 'unread':
      return `Explain step by step: ${plain}`;
    default:
      return facts.kind satisfies never;
  }
}

/** Brackets are multiplied out, everything else is differentiated. */
function expressionQuestion(body: string): string {
  if (/^\\(?:int|sum|prod|lim|frac\s*\{\s*(?:d|\\partial))/.test(body)) return `Calculate ${body}`;
  return /^\([^()]+\)\s*\([^()]+\)$/.test(body) ? `Expand ${body}` : `Differentiate ${body}`;
}
