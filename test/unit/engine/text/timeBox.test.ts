import { describe, expect, it } from 'vitest';
import { runWithin } from '../../../../src/engine/text/timeBox.ts';

const late = (): Error => new Error('late');

describe('runWithin', () => {
  it('returns what the work returns, also nested', () => {
    expect(runWithin(1000, () => [1, runWithin(1000, () => 2, late), 3], late)).toEqual([1, 2, 3]);
  });

  it('passes on what the work throws', () => {
    const own = new TypeError('own');
    expect(() => runWithin(1000, () => { throw own; }, late)).toThrow(own);
  });

  it('ends an endless loop and an endless regular expression', () => {
    const loop = (): never => {
      for (;;);
    };
    expect(() => runWithin(50, loop, late)).toThrow('late');
    expect(() => runWithin(50, () => /^(?:a|a|a)+$/.test(`${'a'.repeat(60)}b`), late)).toThrow('late');
    expect(runWithin(1000, () => 'next', late)).toBe('next');
  });
});
