/**
 * The whole graph of protocol/graph.ts, put together from its parts.
 *
 *   mix_ids, mix_weights ─ embedding mix ─ block 0 … block n-1 ─ Gather(head_rows) ─ norm ─ head ─ + previous_logits
 *                                              │ hidden states ─────┐                                │
 *                                              └ new.{l}.key/value  └──────── decider ── TopK ───────┤
 *                                                                     continue_probability   top_*   └ Gather(logits_rows) logits
 */
import { GRAPH, hiddenStateName, PROBE_RAW_LOGITS } from '../../protocol/graph.ts';
import { int, type Value } from '../onnx/graph.ts';
import { attention, rmsNorm, type SharedInputs } from './attention.ts';
import { decider } from './decider.ts';
import { blockLinear, matMulQuantized, matMulWeight, type BuildContext } from './linear.ts';
import type { QuantizedWeight } from './weights.ts';

export const EMBEDDING = 'model.embed_tokens.weight';

/** Candidates that views show when neither decider nor mix asks for more. */
const LEAST_TOP_K = 20;

export function graphTopK(checkpoint: BuildContext['checkpoint']): number {
  const wanted = checkpoint.tah === null ? LEAST_TOP_K : Math.max(LEAST_TOP_K, checkpoint.tah.inputTopK, checkpoint.tah.decider.config.topK);
  return Math.min(wanted, checkpoint.config.vocabSize);
}

/** Builds into context.graph. @param probes also returns every hidden state and the pass's own logits (`tah verify`) */
export function buildTahGraph(context: BuildContext, probes: boolean): readonly string[] {
  const { graph, checkpoint } = context;
  const { layers, hiddenSize } = checkpoint.config;
  const shared = sharedInputs(context);
  const embedding = embeddingTable(context);
  let x = embeddingMix(context, embedding.gather);
  const hidden: Value[] = [x];
  for (let layer = 0; layer < layers; layer++) {
    x = block(context, shared, x, layer);
    hidden.push(x);
  }
  const headRows = graph.input(GRAPH.headRows, 'int64', ['heads']);
  const names: string[] = [];
  if (probes) {
    const normed = rmsNorm(context, '/probe/norm', x, 'model.norm.weight');
    [...hidden.slice(0, -1), normed].forEach((state, i) => {
      graph.output(hiddenStateName(i), state, 'float32', ['rows', hiddenSize]);
      names.push(hiddenStateName(i));
    });
    hidden[layers] = graph.node('Gather', '/head/rows/Gather', [normed, headRows], { axis: int(0) });
  } else {
    const rows = graph.node('Gather', '/head/rows/Gather', [x, headRows], { axis: int(0) });
    hidden[layers] = rmsNorm(context, '/head/norm', rows, 'model.norm.weight');
  }
  names.push(...head(context, hidden, headRows, embedding.project, probes));
  return names;
}

/** One decoder block: x + attention(norm(x)), then x + MLP(norm(x)) with MLP(x) = down(silu(gate(x)) · up(x)). */
function block(context: BuildContext, shared: SharedInputs, x: Value, layer: number): Value {
  const { graph } = context;
  const at = `/model/layers.${layer}`;
  const name = `model.layers.${layer}`;
  const attended = attention(context, shared, rmsNorm(context, `${at}/input_norm`, x, `${name}.input_layernorm.weight`), layer);
  const middle = graph.node('Add', `${at}/attn_residual/Add`, [x, attended]);
  const normed = rmsNorm(context, `${at}/post_norm`, middle, `${name}.post_attention_layernorm.weight`);
  const gate = blockLinear(context, `${at}/mlp/gate_proj`, normed, layer, 'mlp.gate_proj');
  const sigmoid = graph.node('Sigmoid', `${at}/mlp/Sigmoid`, [gate]);
  const silu = graph.node('Mul', `${at}/mlp/silu/Mul`, [gate, sigmoid]);
  const up = blockLinear(context, `${at}/mlp/up_proj`, normed, layer, 'mlp.up_proj');
  const product = graph.node('Mul', `${at}/mlp/Mul`, [silu, up]);
  const down = blockLinear(context, `${at}/mlp/down_proj`, product, layer, 'mlp.down_proj');
  return graph.node('Add', `${at}/mlp_residual/Add`, [middle, down]);
}

/** Final logits, top-k, decider. `hidden[layers]` is already gathered and normalised; the others are all rows. */
function head(context: BuildContext, hidden: readonly Value[], headRows: Value, project: (x: Value) => Value, probes: boolean): string[] {
  const { graph, checkpoint } = context;
  const { layers, vocabSize } = checkpoint.config;
  const last = hidden[layers];
  if (last === undefined) throw new Error('the model has no last hidden state');
  const raw = project(last);
  const names: string[] = [];
  if (probes) {
    graph.output(PROBE_RAW_LOGITS, raw, 'float32', ['heads', vocabSize]);
    names.push(PROBE_RAW_LOGITS);
  }
  const previous = graph.input(GRAPH.previousLogits, 'float32', ['previous_rows', 'previous_vocab']);
  const cumulative = graph.node('Add', '/head/cumulative/Add', [raw, previous]);
  const k = graphTopK(checkpoint);
  const [topValues = '', topIds = ''] = graph.nodeWithOutputs('TopK', '/head/TopK', [cumulative, graph.constant('/head/TopK/k', 'int64', [1], [k])], 2, {
    axis: int(-1),
    largest: int(1),
    sorted: int(1),
  });
  graph.output(GRAPH.topValues, topValues, 'float32', ['heads', k]);
  graph.output(GRAPH.topIds, topIds, 'int64', ['heads', k]);
  if (checkpoint.tah !== null) {
    const weights = checkpoint.tah.decider;
    const states = weights.config.layers.map((index) => {
      const state = hidden[index];
      if (state === undefined) throw new Error(`the model has no hidden state ${index}`);
      return index === layers ? state : graph.node('Gather', `/decider/hidden.${index}/Gather`, [state, headRows], { axis: int(0) });
    });
    const read = weights.config.topK === k ? topValues : firstColumns(context, topValues, weights.config.topK);
    graph.output(GRAPH.continueProbability, decider(context, weights, states, read), 'float32', ['heads']);
  }
  const logitsRows = graph.input(GRAPH.logitsRows, 'int64', ['logit_rows']);
  graph.output(GRAPH.logits, graph.node('Gather', '/head/logits/Gather', [cumulative, logitsRows], { axis: int(0) }), 'float32', ['logit_rows', vocabSize]);
  return names;
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

  const weight: QuantizedWeight = plan.quantized(checkpoint.weights, EMBEDDING, scheme.bits, scheme.blockSize);
  const table = weight.asTable();
  const attributes = { bits: int(weight.bits), block_size: int(weight.blockSize), gather_axis: int(0), quantize_axis: int(1) };
  return {
    gather: (ids) => graph.node('GatherBlockQuantized', `${at}/GatherBlockQuantized`, [table.data, ids, table.scales], attributes),
    project: tiedEmbedding ? (x) => matMulQuantized(context, '/head/lm_head', x, weight) : (x) => matMulWeight(context, '/head/lm_head', x, 'lm_head.weight'),
  };
}

/** Weighted sum of embedding rows: mix_weights [rows, 1, mix] · E[mix_ids] [rows, mix, hidden] → [rows, hidden] */
function embeddingMix(context: BuildContext, gather: (ids: Value) => Value): Value {
  const { graph, checkpoint } = context;
  const ids = graph.input(GRAPH.mixIds, 'int64', ['rows', 'mix']);
  const weights = graph.input(GRAPH.mixWeights, 'float32', ['rows', 'mix']);
  const at = '/model/embed_mix';
  const axis = graph.constant(`${at}/axis`, 'int64', [1], [1]);
  const rows = graph.node('Unsqueeze', `${at}/Unsqueeze`, [weights, axis]);
  const mixed = graph.node('MatMul', `${at}/MatMul`, [rows, gather(ids)]);
  return graph.node('Reshape', `${at}/Reshape`, [mixed, graph.constant(`${at}/shape`, 'int64', [2], [-1, checkpoint.config.hiddenSize])]);
}

function sharedInputs(context: BuildContext): SharedInputs {
  const { graph, checkpoint } = context;
  const { heads, kvHeads, headDim } = checkpoint.config;
  const ropeCos = graph.input(GRAPH.ropeCos, 'float32', ['rows', headDim / 2]);
  const ropeSin = graph.input(GRAPH.ropeSin, 'float32', ['rows', headDim / 2]);
  const bias = graph.input(GRAPH.attentionBias, 'float32', ['rows', 'past_and_rows']);
  const constant = (name: string, values: readonly number[]): Value => graph.constant(`/shared/${name}`, 'int64', [values.length], values);
  // [past, rows]: rows from the bias, past from what is left of its width.
  const shape = graph.node('Shape', '/shared/bias/Shape', [bias]);
  const rows = graph.node('Slice', '/shared/rows/Slice', [shape, constant('zero', [0]), constant('one', [1])]);
  const width = graph.node('Slice', '/shared/width/Slice', [shape, '/shared/one', constant('two', [2])]);
  const past = graph.node('Sub', '/shared/past/Sub', [width, rows]);
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
    pastAndRows: graph.node('Concat', '/shared/past_and_rows/Concat', [past, rows], { axis: int(0) }),
    shapes: {
      headsOfRows: (count) => once(`shape.heads.${count}`, [-1, count, headDim]),
      grouped: constant('shape.grouped', [kvHeads, -1, headDim]),
      ungrouped: constant('shape.ungrouped', [heads, -1, headDim]),
      flat: (count) => once(`shape.flat.${count}`, [-1, count * headDim]),
      batched: (count) => once(`shape.batched.${count}`, [1, -1, count * headDim]),
    },
  };
}
