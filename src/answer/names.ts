/** Names that mean something in a formula: functions, Greek letters, and words that are words and not products of letters. */

import type { FunctionName } from './expression.ts';

export const FUNCTIONS: Readonly<Record<string, FunctionName>> = {
  sqrt: 'sqrt', abs: 'abs', ln: 'ln', log: 'log', lg: 'log', exp: 'exp', sin: 'sin', cos: 'cos', tan: 'tan', cot: 'cot', sec: 'sec', csc: 'csc', tg: 'tan',
  asin: 'asin', acos: 'acos', atan: 'atan', arcsin: 'asin', arccos: 'acos', arctan: 'atan', sinh: 'sinh', cosh: 'cosh', tanh: 'tanh',
  gcd: 'gcd', gcf: 'gcd', hcf: 'gcd', lcm: 'lcm', floor: 'floor', ceil: 'ceil', max: 'max', min: 'min',
};
export const INVERSE: Readonly<Partial<Record<FunctionName, FunctionName>>> = { sin: 'asin', cos: 'acos', tan: 'atan' };
/** Functions whose argument may stand without brackets: sin 2x. */
export const OPEN_ARGUMENT: ReadonlySet<FunctionName> = new Set<FunctionName>(['ln', 'log', 'logBase', 'sin', 'cos', 'tan', 'cot', 'sec', 'csc', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'exp']);
const MANY: ReadonlySet<FunctionName> = new Set<FunctionName>(['gcd', 'lcm', 'max', 'min']);
const TWO: ReadonlySet<FunctionName> = new Set<FunctionName>(['root', 'binomial', 'mod', 'logBase']);

/** How many arguments each takes: least, most. */
export function argumentCount(name: FunctionName): readonly [number, number] {
  if (MANY.has(name)) return [2, 50];
  return TWO.has(name) ? [2, 2] : [1, 1];
}

export const GREEK: ReadonlySet<string> = new Set([
  'alpha', 'beta', 'gamma', 'delta', 'epsilon', 'varepsilon', 'zeta', 'eta', 'theta', 'vartheta', 'kappa', 'lambda', 'mu', 'nu', 'xi', 'rho', 'sigma', 'tau', 'phi', 'varphi', 'chi', 'psi', 'omega',
]);

const TWO_LETTER_WORDS: ReadonlySet<string> = new Set('no or is ok am pm of if in to it at by be so do we he me my us up an as go on hi'.split(' '));
const ASCENDING = /^a?b?c?d?m?n?p?q?r?s?t?u?v?w?x?y?z?$/;

/** xy and abc are products of letters; "no", "yes" and "Tuesday" are words. */
export function isProductOfLetters(run: string): boolean {
  if (run.length === 1) return /\p{L}/u.test(run);
  if (!/^[a-zA-Z]+$/.test(run)) return false;
  if (run.length === 2) return !TWO_LETTER_WORDS.has(run.toLowerCase());
  return run.length <= 4 && (ASCENDING.test(run) || (/^[b-df-hj-np-tv-z]+$/.test(run) && ASCENDING.test(Array.from(run).sort().join(''))));
}
