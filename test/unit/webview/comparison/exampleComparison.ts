/** A comparison for the tests of its page. */
import type { Column, ComparedToken, ComparisonSnapshot } from '../../../../src/protocol/comparison.ts';

export function tokensOf(text: string, twice: readonly number[] = []): ComparedToken[] {
  return text.split(/(?<=[ \n])/).map((part, i) => ({ id: 10 + part.charCodeAt(0), text: part, iterCount: twice.includes(i) ? 2 : 1, right: i % 2 === 0, logprob: -0.5 }));
}

export function column(role: Column['role'], text: string, more: Partial<Column> = {}): Column {
  const tokens = tokensOf(text);
  return {
    role, runId: `run-${role}`, state: 'done', policy: role === 'always' ? { kind: 'always' } : role === 'never' ? { kind: 'never' } : { kind: 'decider' }, threshold: 0.5, endReason: 'stop-token', error: null,
    stats: { promptTokens: 5, tokens: tokens.length, passes: tokens.length, passesPerToken: 1, loadMs: 0, prefillMs: 100, decodeMs: 900, tokensPerSecond: 10 },
    answer: '5', check: { state: 'verified', reason: 'Put back: 20 is 20.' }, flops: { flops: 1.234e9, formula: '2 × parameters' }, tokens, ...more,
  };
}

export function comparison(more: Partial<ComparisonSnapshot> = {}): ComparisonSnapshot {
  return {
    id: 'c-1', kind: 'solve', problem: 'Solve $3x = 15$',
    columns: [column('never', 'Step one\n$x = 4$\n'), column('decider', 'Step one\n$x = 5$\n', { tokens: tokensOf('Step one\n$x = 5$\n', [4]) }), column('always', 'Step one\n$x = 5$\n', { check: { state: 'contradicted', reason: 'No.' } })],
    ...more,
  };
}
