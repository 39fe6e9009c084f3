/** Places of tokens: what is not in the document must still be found, blocks must lose no token. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenRow } from '../../../src/protocol/tokenRow.ts';
import { findMatches, stepMatch } from '../../../src/webview/search.ts';
import { BLOCK_TOKENS, TokenBlocks } from '../../../src/webview/tokenBlocks.ts';
import { TokenStore } from '../../../src/webview/tokenStore.ts';
import { numbered, token } from './exampleRun.ts';

function storeOf(texts: readonly string[], want: (from: number, to: number) => void = () => undefined): TokenStore {
  const store = new TokenStore(want);
  store.addRows(texts.map((text) => tokenRow(token(text))));
  return store;
}

const texts = fc.array(fc.constantFrom('a', 'bc', '', '\n', '.\n', '\nx', ' Ünder', '字'), { maxLength: 400 });

describe('blocks', () => {
  it('hold every token once, in order, and never more than is drawn at once', () => {
    fc.assert(
      fc.property(texts, (all) => {
        const blocks = new TokenBlocks();
        for (const text of all) blocks.append({ text });
        const held: number[] = [];
        for (let block = 0; block < blocks.count; block++) {
          const { from, to } = blocks.range(block);
          expect(to - from).toBeLessThanOrEqual(BLOCK_TOKENS);
          for (let i = from; i < to; i++) {
            held.push(i);
            expect(blocks.blockOf(i)).toBe(block);
          }
        }
        expect(held).toEqual(all.map((_, i) => i));
      }),
    );
  });

  it('end with a new line', () => {
    const blocks = new TokenBlocks();
    for (const text of ['a', '\n', 'b', '\nc', 'd']) blocks.append({ text });
    expect([blocks.range(0), blocks.range(1), blocks.range(2)]).toEqual([{ from: 0, to: 2 }, { from: 2, to: 3 }, { from: 3, to: 5 }]);
  });
});

describe('the store', () => {
  it('finds the token of every character, past tokens without text', () => {
    fc.assert(
      fc.property(texts, (all) => {
        const store = storeOf(all);
        expect(store.text()).toBe(all.join(''));
        for (let offset = 0; offset < store.text().length; offset++) {
          const index = store.indexAt(offset);
          expect(index).not.toBeNull();
          if (index !== null) expect(store.startOf(index) <= offset && offset < store.endOf(index)).toBe(true);
        }
      }),
    );
    expect(storeOf([]).indexAt(0)).toBeNull();
  });

  it('asks for a page once, and knows what was streamed', () => {
    const asked: [number, number][] = [];
    const store = storeOf(Array.from({ length: 100 }, () => 'a'), (from, to) => asked.push([from, to]));
    store.addTokens([token('z')]);
    expect(store.event(100)?.text).toBe('z');
    expect([store.event(70), store.event(71)]).toEqual([null, null]);
    expect(asked).toEqual([[64, 101]]);
    store.fill(numbered(Array.from({ length: 101 }, () => token('a'))).slice(64));
    expect(store.event(70)?.index).toBe(70);
    expect(store.event(500)).toBeNull();
    expect(asked).toHaveLength(1);
  });
});

describe('search', () => {
  it('finds over the borders of tokens, whatever the case, and takes signs as they are', () => {
    const store = storeOf(['The ', 'ans', 'wer', ' is\n', '$x', ' = (5', ').*$', ' ANSWER']);
    expect(findMatches(store, 'answer')).toEqual([{ from: 1, to: 2 }, { from: 7, to: 7 }]);
    expect(findMatches(store, 'is $X')).toEqual([{ from: 3, to: 4 }]);
    expect(findMatches(store, '(5).*')).toEqual([{ from: 5, to: 6 }]);
    expect(findMatches(store, '[')).toEqual([]);
    expect(findMatches(store, '  ')).toEqual([]);
  });

  it('takes any input as text, not as a pattern', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (before, query, after) => {
        const store = storeOf([before, ...query.split(/(?=.)/u), after]);
        if (query.trim() !== '') expect(findMatches(store, query).length).toBeGreaterThan(0);
      }),
    );
  });

  it('steps from where the user is, round the ends', () => {
    const matches = [{ from: 2, to: 3 }, { from: 8, to: 8 }];
    expect([stepMatch(matches, null, 1), stepMatch(matches, 2, 1), stepMatch(matches, 9, 1)]).toEqual([0, 1, 0]);
    expect([stepMatch(matches, 8, -1), stepMatch(matches, 1, -1), stepMatch([], 3, 1)]).toEqual([0, 1, null]);
  });
});
