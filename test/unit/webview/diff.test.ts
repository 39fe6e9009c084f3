/** An alignment must lose no token of either text, whatever they are. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { familyOf } from '../../../src/protocol/family.ts';
import { diffTexts } from '../../../src/webview/diff.ts';
import { oracleCounts, oracleRates, rowVerdict } from '../../../src/webview/oracle.ts';
import { oracleVerdict, secondPassEffects } from '../../../src/protocol/run.ts';
import { tokenRow } from '../../../src/protocol/tokenRow.ts';
import { candidates, run, token } from './exampleRun.ts';

const texts = fc.array(fc.constantFrom('a', 'b', 'c', '\n'), { maxLength: 40 });

it('covers both texts in order; equal parts are equal, changed ones touch no other changed one', () => {
  fc.assert(
    fc.property(texts, texts, (left, right) => {
      const { parts, prefix } = diffTexts(left, right);
      expect(parts.flatMap((part) => left.slice(part.left.from, part.left.to))).toEqual(left);
      expect(parts.flatMap((part) => right.slice(part.right.from, part.right.to))).toEqual(right);
      parts.forEach((part, i) => {
        const same = JSON.stringify(left.slice(part.left.from, part.left.to)) === JSON.stringify(right.slice(part.right.from, part.right.to));
        expect(same).toBe(part.kind === 'equal');
        if (part.kind === 'changed') expect(parts[i - 1]?.kind).not.toBe('changed');
      });
      expect(left.slice(0, prefix)).toEqual(right.slice(0, prefix));
    }),
  );
});

it('gives up an alignment that takes too long, and says so', () => {
  const left = Array.from({ length: 4000 }, (_, i) => `a${i}`);
  const right = Array.from({ length: 4000 }, (_, i) => `b${i}`);
  const diff = diffTexts(['x', ...left], ['x', ...right], 0);
  expect(diff.aligned).toBe(false);
  expect(diff.parts.at(-1)).toEqual({ kind: 'changed', left: { from: 1, to: 4001 }, right: { from: 1, to: 4001 } });
});

it('a row says of the oracle what the whole token says', () => {
  for (const id of [197, 5]) {
    for (const iterCount of [1, 2]) {
      const one = token('a', { id, iterCount, before: candidates('a', 'b') });
      expect(rowVerdict(tokenRow(one))).toBe(oracleVerdict(one));
    }
  }
  const counts = oracleCounts([{ hard: true, iterCount: 2 }, { hard: true, iterCount: 1 }, { hard: false, iterCount: 2 }, { hard: true, iterCount: 2 }]);
  expect(counts).toEqual({ 'hard-sent': 2, 'hard-missed': 1, 'easy-sent': 1, 'easy-skipped': 0 });
  expect(oracleRates(counts)).toEqual({ precision: 2 / 3, recall: 2 / 3 });
  expect(oracleRates(oracleCounts([]))).toEqual({ precision: null, recall: null });
});

it('counts what second passes did, and nothing of tokens that had one', () => {
  const row = (iterCount: number, hard: boolean, right: boolean): { iterCount: number; hard: boolean; right: boolean } => ({ iterCount, hard, right });
  const effects = secondPassEffects([row(2, true, true), row(2, true, true), row(2, true, false), row(2, false, false), row(2, false, true), row(1, true, false), row(1, false, true)]);
  expect(effects).toEqual({ corrected: 2, unrepaired: 1, overthought: 1, needless: 1 });
  expect(tokenRow(token('a', { id: 197, iterCount: 2, before: candidates('b', 'a'), after: candidates('a', 'b') }))).toMatchObject({ hard: true, right: true });
});

it('a family is the tree around a run, and a run that is its own parent ends it', () => {
  const member = (id: string, parentId: string | null) => ({ ...run({ id, branch: parentId === null ? null : { parentId, index: 3, change: { kind: 'passes', iterCount: 2 } } }), tokens: 7 });
  const all = [member('a', null), member('b', 'a'), member('x', null), member('c', 'b'), member('d', 'a'), member('lost', 'gone'), member('self', 'self')];
  expect(familyOf('c', all).map(({ id, depth }) => [id, depth])).toEqual([['a', 0], ['b', 1], ['c', 2], ['d', 1]]);
  expect(familyOf('x', all)).toHaveLength(1);
  expect(familyOf('lost', all).map(({ id }) => id)).toEqual(['lost']);
  expect(familyOf('self', all).map(({ id }) => id)).toEqual(['self']);
  expect(familyOf('none', all)).toEqual([]);
});
