/**
 * LaTeX, plain or Unicode maths text → tokens. Knows spellings only: spaces, thousands separators, minus signs,
 * superscripts, vulgar fractions, LaTeX commands. Does not know what a token means.
 */

import { add, fromDecimal, multiply, power, rational } from './rational.ts';
import type { Rational } from './rational.ts';
import { Undecided } from './undecided.ts';

export type Token =
  | { readonly type: 'number'; readonly value: Rational; readonly digits: string; readonly decimal: boolean; readonly spaced: boolean }
  /** A run of letters. `text`: it stood in \text{} or the like. */
  | { readonly type: 'word'; readonly text: string; readonly spaced: boolean }
  /** A LaTeX command without its backslash. */
  | { readonly type: 'command'; readonly text: string; readonly spaced: boolean }
  | { readonly type: 'sign'; readonly text: string; readonly spaced: boolean };

const MAX_CHARACTERS = 20_000;
const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const SUBSCRIPT = '₀₁₂₃₄₅₆₇₈₉';
const VULGAR: Readonly<Record<string, string>> = {
  '½': '1}{2', '⅓': '1}{3', '⅔': '2}{3', '¼': '1}{4', '¾': '3}{4', '⅕': '1}{5', '⅖': '2}{5', '⅗': '3}{5', '⅘': '4}{5', '⅙': '1}{6', '⅚': '5}{6', '⅛': '1}{8', '⅜': '3}{8', '⅝': '5}{8', '⅞': '7}{8',
};
const GREEK: Readonly<Record<string, string>> = { π: 'pi', α: 'alpha', β: 'beta', γ: 'gamma', δ: 'delta', θ: 'theta', λ: 'lambda', μ: 'mu', φ: 'phi', ω: 'omega', τ: 'tau', σ: 'sigma' };

/** The same formula with one spelling for each sign. Words are left alone. */
export function normalized(text: string): string {
  if (text.length > MAX_CHARACTERS) throw new Undecided('too-long', String(MAX_CHARACTERS));
  return text
    .replace(/[−–—﹣－‐‑]/g, '-')
    .replace(/[·⋅∙∗•]/g, '*')
    .replace(/×/g, '*')
    .replace(/\*\*/g, '^')
    .replace(/[０-９]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(/[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (run) => `^{${Array.from(run, (c) => (c === '⁻' ? '-' : c === '⁺' ? '' : String(SUPERSCRIPT.indexOf(c)))).join('')}}`)
    .replace(/[₀₁₂₃₄₅₆₇₈₉]+/g, (run) => `_{${Array.from(run, (c) => String(SUBSCRIPT.indexOf(c))).join('')}}`)
    .replace(/[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]/g, (c) => `\\frac{${VULGAR[c] ?? ''}}`)
    .replace(/[πα-δθλμφωτσ]/g, (c) => (GREEK[c] === undefined ? c : `\\${GREEK[c]} `))
    .replace(/√/g, '\\root ').replace(/∛/g, '\\cuberoot ')
    .replace(/±/g, '\\pm ').replace(/∞/g, '\\infty ').replace(/∪/g, '\\cup ').replace(/∈/g, '\\in ').replace(/∅/g, '\\emptyset ')
    .replace(/≤/g, '\\le ').replace(/≥/g, '\\ge ').replace(/≠/g, '\\ne ')
    .replace(/\^\{?\s*\\circ\s*\}?|\\degree(?![a-zA-Z])|\\circ(?![a-zA-Z])/g, '°')
    .replace(/\\(?:left|right)(?![a-zA-Z])\.?/g, '')
    .replace(/\\(?:[bB]igg?[lr]?|displaystyle|textstyle|limits|nolimits)(?![a-zA-Z])/g, '')
    .replace(/\\[dtc]frac(?![a-zA-Z])/g, '\\frac').replace(/\\[dt]binom(?![a-zA-Z])/g, '\\binom')
    .replace(/(\d)\{,\}(?=\d{3})/g, '$1,')
    .replace(/(?<=\d)(?:\\[,;:! ]|[\u2009\u202f\u00a0])(?=\d{3}(?!\d))/g, '')
    .replace(/\\[,;:!> ]|~|\\q?quad(?![a-zA-Z])|[\u2009\u202f\u00a0]/g, ' ')
    .replace(/\\%/g, '%').replace(/\\lvert|\\rvert|\\vert/g, '|').replace(/\\lbrace/g, '\\{').replace(/\\rbrace/g, '\\}');
}

const NUMBER = /\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+\.?\d*(?:[eE][+-]?\d+(?![\da-zA-Z]))?|\.\d+/y;
const OVERLINE = /\\overline\{(\d+)\}/y;
const WORD = /[\p{L}]+/uy;
const COMMAND = /\\([a-zA-Z]+)/y;
const BOXED_TEXT = /\\(?:text|mathrm|textrm|mathbf|textbf|mathit|textit|operatorname|mbox)\*?\{([^{}]*)\}/y;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function numberValue(digits: string): Rational {
  const [mantissa = '', exponent] = digits.replace(/,/g, '').split(/[eE]/);
  const value = fromDecimal(mantissa);
  return exponent === undefined ? value : multiply(value, power(rational(10n), BigInt(exponent)));
}

/** A decimal with a period: `head` is what stands before the bar ("0.1"), `period` what is under it. */
function repeating(head: string, period: string): Rational {
  const places = head.split('.')[1]?.length ?? 0;
  const nines = 10n ** BigInt(period.length) - 1n;
  const base = fromDecimal(head);
  const tail = rational(BigInt(period), nines * 10n ** BigInt(places));
  return add(base, tail);
}

/** @throws Undecided for a character that has no place in a formula */
export function tokenize(formula: string): Token[] {
  const text = normalized(formula);
  const tokens: Token[] = [];
  let at = 0;
  let spaced = false;
  const push = (token: Token, length: number): void => {
    tokens.push(token);
    at += length;
    spaced = false;
  };
  while (at < text.length) {
    const char = text.charAt(at);
    if (/\s/.test(char)) {
      at += 1;
      spaced = true;
      continue;
    }
    const number = matchAt(NUMBER, text, at);
    if (number !== null) {
      const [digits] = number;
      const bar = digits.includes('.') ? matchAt(OVERLINE, text, at + digits.length) : null;
      const value = bar === null ? numberValue(digits) : repeating(digits, bar[1] ?? '');
      push({ type: 'number', value, digits, decimal: /[.eE]/.test(digits) && bar === null, spaced }, digits.length + (bar?.[0].length ?? 0));
      continue;
    }
    const boxed = matchAt(BOXED_TEXT, text, at);
    if (boxed !== null) {
      const word = (boxed[1] ?? '').trim();
      if (word === '') at += boxed[0].length;
      else if (/^\p{L}+$/u.test(word)) push({ type: 'word', text: word, spaced }, boxed[0].length);
      else throw new Undecided('not-a-word', word);
      continue;
    }
    const word = matchAt(WORD, text, at);
    if (word !== null) {
      push({ type: 'word', text: word[0], spaced }, word[0].length);
      continue;
    }
    const command = matchAt(COMMAND, text, at);
    if (command !== null) push({ type: 'command', text: command[1] ?? '', spaced }, command[0].length);
    else if (text.startsWith('\\{', at) || text.startsWith('\\}', at)) push({ type: 'sign', text: text.slice(at, at + 2), spaced }, 2);
    else if ('+-*/÷:^_(){}[]|!%°,=<>\''.includes(char)) push({ type: 'sign', text: char, spaced }, 1);
    else throw new Undecided('unknown-sign', char);
  }
  return tokens;
}
