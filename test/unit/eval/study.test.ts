// Policies and thresholds compared with a scripted engine: what is run, what is taken from another threshold, what is kept.
import { describe, expect, it } from 'vitest';
import { equivalent } from '../../../src/answer/equivalence.ts';
import type { Judge } from '../../../src/eval/evaluate.ts';
import { renderPage } from '../../../src/eval/report/page.ts';
import { isWithin, sameThresholds } from '../../../src/eval/sameThresholds.ts';
import { countTokens, sumOf } from '../../../src/eval/solutions.ts';
import { runStudy, type StudyOptions, type StudyProgress, type StudyRecord } from '../../../src/eval/study.ts';
import type { Task } from '../../../src/eval/tasks/task.ts';
import { etaReporter } from '../../../src/cli/studyCommand.ts';
import { GREEDY, type Candidate, type EngineApi, type GenerateEvent, type GenerateRequest, type MeasureRequest, type ModelInfo, type ThinkingPolicy, type TokenEvent } from '../../../src/protocol/engine.ts';
import { TahError } from '../../../src/protocol/errors.ts';
import { MODEL } from './fakeEngine.ts';

const PROVIDER = { provider: 'cpu', reason: 'fake', rejected: [] } as const;
const candidate = (id: number): Candidate => ({ id, text: String(id), logprob: -1 });

/** A token whose first pass proposes `first`, a second one `second`; `score` is the decider's. */
function token(index: number, text: string, score: number, sent: boolean, [first, second]: readonly [number, number] = [1, 1]): TokenEvent {
  const before = [candidate(first)];
  return { index, position: index + 1, id: 1, text, iterCount: sent ? 2 : 1, continueProbability: [score], before, after: sent ? [candidate(second)] : before, logprob: -0.5, entropyBefore: 0, entropyAfter: 0, elapsedMs: 1, special: false };
}

/** Answers 5 where the token of score 0.4 has its second pass, else 4. */
class ScoredEngine implements EngineApi {
  readonly generated: ThinkingPolicy[] = [];
  readonly measured: ThinkingPolicy[] = [];
  constructor(private readonly model: ModelInfo = { ...MODEL, threshold: 0.5 }) {}

  async *generate(request: GenerateRequest): AsyncGenerator<GenerateEvent> {
    await Promise.resolve();
    this.generated.push(request.policy);
    const sent = (score: number): boolean => isSent(request.policy, score);
    yield { type: 'start', model: this.model, provider: PROVIDER, prompt: [{ position: 0, id: 7, text: 'q', iterCount: sent(0.1) ? 2 : 1, continueProbability: [0.1] }], policy: request.policy, sampling: { ...GREEDY } };
    const tokens = [token(0, 'so ', 0.2, sent(0.2)), token(1, `\\boxed{${sent(0.4) ? 5 : 4}}`, 0.4, sent(0.4))];
    for (const one of tokens) yield { type: 'token', token: one };
    const passes = tokens.reduce((sum, { iterCount }) => sum + iterCount, 0);
    yield { type: 'end', reason: 'stop-token', stats: { promptTokens: 1, tokens: 2, passes, passesPerToken: passes / 2, loadMs: 0, prefillMs: 1, decodeMs: 1, tokensPerSecond: 1 } };
  }
  async *measure({ policy }: MeasureRequest): AsyncGenerator<GenerateEvent> {
    await Promise.resolve();
    this.measured.push(policy);
    // The first pass has token 1 wrong; a second pass corrects it and breaks token 2.
    const wrong = policy.kind === 'self-oracle';
    yield { type: 'token', token: token(0, 'a', 0.7, wrong || isSent(policy, 0.7), [2, 1]) };
    yield { type: 'token', token: token(1, 'b', 0.3, !wrong && isSent(policy, 0.3), [1, 2]) };
  }
  load(): ReturnType<EngineApi['load']> {
    return Promise.resolve({ model: this.model, provider: PROVIDER });
  }
  countTokens(): Promise<number> { return Promise.resolve(0); }
  status(): ReturnType<EngineApi['status']> { return Promise.reject(new TahError('internal', 'not used here')); }
  unload(): Promise<void> { return Promise.resolve(); }
}

function isSent(policy: ThinkingPolicy, score: number): boolean {
  return policy.kind === 'always' || (policy.kind === 'decider' && score > (policy.threshold ?? 0.5));
}

const judge: Judge = {
  check: () => Promise.resolve({ state: 'unchecked', reason: 'not here' }),
  same: (answer, reference) => Promise.resolve(equivalent(answer, reference)),
  grade: (text, reference) => Promise.resolve(text.includes(`{${reference}}`)),
};
const TASK: Task = { id: 'test', problems: [{ id: 'a', family: 'sums', question: '2 + 3', answer: '5', solution: 'a b' }, { id: 'b', family: '<b>', question: '<script>', answer: '4' }] };

class Memory {
  readonly done = new Map<string, StudyRecord>();
  add(record: StudyRecord): void {
    this.done.set(record.id, record);
  }
}
function study(options: Partial<StudyOptions> = {}, engine = new ScoredEngine()): ReturnType<typeof runStudy> {
  return runStudy({ engine, model: '/m', task: TASK, judge, sampling: GREEDY, maxTokens: 9, policies: ['never', 'decider', 'always', 'oracle'], thresholds: [], store: new Memory(), ...options });
}

describe('a study', () => {
  it('has each problem solved by each policy, and solutions measured by the oracle too', async () => {
    const engine = new ScoredEngine();
    const { arms, solutions, threshold } = await study({}, engine);
    expect(threshold).toBe(0.5);
    expect(engine.generated.map(({ kind }) => kind)).toEqual(['never', 'decider', 'always', 'never', 'decider', 'always']);
    expect(arms.map(({ name, scorecard }) => [name, scorecard.total.right, scorecard.passesPerToken])).toEqual([['never', 1, 1], ['decider', 1, 1], ['always', 1, 2]]);
    expect(engine.measured.map(({ kind }) => kind)).toEqual(['never', 'decider', 'always', 'self-oracle']);
    // The oracle corrects what is wrong and breaks nothing; always breaks as much as it corrects.
    expect(solutions?.problems).toBe(1);
    expect(solutions?.policies.map(({ policy, right, passes }) => [policy, right, passes])).toEqual([['never', 1, 2], ['decider', 2, 3], ['always', 1, 4], ['oracle', 2, 3]]);
  });

  it('takes a threshold’s result from another one exactly where the same tokens are sent', async () => {
    const engine = new ScoredEngine();
    const { arms } = await study({ policies: ['decider'], thresholds: [0.05, 0.3, 0.35, 0.45, 0.9] }, engine);
    // 0.45 and 0.9 send what the model's own 0.5 sends: nothing. 0.3 and 0.35 send one token, 0.05 all of them.
    expect(arms.map(({ name, replayed, scorecard }) => [name, replayed, scorecard.shareSent])).toEqual([['decider', 0, 0], ['decider at 0.05', 0, 1], ['decider at 0.3', 0, 0.5], ['decider at 0.35', 2, 0.5], ['decider at 0.45', 2, 0], ['decider at 0.9', 2, 0]]);
    expect(engine.generated).toHaveLength(6);
    // What is replayed is what a run would have given.
    for (const arm of arms) {
      const alone = await study({ policies: arm.threshold === null ? ['decider'] : [], thresholds: arm.threshold === null ? [] : [arm.threshold] });
      expect(alone.arms[0]?.results.map(({ text, exact }) => [text, exact])).toEqual(arm.results.map(({ text, exact }) => [text, exact]));
    }
  });

  it('goes on from the results that are kept, and runs none of them again', async () => {
    const store = new Memory();
    const abort = new AbortController();
    const stopped = study({ store, signal: abort.signal, onProgress: ({ done }) => { if (done === 4) abort.abort(); } });
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
    expect(store.done.size).toBe(4);
    const engine = new ScoredEngine();
    const steps: StudyProgress[] = [];
    const finished = await study({ store, onProgress: (step) => steps.push(step) }, engine);
    expect(engine.generated.length + engine.measured.length).toBe(6);
    expect(steps.at(-1)).toEqual({ done: 10, total: 10, fresh: 6, answers: 6, right: 3 });
    expect(JSON.stringify(finished)).toBe(JSON.stringify(await study()));
  });

  it('grades a benchmark by its grader', async () => {
    const { arms } = await study({ task: { ...TASK, answers: 'number' }, policies: ['always'], judge: { ...judge, same: () => Promise.resolve(null), grade: () => Promise.resolve(true) } });
    expect(arms[0]?.scorecard).toMatchObject({ total: { right: 2 }, undecided: 0 });
  });

  it('refuses what can’t be compared', async () => {
    await expect(study({ task: { id: 't', problems: TASK.problems.slice(1) } })).rejects.toThrow(/no worked solutions/);
    await expect(study({ thresholds: [0.5] }, new ScoredEngine({ ...MODEL, threshold: null }))).rejects.toThrow(/no decider/);
  });
});

describe('thresholds at which a run is the same', () => {
  it('lie between the scores that were not sent and those that were', () => {
    const range = sameThresholds([token(0, '', 0.2, false), token(1, '', 0.6, true), token(2, '', 0.9, true)]);
    expect(range).toEqual({ from: 0.2, below: 0.6 });
    expect([0.1, 0.2, 0.5, 0.6].map((threshold) => isWithin(range, threshold))).toEqual([false, true, true, false]);
  });

  it('count every pass at which the decider was asked', () => {
    expect(sameThresholds([{ iterCount: 2, continueProbability: [0.8, 0.3] }])).toEqual({ from: 0.3, below: 0.8 });
    expect(sameThresholds([])).toEqual({ from: null, below: null });
  });
});

describe('tokens of solutions', () => {
  it('are counted by policy, and by threshold from their scores alone', () => {
    const counts = countTokens([token(0, 'a', 0.7, true, [2, 1]), token(1, 'b', 0.3, false, [2, 2]), token(2, 'c', 0.1, false)], [0.2, 0.5]);
    expect(counts).toEqual({ tokens: 3, right: 2, passes: 4, loss: 1.5, firstPassWrong: 2, sweep: [{ threshold: 0.2, sent: 2, wrongSent: 2 }, { threshold: 0.5, sent: 1, wrongSent: 1 }] });
    expect(sumOf([counts, counts])).toMatchObject({ tokens: 6, sweep: [{ threshold: 0.2, sent: 4 }, { threshold: 0.5, wrongSent: 2 }] });
    expect(sumOf([])).toMatchObject({ tokens: 0, sweep: [] });
  });
});

describe('the page', () => {
  it('has plots, tables and every number it shows, needs nothing from elsewhere, and trusts no text', async () => {
    const page = renderPage(await study({ thresholds: [0.1, 0.3] }), { facts: [['Model', '<img src=x>']] });
    expect(page).not.toMatch(/<script|<img|href=|url\(|NaN|undefined|Infinity/);
    expect(page).toContain('&#60;script&#62;');
    expect(page.match(/<figure>/g)).toHaveLength(5);
    // A share's axis ends where shares do.
    expect(page).not.toMatch(/>(?:-\d|1[1-9]\d)[\d.]* %</);
    expect(page).toContain("default-src 'none'");
    expect(page).toContain('prefers-color-scheme: dark');
    for (const text of ['decider at 0.3', '50.0 %', '1.500', 'Threshold sweep', 'oracle']) expect(page).toContain(text);
  });

  it('of nothing but answers has no plots of solutions', async () => {
    const page = renderPage(await study({ policies: ['never'], task: { id: 't', problems: TASK.problems.slice(1) } }), { facts: [] });
    expect(page.match(/<figure>/g)).toHaveLength(2);
    expect(page).not.toContain('Worked solutions');
  });
});

describe('the time left', () => {
  it('is told from what was run now, not from what was there', () => {
    const shown: string[] = [];
    let clock = 0;
    const report = etaReporter((text) => shown.push(text), () => clock);
    report({ done: 50, total: 100, fresh: 0, answers: 50, right: 20 });
    clock = 10_000;
    report({ done: 55, total: 100, fresh: 5, answers: 55, right: 21 });
    expect(shown).toEqual(['50 of 100, 20 of 50 answers right', '55 of 100, 21 of 55 answers right, about 1 min 30 s left']);
  });
});
