/** Where a page's runs come from: the runs of this window, or one run file. */

import { findRun } from '../../host/history.ts';
import type { Services } from '../../host/services.ts';
import { familyOf } from '../../protocol/family.ts';
import type { FamilyMember } from '../../protocol/family.ts';
import type { RunSourceKind } from '../../protocol/heatmap.ts';
import type { Run } from '../../protocol/run.ts';

export interface RunSource {
  readonly kind: RunSourceKind;
  get(runId: string): Run | null;
  /** Makes `get` find the run if it is kept somewhere: a restored page shows a run of the window before. */
  load(runId: string): Promise<void>;
  /** The run and its relatives; only the run where it has none. */
  family(runId: string): readonly FamilyMember[];
}

export function liveRuns({ runs, history }: Pick<Services, 'runs' | 'history'>): RunSource {
  return {
    kind: 'live',
    get: (runId) => runs.get(runId),
    load: async (runId) => {
      await findRun(runs, history, runId);
    },
    family: (runId) => familyOf(runId, runs.ids().flatMap((id) => {
      const run = runs.get(id);
      return run === null ? [] : [{ ...run, tokens: run.tokens.length }];
    })),
  };
}

export function runOfFile(run: Run): RunSource {
  return { kind: 'file', get: (runId) => (runId === run.id ? run : null), load: () => Promise.resolve(), family: () => [] };
}
