/**
 * Attention over float32 keys and values. Past and seen keys are never joined: the past is read where it lies.
 *
 *   q ─┬── q·pastᵀ ──┐
 *      └── q·seenᵀ ──┴ concat ─ + bias ─ softmax ─ split ─ p·past + p·seen
 */
import { float, int, type Graph, type Value } from '../onnx/graph.ts';
import type { Reading, SharedInputs } from './attention.ts';
import type { CachePort } from './cache.ts';

export function floatReading(cache: CachePort, headDim: number): Reading {
  return {
    past: cache.past(0, 'key'),
    attend(graph, shared, layer, { q, k, v }) {
      const seen = { key: cache.add(layer, 'key', k), value: cache.add(layer, 'value', v) };
      const past = { key: cache.past(layer, 'key'), value: cache.past(layer, 'value') };
      return attendInFloat(graph, `/model/layers.${layer}/attn`, shared, headDim, { q, past, seen });
    },
  };
}

/** All float32. */
export interface FloatRows {
  /** [kvHeads, group · rows, headDim] */
  readonly q: Value;
  /** [kvHeads, past, headDim] each; the key may be [kvHeads, headDim, past] */
  readonly past: { readonly key: Value; readonly value: Value; readonly keyInColumns?: boolean };
  /** [kvHeads, seen, headDim] */
  readonly seen: { readonly key: Value; readonly value: Value };
}

/** @returns [kvHeads, group · rows, headDim] */
export function attendInFloat(graph: Graph, at: string, shared: SharedInputs, headDim: number, { q, past, seen }: FloatRows): Value {
  // scores [kvHeads, group·rows, past + seen]
  const scaled = (columns: boolean): Parameters<Graph['node']>[3] => ({ transB: int(columns ? 0 : 1), alpha: float(1 / Math.sqrt(headDim)) });
  const pastScores = graph.node('FusedMatMul', `${at}/scores_past/FusedMatMul`, [q, past.key], scaled(past.keyInColumns ?? false));
  const newScores = graph.node('FusedMatMul', `${at}/scores_new/FusedMatMul`, [q, seen.key], scaled(false));
  const scores = graph.node('Concat', `${at}/scores/Concat`, [pastScores, newScores], { axis: int(-1) });
  const masked = graph.node('Add', `${at}/bias/Add`, [scores, shared.bias]);
  const weights = graph.node('Softmax', `${at}/Softmax`, [masked], { axis: int(-1) });
  const [ofPast = '', ofNew = ''] = graph.nodeWithOutputs('Split', `${at}/weights/Split`, [weights, shared.pastAndSeen], 2, { axis: int(-1) });
  const fromPast = graph.node('MatMul', `${at}/out_past/MatMul`, [ofPast, past.value]);
  const fromNew = graph.node('MatMul', `${at}/out_new/MatMul`, [ofNew, seen.value]);
  return graph.node('Add', `${at}/out/Add`, [fromPast, fromNew]);
}
