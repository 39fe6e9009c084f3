/**
 * A run: one solve, explain or measure, from its request to its last token. The one shape that host, webview and
 * run files (`.tahrun.json`) share. Pure data plus pure functions over it.
 */

import type { AnswerCheck } from './answer.ts';
import type { EndReason, GenerateStats, ModelInfo, OracleVerdict, PromptToken, ProviderInfo, SamplingOptions, ThinkingPolicy, TokenEvent } from './engine.ts';
import type { ErrorData } from './errors.ts';
import type { ScopeVerdict } from './scope.ts';

/** `waiting`: the engine is busy with a run that was started before. */
export type RunState = 'waiting' | 'running' | 'done' | 'stopped' | 'failed';

export function hasEnded(run: { readonly state: RunState }): boolean {
  return run.state !== 'waiting' && run.state !== 'running';
}

/**
 * `solve`: a problem and its worked solution. `explain`: a formula's steps, asked for in a document. `measure`: a given
 * text, token by token.
 */
export type RunKind = 'solve' | 'explain' | 'measure';

/** The one thing that a branch does otherwise than its parent, from token `index` on. */
export type BranchChange =
  /** The decider's threshold for the rest of the text; a token is sent when its score is greater. */
  | { readonly kind: 'threshold'; readonly threshold: number }
  /** Passes of the prediction of token `index`: 1 skips its second pass, 2 … maxIter forces one. */
  | { readonly kind: 'passes'; readonly iterCount: number }
  /** Another token in the place of token `index`. */
  | { readonly kind: 'token'; readonly id: number; readonly text: string };

const LONGEST_TOKEN_TEXT = 1000;

/** A branch change from outside, checked; null for anything else. Whether it fits a run is its host's to say. */
export function readBranchChange(value: unknown): BranchChange | null {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return null;
  if (value.kind === 'threshold' && 'threshold' in value && typeof value.threshold === 'number') return { kind: 'threshold', threshold: value.threshold };
  if (value.kind === 'passes' && 'iterCount' in value && typeof value.iterCount === 'number') return { kind: 'passes', iterCount: value.iterCount };
  if (value.kind !== 'token' || !('id' in value) || !('text' in value) || typeof value.id !== 'number') return null;
  return typeof value.text === 'string' && value.text.length <= LONGEST_TOKEN_TEXT ? { kind: 'token', id: value.id, text: value.text } : null;
}

/** Where a run left another one: the tokens before `index` are the parent's, with the passes that they had there. */
export interface Branch {
  readonly parentId: string;
  /** 0-based, within the generated tokens. */
  readonly index: number;
  readonly change: BranchChange;
}

/** Runs of one problem that were started to be compared share `id`; `role` names their thinking policy. */
export interface Comparison {
  readonly id: string;
  readonly role: 'never' | 'decider' | 'always' | 'oracle';
}

export interface Run {
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly kind: RunKind;
  /** The problem, the formula, or the measured text. */
  readonly problem: string;
  readonly branch: Branch | null;
  readonly comparison: Comparison | null;
  readonly policy: ThinkingPolicy;
  readonly sampling: SamplingOptions | null;
  readonly model: ModelInfo | null;
  readonly provider: ProviderInfo | null;
  readonly prompt: readonly PromptToken[];
  readonly tokens: readonly TokenEvent[];
  readonly state: RunState;
  readonly endReason: EndReason | null;
  readonly error: ErrorData | null;
  readonly stats: GenerateStats | null;
  /** Content of the last box in the text. */
  readonly answer: string | null;
  readonly check: AnswerCheck | null;
  /** Absent where the model declares no subjects, and until it is known. */
  readonly scope?: ScopeVerdict;
}

/** What changes a run after its creation; host applies it and sends it on unchanged, the webview applies it again. */
export type RunChange =
  /** The engine has turned to this run: it waits no longer. */
  | { readonly type: 'turn' }
  | { readonly type: 'start'; readonly model: ModelInfo; readonly provider: ProviderInfo; readonly prompt: readonly PromptToken[]; readonly sampling: SamplingOptions }
  | { readonly type: 'tokens'; readonly tokens: readonly TokenEvent[] }
  | {
      readonly type: 'end';
      readonly state: Exclude<RunState, 'waiting' | 'running'>;
      readonly endReason: EndReason | null;
      readonly error: ErrorData | null;
      readonly stats: GenerateStats | null;
      readonly answer: string | null;
    }
  | { readonly type: 'check'; readonly check: AnswerCheck }
  | { readonly type: 'scope'; readonly scope: ScopeVerdict };

/** Everything of a run but its tokens, which only grow: whoever follows a run keeps them in a list and appends. */
export type RunHead = Omit<Run, 'tokens'>;

/** The head after a change; 'tokens' are for the follower's list. */
export function applyToHead(head: RunHead, change: Exclude<RunChange, { type: 'tokens' }>): RunHead {
  switch (change.type) {
    case 'turn':
      return { ...head, state: 'running' };
    case 'start':
      return { ...head, model: change.model, provider: change.provider, prompt: change.prompt, sampling: change.sampling };
    case 'end':
      return { ...head, state: change.state, endReason: change.endReason, error: change.error, stats: change.stats, answer: change.answer };
    case 'check':
      return { ...head, check: change.check };
    case 'scope':
      return { ...head, scope: change.scope };
    default:
      return change satisfies never;
  }
}

export function runText(run: Pick<Run, 'tokens'>): string {
  return run.tokens.map((token) => token.text).join('');
}

/** Decider score of the token's first pass, or null where there is no decider. */
export function firstScore(token: Pick<TokenEvent, 'continueProbability'>): number | null {
  return token.continueProbability[0] ?? null;
}

/**
 * What a run's tokens don't have because an endpoint doesn't send it.
 * `tokens`: they are pieces of text as they arrived. `candidates`: log-probabilities and top-k. `passes`: scores, passes
 * and before/after of second passes. `entropy`. `ids`: token ids, and the prompt's tokens.
 */
export type MissingDatum = 'tokens' | 'candidates' | 'passes' | 'entropy' | 'ids';

/** Nothing is missing from a run of this machine's engine, or of an endpoint that is a `tah serve`. */
export function missingData(run: Pick<Run, 'model'>): readonly MissingDatum[] {
  const sends = run.model?.endpoint?.sends ?? 'tah';
  switch (sends) {
    case 'tah':
      return [];
    case 'logprobs':
      return ['passes', 'entropy', 'ids'];
    case 'text':
      return ['tokens', 'candidates', 'passes', 'entropy', 'ids'];
    default:
      return sends satisfies never;
  }
}

export type SecondThought = 'kept' | 'changed' | 'changed the pick';

/**
 * What the later passes did to a token's prediction; null where it had one pass only.
 * "changed the pick": another token is now first. "changed": the order of the first five differs. "kept": neither.
 */
export function secondThought(token: Pick<TokenEvent, 'iterCount' | 'before' | 'after'>): SecondThought | null {
  if (token.iterCount < 2) return null;
  if (token.before[0]?.id !== token.after[0]?.id) return 'changed the pick';
  const first = token.before.slice(0, 5).map((c) => c.id);
  const last = token.after.slice(0, 5).map((c) => c.id);
  return first.every((id, i) => id === last[i]) ? 'kept' : 'changed';
}

/** Decider against self-oracle for a token of a given text: was the first pass's top-1 another token, and was it sent? */
export function oracleVerdict(token: Pick<TokenEvent, 'id' | 'iterCount' | 'before'>): OracleVerdict {
  const hard = token.before[0]?.id !== token.id;
  const sent = token.iterCount > 1;
  if (hard) return sent ? 'hard-sent' : 'hard-missed';
  return sent ? 'easy-sent' : 'easy-skipped';
}

/** What second passes made of a given text's tokens. */
export interface SecondPassEffects {
  /** The first pass was wrong, and it was put right. */
  readonly corrected: number;
  /** The first pass was wrong, and it stayed so. */
  readonly unrepaired: number;
  /** Overthinking: the first pass was right, and it was made wrong. */
  readonly overthought: number;
  /** The first pass was right, and it stayed so. */
  readonly needless: number;
}

/** @param tokens `hard`: the first pass picked another token; `right`: the last one picked this */
export function secondPassEffects(tokens: Iterable<{ readonly iterCount: number; readonly hard: boolean; readonly right: boolean }>): SecondPassEffects {
  const effects = { corrected: 0, unrepaired: 0, overthought: 0, needless: 0 };
  for (const { iterCount, hard, right } of tokens) {
    if (iterCount > 1) effects[hard ? (right ? 'corrected' : 'unrepaired') : right ? 'needless' : 'overthought']++;
  }
  return effects;
}

export interface AnswerParts {
  /** Between `<think>` and `</think>`; null where the model does not mark its thinking. */
  readonly thinking: string | null;
  readonly thinkingDone: boolean;
  readonly answer: string;
}

const THINK_OPEN = '<think>';
const THINK_CLOSE = '</think>';

/** What a model thought and what it answers. Some templates open the thinking in the prompt, so a closing mark alone counts too. */
export function splitThinking(text: string): AnswerParts {
  const start = /^\s*<think>/.exec(text)?.[0].length ?? null;
  const close = text.indexOf(THINK_CLOSE);
  if (close >= 0) return { thinking: text.slice(start ?? 0, close).trim(), thinkingDone: true, answer: text.slice(close + THINK_CLOSE.length).trimStart() };
  if (start !== null) return { thinking: text.slice(start).trimStart(), thinkingDone: false, answer: '' };
  const lead = text.trimStart();
  return { thinking: null, thinkingDone: true, answer: lead !== '' && THINK_OPEN.startsWith(lead) ? '' : text };
}
