/**
 * "Regenerate from here" as a request: the tokens before `index` are forced with the passes that they had, then the
 * one change, then as the parent went on. Pure. The prediction of token i is made by the row at prompt + i - 1, so the
 * passes of token i are those of that row.
 */

import type { ProviderChoice, ThinkingPolicy } from '../protocol/engine.ts';
import { phrase, TahError } from '../protocol/errors.ts';
import type { BranchChange, Run } from '../protocol/run.ts';
import type { RunRequest, SolveRequest } from './runsRequest.ts';

/** Where the branch is computed, and how long it may become. */
export interface BranchPlace {
  /** Folder of the parent's model. */
  readonly model: string;
  readonly provider?: ProviderChoice;
  /** For a parent that did not end at its own limit. */
  readonly maxTokens: number;
}

/** @throws TahError input.empty, engine.bad-request, model.no-decider */
export function branchRequest(parent: Run, index: number, change: BranchChange, place: BranchPlace): SolveRequest {
  const { sampling, model } = parent;
  if (parent.kind === 'measure') throw new TahError('engine.bad-request', phrase('A measured text was not generated, so it cannot be regenerated.'), { hint: phrase('Solve a problem, and branch from that run.') });
  if (model?.endpoint !== undefined) {
    throw new TahError('engine.bad-request', phrase('The run came from the endpoint {0}, which cannot go on from given tokens.', model.endpoint.name), { subject: 'endpoint', hint: phrase('Solve the problem with a model on this machine, and branch from that run.') });
  }
  if (sampling === null || model === null || parent.prompt.length === 0 || parent.tokens.length === 0) {
    throw new TahError('input.empty', phrase('This run has no tokens to regenerate from.'), { hint: phrase('Wait for its first token, or solve the problem again.') });
  }
  if (!Number.isInteger(index) || index < 0 || index >= parent.tokens.length) {
    throw new TahError('engine.bad-request', phrase('The run has no token {0}; its tokens are 0 to {1}.', index, parent.tokens.length - 1), { subject: 'index' });
  }
  refuseUnfit(change, model.maxIter);
  const maxTokens = parent.endReason === 'max-tokens' ? parent.tokens.length : Math.max(place.maxTokens, parent.tokens.length);
  const prefix = parent.tokens.slice(0, index).map((token) => token.id);
  return {
    kind: parent.kind,
    problem: parent.problem,
    prompt: { kind: 'tokens', ids: parent.prompt.map((token) => token.id) },
    model: place.model,
    ...(place.provider === undefined ? {} : { provider: place.provider }),
    policy: model.maxIter === 1 ? { kind: 'never' } : branchPolicy(parent, index, change, { maxIter: model.maxIter, maxTokens }),
    sampling,
    maxTokens,
    forced: change.kind === 'token' ? [...prefix, change.id] : prefix,
    branch: { parentId: parent.id, index, change },
  };
}

/** The request that a run came from, as far as the run tells: prompt, policy, seed, and what was forced. */
export function repeatRequest(run: Run, place: BranchPlace): RunRequest {
  const { branch, comparison, policy, problem, prompt, sampling } = run;
  const base = { model: place.model, policy, ...(place.provider === undefined ? {} : { provider: place.provider }), ...(comparison === null ? {} : { comparison }) };
  if (run.kind === 'measure') return { ...base, kind: 'measure', text: problem };
  const forced = branch === null ? [] : run.tokens.slice(0, branch.change.kind === 'token' ? branch.index + 1 : branch.index).map((token) => token.id);
  // The model may be asked anew where the run never came to its prompt, and by an endpoint that says no token ids.
  const asked = prompt.length > 0 && run.model?.endpoint === undefined ? { prompt: { kind: 'tokens', ids: prompt.map((token) => token.id) } as const } : {};
  return {
    ...base,
    kind: run.kind,
    problem,
    ...asked,
    ...(sampling === null ? {} : { sampling }),
    maxTokens: place.maxTokens,
    ...(forced.length === 0 ? {} : { forced }),
    ...(branch === null ? {} : { branch }),
  };
}

function refuseUnfit(change: BranchChange, maxIter: number): void {
  if (maxIter === 1 && change.kind !== 'token') {
    throw new TahError('model.no-decider', phrase('This is a plain model: it has no second pass to force, skip or decide about.'), { subject: change.kind, hint: phrase('Choose another token instead.') });
  }
  switch (change.kind) {
    case 'threshold':
      if (change.threshold >= 0 && change.threshold <= 1) return;
      throw new TahError('engine.bad-request', phrase('The threshold must be from 0 to 1, not {0}.', change.threshold), { subject: 'threshold' });
    case 'passes':
      if (Number.isInteger(change.iterCount) && change.iterCount >= 1 && change.iterCount <= maxIter) return;
      throw new TahError('engine.bad-request', phrase('The passes must be a whole number from 1 to {0}, not {1}.', maxIter, change.iterCount), { subject: 'passes' });
    case 'token':
      // Whether the vocabulary has it, the engine says.
      if (Number.isInteger(change.id) && change.id >= 0) return;
      throw new TahError('engine.bad-request', phrase('A token id is a whole number of at least 0, not {0}.', change.id), { subject: 'token' });
    default:
      change satisfies never;
  }
}

interface Bounds {
  readonly maxIter: number;
  readonly maxTokens: number;
}

function branchPolicy(parent: Run, index: number, change: BranchChange, bounds: Bounds): ThinkingPolicy {
  // Rows in the order of their positions; the last row of the prompt predicts token 0.
  const rows = [...parent.prompt, ...parent.tokens.slice(1)].map((row) => row.iterCount);
  const changed = parent.prompt.length + index - 1;
  const kept = rows.slice(0, changed);
  if (change.kind === 'threshold') return { kind: 'depths', iterCounts: kept, threshold: change.threshold };
  const here = change.kind === 'passes' ? change.iterCount : (rows[changed] ?? 1);
  const { policy } = parent;
  const threshold = 'threshold' in policy ? { threshold: policy.threshold } : {};
  return { kind: 'depths', iterCounts: [...kept, here, ...passesAfter(policy, changed + 1, parent.prompt.length + bounds.maxTokens, bounds.maxIter)], ...threshold };
}

/** Passes of the rows from `first` up to `end` under the parent's policy; none where its decider decides. */
function passesAfter(policy: ThinkingPolicy, first: number, end: number, maxIter: number): readonly number[] {
  const rows = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  switch (policy.kind) {
    case 'decider':
    case 'depths':
      return [];
    case 'never':
      return rows.map(() => 1);
    case 'always':
      return rows.map(() => maxIter);
    case 'oracle':
      return rows.map((row) => Math.min(maxIter, Math.max(1, policy.labels[row] ?? 1)));
    case 'self-oracle':
      throw new TahError('engine.bad-request', phrase('The self-oracle policy needs a given text.'), { subject: 'policy' });
    default:
      return policy satisfies never;
  }
}
