/**
 * Comparisons of this window: starts the runs of one after the other on the one engine, so that their times compare,
 * and stops all of them at once. Owns no tokens: those are the runs'. Imports no `vscode`.
 */

import { randomUUID } from 'node:crypto';
import { Emitter } from '../../host/emitter.ts';
import type { Runs } from '../../host/runs.ts';
import type { RunRequest } from '../../host/runsRequest.ts';
import type { ComparisonKind, ComparisonRole } from '../../protocol/comparison.ts';
import type { ThinkingPolicy } from '../../protocol/engine.ts';

export interface PlannedRun {
  readonly role: ComparisonRole;
  readonly policy: ThinkingPolicy;
}

/** Everything of the runs but the policy, which is what they differ in. */
export type SharedRequest = (planned: PlannedRun, comparison: { readonly id: string; readonly role: ComparisonRole }) => RunRequest;

export interface ComparisonPlan {
  readonly kind: ComparisonKind;
  readonly problem: string;
  readonly runs: readonly PlannedRun[];
  readonly request: SharedRequest;
  /** Called with each run as soon as it is there. */
  readonly onStart?: (runId: string) => void;
}

export interface KnownComparison {
  readonly id: string;
  readonly kind: ComparisonKind;
  readonly problem: string;
  readonly columns: readonly { readonly role: ComparisonRole; readonly policy: ThinkingPolicy; readonly runId: string | null; readonly skipped: boolean }[];
}

interface LiveComparison {
  readonly plan: ComparisonPlan;
  readonly runIds: Map<ComparisonRole, string>;
  stopped: boolean;
  finished: Promise<void>;
}

/** More are forgotten, oldest first; their runs are kept or forgotten as any run is. */
const KEEP = 10;

export class Comparisons {
  private readonly live = new Map<string, LiveComparison>();
  private readonly changed: Emitter<string>;

  constructor(
    private readonly runs: Pick<Runs, 'start' | 'stop' | 'get' | 'whenFinished'>,
    private readonly onError: (error: unknown) => void,
  ) {
    this.changed = new Emitter(onError);
  }

  /** Fires with the comparison's id when a run of it was started, or the rest of them were skipped. */
  get onDidChange(): Emitter<string>['event'] {
    return this.changed.event;
  }

  start(plan: ComparisonPlan): string {
    const id = randomUUID();
    const live: LiveComparison = { plan, runIds: new Map(), stopped: false, finished: Promise.resolve() };
    this.live.set(id, live);
    const oldest = this.live.size > KEEP ? this.live.keys().next().value : undefined;
    if (oldest !== undefined) this.live.delete(oldest);
    live.finished = this.follow(id, live).catch(this.onError);
    return id;
  }

  /** The run at work stops within one pass, and those that wait are not started. */
  stop(id: string): void {
    const live = this.live.get(id);
    if (live === undefined) return;
    live.stopped = true;
    for (const runId of live.runIds.values()) this.runs.stop(runId);
    this.changed.fire(id);
  }

  get(id: string): KnownComparison | null {
    const live = this.live.get(id);
    if (live === undefined) return null;
    const { kind, problem, runs } = live.plan;
    const columns = runs.map(({ role, policy }) => {
      const runId = live.runIds.get(role) ?? null;
      return { role, policy, runId, skipped: runId === null && live.stopped };
    });
    return { id, kind, problem, columns };
  }

  /** The comparison that a run belongs to, and its column. */
  of(runId: string): { readonly id: string; readonly role: ComparisonRole } | null {
    for (const [id, { runIds }] of this.live) {
      for (const [role, own] of runIds) if (own === runId) return { id, role };
    }
    return null;
  }

  async whenFinished(id: string): Promise<void> {
    await this.live.get(id)?.finished;
  }

  private async follow(id: string, live: LiveComparison): Promise<void> {
    for (const planned of live.plan.runs) {
      if (live.stopped) break;
      const runId = this.runs.start(live.plan.request(planned, { id, role: planned.role }));
      live.runIds.set(planned.role, runId);
      live.plan.onStart?.(runId);
      this.changed.fire(id);
      await this.runs.whenFinished(runId);
      // A run that failed would fail again: a model that is gone, a problem that is too long.
      if (this.runs.get(runId)?.state === 'failed') live.stopped = true;
    }
    if (live.stopped) this.changed.fire(id);
  }
}
