/**
 * The graphs of a model folder: one for the CPU and one for each other provider whose kernels want another, all over the
 * same weights. Knows which provider gets which choices; what a graph is made of is in the other builders.
 */
import type { GraphFlavour, OtherGraph } from '../../protocol/manifest.ts';
import type { Checkpoint } from '../checkpoint/types.ts';
import { Graph } from '../onnx/graph.ts';
import { buildMergeGraph } from './mergeGraph.ts';
import { schemeOf, type Scheme } from './scheme.ts';
import { buildStepGraph } from './stepGraph.ts';
import { WeightPlan, type WeightStore } from './weights.ts';

export interface ModelGraphs {
  /** What `others` of the manifest says; the CPU's is MODEL_FILE. */
  readonly others: readonly OtherGraph[];
  readonly files: readonly { readonly name: string; readonly graph: Graph }[];
  readonly probes: readonly string[];
}

export const MODEL_FILE = 'model.onnx';

/** @param scheme the CPU's: the weights are quantised as it says */
export function buildModelGraphs(checkpoint: Checkpoint, store: WeightStore, scheme: Scheme, probes: boolean): ModelGraphs {
  const step = (flavour: GraphFlavour, cache: 'host' | 'device'): { graph: Graph; names: readonly string[] } => {
    const graph = new Graph('think-at-hard');
    const names = buildStepGraph({ graph, plan: new WeightPlan(graph, store), checkpoint, scheme: schemeOf(flavour, scheme) }, { cache, probes });
    return { graph, names };
  };
  const merge = new Graph('think-at-hard-merge');
  buildMergeGraph(merge, checkpoint.config);
  const cpu = step('cpu', 'host');
  return {
    probes: cpu.names,
    others: [
      { flavour: 'webgpu', file: 'model.webgpu.onnx', mergeFile: 'merge.webgpu.onnx' },
      { flavour: 'dml', file: 'model.dml.onnx' },
    ],
    files: [
      { name: MODEL_FILE, graph: cpu.graph },
      { name: 'model.webgpu.onnx', graph: step('webgpu', 'device').graph },
      { name: 'merge.webgpu.onnx', graph: merge },
      { name: 'model.dml.onnx', graph: step('dml', 'host').graph },
    ],
  };
}
