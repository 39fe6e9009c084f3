import { describe, expect, it, vi } from 'vitest';
import { Runs } from '../../../src/host/runs.ts';
import type { RunsOptions, SolveRequest } from '../../../src/host/runs.ts';
import type { AnswerCheck } from '../../../src/protocol/answer.ts';
import type { EngineApi, GenerateEvent, GenerateRequest, GenerateStats, MeasureRequest, ModelInfo, TokenEvent } from '../../../src/protocol/engine.ts';
import { TahError } from '../../../src/protocol/errors.ts';
import { applyToHead } from '../../../src/protocol/run.ts';
import type { Run, RunChange } from '../../../src/protocol/run.ts';
import type { ScopeVerdict } from '../../../src/protocol/scope.ts';

/** A follower that keeps the whole run: what any reader of the changes must end up with. */
function applyRunChange(run: Run, change: RunChange): Run {
  return change.type === 'tokens' ? { ...run, tokens: [...run.tokens, ...change.tokens] } : { ...run, ...applyToHead(run, change) };
}

const MODEL: ModelInfo = { path: '/m', id: 'm', name: 'M', architecture: 'qwen3', parameters: 1, quantization: 'fp32', maxIter: 2, threshold: 0.5, contextLength: 100, hash: 'h' };
const STATS: GenerateStats = { promptTokens: 3, tokens: 2, passes: 3, passesPerToken: 1.5, loadMs: 1, prefillMs: 1, decodeMs: 1, tokensPerSecond: 9 };
const START: GenerateEvent = {
  type: 'start', model: MODEL, provider: { provider: 'cpu', reason: 'no GPU', rejected: [] }, prompt: [], policy: { kind: 'decider' },
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 },
};
const END: GenerateEvent = { type: 'end', reason: 'stop-token', stats: STATS };
const REQUEST: SolveRequest = { problem: 'x + 1 = 2', model: '/m', policy: { kind: 'decider' }, maxTokens: 50 };

function token(text: string, index = 0): GenerateEvent {
  const event: TokenEvent = { index, position: index, id: 1, text, iterCount: 1, continueProbability: [0.1], before: [], after: [], logprob: 0, entropyBefore: 0, entropyAfter: 0, elapsedMs: 1, special: false };
  return { type: 'token', token: event };
}

type Script = (request: GenerateRequest, signal: AbortSignal) => AsyncIterable<GenerateEvent>;

type MeasureScript = (request: MeasureRequest, signal: AbortSignal) => AsyncIterable<GenerateEvent>;

function setUp(script: Script, more: Partial<RunsOptions> = {}, measureScript: MeasureScript = () => events()({ model: '', policy: { kind: 'never' }, prompt: { kind: 'text', text: '' }, maxTokens: 1 }, new AbortController().signal)): { runs: Runs; changes: RunChange[]; errors: unknown[] } {
  const errors: unknown[] = [];
  const engine: Pick<EngineApi, 'generate' | 'measure'> = {
    generate: (request, signal) => script(request, signal ?? new AbortController().signal),
    measure: (request, signal) => measureScript(request, signal ?? new AbortController().signal),
  };
  const runs = new Runs({
    engine,
    extractAnswer: (text) => /\[(.*)\]/.exec(text)?.[1] ?? null,
    checkAnswer: () => Promise.resolve<AnswerCheck>({ state: 'verified', reason: 'put back' }),
    onError: (error) => errors.push(error),
    frameMs: 5,
    ...more,
  });
  const changes: RunChange[] = [];
  runs.onDidChange(({ change }) => changes.push(change));
  return { runs, changes, errors };
}

function events(...list: readonly GenerateEvent[]): Script {
  return async function* () {
    for (const event of list) yield await Promise.resolve(event);
  };
}

/** Yields tokens until it is stopped, as the engine does. */
const endless: Script = async function* (_request, signal) {
  yield START;
  for (let i = 0; ; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (signal.aborted) throw new TahError('cancelled', 'Stopped.');
    yield token('a', i);
  }
};

describe('a run', () => {
  it('is the same built from its changes as asked for at its end', async () => {
    const { runs, changes } = setUp(events({ type: 'loading', model: '/m' }, START, token('x = '), token('[1]'), END));
    const id = runs.start(REQUEST);
    const first = runs.get(id);
    await runs.whenFinished(id);
    const last = runs.get(id);
    expect(last).toMatchObject({ state: 'done', endReason: 'stop-token', answer: '1', stats: STATS, check: { state: 'verified' }, model: MODEL });
    expect(changes.reduce<Run | null>((run, change) => (run === null ? null : applyRunChange(run, change)), first)).toEqual(last);
    expect(changes.map((change) => change.type)).toEqual(['start', 'tokens', 'end', 'check']);
  });

  it('asked for in the middle plus the later changes is the whole run: no token twice, none lost', async () => {
    const { runs } = setUp(async function* () {
      yield START;
      for (let i = 0; i < 40; i++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        yield token(`${i} `, i);
      }
      yield END;
    });
    const id = runs.start(REQUEST);
    const later: RunChange[] = [];
    let snapshot: Run | null = null;
    await new Promise((resolve) => setTimeout(resolve, 23));
    snapshot = runs.get(id);
    runs.onDidChange(({ change }) => later.push(change));
    await runs.whenFinished(id);
    const rebuilt = later.reduce<Run | null>((run, change) => (run === null ? null : applyRunChange(run, change)), snapshot);
    expect(rebuilt).toEqual(runs.get(id));
    expect(rebuilt?.tokens.map((t) => t.index)).toEqual([...Array(40).keys()]);
  });

  it('of a given text is measured, and a box in the text is neither an answer nor checked', async () => {
    const seen: MeasureRequest[] = [];
    const checked: string[] = [];
    const { runs } = setUp(events(), { checkAnswer: (problem) => { checked.push(problem); return Promise.resolve({ state: 'verified', reason: '' }); } }, async function* (request) {
      seen.push(request);
      for (const event of [START, token('so [1]'), { ...END, reason: 'end-of-text' } satisfies GenerateEvent]) yield await Promise.resolve(event);
    });
    const id = runs.start({ kind: 'measure', text: 'so [1]', model: '/m', policy: { kind: 'self-oracle' } });
    await runs.whenFinished(id);
    expect(seen).toEqual([{ model: '/m', text: 'so [1]', policy: { kind: 'self-oracle' } }]);
    expect(runs.get(id)).toMatchObject({ kind: 'measure', problem: 'so [1]', state: 'done', endReason: 'end-of-text', answer: null, check: null });
    expect(checked).toEqual([]);
  });

  it('keeps what it branched from and what it is compared with, and starts with the forced tokens', async () => {
    const seen: GenerateRequest[] = [];
    const { runs } = setUp((request) => {
      seen.push(request);
      return events(START, END)(request, new AbortController().signal);
    });
    const branch = { parentId: 'p', index: 3, change: { kind: 'token', id: 7, text: '9' } } as const;
    const id = runs.start({ ...REQUEST, prompt: { kind: 'tokens', ids: [1, 2] }, forced: [4, 5, 6, 7], branch, comparison: { id: 'c', role: 'always' } });
    await runs.whenFinished(id);
    expect(runs.get(id)).toMatchObject({ branch, comparison: { id: 'c', role: 'always' } });
    expect(seen[0]).toMatchObject({ prompt: { kind: 'tokens', ids: [1, 2] }, forced: [4, 5, 6, 7] });
  });

  it('batches the tokens of a frame into one change', async () => {
    const many = Array.from({ length: 500 }, (_, i) => token('a', i));
    const { runs, changes } = setUp(events(START, ...many, END));
    const id = runs.start(REQUEST);
    await runs.whenFinished(id);
    expect(changes.filter((change) => change.type === 'tokens').length).toBeLessThan(20);
    expect(runs.get(id)?.tokens).toHaveLength(500);
  });

  it('hands the request to the engine as one chat message', async () => {
    const seen: GenerateRequest[] = [];
    const { runs } = setUp((request) => {
      seen.push(request);
      return events(START, END)(request, new AbortController().signal);
    });
    await runs.whenFinished(runs.start({ ...REQUEST, provider: 'cpu' }));
    expect(seen).toEqual([{ model: '/m', prompt: { kind: 'chat', messages: [{ role: 'user', content: 'x + 1 = 2' }] }, policy: { kind: 'decider' }, maxTokens: 50, provider: 'cpu' }]);
  });
});

describe('the scope of a run', () => {
  const OUTSIDE: ScopeVerdict = { state: 'outside', reason: { kind: 'words', words: ['proof'] }, subjects: [{ id: 's', title: 'Sums', example: '1 + 2', range: 'small' }] };

  it('is told before the end by the question, and is not asked again once it is outside', async () => {
    const asked: (string | null)[] = [];
    const { runs, changes } = setUp(events(START, token('[1]'), END), { judgeScope: (_model, _question, text) => { asked.push(text); return Promise.resolve(OUTSIDE); } });
    const id = runs.start(REQUEST);
    await runs.whenFinished(id);
    expect(asked).toEqual([null]);
    const types = changes.map((change) => change.type);
    expect(types.indexOf('scope')).toBeGreaterThanOrEqual(0);
    expect(types.indexOf('scope')).toBeLessThan(types.indexOf('end'));
    // The answer is checked all the same: what computer algebra verifies may be shown as verified.
    expect(runs.get(id)).toMatchObject({ scope: OUTSIDE, answer: '1', check: { state: 'verified' } });
  });

  it('is told after the end where the model refuses', async () => {
    const refused: ScopeVerdict = { ...OUTSIDE, reason: { kind: 'refused' } };
    const { runs } = setUp(events(START, token('I can’t'), END), { judgeScope: (_model, _question, text) => Promise.resolve(text === null ? { state: 'inside' } : text === 'I can’t' ? refused : null) });
    const id = runs.start(REQUEST);
    await runs.whenFinished(id);
    expect(runs.get(id)?.scope).toEqual(refused);
  });

  it('that cannot be found out is reported, and the run goes on without', async () => {
    const { runs, errors } = setUp(events(START, token('[1]'), END), { judgeScope: () => Promise.reject(new TahError('model.bad-manifest', 'subjects.json can’t be used.')) });
    const id = runs.start(REQUEST);
    await runs.whenFinished(id);
    expect(runs.get(id)).toMatchObject({ state: 'done', check: { state: 'verified' } });
    expect(runs.get(id)?.scope).toBeUndefined();
    expect(errors.length).toBeGreaterThan(0);
  });

  it('is nobody’s business for a measured text', async () => {
    const { runs, changes } = setUp(events(), { judgeScope: () => Promise.resolve(OUTSIDE) }, () => events(START, token('x'), END)({ model: '', policy: { kind: 'never' }, prompt: { kind: 'text', text: '' }, maxTokens: 1 }, new AbortController().signal));
    await runs.whenFinished(runs.start({ kind: 'measure', text: 'x', model: '/m', policy: { kind: 'never' } }));
    expect(changes.filter((change) => change.type === 'scope')).toEqual([]);
  });
});

describe('the end of a run', () => {
  it('by Stop keeps the tokens, sends those that waited for their frame first, and is no error', async () => {
    let said = 0;
    const { runs, changes, errors } = setUp(async function* (request, signal) {
      for await (const event of endless(request, signal)) {
        said++;
        yield event;
      }
    }, { frameMs: 10_000 });
    const id = runs.start(REQUEST);
    await vi.waitFor(() => { expect(said).toBeGreaterThan(5); });
    expect(runs.running()).toBe(id);
    runs.stop(id);
    await runs.whenFinished(id);
    const run = runs.get(id);
    expect(run).toMatchObject({ state: 'stopped', error: null });
    expect(run?.tokens.length).toBeGreaterThan(2);
    expect(changes.map((change) => change.type)).toEqual(['start', 'tokens', 'end', 'check']);
    expect(runs.running()).toBeNull();
    expect(errors).toEqual([]);
  });

  it('by a crash marks it failed with the reason and keeps what it had', async () => {
    const { runs } = setUp(async function* () {
      yield START;
      yield token('half');
      await Promise.resolve();
      throw new TahError('engine.crashed', 'The engine ended.', { hint: 'Try again.' });
    });
    const id = runs.start(REQUEST);
    await runs.whenFinished(id);
    expect(runs.get(id)).toMatchObject({ state: 'failed', error: { code: 'engine.crashed', hint: 'Try again.' }, tokens: [{ text: 'half' }] });
    expect(runs.retry(id, { model: '/other', maxTokens: 1 })).not.toBe(id);
    expect(runs.retry('unknown', { model: '/other', maxTokens: 1 })).toBeNull();
  });

  it('without an end event is a failure, not an endless spinner', async () => {
    const { runs } = setUp(events(START, token('a')));
    const id = runs.start(REQUEST);
    await runs.whenFinished(id);
    expect(runs.get(id)).toMatchObject({ state: 'failed', error: { code: 'engine.run-failed' } });
  });

  it('by an error that is not ours to know becomes `internal` and reaches the log', async () => {
    const { runs, errors } = setUp(() => {
      throw new Error('boom');
    });
    const id = runs.start(REQUEST);
    await runs.whenFinished(id);
    expect(runs.get(id)).toMatchObject({ state: 'failed', error: { code: 'internal', message: 'boom' } });
    expect(errors).toHaveLength(1);
  });
});

describe('the check of the answer', () => {
  it('that throws says that it could not check, and why', async () => {
    const { runs, errors } = setUp(events(START, token('[5]'), END), { checkAnswer: () => Promise.reject(new Error('no worker')) });
    const id = runs.start(REQUEST);
    await runs.whenFinished(id);
    expect(runs.get(id)?.check).toEqual({ state: 'unchecked', reason: 'The check failed: no worker', why: [{ kind: 'check-failed', args: ['no worker'] }] });
    expect(errors).toHaveLength(1);
  });

  it('is not silent about a text without an answer', async () => {
    const checkAnswer = vi.fn<RunsOptions['checkAnswer']>();
    const { runs } = setUp(events(START, token('hm'), END), { checkAnswer });
    const id = runs.start(REQUEST);
    await runs.whenFinished(id);
    expect(runs.get(id)).toMatchObject({ answer: null, check: { state: 'unchecked' } });
    expect(checkAnswer).not.toHaveBeenCalled();
  });
});

describe('runs', () => {
  it('forget the oldest that ended, never one that is running', async () => {
    let first = true;
    const { runs } = setUp((request, signal) => {
      const script = first ? endless : events(START, END);
      first = false;
      return script(request, signal);
    }, { keep: 3 });
    const running = runs.start(REQUEST);
    const ended: string[] = [];
    for (let i = 0; i < 4; i++) {
      const id = runs.start(REQUEST);
      ended.push(id);
      await runs.whenFinished(id);
    }
    expect(runs.ids()).toHaveLength(3);
    expect(runs.get(running)?.state).toBe('running');
    expect(runs.get(ended[0] ?? '')).toBeNull();
    runs.dispose();
    await runs.whenFinished(running);
    expect(runs.get(running)?.state).toBe('stopped');
  });

  it('go on when a listener throws', async () => {
    const { runs, errors, changes } = setUp(events(START, END));
    runs.onDidAdd(() => {
      throw new Error('view broke');
    });
    const id = runs.start(REQUEST);
    await runs.whenFinished(id);
    expect(errors).toHaveLength(1);
    expect(changes.some((change) => change.type === 'end')).toBe(true);
  });
});

describe('a second run', () => {
  /** One at a time, as the engine: a run's events come when its gate is opened. */
  function gated(): { script: Script; open: (maxTokens: number) => void } {
    const gates = new Map<number, () => void>();
    const script: Script = async function* ({ maxTokens }, signal) {
      await new Promise<void>((resolve, reject) => {
        gates.set(maxTokens, resolve);
        signal.addEventListener('abort', () => { reject(new TahError('cancelled', 'Stopped.')); });
      });
      yield START;
      yield END;
    };
    return { script, open: (maxTokens) => gates.get(maxTokens)?.() };
  }

  it('says that it waits until the engine turns to it', async () => {
    const { script, open } = gated();
    const { runs, changes } = setUp(script);
    const first = runs.start({ ...REQUEST, maxTokens: 1 });
    const second = runs.start({ ...REQUEST, maxTokens: 2 });
    expect([runs.phase(first), runs.phase(second)]).toEqual(['loading', 'waiting']);
    const waiting = runs.get(second);
    expect(waiting?.state).toBe('waiting');
    open(1);
    await runs.whenFinished(first);
    expect(runs.phase(second)).toBe('waiting');
    changes.length = 0;
    open(2);
    await runs.whenFinished(second);
    expect(changes.map((change) => change.type)).toEqual(['turn', 'start', 'end', 'check']);
    expect(changes.reduce<Run | null>((run, change) => (run === null ? null : applyRunChange(run, change)), waiting)).toEqual(runs.get(second));
  });

  it('can be stopped while it waits', async () => {
    const { runs } = setUp(gated().script);
    runs.start({ ...REQUEST, maxTokens: 1 });
    const second = runs.start({ ...REQUEST, maxTokens: 2 });
    runs.stop(second);
    await runs.whenFinished(second);
    expect(runs.get(second)?.state).toBe('stopped');
    runs.dispose();
  });
});

it('old runs are forgotten by their tokens too, so that long ones do not fill the memory', async () => {
  const forgotten: string[] = [];
  const { runs } = setUp(events(START, token('a'), token('b'), END), { keepTokens: 3 });
  runs.onDidForget((id) => forgotten.push(id));
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    const id = runs.start(REQUEST);
    ids.push(id);
    await runs.whenFinished(id);
  }
  expect(forgotten).toEqual(ids.slice(0, 1));
  expect(runs.ids()).toEqual(ids.slice(1));
});

it('the end of the window stops a check', async () => {
  let signal: AbortSignal | null = null;
  const { runs } = setUp(events(START, token('[1]'), END), {
    checkAnswer: (_problem, _answer, given) => new Promise((resolve) => {
      signal = given;
      given.addEventListener('abort', () => { resolve({ state: 'unchecked', reason: 'stopped' }); });
    }),
  });
  const id = runs.start(REQUEST);
  await vi.waitFor(() => { expect(signal).not.toBeNull(); });
  runs.dispose();
  await runs.whenFinished(id);
  expect(runs.get(id)?.check?.reason).toBe('stopped');
});
