/**
 * The graph that makes several passes in one run: a step over the run's rows, as in stepGraph.ts, and then a Loop whose
 * body is the same step over one row. Where tensors go through the host's memory at each run (CUDA), that is paid once
 * in a block of tokens. The past is read from outside of the loop; only new rows are carried.
 *
 *   step(rows) ─ last row ─ transition ─┐ state: mix, depth, offset, previous logits, row depths, new rows of each layer
 *                                       └ Loop(trips, alive): step(1 row) ─ transition ─┐
 *                                              └──────────────── state ─────────────────┘──── loop.*, new.{l}.*
 */
import { LOOP, MASKED, newName, type KeyOrValue } from '../../protocol/graph.ts';
import { int, Graph, type Value } from '../onnx/graph.ts';
import type { Dtype } from '../onnx/wire.ts';
import { pastInputs, type CachePort } from './cache.ts';
import { floatReading } from './floatReading.ts';
import type { BuildContext } from './linear.ts';
import { buildStep, graphTopK } from './step.ts';
import { buildStepGraph, loraGate } from './stepGraph.ts';
import { transition, transitionInputs, type Limits, type PassResult, type Transition } from './transition.ts';

const FLOAT = 1;

/** What the loop carries, in the order of its inputs. */
interface Carried {
  readonly name: string;
  readonly dtype: Dtype;
  readonly dims: readonly (number | string)[];
  /** Before the first pass of the loop. */
  readonly start: Value;
}

/** Builds into parts.graph. */
export function buildLoopGraph(parts: Omit<BuildContext, 'lora'>, probes: boolean): void {
  const { graph, checkpoint } = parts;
  const { config, tah } = checkpoint;
  const { kvHeads, headDim, vocabSize } = config;
  const limits: Limits = { maxIter: tah?.maxIter ?? 1, mix: tah?.inputTopK ?? 1, topK: graphTopK(checkpoint) };
  const past = pastInputs(graph, config);
  const own = new Map<string, Value>();
  const { built } = buildStepGraph(parts, { reading: floatReading({ past, add: (layer, part, rows) => (own.set(newName(layer, part), rows), rows) }, config.headDim), probes });
  transitionInputs(graph);
  const trips = graph.input(LOOP.trips, 'int64', []);
  const rowDepths = graph.input(LOOP.rowDepths, 'int64', ['rows']);
  graph.input(LOOP.ropeCos, 'float32', ['positions', headDim / 2]);
  graph.input(LOOP.ropeSin, 'float32', ['positions', headDim / 2]);
  graph.input(LOOP.pastBias, 'float32', [limits.maxIter, 'loop_past']);
  const last = lastRow(graph, built);
  const first = transition(graph, '/first', limits, { depth: lastOf(graph, 'depth', rowDepths), offset: graph.constant('/first/offset', 'int64', [1], [0]) }, last);
  const carried: Carried[] = [
    { name: 'mix_ids', dtype: 'int64', dims: [1, limits.mix], start: first.mixIds },
    { name: 'mix_weights', dtype: 'float32', dims: [1, limits.mix], start: first.mixWeights },
    { name: 'depth', dtype: 'int64', dims: [1], start: first.depth },
    { name: 'offset', dtype: 'int64', dims: [1], start: first.offset },
    { name: 'previous_logits', dtype: 'float32', dims: [1, vocabSize], start: first.previousLogits },
    { name: 'row_depths', dtype: 'int64', dims: ['seen'], start: rowDepths },
    ...[...own].map(([name, start]) => ({ name, dtype: 'float32', dims: [kvHeads, 'seen', headDim], start }) as const),
  ];
  const body = buildBody(parts, limits, carried, past);
  const inputs = [trips, first.alive, ...carried.map(({ start }) => start)];
  const outputs = graph.nodeWithOutputs('Loop', '/loop/Loop', inputs, carried.length + SAID.length, { body: { type: 'graph', value: body } });
  [...own.keys()].forEach((name, i) => { graph.output(name, valueAt(outputs, carried.length - own.size + i), 'float32', [kvHeads, 'new_rows', headDim]); });
  SAID.forEach(({ output, dtype, of, inner }, i) => {
    const dims = inner(limits);
    const target = graph.constant(`/said/${output}/shape`, 'int64', [dims.length + 1], [-1, ...dims]);
    // The loop puts an axis of its passes before what each of them says.
    const ofLoop = graph.node('Reshape', `/said/${output}/loop/Reshape`, [valueAt(outputs, carried.length + i), target]);
    const ofRun = graph.node('Reshape', `/said/${output}/run/Reshape`, [of(first, last), target]);
    graph.output(output, graph.node('Concat', `/said/${output}/Concat`, [ofRun, ofLoop], { axis: int(0) }), dtype, ['passes', ...dims]);
  });
}

/** What every pass says, in the order of the loop's outputs. */
const SAID: readonly { readonly output: string; readonly dtype: Dtype; readonly of: (next: Transition, result: PassResult) => Value; readonly inner: (limits: Limits) => readonly number[] }[] = [
  { output: LOOP.chosen, dtype: 'int64', of: (next) => next.chosen, inner: () => [] },
  { output: LOOP.goesOn, dtype: 'float32', of: (next) => next.goesOn, inner: () => [] },
  { output: LOOP.probability, dtype: 'float32', of: (next) => next.probability, inner: () => [] },
  { output: LOOP.topValues, dtype: 'float32', of: (_, result) => result.topValues, inner: ({ topK }) => [topK] },
  { output: LOOP.topIds, dtype: 'int64', of: (_, result) => result.topIds, inner: ({ topK }) => [topK] },
  { output: LOOP.facts, dtype: 'float32', of: (next) => next.facts, inner: () => [3] },
];

/** One pass of one row. Its attention sees the past from outside of the loop, the rows that are carried, and itself. */
function buildBody(parts: Omit<BuildContext, 'lora'>, limits: Limits, carried: readonly Carried[], past: CachePort['past']): ReturnType<Graph['finish']> {
  const graph = new Graph('think-at-hard-loop', parts.graph, '/loop');
  graph.input('/loop/iteration', 'int64', []);
  graph.input('/loop/alive', 'bool', []);
  const state = new Map(carried.map(({ name, dtype, dims }) => [name, graph.input(`/loop/state/${name}`, dtype, dims)]));
  const stateOf = (name: string): Value => {
    const value = state.get(name);
    if (value === undefined) throw new Error(`the loop carries no ${name}`);
    return value;
  };
  const [depth, offset] = [stateOf('depth'), stateOf('offset')];
  const next = new Map<string, Value>();
  const built = buildStep(
    { ...parts, graph, lora: parts.checkpoint.tah === null ? null : loraGate(graph, deepGate(graph, depth)) },
    {
      mixIds: stateOf('mix_ids'),
      mixWeights: stateOf('mix_weights'),
      ropeCos: graph.node('Gather', '/rope_cos/Gather', [LOOP.ropeCos, offset], { axis: int(0) }),
      ropeSin: graph.node('Gather', '/rope_sin/Gather', [LOOP.ropeSin, offset], { axis: int(0) }),
      bias: bodyBias(graph, depth, stateOf('row_depths')),
      reading: floatReading(
        {
          past,
          add: (layer: number, part: KeyOrValue, rows: Value) => {
            const name = newName(layer, part);
            const seen = graph.node('Concat', `/cache/${name}/Concat`, [stateOf(name), rows], { axis: int(1) });
            next.set(name, seen);
            return seen;
          },
        },
        parts.checkpoint.config.headDim,
      ),
      headRows: null,
      previousLogits: stateOf('previous_logits'),
      probes: false,
    },
  );
  const moved = transition(graph, '/next', limits, { depth, offset }, built);
  const after: Readonly<Record<string, Value>> = {
    mix_ids: moved.mixIds,
    mix_weights: moved.mixWeights,
    depth: moved.depth,
    offset: moved.offset,
    previous_logits: moved.previousLogits,
    row_depths: graph.node('Concat', '/row_depths/Concat', [stateOf('row_depths'), depth], { axis: int(0) }),
    ...Object.fromEntries(next),
  };
  graph.yields(moved.alive, 'bool', []);
  for (const { name, dtype, dims } of carried) {
    const value = after[name];
    if (value === undefined) throw new Error(`the loop's body gives no ${name}`);
    graph.yields(value, dtype, dims.map((dim) => (dim === 'seen' ? 'seen_next' : dim)));
  }
  // A value can leave a subgraph once: what a pass says may be carried too.
  for (const { output, dtype, of, inner } of SAID) graph.yields(graph.node('Identity', `/said/${output}/Identity`, [of(moved, built)]), dtype, [1, ...inner(limits)]);
  return graph.finish();
}

/** float32 [1, past + seen + 1]: a carried row of iterDepth e is seen iff e <= d, as its position never is later. */
function bodyBias(graph: Graph, depth: Value, rowDepths: Value): Value {
  const number = (name: string, dims: readonly number[], value: number): Value => graph.constant(`/bias/${name}`, 'float32', dims, [value]);
  const ofPast = graph.node('Gather', '/bias/past/Gather', [LOOP.pastBias, depth], { axis: int(0) });
  const seen = graph.node('LessOrEqual', '/bias/sees/LessOrEqual', [rowDepths, depth]);
  const ofCarried = graph.node('Where', '/bias/carried/Where', [seen, number('seen', [1], 0), number('masked', [1], MASKED)]);
  const asRow = graph.node('Reshape', '/bias/carried/Reshape', [ofCarried, graph.constant('/bias/row_shape', 'int64', [2], [1, -1])]);
  return graph.node('Concat', '/bias/Concat', [ofPast, asRow, number('itself', [1, 1], 0)], { axis: int(1) });
}

/** float32 [1, 1]: 1 for a row of a deeper pass. */
function deepGate(graph: Graph, depth: Value): Value {
  const deep = graph.node('Cast', '/gate/Cast', [graph.node('Greater', '/gate/Greater', [depth, graph.constant('/gate/zero', 'int64', [1], [0])])], { to: int(FLOAT) });
  return graph.node('Reshape', '/gate/Reshape', [deep, graph.constant('/gate/shape', 'int64', [2], [1, 1])]);
}

/** The last row of the head: the one that the loop continues. */
function lastRow(graph: Graph, built: PassResult): PassResult {
  return {
    topValues: lastOf(graph, 'top_values', built.topValues),
    topIds: lastOf(graph, 'top_ids', built.topIds),
    cumulativeLogits: lastOf(graph, 'cumulative', built.cumulativeLogits),
    continueProbability: built.continueProbability === null ? null : lastOf(graph, 'probability', built.continueProbability),
  };
}

function lastOf(graph: Graph, name: string, value: Value): Value {
  return graph.node('Gather', `/first/${name}/Gather`, [value, graph.constant(`/first/${name}/last`, 'int64', [1], [-1])], { axis: int(0) });
}

function valueAt(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (value === undefined) throw new Error(`the loop has no output ${index}`);
  return value;
}
