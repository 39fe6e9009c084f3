// The decider's score from token events: what counts as sent, as an error of the first pass, as corrected and as broken.
import { describe, expect, it } from 'vitest';
import { renderDeciderScore, scoreDecider } from '../../../src/eval/deciderScore.ts';
import type { GenerateEvent, MeasureRequest, TokenEvent } from '../../../src/protocol/engine.ts';
import { FakeEngine } from './fakeEngine.ts';

const [RIGHT, WRONG] = [1, 2];

/** @param before and @param after first choices; the true token is RIGHT. */
function token(iterCount: number, before: number, after: number): TokenEvent {
  const only = (id: number): TokenEvent['before'] => [{ id, text: '', logprob: 0 }];
  return { index: 0, position: 1, id: RIGHT, text: '', special: false, iterCount, continueProbability: [0.5], before: only(before), after: only(after), logprob: 0, entropyBefore: 0, entropyAfter: 0, elapsedMs: null };
}

class Measuring extends FakeEngine {
  readonly asked: MeasureRequest[] = [];

  constructor(private readonly tokens: readonly TokenEvent[]) {
    super({});
  }

  override async *measure(request?: MeasureRequest): AsyncGenerator<GenerateEvent> {
    if (request !== undefined) this.asked.push(request);
    await Promise.resolve();
    for (const one of this.tokens) yield { type: 'token', token: one };
  }
}

const task = { id: 't', problems: [{ id: 'a', question: 'q', answer: '1', solution: 's' }, { id: 'b', question: 'no solution', answer: '1' }] };

describe('scoreDecider', () => {
  it('counts each kind of token once', async () => {
    const engine = new Measuring([
      token(2, WRONG, RIGHT), // an error, sent and corrected
      token(2, WRONG, WRONG), // an error, sent in vain
      token(1, WRONG, WRONG), // an error that was missed
      token(2, RIGHT, WRONG), // broken
      token(2, RIGHT, RIGHT), // sent for nothing
      ...Array.from({ length: 15 }, () => token(1, RIGHT, RIGHT)),
    ]);
    const score = await scoreDecider({ engine, model: '/m', task, policy: { kind: 'decider' } });
    const counts = (share: { part: number; of: number }): readonly number[] => [share.part, share.of];
    expect(score).toMatchObject({ problems: 1, tokens: 20 });
    expect([score.sent, score.firstPassErrors, score.precision, score.recall, score.corrected, score.broken].map(counts)).toEqual([[4, 20], [3, 20], [2, 4], [2, 3], [1, 3], [1, 17]]);
    expect(score.recall.share).toBeCloseTo(2 / 3, 12);
    expect(engine.asked).toMatchObject([{ model: '/m', text: 's', after: { kind: 'chat', messages: [{ role: 'user', content: 'q' }] } }]);
    expect(renderDeciderScore(score)).toMatch(/recall +66\.67 % .* 2 of 3/);
  });

  it('refuses a task without worked solutions', async () => {
    const without = { id: 't', problems: [{ id: 'b', question: 'q', answer: '1' }] };
    await expect(scoreDecider({ engine: new Measuring([]), model: '/m', task: without, policy: { kind: 'decider' } })).rejects.toMatchObject({ code: 'input.bad-file', subject: 'solution' });
  });
});
