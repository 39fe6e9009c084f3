/**
 * Replays golden cases on the engine's own forward and compares every stage. The same Forward and the same graph
 * builders as in use; only the importer's `probes` are added. Tolerances are those that the vectors' authors suggest.
 */
import { Forward, type RowResult } from '../../engine/forward.ts';
import type { Cache } from '../../engine/kvCache.ts';
import type { Session } from '../../engine/session.ts';
import type { ThinkingPolicy } from '../../protocol/engine.ts';
import { GRAPH, hiddenStateName, newName, PROBE_RAW_LOGITS } from '../../protocol/graph.ts';
import type { ModelManifest } from '../../protocol/manifest.ts';
import type { DecodeCase, ForwardCase, Golden, GoldenCase } from './goldenFile.ts';
import { collectInto, type Pass } from './pass.ts';
import { compareDecider, compareFlips } from './replayDecider.ts';
import type { Report } from './report.ts';

const TOLERANCE = { firstLogits: 5e-4, finalLogits: 1e-3, state: 1e-3 } as const;

/** Tokens a chunk when the same case is replayed in pieces: incremental must equal full. */
const PIECE = 5;

const LABEL_DECIDER = 'IterLabelDecider';

export interface Replay {
  readonly session: Session;
  readonly manifest: ModelManifest;
  readonly golden: Golden;
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
}

export async function replayCase(replay: Replay, test: GoldenCase): Promise<void> {
  const { report, manifest } = replay;
  const policy = policyOf(test);
  const ids = test.kind === 'forward' ? test.input_ids : [...test.prompt_ids, ...test.steps.slice(1).map((step) => step.token ?? -1)];
  const strange = ids.find((id) => id < 0 || id >= manifest.architecture.vocabSize);
  if (policy === null) report.fail('cases', `${test.id}: labels decide, but there are no iter_count_labels`);
  else if (strange !== undefined) report.fail('cases', `${test.id}: the model has no token ${strange}`);
  else {
    if (test.effective_threshold != null) report.agree('threshold', test.id, manifest.tah?.decider.threshold, test.effective_threshold);
    if (test.kind === 'forward') await replayForward(replay, test, policy);
    else await replayDecode(replay, test, policy);
  }
}

/** The reference's labels decide where its IterLabelDecider is asked for; null where it would have none. */
function policyOf(test: GoldenCase): ThinkingPolicy | null {
  if (test.tah_config_override?.['eval_iter_decider'] !== LABEL_DECIDER) return { kind: 'decider' };
  return test.iter_count_labels == null ? null : { kind: 'oracle', labels: test.iter_count_labels };
}

/** What the vectors say of the checkpoint, as it is without an override of its configuration. */
export function compareModel({ report, manifest }: Pick<Replay, 'report' | 'manifest'>, theirs: Golden['model']): void {
  const { architecture, tah } = manifest;
  const ours: Golden['model'] = {
    kind: architecture.kind,
    vocab_size: architecture.vocabSize,
    hidden_size: architecture.hiddenSize,
    layers: architecture.layers,
    heads: architecture.heads,
    kv_heads: architecture.kvHeads,
    head_dim: architecture.headDim,
    // The reference limits k only when it mixes.
    input_topk: tah === null || (theirs.input_topk ?? 0) > architecture.vocabSize ? theirs.input_topk : tah.inputTopK,
    lora_scaling: tah?.lora.scale,
    effective_threshold: tah?.decider.threshold,
  };
  for (const key of Object.keys(ours) as (keyof typeof ours)[]) if (theirs[key] != null) report.agree('model', key, ours[key], theirs[key]);
}

async function replayForward(replay: Replay, test: ForwardCase, policy: ThinkingPolicy): Promise<void> {
  const { report, manifest } = replay;
  report.agree('positions', test.id, test.input_ids.map((_, i) => i), test.position_ids);
  const passes: Pass[] = [];
  const rows = await run(replay, test.input_ids, policy, test.input_ids.length, passes);
  report.agree('iteration counts', test.id, rows.map((row) => row.iterCount), test.iter_count);
  report.agree('active positions', test.id, Object.fromEntries(passes.map((pass) => [String(pass.depth + 1), pass.positions])), test.active_positions);
  compareDecider({ report, manifest, passes, rows }, test.decider, test.id);
  compareFlips({ report, manifest, passes, rows }, test);
  for (const [key, name] of Object.entries(test.tensors)) compareTensor(replay, test, key, name, passes, rows);
  // The reference writes zeros for positions that its own decider sends beyond the last pass; ours are the cumulative logits.
  const unwritten = new Set(test.zero_logit_positions ?? []);
  const argmax = rows.map((row) => row.finalTop?.ids[0]);
  report.agree('greedy tokens', test.id, argmax.filter((_, i) => !unwritten.has(i)), test.final_argmax.filter((_, i) => !unwritten.has(i)));
  const pieces = await run(replay, test.input_ids, policy, PIECE, []);
  report.agree('in pieces: iteration counts', test.id, pieces.map((row) => row.iterCount), test.iter_count);
  const final = test.tensors['final_logits'];
  if (final !== undefined) compareFinal(replay, 'in pieces: final logits', test, final, pieces);
}

async function replayDecode(replay: Replay, test: DecodeCase, policy: ThinkingPolicy): Promise<void> {
  const { report, session, manifest, signal } = replay;
  let passes: Pass[] = [];
  const forward = new Forward(session, manifest, collectInto(() => passes));
  const counts: number[] = [];
  const lastRows: RowResult[] = [];
  for (const [i, step] of test.steps.entries()) {
    const where = `${test.id} step ${i}`;
    passes = [];
    const rows = await forward.run({ ids: i === 0 ? test.prompt_ids : [step.token ?? -1], policy, track: 'all', signal });
    report.agree('decode: positions', where, rows.map((row) => row.position), step.positions);
    report.agree('decode: iteration counts', where, rows.map((row) => row.iterCount), step.iter_count);
    compareDecider({ report, manifest, passes, rows }, step.decider, where);
    counts.push(...rows.map((row) => row.iterCount));
    const last = rows.at(-1);
    if (last === undefined) throw new Error(`${where} has no rows`);
    lastRows.push(last);
    compareTop(report, where, step, last);
    // The token that the reference chose next is the one that is fed next: the runs must not part.
    const following = i + 1 < test.steps.length ? test.steps[i + 1]?.token : test.next_after_last;
    if (following != null) report.agree('decode: greedy tokens', `${where}, chosen next`, last.finalTop?.ids[0], following);
  }
  report.agree('decode: generated', test.id, test.steps.slice(1).map((step) => step.token), test.generated);
  report.agree('decode: iteration counts', `${test.id}, all`, counts, test.iter_count_all);
  compareCache(report, test, forward.cache, manifest.tah?.maxIter ?? 1);
  for (const [key, name] of Object.entries(test.tensors)) {
    if (key === 'last_logits') compareRows(replay, 'decode: last logits', test.id, name, lastRows, new Set());
    else report.fail('unknown tensors', `${test.id}: ${key}`);
  }
}

/** The ten best of a step. Their order may differ only where their logits do not, within the tolerance. */
function compareTop(report: Report, where: string, step: DecodeCase['steps'][number], last: RowResult): void {
  const best = step.last_top10_ids.length;
  const ids = last.finalTop?.ids.slice(0, best);
  report.agree('decode: greedy tokens', where, ids?.[0], step.next_greedy);
  if (step.last_top10_logits == null) {
    report.agree('decode: top 10', where, ids, step.last_top10_ids);
    return;
  }
  report.compare('decode: top 10', `${where}, values`, last.finalTop?.values.subarray(0, best) ?? [], step.last_top10_logits, TOLERANCE.finalLogits);
  report.compare('decode: top 10', `${where}, of their ids`, step.last_top10_ids.map((id) => last.finalLogits?.[id] ?? NaN), step.last_top10_logits, TOLERANCE.finalLogits);
}

function compareCache(report: Report, test: DecodeCase, cache: Cache, maxIter: number): void {
  const ascending = (positions: readonly number[]): number[] => positions.toSorted((a, b) => a - b);
  const ours = Array.from({ length: maxIter }, (_, depth) => [String(depth + 1), ascending(cache.positionsAt(depth))] as const).filter(([, positions]) => positions.length > 0);
  const theirs = Object.entries(test.final_cache_positions).filter(([, positions]) => positions.length > 0);
  report.agree('decode: cache positions', test.id, ours, theirs.map(([depth, positions]) => [depth, ascending(positions)]));
  if (test.final_cache_lengths == null) return;
  const lengths = Object.entries(test.final_cache_lengths).filter(([, length]) => length > 0);
  report.agree('decode: cache lengths', test.id, ours.map(([depth, positions]) => [depth, positions.length]), lengths);
}

async function run(replay: Replay, ids: readonly number[], policy: ThinkingPolicy, chunk: number, passes: Pass[]): Promise<RowResult[]> {
  const forward = new Forward(replay.session, replay.manifest, collectInto(() => passes));
  const rows: RowResult[] = [];
  for (let from = 0; from < ids.length; from += chunk) {
    rows.push(...(await forward.run({ ids: ids.slice(from, from + chunk), policy, track: 'all', signal: replay.signal })));
  }
  return rows;
}

function compareTensor(replay: Replay, test: ForwardCase, key: string, name: string, passes: readonly Pass[], rows: readonly RowResult[]): void {
  if (key === 'final_logits') {
    compareFinal(replay, 'final logits', test, name, rows);
    return;
  }
  const match = /^depth(\d+)\.(?:(raw_logits|cum_logits|inputs_embeds|hidden_states)|layer(\d+)\.([kv]))$/.exec(key);
  const depth = Number(match?.[1]);
  const pass = passes.find((candidate) => candidate.depth === depth - 1);
  if (match === null || Number(match[3] ?? 0) >= replay.manifest.architecture.layers) replay.report.fail('unknown tensors', `${test.id}: ${key}`);
  else if (pass === undefined) replay.report.fail('unknown tensors', `${test.id}: ${key} (there was no such pass)`);
  else {
    const theirs = replay.golden.tensor(name);
    const { stage, tolerance, ours, shape } = stageOf(replay, match, pass, depth);
    replay.report.agree('shapes', `${test.id}/${key}`, shape, theirs.shape);
    replay.report.compare(stage, `${test.id}/${key}`, ours, theirs.data, tolerance);
  }
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
  compareRows(replay, stage, test.id, name, rows, new Set(test.zero_logit_positions ?? []));
}

/** Final logits of rows against a tensor [rows, vocab]. @param left indices of rows that the reference left unwritten */
function compareRows(replay: Replay, stage: string, where: string, name: string, rows: readonly RowResult[], left: ReadonlySet<number>): void {
  const theirs = replay.golden.tensor(name);
  const vocab = replay.manifest.architecture.vocabSize;
  replay.report.agree('shapes', name, [rows.length, vocab], theirs.shape);
  rows.forEach((row, i) => {
    const expected = theirs.data.subarray(i * vocab, (i + 1) * vocab);
    if (!left.has(i)) replay.report.compare(stage, `${where} position ${row.position}`, row.finalLogits ?? [], expected, TOLERANCE.finalLogits);
  });
}
