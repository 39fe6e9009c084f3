// The benchmarks' grader against Math-Verify: test/fixtures/mathVerify/table.json is what Math-Verify says of each pair.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { gradeAnswer } from '../../../src/answer/grade/grade.ts';

interface Row {
  readonly group: string;
  readonly kind: 'number' | 'latex';
  readonly gold: string;
  readonly answer?: string;
  readonly text?: string;
  /** Math-Verify's verdict. */
  readonly same: boolean;
}
interface Table {
  readonly madeWith: Readonly<Record<string, string>>;
  readonly pairs: readonly Row[];
  readonly texts: readonly Row[];
}
const fixture = (name: string): string => readFileSync(path.join('test', 'fixtures', 'mathVerify', name), 'utf8');
const table = JSON.parse(fixture('table.json')) as Table;
const differences = JSON.parse(fixture('differences.json')) as { readonly gold: string; readonly answer: string; readonly reason: string }[];

const ours = ({ gold, answer, text, kind }: Row): boolean => gradeAnswer(text ?? `\\boxed{${answer ?? ''}}`, gold, kind);
const differs = ({ gold, answer }: Row): boolean => differences.some((one) => one.gold === gold && one.answer === answer);
/** A line for each verdict that isn't Math-Verify's. */
const otherVerdicts = (rows: readonly Row[]): string[] => rows.filter((row) => ours(row) !== row.same).map(({ gold, answer, text, same }) => `${gold} ← ${answer ?? text ?? ''}: Math-Verify says ${same ? 'the same' : 'another'}`);

describe('the grader', () => {
  it('is compared on a table that is large, of both verdicts, and made with a known Math-Verify', () => {
    expect(table.madeWith['math-verify']).toBe('0.9.0');
    expect(table.pairs.length).toBeGreaterThanOrEqual(1200);
    for (const verdict of [true, false]) expect(table.pairs.filter(({ same }) => same === verdict).length).toBeGreaterThan(400);
    // The table was made from the pairs that lie beside it.
    const listed = fixture('pairs.txt').split('\n').filter((line) => line.includes(' || '));
    expect(new Set(listed.map((line) => line.split(' || ')[0]?.trim()))).toEqual(new Set(table.pairs.map(({ gold }) => gold)));
  });

  it.each([...new Set(table.pairs.map(({ group }) => group))])('has Math-Verify’s verdicts: %s', (group) => {
    expect(otherVerdicts(table.pairs.filter((row) => row.group === group && !differs(row)))).toEqual([]);
  }, 120_000);

  it('finds the answer in a text where Math-Verify finds it', () => {
    expect(otherVerdicts(table.texts)).toEqual([]);
  }, 120_000);

  it('differs where it is listed, with the reason, and nowhere else', () => {
    expect(differences.length).toBeLessThanOrEqual(8);
    for (const { gold, answer, reason } of differences) {
      const row = table.pairs.find((one) => one.gold === gold && one.answer === answer);
      if (row === undefined) throw new Error(`${gold} ← ${answer} is not in the table.`);
      expect(ours(row), `${gold} ← ${answer}`).toBe(!row.same);
      expect(reason).toMatch(/^Math-Verify .{20,}\.$/);
    }
  });

  it.each(['', '\\boxed{}', '\\boxed{\\frac{1}{', '\\boxed{((((((((((}', `\\boxed{${'{'.repeat(5000)}}`, '\\boxed{1/0}', '\\boxed{0^0}', `\\boxed{${'-'.repeat(3001)}1}`, `\\boxed{${'-'.repeat(200_000)}1}`, '\\boxed{9^{9^{9^9}}}'])('says no to number %# of the hostile texts, without a fault', (text) => {
    expect(gradeAnswer(text, '1', 'latex')).toBe(false);
  });
});
