/**
 * A formula read a second time, by this room's own parser, which refuses what can be read in two ways. Gives MathJSON,
 * so that both readings are evaluated by the same means. Knows nothing of the first reading.
 */

import type { Expr, FunctionName } from '../expression.ts';
import type { Json } from './numbers.ts';

const HEADS: Readonly<Record<FunctionName, string>> = {
  sqrt: 'Sqrt', root: 'Root', abs: 'Abs', ln: 'Ln', log: 'Log', logBase: 'Log', exp: 'Exp', sin: 'Sin', cos: 'Cos', tan: 'Tan', cot: 'Cot', sec: 'Sec', csc: 'Csc', asin: 'Arcsin', acos: 'Arccos', atan: 'Arctan',
  sinh: 'Sinh', cosh: 'Cosh', tanh: 'Tanh', factorial: 'Factorial', binomial: 'Binomial', gcd: 'GCD', lcm: 'LCM', floor: 'Floor', ceil: 'Ceil', max: 'Max', min: 'Min', mod: 'Mod', degrees: 'Degrees',
};
const SYMBOLS: Readonly<Record<string, string>> = { π: 'Pi', e: 'ExponentialE', i: 'ImaginaryUnit', '∞': 'PositiveInfinity' };

export function mathJsonOf(expr: Expr): Json {
  switch (expr.kind) {
    case 'number':
      return expr.value.d === 1n ? Number(expr.value.n) : ['Divide', Number(expr.value.n), Number(expr.value.d)];
    case 'symbol':
      return SYMBOLS[expr.name] ?? expr.name;
    case 'sum':
      return ['Add', ...expr.terms.map(mathJsonOf)];
    case 'product':
      return ['Multiply', ...expr.factors.map(mathJsonOf)];
    case 'quotient':
      return ['Divide', mathJsonOf(expr.over), mathJsonOf(expr.under)];
    case 'power':
      return ['Power', mathJsonOf(expr.base), mathJsonOf(expr.exponent)];
    case 'negative':
      return ['Negate', mathJsonOf(expr.of)];
    case 'percent':
      return ['Divide', mathJsonOf(expr.of), 100];
    case 'plus-minus':
      return ['PlusMinus', mathJsonOf(expr.of)];
    case 'call':
      return [HEADS[expr.name], ...expr.args.map(mathJsonOf)];
    default:
      return expr satisfies never;
  }
}
