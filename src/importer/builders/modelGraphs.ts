/**
 * The graphs of a model folder: one for the CPU and one for each other provider whose kernels want another, all over the
 * same weights. Knows which provider gets which choices; what a graph is made of is in the other builders.
 */
import type { GraphFlavour, OtherGraph } from '../../protocol/manifest.ts';
import type { Checkpoint } from '../checkpoint/types.ts';
import { Graph } from '../onnx/graph.ts';
import type { Reading } from './attention.ts';
import { deviceCache, hostCache, type CachePort } from './cache.ts';
import { floatReading } from './floatReading.ts';
import { int8Reading } from './int8Reading.ts';
import type { BuildContext } from './linear.ts';
import { buildLoopGraph } from './loopGraph.ts';
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
  const { config } = checkpoint;
  const partsOf = (flavour: GraphFlavour): Omit<BuildContext, 'lora'> => {
    const graph = new Graph('think-at-hard');
    return { graph, plan: new WeightPlan(graph, store), checkpoint, scheme: schemeOf(flavour, scheme) };
  };
  const [cpu, webgpu, cuda, dml] = [partsOf('cpu'), partsOf('webgpu'), partsOf('cuda'), partsOf('dml')];
  const inFloat = (cache: CachePort): Reading => floatReading(cache, config.headDim);
  const { names } = buildStepGraph(cpu, { reading: scheme.cache === 'int8' ? int8Reading(cpu.graph, config, probes) : inFloat(hostCache(cpu.graph, config)), probes });
  buildStepGraph(webgpu, { reading: inFloat(deviceCache(webgpu.graph, config, probes)), probes });
  buildLoopGraph(cuda, probes);
  buildStepGraph(dml, { reading: inFloat(hostCache(dml.graph, config)), probes });
  const merge = new Graph('think-at-hard-merge');
  buildMergeGraph(merge, config);
  return {
    probes: names,
    others: [
      { flavour: 'webgpu', file: 'model.webgpu.onnx', mergeFile: 'merge.webgpu.onnx' },
      { flavour: 'cuda', file: 'model.cuda.onnx', loops: true },
      { flavour: 'dml', file: 'model.dml.onnx' },
    ],
    files: [
      { name: MODEL_FILE, graph: cpu.graph },
      { name: 'model.webgpu.onnx', graph: webgpu.graph },
      { name: 'merge.webgpu.onnx', graph: merge },
      { name: 'model.cuda.onnx', graph: cuda.graph },
      { name: 'model.dml.onnx', graph: dml.graph },
    ],
  };
}
