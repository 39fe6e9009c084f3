/** The table of ratios, as text. Pure. */
import { show, type Spread } from './statistics.ts';

export type Row = MeasuredRow | { readonly measure: string; readonly goal: string; /** Why it was not measured. */ readonly absent: string };

export interface MeasuredRow {
  readonly measure: string;
  /** '' where the project has set none. */
  readonly goal: string;
  readonly ours: Spread;
  readonly other?: Spread;
  readonly unit: string;
  readonly ratio?: Spread;
}

const WIDTHS = [64, 24, 24, 22, 8] as const;

/** As Markdown. */
export function table(rows: readonly Row[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0)).join(' | ')} |`;
  return [
    line(['measure', 'this', 'that', 'ratio', 'goal']),
    `|${WIDTHS.map((width) => '-'.repeat(width + 2)).join('|')}|`,
    ...rows.map((row) => {
      if ('absent' in row) return line([row.measure, `not measured: ${row.absent}`, '', '', row.goal]);
      const digits = row.unit === 'MB' ? 0 : 2;
      return line([row.measure, `${show(row.ours, digits)} ${row.unit}`, row.other === undefined ? '' : `${show(row.other, digits)} ${row.unit}`, row.ratio === undefined ? '' : show(row.ratio, 3), row.goal]);
    }),
  ];
}
