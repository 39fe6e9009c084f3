/**
 * From what a pass says to what is fed next, in the graph: the decision of engine/policy.ts, the mix of a deeper pass as
 * engine/forward.ts makes it, and the draw of engine/sampling.ts with the noise of engine/noise.ts, number for number.
 *
 *   probability ─ > threshold, depth + 1 < maxIter ─ goesOn ──────────────────┐
 *   top values ─ softmax of the first k ─ deeper mix ───────────────────────── Where ─ next mix, depth, position, logits
 *   top values ─ temperature, top-k, top-p, min-p ─ race ─ chosen ─ mix of one ┘
 */
import { GRAPH, LOOP } from '../../protocol/graph.ts';
import { int, type Graph, type Value } from '../onnx/graph.ts';
import { raceNoise } from './noise.ts';

/** ONNX TensorProto data types, as the operator Cast wants them. */
const FLOAT = 1;
const INT64 = 7;
const DOUBLE = 11;

export interface PassState {
  /** int64 [1] each: iterDepth of the row, and its position counted from the run's row. */
  readonly depth: Value;
  readonly offset: Value;
}

/** Of one row: its top values and ids [1, k], probability [1] (null in a plain model), cumulative logits [1, vocab]. */
export interface PassResult {
  readonly topValues: Value;
  readonly topIds: Value;
  readonly continueProbability: Value | null;
  readonly cumulativeLogits: Value;
}

export interface Transition extends PassState {
  readonly mixIds: Value;
  readonly mixWeights: Value;
  readonly previousLogits: Value;
  /** bool []: there is a next pass. */
  readonly alive: Value;
  readonly chosen: Value;
  readonly goesOn: Value;
  readonly probability: Value;
  readonly facts: Value;
}

export interface Limits {
  readonly maxIter: number;
  /** k of the mix that feeds a deeper pass. */
  readonly mix: number;
  /** Entries of the top list. */
  readonly topK: number;
}

/** Declares the inputs that every transition of the graph reads. */
export function transitionInputs(graph: Graph): void {
  graph.input(LOOP.firstPosition, 'int64', [1]);
  graph.input(LOOP.lastPosition, 'int64', [1]);
  graph.input(LOOP.threshold, 'float32', [1]);
  graph.input(LOOP.stopIds, 'int64', ['stops']);
  graph.input(LOOP.temperature, 'float64', [1]);
  graph.input(LOOP.topK, 'int64', [1]);
  graph.input(LOOP.ranks, 'int64', [1]);
  graph.input(LOOP.budget, 'float64', [1]);
  graph.input(LOOP.minP, 'float64', [1]);
  graph.input(LOOP.seed, 'int64', [2]);
}

export function transition(graph: Graph, at: string, limits: Limits, state: PassState, result: PassResult): Transition {
  const build = new Builder(graph, at);
  const { one, zero } = { one: build.integers('one', [1]), zero: build.integers('zero', [0]) };
  const deeper = build.node('Add', 'depth', [state.depth, one]);
  const position = build.node('Add', 'position', [LOOP.firstPosition, state.offset]);
  const following = build.node('Add', 'following', [position, one]);
  const goesOn = decision(build, limits, deeper, result.continueProbability);
  const drawn = draw(build, limits, result, following);
  const chosen = build.node('Gather', 'chosen', [build.node('Reshape', 'ids', [result.topIds, build.integers('flat', [-1])]), drawn]);
  const next = build.node('Where', 'next_position', [goesOn, position, following]);
  return {
    ...nextMix(build, limits, result, goesOn, chosen),
    depth: build.node('Where', 'next_depth', [goesOn, deeper, zero]),
    offset: build.node('Sub', 'next_offset', [next, LOOP.firstPosition]),
    previousLogits: build.node('Where', 'previous', [goesOn, result.cumulativeLogits, build.number('nothing', 0)]),
    alive: alive(build, goesOn, chosen, next),
    chosen,
    goesOn: build.node('Cast', 'goes_on', [goesOn], { to: int(FLOAT) }),
    probability: result.continueProbability ?? graph.constant(`${at}/no_probability`, 'float32', [1], [0]),
    facts: facts(build, result, drawn),
  };
}

/** Nodes of a transition: addresses below its own. */
class Builder {
  constructor(
    readonly graph: Graph,
    private readonly at: string,
  ) {}

  node(op: string, name: string, inputs: readonly Value[], attributes: Parameters<Graph['node']>[3] = {}): Value {
    return this.graph.node(op, `${this.at}/${name}/${op}`, inputs, attributes);
  }

  integers(name: string, values: readonly number[]): Value {
    return this.graph.constant(`${this.at}/${name}`, 'int64', [values.length], values);
  }

  number(name: string, value: number): Value {
    return this.graph.constant(`${this.at}/${name}`, 'float32', [1], [value]);
  }

  doubles(name: string, values: readonly number[]): Value {
    return this.graph.constant(`${this.at}/${name}`, 'float64', [values.length], values);
  }

  double(name: string, of: Value): Value {
    return this.node('Cast', name, [of], { to: int(DOUBLE) });
  }

  get place(): string {
    return this.at;
  }
}

/** bool [1]: the reference compares float32 with float32, strictly greater, and never after the last pass. */
function decision(build: Builder, { maxIter }: Limits, deeper: Value, probability: Value | null): Value {
  const mayGoOn = build.node('Less', 'may_go_on', [deeper, build.integers('max_iter', [maxIter])]);
  if (probability === null) return mayGoOn;
  return build.node('And', 'goes_on', [build.node('Greater', 'above', [probability, LOOP.threshold]), mayGoOn]);
}

/** int64 [1]: index into the top list of the token that is drawn; its noise is that of `following`, the token's position. */
function draw(build: Builder, { topK }: Limits, result: PassResult, following: Value): Value {
  const values = build.node('Reshape', 'values', [result.topValues, build.integers('values_shape', [-1])]);
  const wide = build.double('wide', values);
  const largest = build.node('Gather', 'largest', [wide, build.integers('first', [0])]);
  const weights = build.node('Exp', 'weights', [build.node('Div', 'tempered', [build.node('Sub', 'distances', [wide, largest]), LOOP.temperature])]);
  // 1. top-k, with all that tie with the k-th; greedy is the first alone.
  const bar = build.node('Gather', 'bar', [wide, build.node('Sub', 'bar_index', [LOOP.topK, build.integers('bar_one', [1])])]);
  const ranks = build.integers('ranks', Array.from({ length: topK }, (_, rank) => rank));
  const among = build.node('And', 'top_k', [build.node('GreaterOrEqual', 'at_bar', [wide, bar]), build.node('Less', 'ranked', [ranks, LOOP.ranks])]);
  const none = build.doubles('none', [0]);
  const kept = build.node('Where', 'kept', [among, weights, none]);
  // 2. top-p: from the least probable on, while what is removed is within the budget; the most probable always stays.
  const budget = build.node('Mul', 'budget', [build.node('ReduceSum', 'sum', [kept, build.integers('sum_axis', [0])]), LOOP.budget]);
  const tails = build.node('CumSum', 'tails', [kept, build.graph.constant(`${build.place}/cumsum_axis`, 'int64', [], [0])], { reverse: int(1) });
  const inNucleus = build.node('Or', 'nucleus', [build.node('Greater', 'beyond', [tails, budget]), build.node('Less', 'is_first', [ranks, build.integers('second', [1])])]);
  // 3. min-p: the largest weight is 1.
  const likely = build.node('GreaterOrEqual', 'min_p', [kept, LOOP.minP]);
  const survives = build.node('And', 'survives', [build.node('And', 'filters', [inNucleus, likely]), build.node('Greater', 'positive', [kept, none])]);
  // The exponential race: token i arrives at -ln(u_i) / p_i.
  const noise = raceNoise(build.graph, `${build.place}/noise`, { seed: LOOP.seed, position: following, ids: result.topIds });
  const time = build.node('Div', 'time', [build.node('Neg', 'minus', [build.node('Log', 'log', [noise])]), build.node('Where', 'divisor', [survives, kept, build.doubles('unit', [1])])]);
  const arrival = build.node('Where', 'arrival', [survives, time, build.doubles('never', [Number.MAX_VALUE])]);
  return build.node('ArgMin', 'winner', [arrival], { axis: int(0), keepdims: int(1) });
}

function nextMix(build: Builder, { mix }: Limits, result: PassResult, goesOn: Value, chosen: Value): Pick<Transition, 'mixIds' | 'mixWeights'> {
  const [start, end, axis] = [build.integers('mix_start', [0]), build.integers('mix_end', [mix]), build.integers('mix_axis', [1])];
  const first = (name: string, of: Value): Value => build.node('Slice', name, [of, start, end, axis]);
  const softmax = build.node('Softmax', 'mix_softmax', [build.double('mix_wide', first('mix_values', result.topValues))], { axis: int(-1) });
  const deepWeights = build.node('Cast', 'mix_weights', [softmax], { to: int(FLOAT) });
  const token = build.node('Reshape', 'token', [chosen, build.integers('token_shape', [1, 1])]);
  const padding = build.graph.constant(`${build.place}/padding`, 'int64', [1, mix - 1], new Array<number>(mix - 1).fill(0));
  const alone = mix === 1 ? token : build.node('Concat', 'alone', [token, padding], { axis: int(1) });
  const unit = build.graph.constant(`${build.place}/unit_weights`, 'float32', [1, mix], [1, ...new Array<number>(mix - 1).fill(0)]);
  return {
    mixIds: build.node('Where', GRAPH.mixIds, [goesOn, first('mix_top', result.topIds), alone]),
    mixWeights: build.node('Where', GRAPH.mixWeights, [goesOn, deepWeights, unit]),
  };
}

/** bool []: neither a stop token was drawn nor the last position passed. */
function alive(build: Builder, goesOn: Value, chosen: Value, next: Value): Value {
  const equal = build.node('Cast', 'stop_ids', [build.node('Equal', 'is_stop_id', [chosen, LOOP.stopIds])], { to: int(INT64) });
  const isStop = build.node('Greater', 'is_stop', [build.node('ReduceMax', 'any_stop', [equal], { keepdims: int(1) }), build.integers('no_stop', [0])]);
  const stopped = build.node('And', 'stopped', [isStop, build.node('Not', 'is_final', [goesOn])]);
  const beyond = build.node('Greater', 'beyond_last', [next, LOOP.lastPosition]);
  return build.node('Squeeze', 'alive', [build.node('Not', 'goes', [build.node('Or', 'ends', [stopped, beyond])])]);
}

/** float32 [1, 3]: logSumExp, entropy and the drawn token's logit. */
function facts(build: Builder, result: PassResult, drawn: Value): Value {
  const axis = build.integers('facts_axis', [1]);
  const wide = build.double('logits', result.cumulativeLogits);
  const logSum = build.node('ReduceLogSumExp', 'log_sum', [wide, axis], { keepdims: int(1) });
  const logs = build.node('Sub', 'logs', [wide, logSum]);
  const entropy = build.node('Neg', 'entropy', [build.node('ReduceSum', 'expected', [build.node('Mul', 'weighed', [build.node('Exp', 'probabilities', [logs]), logs]), axis], { keepdims: int(1) })]);
  const logit = build.double('logit', build.node('Gather', 'drawn_value', [result.topValues, drawn], { axis: int(1) }));
  return build.node('Cast', 'facts', [build.node('Concat', 'all_facts', [logSum, entropy, logit], { axis: int(1) })], { to: int(FLOAT) });
}
