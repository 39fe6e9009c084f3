/** An engine that writes what a script says, one token a word; a word with ! had two passes and changed the pick, with ? it was kept. */

import type { Candidate, EngineApi, GenerateEvent, GenerateRequest, ModelInfo, ProviderInfo, TokenEvent } from '../../../src/protocol/engine.ts';
import { GREEDY } from '../../../src/protocol/engine.ts';
import { TahError } from '../../../src/protocol/errors.ts';

export const MODEL: ModelInfo = { path: '/models/fake', id: 'fake', name: 'Fake', architecture: 'qwen3', parameters: 1, quantization: 'fp32', maxIter: 2, threshold: 0.5, contextLength: 100, hash: 'abcdef0123456789' };
const PROVIDER: ProviderInfo = { provider: 'cpu', reason: 'fake', rejected: [] };

function token(word: string, index: number): TokenEvent {
  const candidate = (id: number): Candidate => ({ id, text: String(id), logprob: -1 });
  const mark = /[!?](?= ?$)/.exec(word)?.[0];
  const twice = mark !== undefined;
  const before = [candidate(1), candidate(2)];
  return {
    index, position: index + 1, id: 1, text: twice ? word.replace(mark, '') : word, iterCount: twice ? 2 : 1, continueProbability: [0.5],
    before, after: mark === '!' ? [candidate(2), candidate(1)] : before, logprob: -1, entropyBefore: 0, entropyAfter: 0, elapsedMs: 1, special: false,
  };
}

export class FakeEngine implements EngineApi {
  readonly requests: GenerateRequest[] = [];

  /** @param script question → text; 'too long' and 'broken' raise the engine's errors. */
  constructor(private readonly script: Readonly<Record<string, string>>) {}

  async *generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent> {
    this.requests.push(request);
    const question = request.prompt.kind === 'chat' ? (request.prompt.messages[0]?.content ?? '') : '';
    const text = this.script[question] ?? '';
    if (text === 'too long') throw new TahError('engine.context-too-long', 'The prompt is too long.');
    if (text === 'broken') throw new TahError('engine.crashed', 'The engine has crashed.');
    yield { type: 'start', model: MODEL, provider: PROVIDER, prompt: [], policy: request.policy, sampling: { ...GREEDY, ...request.sampling } };
    const tokens = text.split(/(?<= )/).map(token);
    for (const one of tokens.slice(0, request.maxTokens)) {
      await Promise.resolve();
      if (signal?.aborted === true) throw new TahError('cancelled', 'Stopped.');
      yield { type: 'token', token: one };
    }
    const passes = tokens.reduce((sum, one) => sum + one.iterCount, 0);
    const reason = tokens.length > request.maxTokens ? 'max-tokens' : 'stop-token';
    yield { type: 'end', reason, stats: { promptTokens: 5, tokens: tokens.length, passes, passesPerToken: passes / tokens.length, loadMs: 0, prefillMs: 1, decodeMs: 100, tokensPerSecond: 10 * tokens.length } };
  }
  measure(): AsyncIterable<GenerateEvent> {
    throw new TahError('internal', 'not used here');
  }
  load(): Promise<{ model: ModelInfo; provider: ProviderInfo }> {
    return Promise.resolve({ model: MODEL, provider: PROVIDER });
  }
  countTokens(): Promise<number> {
    return Promise.reject(new TahError('internal', 'not used here'));
  }
  status(): Promise<never> {
    return Promise.reject(new TahError('internal', 'not used here'));
  }
  unload(): Promise<void> {
    return Promise.resolve();
  }
}
