/** The derivative of an expression tree by the rules of calculus; not simplified. Knows the common functions. */

import { negative, numberOf, product, quotient, sum, variablesOf } from './expression.ts';
import type { Expr } from './expression.ts';
import { Undecided } from './undecided.ts';

const call = (name: Extract<Expr, { kind: 'call' }>['name'], ...args: Expr[]): Expr => ({ kind: 'call', name, args });
const power = (base: Expr, exponent: Expr): Expr => ({ kind: 'power', base, exponent });

/** d/d`name`. @throws Undecided for a function whose rule isn't known here */
export function derivative(expr: Expr, name: string): Expr {
  if (!variablesOf(expr).includes(name)) return numberOf(0);
  switch (expr.kind) {
    case 'symbol':
      return numberOf(1);
    case 'sum':
      return sum(depending(expr.terms, name).map((term) => derivative(term, name)));
    case 'product':
      return sum(depending(expr.factors, name).map((factor) => withoutOnes([...expr.factors.filter((other) => other !== factor), derivative(factor, name)])));
    case 'quotient':
      return quotient(
        sum([product([derivative(expr.over, name), expr.under]), negative(product([expr.over, derivative(expr.under, name)]))]),
        power(expr.under, numberOf(2)),
      );
    case 'negative':
      return negative(derivative(expr.of, name));
    case 'percent':
      return { kind: 'percent', of: derivative(expr.of, name) };
    case 'power':
      return ofPower(expr, name);
    case 'call':
      return ofCall(expr, name);
    case 'number':
    case 'plus-minus':
      throw new Undecided('derivative-unknown');
    default:
      return expr satisfies never;
  }
}

function depending(parts: readonly Expr[], name: string): Expr[] {
  return parts.filter((part) => variablesOf(part).includes(name));
}

/** Only so that a derivative that has no normal form can be shown. */
function withoutOnes(factors: readonly Expr[]): Expr {
  const rest = factors.filter((factor) => factor.kind !== 'number' || factor.value.n !== factor.value.d);
  return rest.length === 0 ? numberOf(1) : product(rest);
}

function ofPower({ base, exponent }: Extract<Expr, { kind: 'power' }>, name: string): Expr {
  if (!variablesOf(exponent).includes(name)) return product([exponent, power(base, sum([exponent, numberOf(-1)])), derivative(base, name)]);
  if (!variablesOf(base).includes(name)) return withoutOnes([derivative(exponent, name), power(base, exponent), ...(base.kind === 'symbol' && base.name === 'e' ? [] : [call('ln', base)])]);
  throw new Undecided('derivative-unknown');
}

function ofCall({ name: called, args }: Extract<Expr, { kind: 'call' }>, name: string): Expr {
  const [of] = args;
  if (of === undefined || args.length > 1) throw new Undecided('derivative-unknown');
  return withoutOnes([outer(called, of), derivative(of, name)]);
}

function outer(called: Extract<Expr, { kind: 'call' }>['name'], of: Expr): Expr {
  const one = numberOf(1);
  if (called === 'sqrt') return quotient(one, product([numberOf(2), call('sqrt', of)]));
  if (called === 'ln') return quotient(one, of);
  if (called === 'exp') return call('exp', of);
  if (called === 'sin') return call('cos', of);
  if (called === 'cos') return negative(call('sin', of));
  if (called === 'tan') return quotient(one, power(call('cos', of), numberOf(2)));
  if (called === 'asin') return quotient(one, call('sqrt', sum([one, negative(power(of, numberOf(2)))])));
  if (called === 'atan') return quotient(one, sum([one, power(of, numberOf(2))]));
  throw new Undecided('derivative-unknown');
}
