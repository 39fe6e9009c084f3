/** The engine as a contestant: one model, a cache for each context that it was asked to fill. */
import { Forward } from '../engine/forward.ts';
import { LoadedModel } from '../engine/loadedModel.ts';
import { sample } from '../engine/sampling.ts';
import type { Outputs } from '../engine/session.ts';
import { GREEDY, type ThinkingPolicy } from '../protocol/engine.ts';
import type { Answer, Question } from './contestant.ts';

/** Rows that are really run; a longer cache repeats them, so that its numbers are real and the filling is quick. */
const REAL_ROWS = 64;

export async function ourAnswers(folder: string): Promise<(question: Question) => Promise<Answer>> {
  const model = await LoadedModel.open(folder, 'cpu');
  const filled = new Map<number, Forward>();
  return async (question) => {
    switch (question.op) {
      case 'fill':
        filled.set(question.context, await fill(model, question.context));
        return {};
      case 'decode': {
        const forward = filled.get(question.context);
        if (forward === undefined) throw new Error(`no cache of ${question.context} rows was filled`);
        return { ms: await decode(model, forward, question) };
      }
      case 'prefill':
        return { ms: await prefill(model, question) };
      case 'memory':
        return { rssBytes: process.memoryUsage.rss(), cacheBytes: sum([...filled.values()].map(({ cache }) => bytesOf(cache.feeds()))) };
      default:
        return question satisfies never;
    }
  };
}

/** Ids that look like chance, and are the same for every contestant. */
export function someIds(count: number, vocab: number): number[] {
  return Array.from({ length: count }, (_, i) => 5 + ((i * 7919 + 13) % (vocab - 10)));
}

async function fill(model: LoadedModel, context: number): Promise<Forward> {
  const { session, manifest } = model;
  const { kvHeads, vocabSize } = manifest.architecture;
  const passes: Outputs[] = [];
  const forward = new Forward(session, manifest, ({ outputs }) => {
    if (passes.length === 0) passes.push(outputs);
  });
  const real = Math.min(REAL_ROWS, context);
  await forward.run({ ids: someIds(real, vocabSize), policy: { kind: 'never' }, track: 'last' });
  const [ran] = passes;
  if (ran === undefined) throw new Error('a prefill ran no pass');
  // The first `rows` of what a run returned for `real` of them, whatever a row's width is.
  const repeated = <T extends Float32Array | Int8Array>(data: T, heads: number, rows: number): T => {
    const line = data.length / heads;
    const taken = (line / real) * rows;
    const out = data.slice(0, heads * taken) as T;
    for (let head = 0; head < heads; head++) out.set(data.subarray(head * line, head * line + taken), head * taken);
    return out;
  };
  const headsOf = (name: string): number => (name.endsWith('.scale') ? 2 * kvHeads : kvHeads);
  while (forward.position < context) {
    const from = forward.position;
    const rows = Math.min(real, context - from);
    const slots = Array.from({ length: rows }, (_, i) => ({ position: from + i, depth: 0 }));
    forward.accept(slots, { ...ran, floats: (name) => repeated(ran.floats(name), headsOf(name), rows), codes: (name) => repeated(ran.codes(name), 2 * kvHeads, rows) });
  }
  return forward;
}

async function decode({ manifest }: LoadedModel, forward: Forward, { context, tokens, hard = 0, guessed = 1 }: Extract<Question, { op: 'decode' }>): Promise<number> {
  const ids = someIds(tokens + 1, manifest.architecture.vocabSize);
  const isHard = everyNth(hard);
  const rightly = everyNth(guessed);
  // With no hard token no decider is asked: the plain model.
  const policy: ThinkingPolicy = hard === 0 ? { kind: 'never' } : { kind: 'depths', iterCounts: Array.from({ length: context + tokens + 1 }, (_, position) => (position >= context && isHard(position - context) ? 2 : 1)) };
  let hards = 0;
  const started = performance.now();
  for (let i = 0; i < tokens; i++) {
    // Guessed as often as the caller says: which token is drawn from a random model says nothing about a trained one.
    const guess = (): number => (rightly(hards++) ? (ids[i + 1] ?? 0) : 1);
    const [row] = await forward.run({ ids: [ids[i] ?? 0], policy, track: 'last', guess });
    if (row?.finalLogits == null) throw new Error('a decoded token has no logits');
    sample(row.finalLogits, GREEDY, row.position);
  }
  const ms = (performance.now() - started) / tokens;
  forward.rewind(context);
  return ms;
}

async function prefill({ session, manifest }: LoadedModel, { tokens, decides = false, hard = 0 }: Extract<Question, { op: 'prefill' }>): Promise<number> {
  const forward = new Forward(session, manifest);
  const isHard = everyNth(hard);
  const ids = someIds(tokens, manifest.architecture.vocabSize);
  const policy: ThinkingPolicy = decides ? { kind: 'depths', iterCounts: ids.map((_, position) => (isHard(position) ? 2 : 1)) } : { kind: 'never' };
  const started = performance.now();
  const size = forward.chunkSize('last');
  for (let from = 0; from < tokens; from += size) await forward.run({ ids: ids.slice(from, from + size), policy, track: 'last' });
  const ms = performance.now() - started;
  forward.release();
  return ms;
}

/** True for a share of the numbers 0, 1, 2, …, evenly spread. */
export function everyNth(share: number): (index: number) => boolean {
  return (index) => Math.floor((index + 1) * share + 1e-9) > Math.floor(index * share + 1e-9);
}

function bytesOf(feeds: ReturnType<Forward['cache']['feeds']>): number {
  return sum(Object.values(feeds).map((feed) => (feed.dtype === 'device' ? 0 : feed.data.byteLength)));
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
