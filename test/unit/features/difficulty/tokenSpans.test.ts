/** Guards against a mark that stands beside its token: in another encoding, line end, script, or after a special token. */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../../src/engine/text/tokenizer.ts';
import type { Tokenizer } from '../../../../src/engine/text/tokenizer.ts';
import { literalOf, placeTokens } from '../../../../src/features/difficulty/tokenSpans.ts';
import type { TokenPiece } from '../../../../src/features/difficulty/tokenSpans.ts';

const checkpoint = (path: string): Tokenizer => loadTokenizer(fileURLToPath(new URL(`../../../../${path}`, import.meta.url)));
const bundled = checkpoint('models/tah-math-small/checkpoint');
const tiny = checkpoint('test/golden/vectors/tiny-tied/ckpt');

/** As the engine measures a text: the first token's text, then one event a token. */
function pieces(tokenizer: Tokenizer, text: string): TokenPiece[] {
  const ids = tokenizer.encode(text);
  const stream = tokenizer.stream();
  return ids.map((id, i) => {
    const special = tokenizer.isSpecial(id);
    return { text: stream.push(id) + (i === ids.length - 1 ? stream.end() : ''), special, literal: special ? tokenizer.display(id) : null };
  });
}

const plain = (text: string): TokenPiece => ({ text, special: false, literal: null });
const slices = (text: string, list: readonly TokenPiece[]): string[] => placeTokens(text, list).spans.map(({ start, end }) => text.slice(start, end));

describe.each([['bundled', bundled], ['tiny-tied', tiny]])('tokens of the %s tokenizer', (_name, tokenizer) => {
  it('cover any text, in order, each exactly where its characters stand', () => {
    const words = fc.constantFrom('x² ', '\r\n', '\t', '  ', '3x + 5', '🙂', '👩‍👩‍👧', 'é', 'e\u0301', '中文', '\ud800', '<|im_end|>', '<b>', '각', '각', '\ufeff', '$\\frac{1}{2}$', '\n\n');
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string({ unit: 'binary', maxLength: 8 }), fc.string({ unit: 'grapheme', maxLength: 8 })), { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const list = pieces(tokenizer, text);
        const { spans, unplaced } = placeTokens(text, list);
        expect(unplaced).toBe(0);
        expect(spans.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
        expect(spans.flatMap((span) => span.pieces)).toEqual(list.map((_piece, i) => i));
        for (const [i, span] of spans.entries()) expect(span.start).toBe(i === 0 ? 0 : spans[i - 1]?.end);
        for (const span of spans) {
          const own = span.pieces.map((i) => list[i]?.text ?? '').join('');
          const there = text.slice(span.start, span.end).replace(/\p{Surrogate}/gu, '\ufffd');
          if (span.pieces.every((i) => list[i]?.special === false)) expect(own.normalize('NFC')).toBe(there.normalize('NFC'));
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('a place', () => {
  it('counts CRLF as two and a tab as one', () => {
    expect(placeTokens('a\r\n\tb', [plain('a'), plain('\r\n'), plain('\tb')]).spans.map(({ start, end }) => [start, end])).toEqual([[0, 1], [1, 3], [3, 5]]);
  });

  it('is shared by tokens that split a character', () => {
    expect(placeTokens('a🙂b', [plain('a'), plain(''), plain(''), plain('🙂'), plain('b')]).spans).toEqual([
      { start: 0, end: 1, pieces: [0] },
      { start: 1, end: 3, pieces: [1, 2, 3] },
      { start: 3, end: 4, pieces: [4] },
    ]);
  });

  it('is found for text that the tokenizer composes', () => {
    expect(slices('e\u0301a', [plain('é'), plain('a')])).toEqual(['e\u0301', 'a']);
  });

  it('goes on behind a special token, written or added', () => {
    const special = (literal: string | null): TokenPiece => ({ text: '', special: true, literal });
    expect(slices('a<|x|>b', [plain('a'), special(null), plain('b')])).toEqual(['a', '<|x|>', 'b']);
    expect(slices('a<|x|>b', [plain('a'), special('<|x|>'), plain('b')])).toEqual(['a', '<|x|>', 'b']);
    // A start-of-text token before a document that begins with a tag.
    expect(slices('<div>b', [special(null), plain('<'), plain('div>b')])).toEqual(['<', 'div>b']);
  });

  it('is never made up: a token that is not there ends the placing, and the rest is counted', () => {
    expect(placeTokens('abc', [plain('a'), plain('x'), plain('c')])).toEqual({ spans: [{ start: 0, end: 1, pieces: [0] }], unplaced: 2 });
  });

  it('uses the way a special token is written where a candidate names it', () => {
    expect(literalOf(7, [[{ id: 3, text: 'a', logprob: 0 }], [{ id: 7, text: '<|x|>', logprob: -1 }]])).toBe('<|x|>');
    expect(literalOf(9, [[]])).toBeNull();
  });
});
