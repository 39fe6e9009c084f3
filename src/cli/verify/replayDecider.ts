/**
 * Compares what the decider said and what became of it. Knows the records of golden cases and the results of a forward;
 * what a pass computed beside the decider is replay.ts.
 */
import type { RowResult } from '../../engine/forward.ts';
import { GRAPH } from '../../protocol/graph.ts';
import type { ModelManifest } from '../../protocol/manifest.ts';
import type { DeciderAtDepth, ForwardCase } from './goldenFile.ts';
import type { Pass } from './pass.ts';
import type { Report } from './report.ts';

/** Noise of probabilities is 2e-5 at most (README of the vectors). */
const TOLERANCE = 1e-4;

export interface Decided {
  readonly report: Report;
  readonly manifest: ModelManifest;
  readonly passes: readonly Pass[];
  readonly rows: readonly RowResult[];
}

/** @param expected one record a depth, as the case has them; none may be missing */
export function compareDecider({ report, manifest, passes, rows }: Decided, expected: readonly DeciderAtDepth[], where: string): void {
  const maxIter = manifest.tah?.maxIter ?? 1;
  const threshold = manifest.tah?.decider.threshold ?? NaN;
  const first = rows[0]?.position ?? 0;
  // A plain model has no decider to be asked; its golden cases may say so by saying nothing.
  if (manifest.tah !== null || expected.length > 0) report.agree('decider: depths', where, passes.map((pass) => pass.depth + 1), expected.map((record) => record.depth));
  for (const { depth, positions, evaluated, prob, logit, decision } of expected) {
    const at = `${where} depth ${depth}`;
    const pass = passes.find((candidate) => candidate.depth === depth - 1);
    report.agree('decider: positions', at, pass?.positions, positions);
    const probabilities = evaluated ? probabilitiesOf(pass, positions) : [];
    if (evaluated) {
      report.compare('decider probability', at, probabilities, prob ?? [], TOLERANCE);
      if (logit != null) report.compare('decider logit, as probability', at, probabilities, logit.map(sigmoid), TOLERANCE);
    }
    if (!evaluated && decision == null) continue;
    // A reference that believes in more passes asks after the last one too; ours ends there, so its score alone can tell.
    const beyond = evaluated && depth >= maxIter;
    const ours = positions.map((position, i) => (beyond ? (probabilities[i] ?? NaN) > threshold : (rows[position - first]?.iterCount ?? 0) > depth));
    report.agree('decisions', at, ours.map(Number), decision ?? []);
  }
}

/** Positions where the threshold as written and the threshold as rounded decide differently. */
export function compareFlips({ report, manifest, rows }: Decided, test: ForwardCase): void {
  const nominal = test.nominal_threshold;
  const rounded = manifest.tah?.decider.threshold;
  if (test.flipping_positions == null || nominal == null || rounded === undefined) return;
  const flips = rows.filter((row) => row.probabilities.some((p) => p > rounded !== p > nominal)).map((row) => row.position);
  report.agree('decisions that rounding flips', test.id, flips, test.flipping_positions);
}

/** The decider's output in that pass, NaN where it was not computed. */
function probabilitiesOf(pass: Pass | undefined, positions: readonly number[]): number[] {
  if (pass?.has(GRAPH.continueProbability) !== true) return positions.map(() => NaN);
  const values = pass.read(GRAPH.continueProbability);
  const byPosition = new Map(pass.headRows.map((row, i) => [pass.positions[row], values[i]]));
  return positions.map((position) => byPosition.get(position) ?? NaN);
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
