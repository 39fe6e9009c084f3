/** Medians with their spread. Pure. */

export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Median and extremes; NaN where there are no values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
  return { median, low: sorted[0] ?? NaN, high: sorted.at(-1) ?? NaN };
}

/** Ratios round by round: what slows a whole round down slows both. */
export function ratios(values: readonly number[], others: readonly number[]): Spread {
  return spreadOf(values.flatMap((value, round) => (others[round] === undefined ? [] : [value / others[round]])));
}

export function show({ median, low, high }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)}-${high.toFixed(digits)})`;
}
