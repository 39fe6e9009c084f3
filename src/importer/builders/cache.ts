/**
 * Where the attention of a graph finds the keys and values of earlier runs, and what becomes of the new ones.
 *
 *   hostCache    past [kvHeads, past, d] ─ read in place;   the run's own rows leave the graph: the engine keeps them
 *   deviceCache  past [kvHeads, past, d] ─ read in place;   recent [kvHeads, recent, d] ─ concat own rows ─ leaves the
 *                graph and is fed back as `recent`: neither ever leaves the device
 */
import { grownName, newName, pastName, recentName, type KeyOrValue } from '../../protocol/graph.ts';
import type { ModelConfig } from '../checkpoint/types.ts';
import { int, type Graph, type Value } from '../onnx/graph.ts';

export interface CachePort {
  /** [kvHeads, past, headDim], past >= 1 */
  past(layer: number, part: KeyOrValue): Value;
  /** Takes a block's new rows [kvHeads, rows, headDim]; returns what a query sees beside the past, those rows last. */
  add(layer: number, part: KeyOrValue, rows: Value): Value;
}

export function hostCache(graph: Graph, config: ModelConfig): CachePort {
  const { kvHeads, headDim } = config;
  return {
    past: pastInputs(graph, config),
    add: (layer, part, rows) => {
      graph.output(newName(layer, part), rows, 'float32', [kvHeads, 'rows', headDim]);
      return rows;
    },
  };
}

/** @param probes the rows themselves are returned too (`tah verify`) */
export function deviceCache(graph: Graph, config: ModelConfig, probes: boolean): CachePort {
  const { kvHeads, headDim } = config;
  return {
    past: pastInputs(graph, config),
    add: (layer, part, rows) => {
      const recent = graph.input(recentName(layer, part), 'float32', [kvHeads, 'recent', headDim]);
      const grown = graph.node('Concat', `/cache/grown.${layer}.${part}/Concat`, [recent, rows], { axis: int(1) });
      graph.output(grownName(layer, part), grown, 'float32', [kvHeads, 'grown', headDim]);
      if (probes) graph.output(newName(layer, part), rows, 'float32', [kvHeads, 'rows', headDim]);
      return grown;
    },
  };
}

/** Each is an input from the first time that it is asked for. */
export function pastInputs(graph: Graph, { kvHeads, headDim }: ModelConfig): CachePort['past'] {
  const known = new Set<string>();
  return (layer, part) => {
    const name = pastName(layer, part);
    if (known.has(name)) return name;
    known.add(name);
    return graph.input(name, 'float32', [kvHeads, 'past', headDim]);
  };
}
