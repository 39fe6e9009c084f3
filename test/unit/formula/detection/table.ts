/** How the tables of these tests are written: inline formulas as their TeX, display ones with `D ` before it. */
import { expect } from 'vitest';
import { findFormulas } from '../../../../src/formula/detection/detect.ts';

export interface Row {
  readonly text: string;
  readonly formulas: readonly string[];
  /** What the formulas take up in the document, where it isn't plain from their TeX. */
  readonly places?: readonly string[];
}

/** Faults: a formula missed, one too many, wrong TeX, an end before its start, overlaps, a place outside of the text. */
export function expectRow(languageId: string, { text, formulas, places }: Row): void {
  const found = findFormulas(text, languageId);
  expect(found.map(({ tex, display }) => `${display ? 'D ' : ''}${tex}`)).toEqual(formulas);
  let last = 0;
  for (const { start, end } of found) {
    expect(start).toBeGreaterThanOrEqual(last);
    expect(end).toBeGreaterThan(start);
    last = end;
  }
  expect(last).toBeLessThanOrEqual(text.length);
  if (places !== undefined) expect(found.map(({ start, end }) => text.slice(start, end))).toEqual(places);
}
