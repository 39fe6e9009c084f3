/**
 * The decider (reference: MLPIterDecider), once a row of the head.
 *
 *   hidden states [heads, H] of some layers ─ concat ─ (LayerNorm) ───────────┐
 *   top values [heads, k] ─ (softmax) ─ logits_projection ────────────────────┴ concat ─ combined_projection ─
 *   ─ input_projection ─ blocks: dim_change(x) + W2·GELU(W1·LayerNorm(x)) ─ LayerNorm ─ linear to 1 ─ sigmoid
 */
import type { DeciderWeights } from '../checkpoint/types.ts';
import { float, int, type Value } from '../onnx/graph.ts';
import { matMulQuantized, type BuildContext } from './linear.ts';

/** torch.nn.LayerNorm's default. */
const LAYER_NORM_EPS = 1e-5;
const AT = '/decider';

/**
 * @param hidden the hidden states the decider reads, each [heads, hidden], in the order of its configuration
 * @param topValues [heads, k], descending @returns continue probability [heads]
 */
export function decider(context: BuildContext, weights: DeciderWeights, hidden: readonly Value[], topValues: Value): Value {
  const { graph } = context;
  const { normalizeInput, hiddenDims } = weights.config;
  let states = graph.node('Concat', `${AT}/hidden/Concat`, hidden, { axis: int(-1) });
  let top = topValues;
  if (normalizeInput) {
    states = layerNorm(context, weights, 'layer_norm_hidden_states', states);
    top = graph.node('Softmax', `${AT}/top/Softmax`, [top], { axis: int(-1) });
  }
  const projected = affine(context, weights, 'logits_projection', top);
  const joined = graph.node('Concat', `${AT}/joined/Concat`, [states, projected], { axis: int(-1) });
  let x = affine(context, weights, 'backbone.input_projection', affine(context, weights, 'combined_projection', joined));
  hiddenDims.forEach((_, i) => {
    x = block(context, weights, `backbone.blocks.${i}`, x);
  });
  const logit = affine(context, weights, 'backbone.output_layer.1', layerNorm(context, weights, 'backbone.output_layer.0', x));
  const probability = graph.node('Sigmoid', `${AT}/Sigmoid`, [logit]);
  return graph.node('Reshape', `${AT}/flat/Reshape`, [probability, graph.constant(`${AT}/flat/shape`, 'int64', [1], [-1])]);
}

function block(context: BuildContext, weights: DeciderWeights, name: string, x: Value): Value {
  const { graph } = context;
  const expanded = affine(context, weights, `${name}.mlp.0`, layerNorm(context, weights, `${name}.layer_norm`, x));
  const activated = graph.node('Gelu', `${AT}/${name}/Gelu`, [expanded]);
  const change = affine(context, weights, `${name}.mlp.3`, activated);
  // dim_change is an identity where the dimensions agree, and then has no weights.
  const kept = weights.names.includes(`${name}.dim_change.weight`) ? affine(context, weights, `${name}.dim_change`, x) : x;
  return graph.node('Add', `${AT}/${name}/Add`, [kept, change]);
}

/** Columns that share a scale where the decider has 8 bits: narrow, for its decisions hang on small differences. */
const BLOCK_SIZE = 32;

/** x [heads, in] → [heads, out]. The last one, to a single number, and what is no whole blocks stay float32. */
function affine(context: BuildContext, weights: DeciderWeights, name: string, x: Value): Value {
  const { shape: [rows = 0, columns = 0] } = weights.read(`${name}.weight`);
  if (context.scheme.decider === 'int8' && rows > 1 && columns % BLOCK_SIZE === 0) {
    const weight = context.plan.quantizedValues(`decider.${name}.weight`, { rows, columns, bits: 8, blockSize: BLOCK_SIZE }, () => weights.read(`${name}.weight`).data);
    const product = matMulQuantized(context, `${AT}/${name}`, x, weight);
    return context.graph.node('Add', `${AT}/${name}/bias/Add`, [product, parameter(context, weights, `${name}.bias`)]);
  }
  return context.graph.node('Gemm', `${AT}/${name}/Gemm`, [x, parameter(context, weights, `${name}.weight`), parameter(context, weights, `${name}.bias`)], {
    transB: int(1),
  });
}

function layerNorm(context: BuildContext, weights: DeciderWeights, name: string, x: Value): Value {
  const inputs = [x, parameter(context, weights, `${name}.weight`), parameter(context, weights, `${name}.bias`)];
  return context.graph.node('LayerNormalization', `${AT}/${name}/LayerNormalization`, inputs, { axis: int(-1), epsilon: float(LAYER_NORM_EPS) });
}

function parameter(context: BuildContext, weights: DeciderWeights, name: string): Value {
  const { shape, data } = weights.read(name);
  return context.plan.float(`decider.${name}`, shape, () => data);
}
