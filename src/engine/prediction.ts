/** From what a forward says of a row to what a view shows of the token that the row predicted. Pure but for the tokenizer. */
import type { Candidate, PromptToken, TokenEvent } from '../protocol/engine.ts';
import { distributionOf, type Distribution } from './distribution.ts';
import type { RowResult, TopList } from './forward.ts';
import type { Tokenizer } from './text/tokenizer.ts';

export const DEFAULT_CANDIDATES = 10;
export const MOST_CANDIDATES = 100;

/** Token texts without a tokenizer: the id. */
function displayToken(tokenizer: Tokenizer | null, id: number): string {
  return tokenizer === null ? `<${id}>` : tokenizer.display(id);
}

export interface TokenPlace {
  readonly index: number;
  readonly position: number;
  readonly id: number;
  readonly text: string;
  readonly special: boolean;
  readonly elapsedMs: number | null;
}

/** @param row tracked result of the row before the token @param candidates how many entries the lists have */
export function tokenEvent(place: TokenPlace, row: RowResult, candidates: number, tokenizer: Tokenizer | null): TokenEvent {
  const { first, last, logit } = distributions(row, place.id);
  if (row.firstTop === null || row.finalTop === null) throw new Error(`position ${row.position} was not tracked`);
  const list = (top: TopList, logSumExp: number): Candidate[] =>
    top.ids.slice(0, candidates).map((id, i) => ({ id, text: displayToken(tokenizer, id), logprob: (top.values[i] ?? -Infinity) - logSumExp }));
  const before = list(row.firstTop, first.logSumExp);
  return {
    ...place,
    iterCount: row.iterCount,
    continueProbability: row.probabilities,
    before,
    after: row.iterCount === 1 ? before : list(row.finalTop, last.logSumExp),
    logprob: logit - last.logSumExp,
    entropyBefore: first.entropy,
    entropyAfter: last.entropy,
  };
}

/** A row whose next token is known: without its logits, which are large, but with what a token event says of them. */
export function settled(row: RowResult, id: number): RowResult {
  const { first, last, logit } = distributions(row, id);
  return { ...row, firstLogits: null, finalLogits: null, firstDistribution: first, finalDistribution: last, chosen: { id, logit } };
}

function distributions({ position, firstLogits, finalLogits, firstDistribution, finalDistribution, chosen }: RowResult, id: number): { readonly first: Distribution; readonly last: Distribution; readonly logit: number } {
  const tracked = (logits: Float32Array | null): Float32Array => {
    if (logits === null) throw new Error(`position ${position} was not tracked`);
    return logits;
  };
  const first = firstDistribution ?? distributionOf(tracked(firstLogits));
  const last = finalDistribution ?? (finalLogits === firstLogits ? first : distributionOf(tracked(finalLogits)));
  return { first, last, logit: chosen?.logit ?? tracked(finalLogits)[id] ?? -Infinity };
}

export function promptToken(id: number, row: RowResult, tokenizer: Tokenizer | null): PromptToken {
  return { position: row.position, id, text: displayToken(tokenizer, id), iterCount: row.iterCount, continueProbability: row.probabilities };
}
