/**
 * Linears of a block that read the same rows, as one product, with the LoRA branch of each.
 *
 *   x [rows, in] ──┬── W (q, k and v below each other) ─────────────────────────────┬─ split ─(+ bias)── y of each
 *                  └── A (below each other) ── × gate ── split ── (scale·B) ── (+) ──┘        only in deeper passes
 *
 * y = Wx + gate · scale · B(Ax); gate [rows, 1] is 1 on rows whose iterDepth > 0 (method.md, "One forward", 2). One
 * product reads the activations once and costs one node: the numbers are those of each linear alone.
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

/** @param x [rows, in] @returns [rows, out] of one linear of block `layer` */
export function blockLinear(context: BuildContext, address: string, x: Value, layer: number, linear: Linear): Value {
  return first(blockLinears(context, address, x, layer, [linear]));
}

/** @param x [rows, in] @returns [rows, out] of each linear of block `layer`, all of which read x */
export function blockLinears(context: BuildContext, address: string, x: Value, layer: number, linears: readonly Linear[]): Value[] {
  const { graph, plan, checkpoint } = context;
  const parts = linears.map((linear): Part => {
    const name = `model.layers.${layer}.${linear}`;
    const [out = 0, input = 0] = checkpoint.weights.info(`${name}.weight`).shape;
    return { linear, name, out, input };
  });
  const y = matMulWeight(context, address, x, ...parts.map(({ name }) => `${name}.weight`));
  return withLora(context, address, { x, y }, layer, parts).map((value, i) => {
    const bias = `${parts[i]?.name ?? ''}.bias`;
    if (!checkpoint.weights.has(bias)) return value;
    const values = plan.float(bias, checkpoint.weights.info(bias).shape, () => checkpoint.weights.read(bias));
    return graph.node('Add', `${address}/bias.${i}/Add`, [value, values]);
  });
}

interface Part {
  readonly linear: Linear;
  readonly name: string;
  readonly out: number;
  readonly input: number;
}

/** x [rows, in] times matrices [out, in] of the checkpoint one below the other, transposed, in the scheme's precision. */
export function matMulWeight(context: BuildContext, address: string, x: Value, ...tensors: readonly string[]): Value {
  const { graph, plan, checkpoint, scheme } = context;
  if (scheme.bits === null || scheme.blockSize === null) {
    return graph.node('Gemm', `${address}/Gemm`, [x, plan.matrix(checkpoint.weights, ...tensors)], { transB: int(1) });
  }
  return matMulQuantized(context, address, x, plan.quantized(checkpoint.weights, tensors, scheme.bits, scheme.blockSize));
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

/** y [rows, sum of out] and the branches of those linears that are adapted, as [rows, out] of each. */
function withLora(context: BuildContext, address: string, { x, y }: { readonly x: Value; readonly y: Value }, layer: number, parts: readonly Part[]): Value[] {
  const { checkpoint, lora, plan, graph, scheme } = context;
  const sizes = parts.map(({ out }) => out);
  const weights = checkpoint.tah?.lora;
  const adapted = weights === undefined || lora === null ? [] : parts.filter(({ linear }) => weights.adapts(linear));
  if (weights === undefined || lora === null || adapted.length === 0) return split(graph, `${address}/each`, y, sizes);
  const { rank, scale } = weights.config;
  const name = (linear: string, half: string): string => `lora.layers.${layer}.${linear}.${half}`;
  const a = plan.float(name(adapted.map(({ linear }) => linear).join('+'), 'A'), [adapted.length * rank, adapted[0]?.input ?? 0], () => joined(adapted.map(({ linear }) => weights.read(layer, linear).a)));
  const b = new Map(adapted.map(({ linear, out }) => [linear, plan.float(name(linear, 'B'), [out, rank], () => weights.read(layer, linear).b)]));
  const branch = (into: Graph): Value[] => {
    const down = into.node('Gemm', `${address}/lora/A/Gemm`, [x, a], { transB: int(1) });
    const gated = into.node('Mul', `${address}/lora/gate/Mul`, [down, lora.gate]);
    const low = split(into, `${address}/lora/low`, gated, adapted.map(() => rank));
    return split(into, `${address}/lora/base`, y, sizes).map((base, i) => {
      const up = b.get(parts[i]?.linear ?? 'mlp.up_proj');
      const rows = low[adapted.findIndex(({ linear }) => linear === parts[i]?.linear)];
      if (up === undefined || rows === undefined) return base;
      return into.node('Gemm', `${address}/lora/B.${i}/Gemm`, [rows, up, base], { transB: int(1), alpha: float(scale), beta: float(1) });
    });
  };
  if (scheme.lora === 'gate') return branch(graph);
  const body = (which: string, of: (into: Graph) => readonly Value[]): ReturnType<Graph['finish']> => {
    const into = new Graph(`${address}/lora/${which}`, graph);
    // What leaves a subgraph is a value of its own.
    of(into).forEach((value, i) => { into.yields(into.node('Identity', `${address}/lora/${which}.${i}/Identity`, [value]), 'float32', ['rows', sizes[i] ?? 0]); });
    return into.finish();
  };
  return graph.nodeWithOutputs('If', `${address}/lora/If`, [lora.anyDeep], parts.length, {
    then_branch: { type: 'graph', value: body('then', branch) },
    else_branch: { type: 'graph', value: body('else', (into) => split(into, `${address}/lora/skip`, y, sizes)) },
  });
}

/** Columns of x in parts of these sizes. */
function split(into: Graph, address: string, x: Value, sizes: readonly number[]): Value[] {
  if (sizes.length === 1) return [x];
  return into.nodeWithOutputs('Split', `${address}/Split`, [x, into.constant(`${address}/sizes`, 'int64', [sizes.length], sizes)], sizes.length, { axis: int(-1) });
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function first(values: readonly Value[]): Value {
  const [value] = values;
  if (value === undefined) throw new Error('a linear gave no value');
  return value;
}
