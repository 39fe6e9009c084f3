/**
 * The graph that joins the recent rows of a device's cache to its past, and drops rows that are not kept. It runs once
 * in a block of tokens, so that a token's own run copies no more than the recent rows.
 *
 *   past.{l}.key, recent.{l}.key ─ concat ─ Gather(kept_rows) ─ merged.{l}.key        the same for the values
 */
import { GRAPH, mergedName, pastName, recentName } from '../../protocol/graph.ts';
import type { ModelConfig } from '../checkpoint/types.ts';
import { int, type Graph } from '../onnx/graph.ts';

export function buildMergeGraph(graph: Graph, { layers, kvHeads, headDim }: ModelConfig): void {
  const kept = graph.input(GRAPH.keptRows, 'int64', ['kept']);
  for (let layer = 0; layer < layers; layer++) {
    for (const part of ['key', 'value'] as const) {
      const past = graph.input(pastName(layer, part), 'float32', [kvHeads, 'past', headDim]);
      const recent = graph.input(recentName(layer, part), 'float32', [kvHeads, 'recent', headDim]);
      const joined = graph.node('Concat', `/merge/layers.${layer}.${part}/Concat`, [past, recent], { axis: int(1) });
      graph.output(mergedName(layer, part), graph.node('Gather', `/merge/layers.${layer}.${part}/Gather`, [joined, kept], { axis: int(1) }), 'float32', [kvHeads, 'kept', headDim]);
    }
  }
}
