/**
 * Replays golden cases on the engine's own forward and compares every stage. The same Forward and the same graph
 * builders as in use; only the importer's `probes` are added. Tolerances are those that the vectors' authors suggest.
 */
import type { KvCache } from '../../engine/kvCache.ts';
import { Forward, type PassObserver, type RowResult } from '../../engine/forward.ts';
import type { Session } from '../../engine/session.ts';
import type { ThinkingPolicy } from '../../protocol/engine.ts';
import { GRAPH, hiddenStateName, newName, PROBE_RAW_LOGITS } from '../../protocol/graph.ts';
import type { ModelManifest } from '../../protocol/manifest.ts';
import type { DeciderAtDepth, DecodeCase, ForwardCase, Golden } from './goldenFile.ts';
import type { Report } from './report.ts';

export const TOLERANCE = { probability: 1e-4, firstLogits: 5e-4, finalLogits: 1e-3, state: 1e-3 } as const;

/** Tokens a chunk when the same case is replayed in pieces: incremental must equal full. */
const PIECE = 5;

export interface Replay {
  readonly session: Session;
  readonly manifest: ModelManifest;
  readonly golden: Golden;
  readonly report: Report;
}

interface Pass {
  readonly depth: number;
  readonly positions: readonly number[];
  read(name: string): Float32Array;
}

export async function replayForward(replay: Replay, test: ForwardCase): Promise<void> {
  const { report, manifest } = replay;
  const policy: ThinkingPolicy = test.iter_count_labels == null ? { kind: 'decider' } : { kind: 'oracle', labels: test.iter_count_labels };
  checkThreshold(replay, test.effective_threshold, test.id);
  report.agree('positions', test.id, test.input_ids.map((_, i) => i), test.position_ids);
  const passes: Pass[] = [];
  const rows = await run(replay, test.input_ids, policy, test.input_ids.length, passes);
  report.agree('iteration counts', test.id, rows.map((row) => row.iterCount), test.iter_count);
  report.agree('active positions', test.id, Object.fromEntries(passes.map((pass) => [String(pass.depth + 1), pass.positions])), test.active_positions);
  compareDecider(replay, rows, test.decider, test.id);
  for (const [key, name] of Object.entries(test.tensors)) compareTensor(replay, test, key, name, passes, rows);
  // The reference writes zeros for positions that its own decider sends beyond the last pass; ours are the cumulative logits.
  const unwritten = new Set(test.zero_logit_positions ?? []);
  const argmax = rows.map((row) => row.finalTop?.ids[0]);
  report.agree('greedy tokens', test.id, argmax.filter((_, i) => !unwritten.has(i)), test.final_argmax.filter((_, i) => !unwritten.has(i)));
  const pieces = await run(replay, test.input_ids, policy, PIECE, []);
  report.agree('in pieces: iteration counts', test.id, pieces.map((row) => row.iterCount), test.iter_count);
  const final = test.tensors['final_logits'];
  if (final !== undefined) compareFinal(replay, 'in pieces: final logits', test, final, pieces);
  report.agree('model', test.id, manifest.tah !== null, true);
}

export async function replayDecode(replay: Replay, test: DecodeCase): Promise<void> {
  const { report, golden, session, manifest } = replay;
  const vocab = manifest.architecture.vocabSize;
  checkThreshold(replay, test.effective_threshold, test.id);
  const forward = new Forward(session, manifest);
  const counts: number[] = [];
  const lastLogits: number[] = [];
  for (const [i, step] of test.steps.entries()) {
    const where = `${test.id} step ${i}`;
    const ids = i === 0 ? test.prompt_ids : [step.token ?? -1];
    const rows = await forward.run({ ids, policy: { kind: 'decider' }, track: 'all' });
    report.agree('decode: positions', where, rows.map((row) => row.position), step.positions);
    report.agree('decode: iteration counts', where, rows.map((row) => row.iterCount), step.iter_count);
    compareDecider(replay, rows, step.decider, where);
    const last = rows.at(-1);
    report.agree('decode: top 10', where, last?.finalTop?.ids.slice(0, 10), step.last_top10_ids);
    report.agree('decode: greedy tokens', where, last?.finalTop?.ids[0], step.next_greedy);
    // The token that the reference chose next is the one that ours feeds next: the runs must not part.
    const following = test.steps[i + 1];
    if (following !== undefined) report.agree('decode: greedy tokens', `${where}, fed next`, last?.finalTop?.ids[0], following.token);
    counts.push(...rows.map((row) => row.iterCount));
    lastLogits.push(...(last?.finalLogits ?? []));
  }
  report.agree('decode: generated', test.id, test.steps.slice(1).map((step) => step.token), test.generated);
  report.agree('decode: iteration counts', `${test.id}, all`, counts, test.iter_count_all);
  compareCache(report, test, forward.cache);
  for (const [key, name] of Object.entries(test.tensors)) {
    if (key !== 'last_logits') report.fail('unknown tensors', `${test.id}: ${key}`);
    else {
      const theirs = golden.tensor(name);
      report.agree('shapes', `${test.id}/${key}`, [test.steps.length, vocab], theirs.shape);
      report.compare('decode: last logits', test.id, lastLogits, theirs.data, TOLERANCE.finalLogits);
    }
  }
}

function compareCache(report: Report, test: DecodeCase, cache: KvCache): void {
  for (const [depth, positions] of Object.entries(test.final_cache_positions)) {
    const ours = cache.positionsAt(Number(depth) - 1).toSorted((a, b) => a - b);
    report.agree('decode: cache positions', `${test.id} depth ${depth}`, ours, positions.toSorted((a, b) => a - b));
  }
}

function checkThreshold(replay: Replay, effective: number | null | undefined, where: string): void {
  if (effective != null) replay.report.agree('threshold', where, replay.manifest.tah?.decider.threshold, effective);
}

async function run(replay: Replay, ids: readonly number[], policy: ThinkingPolicy, chunk: number, passes: Pass[]): Promise<RowResult[]> {
  const observe: PassObserver = (pass) => {
    passes.push({ depth: pass.depth, positions: pass.positions, read: (name) => pass.outputs.floats(name) });
  };
  const forward = new Forward(replay.session, replay.manifest, observe);
  const rows: RowResult[] = [];
  for (let from = 0; from < ids.length; from += chunk) rows.push(...(await forward.run({ ids: ids.slice(from, from + chunk), policy, track: 'all' })));
  return rows;
}

function compareDecider(replay: Replay, rows: readonly RowResult[], expected: readonly DeciderAtDepth[], where: string): void {
  const maxIter = replay.manifest.tah?.maxIter ?? 1;
  const first = rows[0]?.position ?? 0;
  for (const { depth, positions, evaluated, prob, decision } of expected) {
    // After the last pass nothing is to be decided; only a reference that believes in more passes asks there.
    if (!evaluated || depth >= maxIter) continue;
    const asked = positions.map((position) => rows[position - first]);
    const ours = asked.map((row) => row?.probabilities[depth - 1] ?? NaN);
    replay.report.compare('decider probability', `${where} depth ${depth}`, ours, prob ?? [], TOLERANCE.probability);
    // Under an oracle the recorded decisions are the labels', which the iteration counts show.
    replay.report.agree('decisions', `${where} depth ${depth}`, asked.map((row) => ((row?.iterCount ?? 0) > depth ? 1 : 0)), decision ?? []);
  }
}

function compareTensor(replay: Replay, test: ForwardCase, key: string, name: string, passes: readonly Pass[], rows: readonly RowResult[]): void {
  if (key === 'final_logits') {
    compareFinal(replay, 'final logits', test, name, rows);
    return;
  }
  const match = /^depth(\d+)\.(?:(raw_logits|cum_logits|inputs_embeds|hidden_states)|layer(\d+)\.([kv]))$/.exec(key);
  const depth = Number(match?.[1]);
  const pass = passes.find((candidate) => candidate.depth === depth - 1);
  if (match === null || pass === undefined) {
    replay.report.fail('unknown tensors', `${test.id}: ${key}${match === null ? '' : ' (there was no such pass)'}`);
    return;
  }
  const theirs = replay.golden.tensor(name);
  const { stage, tolerance, ours, shape } = stageOf(replay, match, pass, depth);
  replay.report.agree('shapes', `${test.id}/${key}`, shape, theirs.shape);
  replay.report.compare(stage, `${test.id}/${key}`, ours, theirs.data, tolerance);
}

function stageOf(replay: Replay, match: RegExpExecArray, pass: Pass, depth: number): { stage: string; tolerance: number; ours: Float32Array; shape: number[] } {
  const { vocabSize, hiddenSize, layers, kvHeads, headDim } = replay.manifest.architecture;
  const rows = pass.positions.length;
  const tolerance = depth === 1 ? TOLERANCE.firstLogits : TOLERANCE.finalLogits;
  const at = depth === 1 ? 'first pass' : 'deeper passes';
  switch (match[2]) {
    case 'raw_logits':
      return { stage: `${at}: logits`, tolerance, ours: pass.read(PROBE_RAW_LOGITS), shape: [rows, vocabSize] };
    case 'cum_logits':
      return { stage: `${at}: cumulative logits`, tolerance, ours: pass.read(GRAPH.logits), shape: [rows, vocabSize] };
    case 'inputs_embeds':
      return { stage: `${at}: embedding mix`, tolerance: TOLERANCE.state, ours: pass.read(hiddenStateName(0)), shape: [rows, hiddenSize] };
    case 'hidden_states':
      return { stage: `${at}: hidden states`, tolerance: TOLERANCE.state, ours: stackedStates(pass, rows, hiddenSize, layers + 1), shape: [rows, layers + 1, hiddenSize] };
    case undefined:
    default:
      return { stage: `${at}: keys and values`, tolerance: TOLERANCE.state, ours: pass.read(newName(Number(match[3]), match[4] === 'k' ? 'key' : 'value')), shape: [kvHeads, rows, headDim] };
  }
}

/** [rows, states, hidden] from one output a state. */
function stackedStates(pass: Pass, rows: number, hidden: number, states: number): Float32Array {
  const out = new Float32Array(rows * states * hidden);
  for (let state = 0; state < states; state++) {
    const values = pass.read(hiddenStateName(state));
    for (let row = 0; row < rows; row++) out.set(values.subarray(row * hidden, (row + 1) * hidden), (row * states + state) * hidden);
  }
  return out;
}

function compareFinal(replay: Replay, stage: string, test: ForwardCase, name: string, rows: readonly RowResult[]): void {
  const theirs = replay.golden.tensor(name);
  const vocab = replay.manifest.architecture.vocabSize;
  replay.report.agree('shapes', `${test.id}/${name}`, [rows.length, vocab], theirs.shape);
  const unwritten = new Set(test.zero_logit_positions ?? []);
  rows.forEach((row, i) => {
    const expected = theirs.data.subarray(i * vocab, (i + 1) * vocab);
    if (!unwritten.has(i)) replay.report.compare(stage, `${test.id} position ${i}`, row.finalLogits ?? [], expected, TOLERANCE.finalLogits);
  });
}
