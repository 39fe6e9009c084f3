/** An expression tree of this room as TeX, for conditions and values that this room finds itself. */

import { show } from '../expression.ts';
import type { Expr } from '../expression.ts';
import type { Rational } from '../rational.ts';

const FUNCTIONS: Readonly<Record<string, string>> = { asin: 'arcsin', acos: 'arccos', atan: 'arctan' };
const OPERATORS = new Set(['ln', 'log', 'exp', 'sin', 'cos', 'tan', 'cot', 'sec', 'csc', 'sinh', 'cosh', 'tanh', 'gcd', 'max', 'min', 'arcsin', 'arccos', 'arctan']);

export function rationalTex({ n, d }: Rational): string {
  const size = n < 0n ? -n : n;
  const sign = n < 0n ? '-' : '';
  return d === 1n ? `${sign}${size.toString()}` : `${sign}\\frac{${size.toString()}}{${d.toString()}}`;
}

export function letterTex(name: string): string {
  const [letter = '', index] = name.split('_');
  const shown = letter.length > 1 ? `\\${letter}` : letter;
  return index === undefined ? shown : `${shown}_{${index}}`;
}

export function exprTex(expr: Expr): string {
  const inner = (part: Expr): string => (part.kind === 'sum' || part.kind === 'negative' ? `\\left(${exprTex(part)}\\right)` : exprTex(part));
  switch (expr.kind) {
    case 'number':
      return expr.written === 'decimal' ? show(expr) : rationalTex(expr.value);
    case 'symbol':
      return expr.name === 'π' ? '\\pi' : expr.name === '∞' ? '\\infty' : letterTex(expr.name);
    case 'sum':
      return expr.terms.map((term, i) => (term.kind === 'negative' ? `-${inner(term.of)}` : `${i === 0 ? '' : '+'}${inner(term)}`)).join('');
    case 'product':
      return expr.factors.map((factor, i) => (i > 0 && factor.kind === 'number' ? `\\cdot ${inner(factor)}` : inner(factor))).join(' ');
    case 'quotient':
      return `\\frac{${exprTex(expr.over)}}{${exprTex(expr.under)}}`;
    case 'power':
      return `${['number', 'symbol'].includes(expr.base.kind) ? exprTex(expr.base) : `\\left(${exprTex(expr.base)}\\right)`}^{${exprTex(expr.exponent)}}`;
    case 'negative':
      return `-${inner(expr.of)}`;
    case 'percent':
      return `${inner(expr.of)}\\%`;
    case 'plus-minus':
      return `\\pm ${inner(expr.of)}`;
    case 'call':
      return callTex(expr.name, expr.args.map(exprTex));
    default:
      return expr satisfies never;
  }
}

function callTex(name: string, args: readonly string[]): string {
  const [a = '', b = ''] = args;
  if (name === 'sqrt') return `\\sqrt{${a}}`;
  if (name === 'root') return `\\sqrt[${b}]{${a}}`;
  if (name === 'abs') return `\\left|${a}\\right|`;
  if (name === 'factorial') return `\\left(${a}\\right)!`;
  if (name === 'binomial') return `\\binom{${a}}{${b}}`;
  if (name === 'degrees') return `${a}^{\\circ}`;
  if (name === 'logBase') return `\\log_{${b}}\\left(${a}\\right)`;
  const shown = FUNCTIONS[name] ?? name;
  return `${OPERATORS.has(shown) ? `\\${shown}` : `\\operatorname{${shown}}`}\\left(${args.join(',')}\\right)`;
}
