/** Runs that go on from an earlier one: no row of the common beginning is run again, and what comes is what a run from nothing gives. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generate } from '../../../src/engine/generate.ts';
import { LoadedModel } from '../../../src/engine/loadedModel.ts';
import type { GenerateEvent, GenerateRequest, ThinkingPolicy } from '../../../src/protocol/engine.ts';
import { importGolden, type TinyModel } from '../../fixtures/tinyModel.ts';

const NAMES = ['tiny-tied', 'tiny-llama', 'tiny-tied, int8 cache', 'tiny-llama, int8 cache'] as const;
const POLICIES: readonly ThinkingPolicy[] = [{ kind: 'decider', threshold: 0.3 }, { kind: 'always' }, { kind: 'never' }];

/** A model whose session counts the rows that it runs. */
class Counted {
  rows = 0;
  private constructor(
    readonly folder: TinyModel,
    readonly model: LoadedModel,
  ) {
    const run = model.session.run.bind(model.session);
    model.session.run = (feeds) => {
      const ids = feeds['mix_ids'];
      this.rows += ids?.dtype === 'int64' ? (ids.dims[0] ?? 0) : 0;
      return run(feeds);
    };
  }

  static async open(name: string): Promise<Counted> {
    const folder = await importGolden(name);
    return new Counted(folder, await LoadedModel.open(folder.dir, 'cpu'));
  }

  forget(): void {
    this.model.promptCache.clear();
  }
}

const opened = new Map<string, Counted>();
beforeAll(async () => { for (const name of NAMES) opened.set(name, await Counted.open(name)); });
afterAll(async () => {
  for (const { model, folder } of opened.values()) {
    await model.close();
    folder.remove();
  }
});

function counted(name: string): Counted {
  const found = opened.get(name);
  if (found === undefined) throw new Error(`no model ${name}`);
  found.forget();
  return found;
}

function requestOf(more: Partial<GenerateRequest>): GenerateRequest {
  return { model: 'tiny', prompt: { kind: 'tokens', ids: PROMPT }, policy: { kind: 'always' }, maxTokens: 24, sampling: { temperature: 0.9, topK: 0, topP: 1, minP: 0, seed: 5 }, ...more };
}
const PROMPT = Array.from({ length: 30 }, (_, i) => 7 + ((i * 53) % 290));

interface Seen {
  readonly ids: readonly number[];
  /** Everything that an event says but the time it took. */
  readonly events: readonly unknown[];
  readonly rows: number;
}

async function run(of: Counted, request: GenerateRequest, leaveAfter = Infinity): Promise<Seen> {
  const before = of.rows;
  const events: GenerateEvent[] = [];
  const ids: number[] = [];
  for await (const event of generate(of.model, request, 0)) {
    events.push(event);
    if (event.type === 'token' && ids.push(event.token.id) >= leaveAfter) break;
  }
  const said = events.map((event) => {
    if (event.type === 'token') return { ...event.token, elapsedMs: null };
    return event.type === 'end' ? { reason: event.reason, passes: event.stats.passes, tokens: event.stats.tokens } : event;
  });
  return { ids, events: said, rows: of.rows - before };
}

describe.each(NAMES)('on %s', (name) => {
  it.each(POLICIES)('a branch at any token is that of a run from nothing ($kind), to the bit', async (policy) => {
    const of = counted(name);
    const first = await run(of, requestOf({ policy }));
    for (const at of [0, 1, 2, 7, first.ids.length - 2].filter((index) => index >= 0 && index < first.ids.length)) {
      // Another token than the one that was drawn, and another one than before at each place.
      const forced = [...first.ids.slice(0, at), ((first.ids[at] ?? 0) + 11 + at) % 400];
      const branch = await run(of, requestOf({ policy, forced }));
      of.forget();
      const fresh = await run(of, requestOf({ policy, forced }));
      expect(branch.events).toEqual(fresh.events);
      expect(branch.rows).toBeLessThanOrEqual(fresh.rows - PROMPT.length);
      of.forget();
      await run(of, requestOf({ policy }));
    }
  });

  it('the same prompt once more runs no row of it, and says the same', async () => {
    const of = counted(name);
    const first = await run(of, requestOf({}));
    const again = await run(of, requestOf({}));
    expect(again.events).toEqual(first.events);
    expect(again.rows).toBe(first.rows - rowsOfPrompt(first));
  });

  it('another seed goes on from the prompt', async () => {
    const of = counted(name);
    await run(of, requestOf({}));
    const sampling = { temperature: 0.9, topK: 0, topP: 1, minP: 0, seed: 6 };
    const branch = await run(of, requestOf({ sampling }));
    of.forget();
    const fresh = await run(of, requestOf({ sampling }));
    expect(branch.events).toEqual(fresh.events);
  });

  it.each(POLICIES)('the next turn of a conversation says what it says without the first one ($kind)', async (policy) => {
    const of = counted(name);
    const first = await run(of, requestOf({ policy }));
    const next = requestOf({ policy, prompt: { kind: 'tokens', ids: [...PROMPT, ...first.ids, 9, 8, 7, 6] } });
    const goesOn = await run(of, next);
    of.forget();
    const fresh = await run(of, next);
    expect(goesOn.ids).toEqual(fresh.ids);
    expect(goesOn.rows).toBeLessThanOrEqual(fresh.rows - PROMPT.length);
  });

  it('a run that was left in its middle can be gone on from', async () => {
    const of = counted(name);
    const left = await run(of, requestOf({}), 5);
    const branch = await run(of, requestOf({ forced: left.ids.slice(0, 3) }));
    of.forget();
    const fresh = await run(of, requestOf({ forced: left.ids.slice(0, 3) }));
    expect(branch.events).toEqual(fresh.events);
  });
});

/** First and second passes of the prompt. */
function rowsOfPrompt(seen: Seen): number {
  const [start] = seen.events as readonly [{ readonly prompt: readonly { readonly iterCount: number }[] }];
  return start.prompt.reduce((sum, { iterCount }) => sum + iterCount, 0);
}

it('nothing is taken from a run of another policy, and two runs at once never share one', async () => {
  const of = counted('tiny-tied');
  await run(of, requestOf({ policy: { kind: 'never' } }));
  const always = await run(of, requestOf({}));
  of.forget();
  expect((await run(of, requestOf({}))).events).toEqual(always.events);
  const both = await Promise.all([run(of, requestOf({})), run(of, requestOf({}))]);
  expect(both.map(({ events }) => events)).toEqual([always.events, always.events]);
});

it('random conversations and branches, one after the other, give the tokens of runs from nothing', async () => {
  const of = counted('tiny-tied');
  // The same model, which remembers nothing.
  const nothing = await Counted.open('tiny-tied');
  let state = 17;
  const chance = (below: number): number => (state = (state * 48271) % 0x7fffffff) % below;
  let tokens = 0;
  let ids = PROMPT;
  for (let i = 0; i < 100; i++) {
    const policy = POLICIES[chance(3)] ?? { kind: 'never' };
    const forced = Array.from({ length: chance(6) }, () => 10 + chance(290));
    const request = requestOf({ policy, forced, maxTokens: 10, sampling: { temperature: chance(2), topK: 0, topP: 1, minP: 0, seed: chance(50) }, prompt: { kind: 'tokens', ids } });
    const cached = await run(of, request);
    nothing.forget();
    const fresh = await run(nothing, request);
    expect(cached.ids).toEqual(fresh.ids);
    tokens += cached.ids.length;
    ids = chance(4) === 0 || ids.length > 200 ? PROMPT.slice(0, 5 + chance(25)) : [...ids, ...cached.ids.slice(0, chance(10)), ...(chance(2) === 0 ? [11 + chance(280)] : [])];
  }
  expect(tokens).toBeGreaterThan(300);
  await nothing.model.close();
  nothing.folder.remove();
});
