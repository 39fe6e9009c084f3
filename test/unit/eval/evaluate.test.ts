// A run over a task with a scripted engine: what is counted as right, wrong, refused, and what a scorecard makes of it.
import { describe, expect, it } from 'vitest';
import { checkAnswerNow } from '../../../src/answer/check.ts';
import { equivalent } from '../../../src/answer/equivalence.ts';
import { ScopeJudge } from '../../../src/answer/scope.ts';
import { evaluate } from '../../../src/eval/evaluate.ts';
import type { EvalEvent, EvaluateOptions, Judge, ProblemResult } from '../../../src/eval/evaluate.ts';
import { renderScorecard } from '../../../src/eval/renderScorecard.ts';
import { scorecardOf, wilsonInterval } from '../../../src/eval/scorecard.ts';
import type { EvalProblem } from '../../../src/eval/tasks/task.ts';
import { FakeEngine, MODEL } from './fakeEngine.ts';

const REFUSAL = 'I have not learned this kind of problem: I can do sums.';
const judge: Judge = {
  check: (problem, answer) => Promise.resolve(checkAnswerNow(problem, answer)),
  same: (answer, reference) => Promise.resolve(equivalent(answer, reference)),
  grade: () => Promise.reject(new Error('no benchmark here')),
};
const PROBLEMS: readonly EvalProblem[] = [
  { id: 'a', family: 'sums', question: '2 + 3', answer: '5' },
  { id: 'b', family: 'sums', question: '2 + 4', answer: '6' },
  { id: 'c', family: 'words', question: 'Anna has 3 pens.', answer: '3' },
  { id: 'd', family: 'refuse', question: 'Who are you?', answer: null },
  { id: 'e', family: 'refuse', question: 'Where is Paris?', answer: null },
  { id: 'f', family: 'words', question: 'Long one', answer: '1' },
];
const SCRIPT = {
  '2 + 3': 'it! is? \\boxed{5}', '2 + 4': 'it is \\boxed{7}', 'Anna has 3 pens.': REFUSAL, 'Who are you?': REFUSAL, 'Where is Paris?': '\\boxed{3}', 'Long one': 'too long',
};

async function run(options: Partial<EvaluateOptions> = {}): Promise<EvalEvent[]> {
  const events: EvalEvent[] = [];
  for await (const event of evaluate({ engine: new FakeEngine(SCRIPT), model: '/models/fake', task: { id: 'test', problems: PROBLEMS }, judge, policy: { kind: 'decider' }, maxTokens: 50, refusal: REFUSAL, ...options })) events.push(event);
  return events;
}
function results(events: readonly EvalEvent[]): Map<string, ProblemResult> {
  return new Map(events.filter((event) => event.type === 'result').map(({ result }) => [result.id, result]));
}

describe('evaluate', () => {
  it('judges each answer against its reference and by the check', async () => {
    const found = results(await run());
    expect(found.get('a')).toMatchObject({ answer: '5', exact: true, refused: false, check: { state: 'verified' }, wrongButVerified: false });
    expect(found.get('b')).toMatchObject({ answer: '7', exact: false, check: { state: 'contradicted' } });
  });

  it('counts a refusal as right only where the task wants one', async () => {
    const found = results(await run());
    expect(found.get('d')).toMatchObject({ exact: true, refused: true, answer: null });
    expect(found.get('c')).toMatchObject({ exact: false, refused: true });
    expect(found.get('e')).toMatchObject({ exact: false, refused: false });
  });

  it('takes a text that was cut off before its answer for no refusal, also when no sentence is known', async () => {
    const events: EvalEvent[] = [];
    const task = { id: 't', problems: [{ id: 'd', question: 'Who are you?', answer: null }] };
    for await (const event of evaluate({ engine: new FakeEngine({ 'Who are you?': 'let me think about it' }), model: '/models/fake', task, judge, policy: { kind: 'decider' }, maxTokens: 3 })) events.push(event);
    expect(results(events).get('d')).toMatchObject({ endReason: 'max-tokens', refused: false, exact: false });
  });

  it('takes another text without an answer for no refusal when the sentence is known', async () => {
    const engine = new FakeEngine({ 'Who are you?': 'I am a model.' });
    const task = { id: 't', problems: [{ id: 'd', question: 'Who are you?', answer: null }] };
    expect(results(await run({ engine, task })).get('d')?.exact).toBe(false);
    const events: EvalEvent[] = [];
    for await (const event of evaluate({ engine, task, model: '', judge, policy: { kind: 'never' }, maxTokens: 9 })) events.push(event);
    expect(results(events).get('d')?.exact).toBe(true);
  });

  it('sees a wrong answer that was shown as verified', async () => {
    const lax: Judge = { ...judge, check: () => Promise.resolve({ state: 'verified', reason: 'always' }) };
    const card = scorecardOf(await run({ judge: lax }));
    expect(card.wrongButVerified).toBe(1); // b; of e the right answer isn't known.
  });

  it('goes on after a problem that is too long, and stops when the engine fails', async () => {
    expect(results(await run()).get('f')).toMatchObject({ exact: false, refused: false, error: { code: 'engine.context-too-long' } });
    await expect(run({ engine: new FakeEngine({ '2 + 3': 'broken' }) })).rejects.toMatchObject({ code: 'engine.crashed' });
  });

  it('passes policy, sampling and limits on to the engine', async () => {
    const engine = new FakeEngine(SCRIPT);
    const sampling = { temperature: 0.6, topK: 20, topP: 0.95, minP: 0, seed: 3 };
    await run({ engine, sampling, policy: { kind: 'always' }, maxTokens: 7, limit: 1 });
    expect(engine.requests).toEqual([{ model: '/models/fake', prompt: { kind: 'chat', messages: [{ role: 'user', content: '2 + 3' }] }, policy: { kind: 'always' }, maxTokens: 7, sampling }]);
  });

  it('spreads a limit over the whole task and refuses a senseless one', async () => {
    expect([...results(await run({ limit: 3 })).keys()]).toEqual(['a', 'c', 'e']);
    expect([...results(await run({ limit: 100 })).keys()]).toHaveLength(6);
    await expect(run({ limit: 0 })).rejects.toMatchObject({ code: 'input.bad-option' });
  });

  it('stops between two problems when it is aborted', async () => {
    const abort = new AbortController();
    const seen: string[] = [];
    const loop = async (): Promise<void> => {
      for await (const event of evaluate({ engine: new FakeEngine(SCRIPT), model: '', task: { id: 't', problems: PROBLEMS }, judge, policy: { kind: 'never' }, maxTokens: 9, signal: abort.signal })) {
        seen.push(event.type);
        if (event.type === 'result') abort.abort();
      }
    };
    await expect(loop()).rejects.toMatchObject({ code: 'cancelled' });
    expect(seen).toEqual(['start', 'result']);
  });
});

describe('scope', () => {
  const scope = new ScopeJudge({
    subjects: [{ id: 's', title: 'Sums', example: '2 + 3', range: 'small' }],
    refusal: REFUSAL,
    // <1> + <letters 0>, all of which occur together.
    scope: { names: [], kinds: ['+', '<1>', '<letters 0>'], largest: [10, 10, 10], together: 'Bw==', longest: 5 },
  });

  it('is counted apart: what is to be refused and is caught, what is to be solved and is taken for a stranger', async () => {
    const events = await run({ scope });
    const found = results(events);
    expect([found.get('a')?.outside, found.get('c')?.outside, found.get('e')?.outside]).toEqual([null, 'words', 'words']);
    const card = scorecardOf(events);
    expect(card.scope).toMatchObject({ caught: { right: 2, problems: 2 }, wronglyRefused: { right: 2, problems: 4 } });
    // The accuracy is that of the model alone.
    expect(card.total.right).toBe(2);
  });

  it('of a model that declares none counts its refusals only', async () => {
    expect(scorecardOf(await run()).scope).toMatchObject({ caught: { right: 1, problems: 2 }, wronglyRefused: { right: 1, problems: 4 } });
  });
});

describe('scorecard', () => {
  it('holds the numbers of the run and no others', async () => {
    const card = scorecardOf(await run());
    expect(card).toMatchObject({
      task: 'test', model: { hash: MODEL.hash }, complete: true, total: { problems: 6, right: 2 }, undecided: 0, wrongButVerified: 0, refusals: { right: 1, wrong: 1 }, failed: 1, cutOff: 0,
      checks: { verified: 1, contradicted: 1 }, secondPasses: { sent: 2, kept: 1, changed: 0, changedThePick: 1 },
    });
    expect(card.families.map(({ family, right, problems }) => [family, right, problems])).toEqual([['sums', 1, 2], ['words', 0, 2], ['refuse', 1, 2]]);
    expect(card.familyMean).toBeCloseTo(1 / 3);
    expect(card.passesPerToken).toBeCloseTo(card.passes / card.tokens);
    expect(card.passes - card.tokens).toBe(2);
  });

  it('says so when the run was not complete', async () => {
    const events = (await run()).slice(0, 3);
    expect(scorecardOf(events)).toMatchObject({ complete: false, total: { problems: 2 } });
    expect(renderScorecard(scorecardOf(events))).toContain('not complete');
    expect(() => scorecardOf([])).toThrow(/start/);
  });

  it.each([[0, 10, 0, 0.2775], [5, 10, 0.2366, 0.7634], [10, 10, 0.7225, 1], [81, 263, 0.2553, 0.3662]])('Wilson interval of %i of %i', (right, problems, low, high) => {
    const [a, b] = wilsonInterval(right, problems);
    expect(a).toBeCloseTo(low, 3);
    expect(b).toBeCloseTo(high, 3);
  });

  it('is readable as text', async () => {
    const text = renderScorecard(scorecardOf(await run({ sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 1 } })));
    expect(text).toContain('Wrong but verified  0');
    expect(text).toMatch(/sums +2 +1 +50\.0 %/);
    expect(text).toContain('greedy');
    expect(text).toContain('50.0 % changed the pick');
  });

  it('divides by nothing without fault', () => {
    const start: EvalEvent = { type: 'start', task: 't', problems: 0, model: MODEL, provider: { provider: 'cpu', reason: '', rejected: [] }, policy: { kind: 'never' }, sampling: null, maxTokens: 1 };
    expect(scorecardOf([start])).toMatchObject({ total: { accuracy: 0, interval: [0, 1] }, passesPerToken: 0, tokensPerSecond: 0 });
    expect(renderScorecard(scorecardOf([start]))).not.toMatch(/NaN|Infinity/);
  });
});
