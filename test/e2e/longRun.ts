/** A run of any length for tests of views: made up, but of the shape that the engine gives. */
import type { Candidate, TokenEvent } from '../../src/protocol/engine.ts';
import type { Run } from '../../src/protocol/run.ts';

const WORDS = ['We', ' subtract', ' 5', ' from', ' both', ' sides', ': ', '3x', ' =', ' 15', '.', '\n'];
/** Where a word stands that is nowhere else. */
const NEEDLE = 0.6;

export function longRun(tokens: number): Run {
  return {
    id: 'long-run', createdAt: '2026-01-01T00:00:00.000Z', kind: 'solve', problem: 'Solve 3x + 5 = 20 for x, and say everything about it', branch: null, comparison: null,
    policy: { kind: 'decider' }, sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 },
    model: { path: '', id: 'long', name: 'Long', architecture: 'qwen3', parameters: 6e6, quantization: 'int8', maxIter: 2, threshold: 0.5, contextLength: 40_960, hash: '0'.repeat(64) },
    provider: { provider: 'cpu', reason: 'Made up.', rejected: [] },
    prompt: [{ position: 0, id: 1, text: 'Solve', iterCount: 1, continueProbability: [0.01] }],
    tokens: Array.from({ length: tokens }, (_, index) => longToken(index, index === Math.floor(tokens * NEEDLE))),
    state: 'done', endReason: 'max-tokens', error: null, answer: null, check: null,
    stats: { promptTokens: 1, tokens, passes: tokens, passesPerToken: 1, loadMs: 1, prefillMs: 1, decodeMs: 1000, tokensPerSecond: tokens },
  };
}

function longToken(index: number, needle: boolean): TokenEvent {
  // Spread evenly, without chance: the same run each time.
  const score = Math.fround((((index * 7919) % 1000) / 1000) ** 4);
  const sent = score > 0.5;
  const before = candidates(index);
  return {
    index, position: index + 1, id: before[0]?.id ?? 0, text: needle ? 'needle ' : (WORDS[index % WORDS.length] ?? ''), iterCount: sent ? 2 : 1, continueProbability: [score],
    before, after: sent ? [...before].reverse() : before, logprob: -0.1, entropyBefore: 0.5, entropyAfter: 0.4, elapsedMs: 20, special: false,
  };
}

function candidates(index: number): Candidate[] {
  return WORDS.slice(0, 8).map((text, rank) => ({ id: ((index + rank) * 31) % 5000, text, logprob: Math.log(0.5 ** (rank + 1)) }));
}
