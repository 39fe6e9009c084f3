/** What VS Code's Chat may send: read in full or refused by name. */
import { describe, expect, it } from 'vitest';
import { readMessages, readModelOptions } from '../../../../src/features/chat/messages.ts';
import { readToolInput, toolReport } from '../../../../src/features/chat/toolReport.ts';

const text = (value: string): object => ({ value });

describe('readMessages', () => {
  it('joins parts, knows the roles, and leaves out what says nothing', () => {
    const given = [
      { role: 3, content: [text('be short')] },
      { role: 1, content: [text('a'), { mimeType: 'cache_control', data: new Uint8Array() }, text('b')] },
      { role: 2, content: [text('')] },
      { role: 2, content: [text('c')] },
    ];
    expect(readMessages(given)).toEqual([{ role: 'system', content: 'be short' }, { role: 'user', content: 'ab' }, { role: 'assistant', content: 'c' }]);
  });

  it.each([
    [[{ role: 1, content: [{ mimeType: 'image/png', data: new Uint8Array() }] }], /image\/png/],
    [[{ role: 2, content: [{ callId: '1', name: 'f', input: {} }] }], /no tools/],
    [[{ role: 1, content: [{ strange: true }] }], /not known/],
    [[{ role: 1, content: [text('  ')] }], /no text/],
    [[], /no text/],
  ])('refuses %j', (given, words) => {
    expect(() => readMessages(given)).toThrow(words);
  });
});

describe('readModelOptions', () => {
  it('reads what the engine knows and leaves VS Code its own', () => {
    expect(readModelOptions({ temperature: 0, top_p: 0.5, seed: 3, max_tokens: 9, stop: 'x', _own: 1, min_p: undefined })).toEqual({ sampling: { temperature: 0, topP: 0.5, seed: 3 }, maxTokens: 9, stop: ['x'] });
    expect(readModelOptions()).toEqual({ sampling: {}, maxTokens: null, stop: [] });
  });

  it.each<[Record<string, unknown>]>([[{ temprature: 1 }], [{ temperature: 'hot' }], [{ max_tokens: 0 }], [{ stop: [1] }], [{ stop: '' }], [{ constructor: 1 }]])('refuses %j', (options) => {
    expect(() => readModelOptions(options)).toThrow(expect.objectContaining({ code: 'engine.bad-request' }) as Error);
  });
});

describe('the tool', () => {
  it('wants one problem as text', () => {
    expect(readToolInput({ problem: ' 1 + 1 ' })).toBe('1 + 1');
    for (const input of [null, {}, { problem: 5 }]) expect(() => readToolInput(input)).toThrow(expect.objectContaining({ code: 'engine.bad-request' }) as Error);
    expect(() => readToolInput({ problem: ' ' })).toThrow(expect.objectContaining({ code: 'input.empty' }) as Error);
    expect(() => readToolInput({ problem: 'x'.repeat(20_001) })).toThrow(expect.objectContaining({ code: 'engine.context-too-long' }) as Error);
  });

  const outcome = { model: 'Small', text: '<think>hm</think>x = 5', answer: '5', check: { state: 'verified', reason: '3·5 + 5 = 20.' }, ended: true, outside: false } as const;

  it('never sounds surer than its check', () => {
    expect(toolReport(outcome)).toBe('Answer: 5\nCheck: verified by computer algebra. 3·5 + 5 = 20.\n\nSolution by Small:\nx = 5');
    expect(toolReport({ ...outcome, check: { state: 'contradicted', reason: 'r' } })).toContain('the answer is wrong');
    expect(toolReport({ ...outcome, check: { state: 'unchecked', reason: 'r' } })).toContain('may be wrong');
    expect(toolReport({ ...outcome, answer: null, check: null })).toContain('Answer: none');
  });

  it('says what is outside of the subjects, and what was cut off', () => {
    expect(toolReport({ ...outcome, outside: true })).toMatch(/^Warning: the problem is outside/);
    expect(toolReport({ ...outcome, ended: false })).toContain('cut off');
  });
});
