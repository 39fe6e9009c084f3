/**
 * Duo-causal attention of one block over the rows that are kept and what has come since, of plain operators.
 *
 *   x ─ qkv_proj ─┬─ q ─ norm ─ RoPE ─ [kvHeads, group·rows, d] ─┐
 *                 ├─ k ─ norm ─ RoPE ─ [kvHeads, rows, d] ───────┼─ reading (floatReading.ts, int8Reading.ts) ─ o_proj
 *                 └─ v ─────────────── [kvHeads, rows, d] ───────┘
 *
 * The heads of a group are stacked as rows under their key-value head, so a key is read once for all of them. Which key
 * a row may see (position, iterDepth) is in the bias alone; RoPE goes by position.
 */
import { float, int, ints, type Graph, type Value } from '../onnx/graph.ts';
import { blockLinear, blockLinears, type BuildContext } from './linear.ts';

/** Values that all blocks share, made once a run. */
export interface SharedInputs {
  readonly ropeCos: Value;
  readonly ropeSin: Value;
  /** int64 [1] = 0: RotaryEmbedding numbers the rows from here, and row r reads row r of ropeCos/ropeSin. */
  readonly ropeOffset: Value;
  readonly reading: Reading;
  /** float32 [group · rows, past + seen] */
  readonly bias: Value;
  /** int64 [2] = [past, seen]; `seen` are the run's own rows and those before them that the past has not taken yet */
  readonly pastAndSeen: Value;
  readonly shapes: {
    /** [0, 0, headDim] style targets for Reshape. */
    readonly headsOfRows: (heads: number) => Value;
    readonly grouped: Value;
    readonly ungrouped: Value;
    readonly flat: (heads: number) => Value;
    readonly batched: (heads: number) => Value;
  };
}

/** Of one block, after norm and RoPE. */
export interface HeadRows {
  /** [kvHeads, group · rows, headDim] */
  readonly q: Value;
  /** [kvHeads, rows, headDim] */
  readonly k: Value;
  readonly v: Value;
}

/** How queries meet the keys and values that are kept, and what becomes of the new ones. */
export interface Reading {
  /** A value whose axis 1 is the past. */
  readonly past: Value;
  /** softmax(q·kᵀ / √d + bias)·v over past and seen. @param into the graph of the step @returns [kvHeads, group · rows, headDim] */
  attend(into: Graph, shared: SharedInputs, layer: number, rows: HeadRows): Value;
}

/** @param x [rows, hidden], normalised @returns [rows, hidden] */
export function attention(context: BuildContext, shared: SharedInputs, x: Value, layer: number): Value {
  const { graph } = context;
  const { heads, kvHeads } = context.checkpoint.config;
  const at = `/model/layers.${layer}/attn`;

  // q [rows, heads·d] → [heads, rows, d] → [kvHeads, group·rows, d]; k, v [kvHeads, rows, d]
  const [ofQ = '', ofK = '', ofV = ''] = blockLinears(context, `${at}/qkv_proj`, x, layer, ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']);
  const q = headsFirst(context, shared, rotated(context, shared, ofQ, layer, 'q'), `${at}/q`, heads);
  const k = headsFirst(context, shared, rotated(context, shared, ofK, layer, 'k'), `${at}/k`, kvHeads);
  const v = headsFirst(context, shared, ofV, `${at}/v`, kvHeads);
  const grouped = graph.node('Reshape', `${at}/q_group/Reshape`, [q, shared.shapes.grouped]);

  // out [kvHeads, group·rows, d] → [rows, heads·d]
  const out = shared.reading.attend(graph, shared, layer, { q: grouped, k, v });
  const perHead = graph.node('Reshape', `${at}/out_heads/Reshape`, [out, shared.shapes.ungrouped]);
  const rowsFirst = graph.node('Transpose', `${at}/out_rows/Transpose`, [perHead], { perm: ints([1, 0, 2]) });
  const flat = graph.node('Reshape', `${at}/out_flat/Reshape`, [rowsFirst, shared.shapes.flat(heads)]);
  return blockLinear(context, `${at}/o_proj`, flat, layer, 'self_attn.o_proj');
}

/** q or k [rows, heads·d] after norm (Qwen3) and RoPE: [1, rows, heads·d] */
function rotated(context: BuildContext, shared: SharedInputs, projection: Value, layer: number, which: 'q' | 'k'): Value {
  const { graph, checkpoint } = context;
  const { heads, kvHeads, qkNorm } = checkpoint.config;
  const at = `/model/layers.${layer}/attn/${which}`;
  const count = which === 'q' ? heads : kvHeads;
  let projected = projection;
  if (qkNorm) {
    const perHead = graph.node('Reshape', `${at}_heads/Reshape`, [projected, shared.shapes.headsOfRows(count)]);
    projected = rmsNorm(context, `${at}_norm`, perHead, `model.layers.${layer}.self_attn.${which}_norm.weight`);
  }
  const batched = graph.node('Reshape', `${at}_batch/Reshape`, [projected, shared.shapes.batched(count)]);
  return graph.node('RotaryEmbedding', `${at}_rope/RotaryEmbedding`, [batched, shared.ropeOffset, shared.ropeCos, shared.ropeSin]);
}

/** [.., rows, heads·d] → [heads, rows, d] */
function headsFirst(context: BuildContext, shared: SharedInputs, x: Value, at: string, heads: number): Value {
  const perHead = context.graph.node('Reshape', `${at}_split/Reshape`, [x, shared.shapes.headsOfRows(heads)]);
  return context.graph.node('Transpose', `${at}_first/Transpose`, [perHead], { perm: ints([1, 0, 2]) });
}

/** RMSNorm over the last axis with the checkpoint's weight. */
export function rmsNorm(context: BuildContext, address: string, x: Value, tensor: string): Value {
  const { graph, plan, checkpoint } = context;
  const weight = plan.float(tensor, checkpoint.weights.info(tensor).shape, () => checkpoint.weights.read(tensor));
  return graph.node('SimplifiedLayerNormalization', `${address}/RMSNorm`, [x, weight], {
    axis: int(-1),
    epsilon: float(checkpoint.config.rmsNormEps),
    stash_type: int(1),
  });
}
