/** Runs and tokens for the tests of the webview. */
import type { Candidate, TokenEvent } from '../../../src/protocol/engine.ts';
import type { Run } from '../../../src/protocol/run.ts';
import { runSnapshot } from '../../../src/protocol/tokenRow.ts';
import type { RunSnapshot } from '../../../src/protocol/tokenRow.ts';

export function candidates(...texts: readonly string[]): Candidate[] {
  return texts.map((text, i) => ({ id: 100 + text.charCodeAt(0), text, logprob: Math.log(0.5 ** (i + 1)) }));
}

export function token(text: string, more: Partial<TokenEvent> = {}): TokenEvent {
  const list = candidates('a', 'b', 'c');
  return {
    index: 0, position: 10, id: 197, text, iterCount: 1, continueProbability: [0.02], before: list, after: list,
    logprob: -0.1, entropyBefore: 0.4, entropyAfter: 0.4, elapsedMs: 20, special: false, ...more,
  };
}

export function run(more: Partial<Run> = {}): Run {
  return {
    id: 'run-1', createdAt: '2026-01-01T00:00:00.000Z', kind: 'solve', problem: 'Solve $x + 1 = 2$', branch: null, comparison: null, policy: { kind: 'decider' }, sampling: null,
    model: { path: '/models/m', id: 'm', name: 'Small', architecture: 'qwen3', parameters: 6e6, quantization: 'int8', maxIter: 2, threshold: 0.5, contextLength: 1024, hash: 'h' },
    provider: { provider: 'cpu', reason: 'No GPU was found.', rejected: [] },
    prompt: [], tokens: [], state: 'running', endReason: null, error: null, stats: null, answer: null, check: null, ...more,
  };
}

/** What a page is sent of `run(more)`. Tokens get their indexes. */
export function snapshot(more: Partial<Run> = {}): RunSnapshot {
  return runSnapshot(run({ ...more, tokens: numbered(more.tokens ?? []) }));
}

export function numbered(tokens: readonly TokenEvent[]): TokenEvent[] {
  return tokens.map((one, index) => ({ ...one, index, position: 10 + index }));
}

/** happy-dom lays nothing out: a list of this height has as many lines in view as it is given here. */
export function layOut(listHeight = 600, lineHeight = 20): void {
  const give = (name: string, get: (node: HTMLElement) => number): void => {
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get(this: HTMLElement) { return get(this); } });
  };
  give('clientHeight', (node) => (node.classList.contains('tokens') ? listHeight : 0));
  give('clientWidth', () => 700);
  give('offsetHeight', (node) => (node.classList.contains('line') ? lineHeight : 0));
}
