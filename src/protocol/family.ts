/**
 * The relatives of a run: the run that its branches started from, and all branches of that. Summaries, in the order of
 * a tree walked depth first, for a list to switch and compare by. Pure.
 */

import type { AnswerCheck } from './answer.ts';
import type { Branch, Run, RunState } from './run.ts';

export interface FamilyMember {
  readonly id: string;
  /** 0 for the run that the others come from. */
  readonly depth: number;
  /** Null for the first run, and for a branch whose parent is no longer kept its change still says what it is. */
  readonly branch: Branch | null;
  readonly state: RunState;
  readonly tokens: number;
  readonly answer: string | null;
  readonly check: AnswerCheck | null;
}

type Relative = Pick<Run, 'id' | 'branch' | 'state' | 'answer' | 'check'> & { readonly tokens: number };

/** The family of run `id` among `all`; just the run itself where it has no relatives, nothing where it is not there. */
export function familyOf(id: string, all: readonly Relative[]): FamilyMember[] {
  const byId = new Map(all.map((run) => [run.id, run]));
  const start = byId.get(id);
  if (start === undefined) return [];
  const members: FamilyMember[] = [];
  const seen = new Set<string>();
  const visit = (run: Relative, depth: number): void => {
    // A run file could name itself as its parent.
    if (seen.has(run.id)) return;
    seen.add(run.id);
    members.push({ id: run.id, depth, branch: run.branch, state: run.state, tokens: run.tokens, answer: run.answer, check: run.check });
    for (const child of all) if (child.branch?.parentId === run.id) visit(child, depth + 1);
  };
  visit(rootOf(start, byId), 0);
  return members;
}

function rootOf(start: Relative, byId: ReadonlyMap<string, Relative>): Relative {
  const passed = new Set<string>();
  let run = start;
  for (;;) {
    passed.add(run.id);
    const parent = run.branch === null ? undefined : byId.get(run.branch.parentId);
    if (parent === undefined || passed.has(parent.id)) return run;
    run = parent;
  }
}
