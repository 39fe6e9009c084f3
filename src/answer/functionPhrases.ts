/** Sentences about a function of one letter: its value at a point, its derivative. Part of phrases.ts. */

import { parseExpression } from './parser.ts';
import { substitute, variablesOf } from './expression.ts';
import type { Expr } from './expression.ts';
import { readExpression } from './problemKinds.ts';
import type { Problem } from './problemKinds.ts';

const VERB = String.raw`(?:(?:evaluate|calculate|compute|find the value of|the value of|value of|what is|work out|find|substitute) )?`;
const POINT = String.raw`([a-z]) ?= ?(-?[\d./]+)`;

/** [pattern, place of the formula, of the letter, of the number]. */
const AT_POINT: readonly (readonly [RegExp, number, number, number])[] = [
  [new RegExp(`^${VERB}(?:let )?[a-z]\\(([a-z])\\) ?= ?(.+?)(?:[.,;] ?|,? )(?:find|calculate|what is|compute)? ?[a-z]\\((-?[\\d./]+)\\)(?: ?= ?\\??)?$`, 'i'), 2, 1, 3],
  [new RegExp(`^substitute ${POINT} into (.+)$`, 'i'), 3, 1, 2],
  [new RegExp(`^if ${POINT},? (?:what is|find|calculate|then) (.+)$`, 'i'), 3, 1, 2],
  [new RegExp(`^${VERB}(.+?)(?: (?:for|at|when|if|with|where)|,) ?${POINT}$`, 'i'), 1, 2, 3],
];

export function evaluationPhrase(text: string): Problem | null {
  for (const [pattern, formula, letter, value] of AT_POINT) {
    const match = pattern.exec(text);
    const [shown, name] = [match?.[formula] ?? '', match?.[letter] ?? ''];
    if (match === null || /=|\bsolve\b|\?/.test(shown) || text.endsWith("!")) continue;
    const expr = readExpression(shown);
    if (variablesOf(expr).join() !== name) continue;
    const at = parseExpression((match[value] ?? '').replace(/[./]$/, ''));
    return { kind: 'compute', expr: substitute(expr, new Map([[name, at]])), lowest: false, percent: false, remainder: 'no' };
  }
  return null;
}

/** [pattern, place of the formula, of the letter (0: the only one)]. */
const DERIVATIVES: readonly (readonly [RegExp, number, number])[] = [
  [/^(?:differentiate|derive) (.+?) with respect to ([a-z])$/i, 1, 2],
  [/^(?:what is |find |calculate |compute )?(?:the )?(?:differentiate|derivative of|derive) (.+?)$/i, 1, 0],
  [/^d ?\/ ?d([a-z]) ?(.+)$/i, 2, 1],
  [/^\\frac ?\{d\} ?\{d([a-z])\} ?(.+)$/i, 2, 1],
  [/^[a-z]\(([a-z])\) ?= ?(.+?)[,;.] ?(?:find|calculate|what is)? ?[a-z]'\([a-z]\)(?: ?= ?\??)?$/i, 2, 1],
  [/^(?:find |calculate |what is )?[a-z]'\([a-z]\),? (?:if|for|when|of) [a-z]\(([a-z])\) ?= ?(.+)$/i, 2, 1],
  [/^\((.+)\)'$/i, 1, 0],
];

export function derivativePhrase(text: string): Problem | null {
  for (const [pattern, formula, letter] of DERIVATIVES) {
    const match = pattern.exec(text);
    if (match === null || (match[formula] ?? '').includes('=') || text.endsWith("!")) continue;
    const expr: Expr = readExpression(match[formula] ?? '');
    const names = variablesOf(expr);
    const variable = letter === 0 ? names[0] : match[letter];
    if (variable === undefined || (letter === 0 && names.length !== 1)) continue;
    return { kind: 'differentiate', expr, variable };
  }
  return null;
}
