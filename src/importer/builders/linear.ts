/**
 * One linear of the model, with its LoRA branch.
 *
 *   x [rows, in] ──┬── W ────────────────────────────┬─(+ bias)── y [rows, out]
 *                  └── A ── × gate ── (scale·B) ── (+)     only in deeper passes
 *
 * y = Wx + gate · scale · B(Ax); gate [rows, 1] is 1 on rows whose iterDepth > 0 (method.md, "One forward", 2).
 * Scheme.lora = 'if': the branch lives in an If node and costs nothing in a run that has no deep row.
 */
import type { Checkpoint, Linear } from '../checkpoint/types.ts';
import { float, Graph, int, type Value } from '../onnx/graph.ts';
import type { Scheme } from './scheme.ts';
import type { WeightPlan } from './weights.ts';

export interface BuildContext {
  readonly graph: Graph;
  readonly plan: WeightPlan;
  readonly checkpoint: Checkpoint;
  readonly scheme: Scheme;
  /** lora_gate [rows, 1] and whether any row is deep (bool scalar); null for a plain model. */
  readonly lora: { readonly gate: Value; readonly anyDeep: Value } | null;
}

/** @param x [rows, in] @returns [rows, out] of block `layer` */
export function blockLinear(context: BuildContext, address: string, x: Value, layer: number, linear: Linear): Value {
  const name = `model.layers.${layer}.${linear}`;
  const y = matMulWeight(context, address, x, `${name}.weight`);
  const withLora = addLora(context, address, x, y, layer, linear);
  if (!context.checkpoint.weights.has(`${name}.bias`)) return withLora;
  const bias = context.plan.float(`${name}.bias`, context.checkpoint.weights.info(`${name}.bias`).shape, () => context.checkpoint.weights.read(`${name}.bias`));
  return context.graph.node('Add', `${address}/bias/Add`, [withLora, bias]);
}

/** x [rows, in] times the checkpoint's matrix [out, in], transposed, in the scheme's precision. */
export function matMulWeight(context: BuildContext, address: string, x: Value, tensor: string): Value {
  const { graph, plan, checkpoint, scheme } = context;
  if (scheme.bits === null || scheme.blockSize === null) {
    return graph.node('Gemm', `${address}/Gemm`, [x, plan.matrix(checkpoint.weights, tensor)], { transB: int(1) });
  }
  return matMulQuantized(context, address, x, plan.quantized(checkpoint.weights, tensor, scheme.bits, scheme.blockSize));
}

export function matMulQuantized(context: BuildContext, address: string, x: Value, weight: ReturnType<WeightPlan['quantized']>): Value {
  return context.graph.node('MatMulNBits', `${address}/MatMulNBits`, [x, weight.packed, weight.scales], {
    K: int(weight.columns),
    N: int(weight.rows),
    bits: int(weight.bits),
    block_size: int(weight.blockSize),
    accuracy_level: int(context.scheme.accuracyLevel),
  });
}

function addLora(context: BuildContext, address: string, x: Value, y: Value, layer: number, linear: Linear): Value {
  const { checkpoint, lora, plan, graph, scheme } = context;
  if (checkpoint.tah === null || lora === null) return y;
  const weights = checkpoint.tah.lora;
  if (!weights.adapts(linear)) return y;
  const { rank, scale } = weights.config;
  const [out, input] = checkpoint.weights.info(`model.layers.${layer}.${linear}.weight`).shape;
  if (out === undefined || input === undefined) throw new Error(`${address} has no shape`);
  const name = `lora.layers.${layer}.${linear}`;
  const a = plan.float(`${name}.A`, [rank, input], () => weights.read(layer, linear).a);
  const b = plan.float(`${name}.B`, [out, rank], () => weights.read(layer, linear).b);
  const branch = (into: Graph): Value => {
    const down = into.node('Gemm', `${address}/lora/A/Gemm`, [x, a], { transB: int(1) });
    const gated = into.node('Mul', `${address}/lora/gate/Mul`, [down, lora.gate]);
    return into.node('Gemm', `${address}/lora/B/Gemm`, [gated, b, y], { transB: int(1), alpha: float(scale), beta: float(1) });
  };
  if (scheme.lora === 'gate') return branch(graph);
  const deep = new Graph(`${address}/lora/then`, graph);
  deep.yields(branch(deep), 'float32', ['rows', out]);
  const plain = new Graph(`${address}/lora/else`, graph);
  plain.yields(plain.node('Identity', `${address}/lora/skip/Identity`, [y]), 'float32', ['rows', out]);
  return graph.node('If', `${address}/lora/If`, [lora.anyDeep], {
    then_branch: { type: 'graph', value: deep.finish() },
    else_branch: { type: 'graph', value: plain.finish() },
  });
}
