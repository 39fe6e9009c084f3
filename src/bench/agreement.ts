/**
 * How far a quantisation moves a Think-at-Hard model: the same text through two model folders of one checkpoint, row by
 * row. First passes and decider alone: what is decided after them depends on both.
 */
import { Forward, type RowResult } from '../engine/forward.ts';
import { LoadedModel } from '../engine/loadedModel.ts';

export interface Agreement {
  readonly rows: number;
  /** Share of rows whose most probable token is the same. */
  readonly top1: number;
  /** Share of rows whose decider says the same; null for a plain model. */
  readonly decisions: number | null;
  /** Mean of KL(reference || other) in nats. */
  readonly kl: number;
}

/** @param texts token ids, each its own run */
export async function agreement(reference: string, other: string, texts: readonly (readonly number[])[]): Promise<Agreement> {
  const models = [await LoadedModel.open(reference, 'cpu'), await LoadedModel.open(other, 'cpu')] as const;
  try {
    const threshold = models[0].manifest.tah?.decider.threshold ?? null;
    const count = { rows: 0, top1: 0, decisions: 0, kl: 0 };
    for (const ids of texts) {
      const [expected, actual] = [await firstPasses(models[0], ids), await firstPasses(models[1], ids)];
      expected.forEach((row, i) => {
        const found = actual[i];
        if (row.firstLogits === null || found?.firstLogits == null) throw new Error('a row was not tracked');
        count.rows++;
        if (row.firstTop?.ids[0] === found.firstTop?.ids[0]) count.top1++;
        if (threshold !== null && isSent(row, threshold) === isSent(found, threshold)) count.decisions++;
        count.kl += divergence(row.firstLogits, found.firstLogits);
      });
    }
    return { rows: count.rows, top1: count.top1 / count.rows, decisions: threshold === null ? null : count.decisions / count.rows, kl: count.kl / count.rows };
  } finally {
    for (const model of models) await model.close();
  }
}

async function firstPasses({ session, manifest }: LoadedModel, ids: readonly number[]): Promise<RowResult[]> {
  const forward = new Forward(session, manifest);
  const size = forward.chunkSize('all');
  const rows: RowResult[] = [];
  // The decider is asked at each row, and none is sent.
  const policy = manifest.tah === null ? ({ kind: 'never' } as const) : ({ kind: 'decider', threshold: 2 } as const);
  for (let from = 0; from < ids.length; from += size) rows.push(...(await forward.run({ ids: ids.slice(from, from + size), policy, track: 'all' })));
  forward.release();
  return rows;
}

function isSent(row: RowResult, threshold: number): boolean {
  return Math.fround(row.probabilities[0] ?? NaN) > Math.fround(threshold);
}

/** KL(p || q) of the softmax of two rows of logits, in nats. */
export function divergence(p: Float32Array, q: Float32Array): number {
  const [logP, logQ] = [logSumExp(p), logSumExp(q)];
  let sum = 0;
  p.forEach((value, i) => {
    const ofP = value - logP;
    sum += Math.exp(ofP) * (ofP - ((q[i] ?? 0) - logQ));
  });
  return sum;
}

function logSumExp(logits: Float32Array): number {
  let most = -Infinity;
  for (const value of logits) most = Math.max(most, value);
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - most);
  return most + Math.log(sum);
}
