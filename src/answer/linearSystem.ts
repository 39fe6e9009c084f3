/** Linear equations in several unknowns over the rationals: the one solution, none, or many. Knows no notation. */

import { differenceOf, exactOf } from './exact.ts';
import { WHOLE, generatorsOf } from './polynomial.ts';
import type { Equation } from './problemKinds.ts';
import { divide, multiply, negate, rational, subtract } from './rational.ts';
import type { Rational } from './rational.ts';

export type SystemSolution = { readonly kind: 'one'; readonly values: ReadonlyMap<string, Rational> } | { readonly kind: 'none' } | { readonly kind: 'many' };

/** null: not linear with rational coefficients. */
export function solveLinearSystem(equations: readonly Equation[], unknowns: readonly string[]): SystemSolution | null {
  const rows: Rational[][] = [];
  for (const { left, right } of equations) {
    const [a, b] = [exactOf(left), exactOf(right)];
    if (generatorsOf(a.under).size + generatorsOf(b.under).size > 0) return null;
    const row = Array.from({ length: unknowns.length + 1 }, () => rational(0n));
    for (const term of differenceOf(a, b).values()) {
      const [name, exponent] = [...term.powers][0] ?? ['', WHOLE];
      const column = name === '' ? unknowns.length : unknowns.indexOf(name);
      if (term.powers.size > 1 || exponent !== WHOLE || column < 0) return null;
      row[column] = name === '' ? negate(term.coefficient) : term.coefficient;
    }
    rows.push(row);
  }
  return eliminated(rows, unknowns);
}

function eliminated(rows: readonly Rational[][], unknowns: readonly string[]): SystemSolution {
  let left = rows.map((row) => [...row]);
  const pivots: Rational[][] = [];
  for (let column = 0; column < unknowns.length; column += 1) {
    const pivot = left.find((row) => row[column]?.n !== 0n);
    const head = pivot?.[column];
    if (pivot === undefined || head === undefined) continue;
    const scaled = pivot.map((value) => divide(value, head));
    const without = (row: readonly Rational[]): Rational[] => row.map((value, i) => subtract(value, multiply(row[column] ?? value, scaled[i] ?? value)));
    left = left.filter((row) => row !== pivot).map(without);
    pivots.splice(0, pivots.length, ...pivots.map(without), scaled);
  }
  if (left.some((row) => row.at(-1)?.n !== 0n)) return { kind: 'none' };
  if (pivots.length < unknowns.length) return { kind: 'many' };
  return { kind: 'one', values: new Map(pivots.map((row, i) => [unknowns[i] ?? '', row.at(-1) ?? rational(0n)])) };
}
