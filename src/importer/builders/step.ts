/**
 * One pass over some rows, put together from its parts; whoever builds a graph says where its inputs come from and
 * which of its outputs leave.
 *
 *   mix_ids, mix_weights ─ embedding mix ─ block 0 … block n-1 ─ Gather(head_rows) ─ norm ─ head ─ + previous_logits
 *                                              │ hidden states ─────┐                                │
 *                                              └ keys and values    └──────── decider ── TopK ───────┤
 *                                                to the cache         continue_probability   top_*   └ cumulative logits
 */
import { int, type Value } from '../onnx/graph.ts';
import { attention, rmsNorm, type Reading, type SharedInputs } from './attention.ts';
import { decider } from './decider.ts';
import { dequantizedRows } from './lookup.ts';
import { blockLinear, blockLinears, matMulQuantized, matMulWeight, type BuildContext } from './linear.ts';
import type { QuantizedWeight } from './weights.ts';

export const EMBEDDING = 'model.embed_tokens.weight';

/** More than views show and than models draw from by default, which is 20: a tie with the last one is then seen. */
const LEAST_TOP_K = 24;

export function graphTopK(checkpoint: BuildContext['checkpoint']): number {
  const wanted = checkpoint.tah === null ? LEAST_TOP_K : Math.max(LEAST_TOP_K, checkpoint.tah.inputTopK, checkpoint.tah.decider.config.topK);
  return Math.min(wanted, checkpoint.config.vocabSize);
}

/** What a step reads. */
export interface StepInputs {
  /** int64 [rows, mix] and float32 [rows, mix] */
  readonly mixIds: Value;
  readonly mixWeights: Value;
  /** float32 [rows, headDim / 2] */
  readonly ropeCos: Value;
  readonly ropeSin: Value;
  /** float32 [rows, past + seen], `seen` as the reading has it */
  readonly bias: Value;
  readonly reading: Reading;
  /** int64 [heads]; null: all rows */
  readonly headRows: Value | null;
  /** float32 [heads, vocab] or [1, 1] */
  readonly previousLogits: Value;
  readonly probes: boolean;
}

export interface StepOutputs {
  /** float32 [heads, vocab]: of this pass alone, and with those of the earlier passes */
  readonly rawLogits: Value;
  readonly cumulativeLogits: Value;
  /** [heads, graphTopK], descending */
  readonly topValues: Value;
  readonly topIds: Value;
  /** float32 [heads]; null in a plain model */
  readonly continueProbability: Value | null;
  /** Probes: [rows, hidden] before the first block, after each, the last one after the final norm; null without. */
  readonly allHidden: readonly Value[] | null;
}

/** Builds into context.graph. */
export function buildStep(context: BuildContext, inputs: StepInputs): StepOutputs {
  const { graph, checkpoint } = context;
  const { layers } = checkpoint.config;
  const shared = sharedInputs(context, inputs);
  const embedding = embeddingTable(context);
  let x = embeddingMix(context, inputs, embedding.gather);
  const hidden: Value[] = [x];
  for (let layer = 0; layer < layers; layer++) {
    x = block(context, shared, x, layer);
    hidden.push(x);
  }
  const { headRows } = inputs;
  const gathered = (state: Value, address: string): Value => (headRows === null ? state : graph.node('Gather', address, [state, headRows], { axis: int(0) }));
  // Probes show the norm of every row; else only those of the head need it.
  const normed = inputs.probes ? rmsNorm(context, '/probe/norm', x, 'model.norm.weight') : null;
  const last = normed === null ? rmsNorm(context, '/head/norm', gathered(x, '/head/rows/Gather'), 'model.norm.weight') : gathered(normed, '/head/rows/Gather');
  const stateOf = (index: number): Value => (index === layers ? last : gathered(required(hidden[index]), `/decider/hidden.${index}/Gather`));
  return { ...head(context, last, stateOf, inputs.previousLogits, embedding.project), allHidden: normed === null ? null : [...hidden.slice(0, -1), normed] };
}

function required(state: Value | undefined): Value {
  if (state === undefined) throw new Error('the model has no such hidden state');
  return state;
}

/** One decoder block: x + attention(norm(x)), then x + MLP(norm(x)) with MLP(x) = down(silu(gate(x)) · up(x)). */
function block(context: BuildContext, shared: SharedInputs, x: Value, layer: number): Value {
  const { graph } = context;
  const at = `/model/layers.${layer}`;
  const name = `model.layers.${layer}`;
  const attended = attention(context, shared, rmsNorm(context, `${at}/input_norm`, x, `${name}.input_layernorm.weight`), layer);
  const middle = graph.node('Add', `${at}/attn_residual/Add`, [x, attended]);
  const normed = rmsNorm(context, `${at}/post_norm`, middle, `${name}.post_attention_layernorm.weight`);
  const [gate = '', up = ''] = blockLinears(context, `${at}/mlp/gate_up_proj`, normed, layer, ['mlp.gate_proj', 'mlp.up_proj']);
  const sigmoid = graph.node('Sigmoid', `${at}/mlp/Sigmoid`, [gate]);
  const silu = graph.node('Mul', `${at}/mlp/silu/Mul`, [gate, sigmoid]);
  const product = graph.node('Mul', `${at}/mlp/Mul`, [silu, up]);
  const down = blockLinear(context, `${at}/mlp/down_proj`, product, layer, 'mlp.down_proj');
  return graph.node('Add', `${at}/mlp_residual/Add`, [middle, down]);
}

/** Final logits, top-k, decider. @param last normalised, rows of the head only @param stateOf a hidden state of those rows */
function head(context: BuildContext, last: Value, stateOf: (index: number) => Value, previous: Value, project: (x: Value) => Value): Omit<StepOutputs, 'allHidden'> {
  const { graph, checkpoint } = context;
  const rawLogits = project(last);
  const cumulativeLogits = graph.node('Add', '/head/cumulative/Add', [rawLogits, previous]);
  const k = graphTopK(checkpoint);
  const [topValues = '', topIds = ''] = graph.nodeWithOutputs('TopK', '/head/TopK', [cumulativeLogits, graph.constant('/head/TopK/k', 'int64', [1], [k])], 2, {
    axis: int(-1),
    largest: int(1),
    sorted: int(1),
  });
  const found = { rawLogits, cumulativeLogits, topValues, topIds };
  if (checkpoint.tah === null) return { ...found, continueProbability: null };
  const weights = checkpoint.tah.decider;
  const read = weights.config.topK === k ? topValues : firstColumns(context, topValues, weights.config.topK);
  return { ...found, continueProbability: decider(context, weights, weights.config.layers.map(stateOf), read) };
}

function firstColumns(context: BuildContext, x: Value, columns: number): Value {
  const constant = (name: string, value: number): Value => context.graph.constant(`/decider/top/${name}`, 'int64', [1], [value]);
  return context.graph.node('Slice', '/decider/top/Slice', [x, constant('starts', 0), constant('ends', columns), constant('axes', 1)]);
}

/** The embedding as a lookup and, where tied, as the head: stored once in either precision. */
function embeddingTable(context: BuildContext): { gather: (ids: Value) => Value; project: (x: Value) => Value } {
  const { graph, plan, checkpoint, scheme } = context;
  const { tiedEmbedding } = checkpoint.config;
  const at = '/model/embed_tokens';
  if (scheme.bits === null || scheme.blockSize === null) {
    const table = plan.matrix(checkpoint.weights, EMBEDDING);
    return {
      gather: (ids) => graph.node('Gather', `${at}/Gather`, [table, ids], { axis: int(0) }),
      project: tiedEmbedding
        ? (x) => graph.node('Gemm', '/head/lm_head/Gemm', [x, table], { transB: int(1) })
        : (x) => matMulWeight(context, '/head/lm_head', x, 'lm_head.weight'),
    };
  }

  const weight: QuantizedWeight = plan.quantized(checkpoint.weights, [EMBEDDING], scheme.bits, scheme.blockSize);
  const table = weight.asTable();
  const attributes = { bits: int(weight.bits), block_size: int(weight.blockSize), gather_axis: int(0), quantize_axis: int(1) };
  return {
    gather: (ids) => (scheme.lookup === 'plain' ? dequantizedRows(graph, at, weight, ids) : graph.node('GatherBlockQuantized', `${at}/GatherBlockQuantized`, [table.data, ids, table.scales], attributes)),
    project: tiedEmbedding ? (x) => matMulQuantized(context, '/head/lm_head', x, weight) : (x) => matMulWeight(context, '/head/lm_head', x, 'lm_head.weight'),
  };
}

/** Weighted sum of embedding rows: mix_weights [rows, 1, mix] · E[mix_ids] [rows, mix, hidden] → [rows, hidden] */
function embeddingMix(context: BuildContext, inputs: StepInputs, gather: (ids: Value) => Value): Value {
  const { graph, checkpoint } = context;
  const at = '/model/embed_mix';
  const axis = graph.constant(`${at}/axis`, 'int64', [1], [1]);
  const rows = graph.node('Unsqueeze', `${at}/Unsqueeze`, [inputs.mixWeights, axis]);
  const mixed = graph.node('MatMul', `${at}/MatMul`, [rows, gather(inputs.mixIds)]);
  return graph.node('Reshape', `${at}/Reshape`, [mixed, graph.constant(`${at}/shape`, 'int64', [2], [-1, checkpoint.config.hiddenSize])]);
}

function sharedInputs(context: BuildContext, { ropeCos, ropeSin, bias, reading }: StepInputs): SharedInputs {
  const { graph, checkpoint } = context;
  const { heads, kvHeads, headDim } = checkpoint.config;
  const constant = (name: string, values: readonly number[]): Value => graph.constant(`/shared/${name}`, 'int64', [values.length], values);
  // [past, seen]: the past's length from the past, the rest from what is left of the bias.
  const one = constant('one', [1]);
  const two = constant('two', [2]);
  const dimension = (of: Value, name: string): Value => graph.node('Slice', `/shared/${name}/Slice`, [graph.node('Shape', `/shared/${name}/Shape`, [of]), one, two]);
  const past = dimension(reading.past, 'past');
  const seen = graph.node('Sub', '/shared/seen/Sub', [dimension(bias, 'width'), past]);
  const known = new Map<string, Value>();
  const once = (name: string, values: readonly number[]): Value => {
    const value = known.get(name) ?? constant(name, values);
    known.set(name, value);
    return value;
  };
  return {
    ropeCos,
    ropeSin,
    ropeOffset: constant('rope_offset', [0]),
    bias: graph.node('Tile', '/shared/bias/Tile', [bias, constant('repeats', [heads / kvHeads, 1])]),
    pastAndSeen: graph.node('Concat', '/shared/past_and_seen/Concat', [past, seen], { axis: int(0) }),
    reading,
    shapes: {
      headsOfRows: (count) => once(`shape.heads.${count}`, [-1, count, headDim]),
      grouped: constant('shape.grouped', [kvHeads, -1, headDim]),
      ungrouped: constant('shape.ungrouped', [heads, -1, headDim]),
      flat: (count) => once(`shape.flat.${count}`, [-1, count * headDim]),
      batched: (count) => once(`shape.batched.${count}`, [1, -1, count * headDim]),
    },
  };
}
