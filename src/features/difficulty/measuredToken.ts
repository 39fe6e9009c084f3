/**
 * What the difficulty of a token is: the decider's score, or for a model without a decider the entropy of its
 * prediction; and how the decider did against the self-oracle over a whole text. Pure.
 */

import type { OracleVerdict, TokenEvent } from '../../protocol/engine.ts';
import { firstScore, oracleVerdict, secondPassEffects } from '../../protocol/run.ts';
import type { SecondPassEffects } from '../../protocol/run.ts';

/** 0 is easy and not marked; 1 … 4 are marked ever stronger. */
export type Level = 0 | 1 | 2 | 3 | 4;

/** Nats: an even choice between 2, 4, 8 and 16 tokens has 0.69, 1.39, 2.08 and 2.77. */
const ENTROPY_LEVELS = [0.69, 1.39, 2.08, 2.77] as const;
const SCORE_LEVELS = [0.2, 0.4, 0.6, 0.8] as const;

export function levelOf(token: Pick<TokenEvent, 'continueProbability' | 'entropyBefore'>): Level {
  const score = firstScore(token);
  const [value, limits] = score === null ? [token.entropyBefore ?? 0, ENTROPY_LEVELS] : [score, SCORE_LEVELS];
  const passed = limits.filter((limit) => value >= limit).length;
  return passed === 1 || passed === 2 || passed === 3 || passed === 4 ? passed : 0;
}

/** The hardest token of some; undefined of none. */
export function hardest<T extends Pick<TokenEvent, 'continueProbability' | 'entropyBefore' | 'iterCount'>>(tokens: readonly T[]): T | undefined {
  return tokens.reduce<T | undefined>((worst, token) => (worst === undefined || hardness(token) > hardness(worst) ? token : worst), undefined);
}

function hardness(token: Pick<TokenEvent, 'continueProbability' | 'entropyBefore' | 'iterCount'>): number {
  return token.iterCount * 1000 + (firstScore(token) ?? token.entropyBefore ?? 0);
}

export type OracleTable = Readonly<Record<OracleVerdict, number>> & { readonly tokens: number; readonly effects: SecondPassEffects };

/** Special tokens are no text of the user's and are not counted. */
export function oracleTable(tokens: readonly Pick<TokenEvent, 'id' | 'iterCount' | 'before' | 'after' | 'special'>[]): OracleTable {
  const counted = tokens.filter((token) => !token.special);
  const effects = secondPassEffects(counted.map(({ id, iterCount, before, after }) => ({ iterCount, hard: before[0]?.id !== id, right: after[0]?.id === id })));
  const table = { 'hard-sent': 0, 'hard-missed': 0, 'easy-sent': 0, 'easy-skipped': 0, tokens: 0 };
  for (const token of counted) {
    table[oracleVerdict(token)]++;
    table.tokens++;
  }
  return { ...table, effects };
}
