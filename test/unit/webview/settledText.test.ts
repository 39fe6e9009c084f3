import { describe, expect, it } from 'vitest';
import { splitThinking } from '../../../src/protocol/run.ts';
import { settledLength } from '../../../src/webview/settledText.ts';

describe('settled text', () => {
  it('ends at the last blank line', () => {
    expect(settledLength('one\n\ntwo\n\nthr')).toBe('one\n\ntwo\n\n'.length);
    expect(settledLength('one\ntwo')).toBe(0);
  });

  it('does not cut fenced code or display mathematics at a blank line', () => {
    expect(settledLength('```\na\n\nb')).toBe(0);
    expect(settledLength('```\na\n\nb\n```\n\nc')).toBe('```\na\n\nb\n```\n\n'.length);
    expect(settledLength('$$\na\n\nb')).toBe(0);
    expect(settledLength('$$\na\n\nb\n$$\n\nc')).toBe('$$\na\n\nb\n$$\n\n'.length);
    expect(settledLength('\\[\na\n\n+ b')).toBe(0);
  });

  it('cuts a very long text without blank lines at a line', () => {
    expect(settledLength('a line\n'.repeat(2000))).toBeGreaterThan(4000);
  });

  it('cuts a very long line behind a sentence, else at a space, else between characters, and never in display mathematics', () => {
    const sentences = 'A sentence. '.repeat(500);
    expect(sentences.slice(0, settledLength(sentences))).toMatch(/(A sentence\. ){100,}$/);
    const words = 'word '.repeat(1000);
    expect(words.slice(0, settledLength(words))).toMatch(/^(word ){300,}$/);
    const marks = '\u{1f642}'.repeat(2000);
    expect(marks.slice(0, settledLength(`a${marks}`) - 1)).toMatch(/^(\u{1f642}){900,}$/u);
    expect(settledLength(`$$${'x + '.repeat(1000)}`)).toBe(0);
    expect(settledLength(`\`\`\`\n${'x + '.repeat(1000)}`)).toBe(0);
  });

  it('leaves little of a line that grows to be drawn again with each token', () => {
    const line = 'word '.repeat(20_000);
    let settled = 0;
    for (let steps = 0; settledLength(line.slice(settled)) > 0; steps++) {
      expect(steps).toBeLessThan(100);
      settled += settledLength(line.slice(settled));
    }
    expect(line.length - settled).toBeLessThanOrEqual(2000);
  });
});

describe('thinking', () => {
  it('is told from the answer, also while it grows and when the prompt opened it', () => {
    expect(splitThinking('<think>\nhm')).toEqual({ thinking: 'hm', thinkingDone: false, answer: '' });
    expect(splitThinking('<think>hm</think>\n\nFive')).toEqual({ thinking: 'hm', thinkingDone: true, answer: 'Five' });
    expect(splitThinking('hm</think>Five')).toEqual({ thinking: 'hm', thinkingDone: true, answer: 'Five' });
    expect(splitThinking('Five')).toEqual({ thinking: null, thinkingDone: true, answer: 'Five' });
  });

  it('shows no half of its mark', () => {
    expect(splitThinking('<thi').answer).toBe('');
  });
});
