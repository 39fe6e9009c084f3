/** Stop texts: none of one may be sent, nothing that is none may be lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StopFilter } from '../../../src/serve/stopFilter.ts';

function send(pieces: readonly string[], stops: readonly string[]): { text: string; values: number[]; largestWait: number } {
  const filter = new StopFilter<number>(stops);
  const out = pieces.flatMap((text, value) => filter.push({ text, value }));
  const all = [...out, ...filter.end()];
  return { text: all.map((piece) => piece.text).join(''), values: all.map((piece) => piece.value), largestWait: pieces.length - out.length };
}

describe('StopFilter', () => {
  it('cuts before a stop text that is split over pieces', () => {
    expect(send(['a', 'b\n', '\nc', 'd'], ['\n\n']).text).toBe('ab');
  });

  it('lets a beginning that comes to nothing pass, and one at the end too', () => {
    expect(send(['x<', '/y', ' <'], ['</z>']).text).toBe('x</y <');
  });

  it('holds nothing back that can be no stop text', () => {
    const filter = new StopFilter<number>(['STOP']);
    expect(filter.push({ text: 'hello ', value: 0 }).map((piece) => piece.text)).toEqual(['hello ']);
    expect(filter.push({ text: 'S', value: 1 })).toEqual([]);
  });

  it('sends exactly the text before the first stop text, and every piece once and in order', () => {
    const letters = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 3 }), { maxLength: 12 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }), { maxLength: 3 });
    fc.assert(
      fc.property(letters, stops, (pieces, texts) => {
        const whole = pieces.join('');
        const at = Math.min(whole.length, ...texts.map((stop) => whole.indexOf(stop)).filter((index) => index >= 0));
        const sent = send(pieces, texts);
        expect(sent.text).toBe(whole.slice(0, at));
        expect(sent.values).toEqual(pieces.map((_, i) => i));
      }),
    );
  });
});
