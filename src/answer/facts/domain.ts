/**
 * For which real values of its one letter an expression has a real value: from its denominators, even roots and
 * logarithms. Conditions are worked out where they are linear or have rational roots, else given as they stand.
 */

import { exactOf } from '../exact.ts';
import { childrenOf, variablesOf } from '../expression.ts';
import type { Expr, FunctionName } from '../expression.ts';
import { constantValue, rationalCoefficients } from '../polynomial.ts';
import { divide, negate, rational, sign } from '../rational.ts';
import { distinctRoots, rationalRoots, realRootCount } from '../roots.ts';
import { decided } from '../undecided.ts';
import { exprTex, letterTex, rationalTex } from './exprTex.ts';

/** TeX of each condition, none twice; null: it has a part of which the conditions are not known here. */
export function domainOf(expr: Expr, variable: string): readonly string[] | null {
  const found: string[] = [];
  return collect(expr, variable, found) ? [...new Set(found)] : null;
}

function collect(expr: Expr, variable: string, found: string[]): boolean {
  if (!variablesOf(expr).includes(variable)) return true;
  const conditions = conditionsAt(expr, variable);
  if (conditions === null) return false;
  found.push(...conditions);
  return childrenOf(expr).every((child) => collect(child, variable, found));
}

function conditionsAt(expr: Expr, variable: string): readonly string[] | null {
  if (expr.kind === 'quotient') return isNot(expr.under, variable);
  if (expr.kind === 'power') return powerConditions(expr, variable);
  return expr.kind === 'call' ? callConditions(expr.name, expr.args, variable) : [];
}

function callConditions(name: FunctionName, [of, second]: readonly Expr[], variable: string): readonly string[] | null {
  if (of === undefined) return null;
  switch (name) {
    case 'sqrt':
      return atLeastZero(of, variable, '\\geq');
    case 'ln':
    case 'log':
      return atLeastZero(of, variable, '>');
    case 'root':
    case 'abs':
    case 'exp':
    case 'sin':
    case 'cos':
    case 'atan':
    case 'sinh':
    case 'cosh':
    case 'tanh':
    case 'floor':
    case 'ceil':
    case 'max':
    case 'min':
      return name === 'root' && !isOddIndex(second) ? atLeastZero(of, variable, '\\geq') : [];
    case 'tan':
    case 'sec':
      return [`\\cos\\left(${exprTex(of)}\\right) \\neq 0`];
    case 'cot':
    case 'csc':
      return [`\\sin\\left(${exprTex(of)}\\right) \\neq 0`];
    case 'asin':
    case 'acos':
      return [`-1 \\leq ${exprTex(of)} \\leq 1`];
    case 'logBase':
    case 'factorial':
    case 'binomial':
    case 'gcd':
    case 'lcm':
    case 'mod':
    case 'degrees':
      return null;
    default:
      return name satisfies never;
  }
}

function isOddIndex(index: Expr | undefined): boolean {
  return index?.kind === 'number' && index.value.d === 1n && index.value.n % 2n === 1n;
}

/** Whole powers of anything, any power of a positive number; the rest is not worked out. */
function powerConditions({ base, exponent }: Extract<Expr, { kind: 'power' }>, variable: string): readonly string[] | null {
  const value = decided(() => constantValue(exactOf(exponent).over));
  if (variablesOf(exponent).length > 0) {
    const number = base.kind === 'number' && sign(base.value) > 0;
    return number || (base.kind === 'symbol' && (base.name === 'e' || base.name === 'π')) ? [] : null;
  }
  if (value?.d !== 1n) return value?.d === 2n && sign(value) > 0 ? atLeastZero(base, variable, '\\geq') : null;
  return sign(value) > 0 ? [] : isNot(base, variable);
}

function polynomialOf(expr: Expr, variable: string): ReturnType<typeof rationalCoefficients> {
  return decided(() => {
    const exact = exactOf(expr);
    return constantValue(exact.under) === null ? null : rationalCoefficients(exact.over, variable);
  });
}

function isNot(under: Expr, variable: string): readonly string[] {
  const name = letterTex(variable);
  const p = polynomialOf(under, variable);
  const roots = p === null ? null : decided(() => distinctRoots(p, [rational(1n)]));
  if (roots !== null) {
    const count = realRootCount(roots);
    const found = decided(() => rationalRoots(roots)) ?? [];
    if (count === 0) return [];
    if (found.length === count) return found.sort((a, b) => Number(a.n) / Number(a.d) - Number(b.n) / Number(b.d)).map((root) => `${name} \\neq ${rationalTex(root)}`);
  }
  return variablesOf(under).includes(variable) ? [`${exprTex(under)} \\neq 0`] : [];
}

function atLeastZero(of: Expr, variable: string, relation: '>' | '\\geq'): readonly string[] {
  const p = polynomialOf(of, variable);
  const [constant, slope] = p ?? [];
  if (p?.length === 2 && constant !== undefined && slope !== undefined) {
    const bound = rationalTex(divide(negate(constant), slope));
    const flipped = relation === '>' ? '<' : '\\leq';
    return [`${letterTex(variable)} ${sign(slope) > 0 ? relation : flipped} ${bound}`];
  }
  const roots = p === null || p.length === 0 ? null : decided(() => distinctRoots(p, [rational(1n)]));
  const lead = p?.at(-1);
  // A sum such as x² + 1 is never negative.
  if (roots !== null && lead !== undefined && realRootCount(roots) === 0 && sign(lead) > 0) return [];
  return [`${exprTex(of)} ${relation} 0`];
}
