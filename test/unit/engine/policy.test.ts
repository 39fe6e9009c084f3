import { describe, expect, it } from 'vitest';
import { checkPolicy, continues } from '../../../src/engine/policy.ts';

const row = { position: 3, iterCount: 1, probability: 0.7, firstPassRight: null };

describe('thinking policies', () => {
  it('compares strictly and in float32, as the reference does', () => {
    expect(continues({ kind: 'decider' }, 0.7, { ...row, probability: Math.fround(0.7) })).toBe(false);
    expect(continues({ kind: 'decider' }, 0.7, { ...row, probability: 0.7000001 })).toBe(true);
    expect(continues({ kind: 'decider', threshold: 0.8 }, 0.1, row)).toBe(false);
  });

  it('never and always ignore the decider', () => {
    expect(continues({ kind: 'never' }, 0, row)).toBe(false);
    expect(continues({ kind: 'always' }, 1, { ...row, probability: null })).toBe(true);
  });

  it('depths are by position; beyond the list and at null the decider decides', () => {
    const policy = { kind: 'depths', iterCounts: [1, 1, null, 2] } as const;
    expect(continues(policy, 0.9, row)).toBe(true);
    expect(continues(policy, 0.9, { ...row, iterCount: 2 })).toBe(false);
    expect(continues(policy, 0.5, { ...row, position: 2 })).toBe(true);
    expect(continues(policy, 0.9, { ...row, position: 4 })).toBe(false);
  });

  it('oracle labels read as IterLabelDecider does: continue while label > iterCount, 0 and -100 are one pass', () => {
    const at = (label: number, iterCount: number): boolean => continues({ kind: 'oracle', labels: [0, 0, 0, label] }, 0, { ...row, iterCount });
    expect([at(2, 1), at(2, 2), at(5, 2), at(0, 1), at(-100, 1), at(1, 1)]).toEqual([true, false, true, false, false, false]);
  });

  it('the self-oracle sends exactly what the first pass got wrong, once', () => {
    const at = (firstPassRight: boolean | null, iterCount: number): boolean => continues({ kind: 'self-oracle' }, 0, { ...row, firstPassRight, iterCount });
    expect([at(false, 1), at(true, 1), at(null, 1), at(false, 2)]).toEqual([true, false, false, false]);
  });

  it('refuses a threshold that is no number, and second passes of a plain model', () => {
    expect(() => { checkPolicy({ kind: 'decider', threshold: NaN }, true); }).toThrow(/threshold/);
    expect(() => { checkPolicy({ kind: 'always' }, false); }).toThrow(/plain model/);
    expect(() => { checkPolicy({ kind: 'decider' }, false); }).not.toThrow();
  });
});
