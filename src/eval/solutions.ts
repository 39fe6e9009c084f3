/**
 * The thinking policies on worked solutions, teacher-forced: which share of a solution's tokens each policy predicts
 * right, and what that costs in passes. Here the oracle exists: it gives a second pass to exactly the tokens that the
 * first pass has wrong, which is the bound for any decider. Gets the engine as an argument.
 */

import type { EngineApi, ProviderChoice, ThinkingPolicy, TokenEvent } from '../protocol/engine.ts';
import type { EvalProblem } from './tasks/task.ts';

/** Counts over the tokens of one solution, or of many. */
export interface SolutionCounts {
  readonly tokens: number;
  /** The prediction after the last pass is the solution's token. */
  readonly right: number;
  readonly passes: number;
  /** Sum of -log probability (nats) of the solution's tokens. */
  readonly loss: number;
  /** Tokens that the first pass has wrong. */
  readonly firstPassWrong: number;
  /** By threshold: tokens that would be sent, and how many of those the first pass has wrong. Empty without a decider's scores. */
  readonly sweep: readonly { readonly threshold: number; readonly sent: number; readonly wrongSent: number }[];
}

export interface MeasureOptions {
  readonly engine: EngineApi;
  /** Model folder. */
  readonly model: string;
  readonly policy: ThinkingPolicy;
  readonly thresholds: readonly number[];
  readonly provider?: ProviderChoice;
  readonly signal?: AbortSignal;
}

/** @throws TahError of the engine */
export async function measureSolution({ question, solution }: EvalProblem & { readonly solution: string }, { engine, model, policy, thresholds, provider, signal }: MeasureOptions): Promise<SolutionCounts> {
  const after = { kind: 'chat', messages: [{ role: 'user', content: question }] } as const;
  const request = { model, text: solution, after, policy, topCandidates: 1, ...(provider === undefined ? {} : { provider }) };
  const tokens: TokenEvent[] = [];
  for await (const event of engine.measure(request, signal)) if (event.type === 'token') tokens.push(event.token);
  return countTokens(tokens, thresholds);
}

export function countTokens(tokens: readonly TokenEvent[], thresholds: readonly number[]): SolutionCounts {
  const wrong = (token: TokenEvent): boolean => token.before[0]?.id !== token.id;
  // The scores of first passes depend on the text alone, so any threshold can be replayed on them.
  const scored = tokens.flatMap((token) => (token.continueProbability[0] === undefined ? [] : [{ score: token.continueProbability[0], wrong: wrong(token) }]));
  const at = (threshold: number): SolutionCounts['sweep'][number] => {
    const sent = scored.filter(({ score }) => score > threshold);
    return { threshold, sent: sent.length, wrongSent: sent.filter((one) => one.wrong).length };
  };
  return {
    tokens: tokens.length,
    right: tokens.filter((token) => token.after[0]?.id === token.id).length,
    passes: tokens.reduce((sum, { iterCount }) => sum + iterCount, 0),
    loss: tokens.reduce((sum, { logprob }) => sum - (logprob ?? 0), 0),
    firstPassWrong: tokens.filter(wrong).length,
    sweep: scored.length === 0 ? [] : thresholds.map(at),
  };
}

export function sumOf(counts: readonly SolutionCounts[]): SolutionCounts {
  const total = (of: (one: SolutionCounts) => number): number => counts.reduce((sum, one) => sum + of(one), 0);
  const thresholds = [...new Set(counts.flatMap(({ sweep }) => sweep.map(({ threshold }) => threshold)))].sort((a, b) => a - b);
  const at = (threshold: number): SolutionCounts['sweep'][number] => {
    const all = counts.flatMap(({ sweep }) => sweep.filter((one) => one.threshold === threshold));
    return { threshold, sent: all.reduce((sum, one) => sum + one.sent, 0), wrongSent: all.reduce((sum, one) => sum + one.wrongSent, 0) };
  };
  return { tokens: total((one) => one.tokens), right: total((one) => one.right), passes: total((one) => one.passes), loss: total((one) => one.loss), firstPassWrong: total((one) => one.firstPassWrong), sweep: thresholds.map(at) };
}
