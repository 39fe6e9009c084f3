/**
 * Are two expressions equal? Exact normal forms first, decimals of 60 digits as the second opinion.
 * "Equal" is said only where both agree (or the exact one is certain and the other has none).
 */

import { exactOf, exactlyEqual } from './exact.ts';
import { some } from './expression.ts';
import type { Expr } from './expression.ts';
import { agreeNumerically, hasExtremeNumbers } from './numeric.ts';
import { decided } from './undecided.ts';

/** null: could not decide. */
export function equalExpressions(a: Expr, b: Expr): boolean | null {
  const [left, right] = [infinityOf(a), infinityOf(b)];
  if (left !== 'finite' || right !== 'finite') {
    if (left === null || right === null) return null;
    // What has no value (1/0) is not another value than infinity.
    const finite = left === 'finite' ? a : b;
    if (left !== right && (left === 'finite' || right === 'finite') && decided(() => exactOf(finite)) === null) return null;
    return left === right;
  }
  const exact = decided(() => exactlyEqual(a, b));
  if (exact === false) return false;
  const numeric = decided(() => agreeNumerically(a, b));
  if (exact === true) return numeric === false ? null : true;
  if (numeric === true && (hasExtremeNumbers(a) || hasExtremeNumbers(b))) return null;
  return numeric;
}

/** '+' and '-' for the infinities themselves; null for a calculation with one. */
function infinityOf(expr: Expr): '+' | '-' | 'finite' | null {
  const isInfinity = (part: Expr): boolean => part.kind === 'symbol' && part.name === '∞';
  if (isInfinity(expr)) return '+';
  if (expr.kind === 'negative' && isInfinity(expr.of)) return '-';
  return some(expr, isInfinity) ? null : 'finite';
}
