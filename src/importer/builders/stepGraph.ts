/** The graph of one run (protocol/graph.ts): names its inputs and outputs; what lies between them is step.ts. */
import { GRAPH, hiddenStateName, PROBE_RAW_LOGITS } from '../../protocol/graph.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { int } from '../onnx/graph.ts';
import type { Reading } from './attention.ts';
import type { BuildContext } from './linear.ts';
import { buildStep, graphTopK, type StepOutputs } from './step.ts';

/** e^-60 is 9e-27: what a logit that far below the largest one adds is lost in float32 anyway. */
const NEGLIGIBLE = 60;

export interface StepGraphOptions {
  readonly reading: Reading;
  /** Also returns every hidden state and the pass's own logits (`tah verify`). */
  readonly probes: boolean;
}

/** Builds into context.graph. @returns the values that it is made of, and the names of the probes */
export function buildStepGraph(parts: Omit<BuildContext, 'lora'>, { reading, probes }: StepGraphOptions): { readonly built: StepOutputs; readonly names: readonly string[] } {
  const { graph, checkpoint } = parts;
  const { config } = checkpoint;
  const context: BuildContext = { ...parts, lora: checkpoint.tah === null ? null : loraGate(graph, graph.input(GRAPH.loraGate, 'float32', ['rows', 1])) };
  const { vocabSize, hiddenSize, headDim } = config;
  const built = buildStep(context, {
    mixIds: graph.input(GRAPH.mixIds, 'int64', ['rows', 'mix']),
    mixWeights: graph.input(GRAPH.mixWeights, 'float32', ['rows', 'mix']),
    ropeCos: graph.input(GRAPH.ropeCos, 'float32', ['rows', headDim / 2]),
    ropeSin: graph.input(GRAPH.ropeSin, 'float32', ['rows', headDim / 2]),
    bias: graph.input(GRAPH.attentionBias, 'float32', ['rows', 'past_and_rows']),
    reading,
    headRows: graph.input(GRAPH.headRows, 'int64', ['heads']),
    previousLogits: graph.input(GRAPH.previousLogits, 'float32', ['previous_rows', 'previous_vocab']),
    probes,
  });
  const names: string[] = [];
  if (built.allHidden !== null) {
    built.allHidden.forEach((state, i) => {
      graph.output(hiddenStateName(i), state, 'float32', ['rows', hiddenSize]);
      names.push(hiddenStateName(i));
    });
    graph.output(PROBE_RAW_LOGITS, built.rawLogits, 'float32', ['heads', vocabSize]);
    names.push(PROBE_RAW_LOGITS);
  }
  const k = graphTopK(checkpoint);
  graph.output(GRAPH.topValues, built.topValues, 'float32', ['heads', k]);
  graph.output(GRAPH.topIds, built.topIds, 'int64', ['heads', k]);
  if (built.continueProbability !== null) graph.output(GRAPH.continueProbability, built.continueProbability, 'float32', ['heads']);
  const logitsRows = graph.input(GRAPH.logitsRows, 'int64', ['logit_rows']);
  const logits = graph.node('Gather', '/head/logits/Gather', [built.cumulativeLogits, logitsRows], { axis: int(0) });
  graph.output(GRAPH.logits, logits, 'float32', ['logit_rows', vocabSize]);
  graph.output(GRAPH.distribution, distribution(graph, logits), 'float32', ['logit_rows', 2]);
  return { built, names };
}

/**
 * [rows, 2]: logSumExp and entropy of each row of logits [rows, vocab]. An exponential a token is the most that is done
 * for it beside the head itself, and many times quicker here than in JavaScript.
 */
function distribution(graph: Graph, logits: Value): Value {
  const at = '/head/distribution';
  const axis = graph.constant(`${at}/axis`, 'int64', [1], [1]);
  const over = (op: string, name: string, x: Value): Value => graph.node(op, `${at}/${name}/${op}`, [x, axis], { keepdims: int(1) });
  const largest = over('ReduceMax', 'largest', logits);
  // A token that is out (-Infinity) must not make 0 · Infinity of its share of the entropy.
  const distance = graph.node('Max', `${at}/distance/Max`, [graph.node('Sub', `${at}/distance/Sub`, [logits, largest]), graph.constant(`${at}/negligible`, 'float32', [], [-NEGLIGIBLE])]);
  const weight = graph.node('Exp', `${at}/weight/Exp`, [distance]);
  const sum = over('ReduceSum', 'sum', weight);
  const moment = over('ReduceSum', 'moment', graph.node('Mul', `${at}/moment/Mul`, [weight, distance]));
  const logSum = graph.node('Log', `${at}/sum/Log`, [sum]);
  const entropy = graph.node('Sub', `${at}/entropy/Sub`, [logSum, graph.node('Div', `${at}/moment/Div`, [moment, sum])]);
  return graph.node('Concat', `${at}/Concat`, [graph.node('Add', `${at}/log_sum_exp/Add`, [largest, logSum]), entropy], { axis: int(1) });
}

/** @param gate [rows, 1] */
export function loraGate(graph: Graph, gate: Value): NonNullable<BuildContext['lora']> {
  const largest = graph.node('ReduceMax', '/shared/any_deep/ReduceMax', [gate], { keepdims: int(0) });
  const anyDeep = graph.node('Greater', '/shared/any_deep/Greater', [largest, graph.constant('/shared/any_deep/zero', 'float32', [], [0])]);
  return { gate, anyDeep };
}
