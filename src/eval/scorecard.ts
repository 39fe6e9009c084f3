/**
 * The scorecard of a run: every number comes from its events, none from elsewhere. Pure; knows no file.
 * Accuracy counts only what is certainly right: an answer that could not be compared is not.
 */

import type { ModelInfo, ProviderInfo, SamplingOptions, ThinkingPolicy } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { isRight } from './evaluate.ts';
import type { EvalEvent, ProblemResult, SecondPasses } from './evaluate.ts';

export interface Score {
  readonly problems: number;
  readonly right: number;
  /** right / problems */
  readonly accuracy: number;
  /** Wilson's 95 % interval of the accuracy. */
  readonly interval: readonly [low: number, high: number];
}

export interface FamilyScore extends Score {
  readonly family: string;
}

export interface Scorecard {
  readonly version: 1;
  readonly task: string;
  readonly model: Pick<ModelInfo, 'id' | 'name' | 'hash' | 'quantization'>;
  readonly provider: ProviderInfo['provider'];
  readonly policy: ThinkingPolicy;
  /** null: the model's own defaults. */
  readonly sampling: Partial<SamplingOptions> | null;
  readonly maxTokens: number;
  /** False when the run ended early. */
  readonly complete: boolean;
  readonly total: Score;
  /** Mean of the families' accuracies. */
  readonly familyMean: number;
  readonly families: readonly FamilyScore[];
  /** Answers that could not be compared with their reference. */
  readonly undecided: number;
  readonly checks: { readonly verified: number; readonly contradicted: number; readonly unchecked: number };
  readonly wrongButVerified: number;
  readonly refusals: { readonly right: number; readonly wrong: number };
  /** Of the problems to refuse: found outside by the question, or refused by the model. Of all others: wrongly found so, or refused. */
  readonly scope: { readonly caught: Score; readonly wronglyRefused: Score };
  readonly failed: number;
  readonly cutOff: number;
  readonly tokens: number;
  readonly passes: number;
  readonly passesPerToken: number;
  /** Share of all tokens that had a second pass, and what became of those. */
  readonly shareSent: number;
  readonly secondPasses: SecondPasses;
  readonly tokensPerSecond: number;
}

const Z = 1.959964;

/** Wilson's score interval at 95 %: honest also near 0, near 1 and for few problems. */
export function wilsonInterval(right: number, problems: number): readonly [low: number, high: number] {
  if (problems === 0) return [0, 1];
  const p = right / problems;
  const scale = 1 + (Z * Z) / problems;
  const middle = p + (Z * Z) / (2 * problems);
  const half = Z * Math.sqrt((p * (1 - p)) / problems + (Z * Z) / (4 * problems * problems));
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}

function scoreOf(results: readonly ProblemResult[]): Score {
  const right = results.filter(isRight).length;
  return { problems: results.length, right, accuracy: ratio(right, results.length), interval: wilsonInterval(right, results.length) };
}

/** "Right" counts what was refused, by the question's verdict or by the model. */
function refusedOf(results: readonly ProblemResult[]): Score {
  const refused = results.filter((result) => result.refused || result.outside !== null).length;
  return { problems: results.length, right: refused, accuracy: ratio(refused, results.length), interval: wilsonInterval(refused, results.length) };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** @throws TahError internal where the events have no start */
export function scorecardOf(events: Iterable<EvalEvent>): Scorecard {
  const all = [...events];
  const start = all.find((event) => event.type === 'start');
  if (start === undefined) throw new TahError('internal', 'A scorecard needs the start of its run.');
  const results = all.filter((event) => event.type === 'result').map((event) => event.result);
  const families = familyScores(results);
  const total = (of: (result: ProblemResult) => number): number => results.reduce((sum, result) => sum + of(result), 0);
  const count = (test: (result: ProblemResult) => boolean): number => results.filter(test).length;
  const tokens = total((result) => result.stats?.tokens ?? 0);
  const passes = total((result) => result.stats?.passes ?? 0);
  const sent = total((result) => result.secondPasses.sent);
  const { id, name, hash, quantization } = start.model;
  return {
    version: 1,
    task: start.task,
    model: { id, name, hash, quantization },
    provider: start.provider.provider,
    policy: start.policy,
    sampling: start.sampling,
    maxTokens: start.maxTokens,
    complete: all.some((event) => event.type === 'end'),
    total: scoreOf(results),
    familyMean: ratio(families.reduce((sum, family) => sum + family.accuracy, 0), families.length),
    families,
    undecided: count((result) => (result.graded === undefined ? result.exact : result.graded) === null),
    checks: { verified: count(({ check }) => check.state === 'verified'), contradicted: count(({ check }) => check.state === 'contradicted'), unchecked: count(({ check }) => check.state === 'unchecked') },
    wrongButVerified: count((result) => result.wrongButVerified),
    refusals: { right: count((result) => result.refused && result.reference === null), wrong: count((result) => result.refused && result.reference !== null) },
    scope: { caught: refusedOf(results.filter((result) => result.reference === null)), wronglyRefused: refusedOf(results.filter((result) => result.reference !== null)) },
    failed: count((result) => result.error !== null),
    cutOff: count((result) => result.endReason === 'max-tokens' || result.endReason === 'context-limit'),
    tokens,
    passes,
    passesPerToken: ratio(passes, tokens),
    shareSent: ratio(sent, tokens),
    secondPasses: { sent, kept: total((r) => r.secondPasses.kept), changed: total((r) => r.secondPasses.changed), changedThePick: total((r) => r.secondPasses.changedThePick) },
    tokensPerSecond: ratio(tokens, total((result) => result.stats?.decodeMs ?? 0) / 1000),
  };
}

function familyScores(results: readonly ProblemResult[]): FamilyScore[] {
  const groups = new Map<string, ProblemResult[]>();
  for (const result of results) {
    const group = groups.get(result.family);
    if (group === undefined) groups.set(result.family, [result]);
    else group.push(result);
  }
  return [...groups].map(([family, group]) => ({ family, ...scoreOf(group) }));
}
