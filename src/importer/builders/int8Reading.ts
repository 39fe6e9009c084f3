/**
 * Attention over int8 keys and values (protocol/graph.ts), each row with the scale of its largest magnitude. A row is
 * rounded where it is made, before anyone has read it: the run that makes it sees what every later run will see.
 *
 *   k, v ─ rounded ─┬─ new.{l}.rows, new.{l}.scale
 *                   │
 *   few rows        ├─ q, as two 8-bit digits ─ · keys, in integers ─ join digits ─ × scale of each key ─ + bias ─ softmax
 *                   │      ─ × scale of each value ─ as two 8-bit digits ─ · values, in integers ─ join digits
 *   many rows       └─ keys and values as float32 again ─ floatReading.ts
 *
 * The bytes of a long past are what a token waits for, and integer products read a quarter of float32's. Two digits keep
 * 15 bits of a query and of a softmax weight, so that the rounding of the rows is the only one that counts; sums of
 * integers don't depend on where a row lies. A long block pays for its arithmetic, not for the bytes: there float32
 * products are faster, and the past is turned to float32 once for all of its rows.
 */
import { newName, newRowsName, newScaleName, pastName, pastScaleName } from '../../protocol/graph.ts';
import type { ModelConfig } from '../checkpoint/types.ts';
import { Graph, int, ints, type Value } from '../onnx/graph.ts';
import type { HeadRows, Reading, SharedInputs } from './attention.ts';
import { attendInFloat } from './floatReading.ts';

/** Rows of a run up to which integer products are the faster ones. */
const FEW_ROWS = 4;
/** Magnitude of the largest code, and of the largest digit. */
const LARGEST = 127;
/** The second digit counts in this part of the first one's unit: what rounding to it leaves is at most half of it. */
const DIGIT = 2 * LARGEST;
/** Digits are unsigned, with their zero in the middle. */
const ZERO = 128;
/** Scale of a row of zeros, which would be divided by 0. */
const SMALLEST = 1e-30;

const [FLOAT, INT8] = [1, 3];

/** What all layers of a graph share. */
interface Shared {
  /** bool []: the run has few rows. */
  readonly few: Value;
  /** float32 [group · rows, 2 · group · rows]: sum of the two digits of each row, times 1 / LARGEST. */
  readonly join: Value;
  /** The same times 1 / √headDim. */
  readonly joinScaled: Value;
  readonly constants: { readonly unit: Value; readonly secondUnit: Value; readonly zero: Value; readonly smallest: Value; readonly lastAxis: Value };
}

/** The rounded rows of a layer, and all scales. */
interface Rounded {
  /** int8 [2 · kvHeads · rows, headDim] and float32 [2 · kvHeads · rows] */
  readonly codes: Value;
  readonly scale: Value;
  /** int8 [kvHeads, rows, headDim] */
  readonly key: Value;
  readonly value: Value;
  /** float32 [kvHeads, 1, past + rows] */
  readonly keyScales: Value;
  readonly valueScales: Value;
}

/** @param probes the rows are also returned as float32, under the names that they have where the cache is (`tah verify`) */
export function int8Reading(graph: Graph, config: ModelConfig, probes: boolean): Reading {
  const { kvHeads, headDim, layers } = config;
  const past = Array.from({ length: layers }, (_, layer) => ({
    key: graph.input(pastName(layer, 'key'), 'int8', [kvHeads, headDim, 'past']),
    value: graph.input(pastName(layer, 'value'), 'int8', [kvHeads, 'past', headDim]),
    scale: graph.input(pastScaleName(layer), 'float32', [2 * kvHeads, 1, 'past']),
  }));
  let common: Shared | null = null;
  return {
    past: past[0]?.value ?? '',
    attend(into, shared, layer, rows) {
      const kept = past[layer];
      if (kept === undefined) throw new Error(`the model has no layer ${layer}`);
      common ??= sharedOf(into, shared, config);
      const of: Layer = { at: `/model/layers.${layer}/attn`, shared, common, config, kept };
      const rounded = round(into, of, rows, layer);
      if (probes) {
        const [key = '', value = ''] = ownInFloat(into, of, rounded);
        into.output(newName(layer, 'key'), key, 'float32', [kvHeads, 'rows', headDim]);
        into.output(newName(layer, 'value'), value, 'float32', [kvHeads, 'rows', headDim]);
      }
      const branch = (name: string, attend: typeof inIntegers): ReturnType<Graph['finish']> => {
        const inner = new Graph(`${of.at}/${name}`, into, `/${name}`);
        inner.yields(attend(inner, of, rows.q, rounded), 'float32', [kvHeads, 'grouped', headDim]);
        return inner.finish();
      };
      return into.node('If', `${of.at}/If`, [common.few], {
        then_branch: { type: 'graph', value: branch('few', inIntegers) },
        else_branch: { type: 'graph', value: branch('many', inFloat) },
      });
    },
  };
}

interface Layer {
  readonly at: string;
  readonly shared: SharedInputs;
  readonly common: Shared;
  readonly config: ModelConfig;
  readonly kept: { readonly key: Value; readonly value: Value; readonly scale: Value };
}

function sharedOf(graph: Graph, { bias }: SharedInputs, { heads, kvHeads, headDim }: ModelConfig): Shared {
  const at = '/shared/int8';
  const number = (name: string, value: number): Value => graph.constant(`${at}/${name}`, 'float32', [], [value]);
  const index = (name: string, value: number): Value => graph.constant(`${at}/${name}`, 'int64', [1], [value]);
  const rows = graph.node('Slice', `${at}/rows/Slice`, [graph.node('Shape', `${at}/rows/Shape`, [bias]), index('zero_index', 0), index('one_index', 1)]);
  const square = graph.node('ConstantOfShape', `${at}/square/ConstantOfShape`, [graph.node('Concat', `${at}/square/Concat`, [rows, rows], { axis: int(0) })]);
  const first = graph.node('Mul', `${at}/first/Mul`, [graph.node('EyeLike', `${at}/EyeLike`, [square], { dtype: int(FLOAT) }), number('unit_of_sum', 1 / LARGEST)]);
  const second = graph.node('Mul', `${at}/second/Mul`, [first, number('digit', 1 / DIGIT)]);
  const join = graph.node('Concat', `${at}/join/Concat`, [first, second], { axis: int(1) });
  const isFew = graph.node('LessOrEqual', `${at}/few/LessOrEqual`, [rows, index('few_rows', (FEW_ROWS * heads) / kvHeads)]);
  return {
    few: graph.node('Squeeze', `${at}/few/Squeeze`, [isFew]),
    join,
    joinScaled: graph.node('Mul', `${at}/join_scaled/Mul`, [join, number('root', 1 / Math.sqrt(headDim))]),
    constants: {
      unit: number('unit', 1 / LARGEST),
      secondUnit: number('second_unit', 1 / LARGEST / DIGIT),
      zero: graph.constant(`${at}/zero`, 'uint8', [], [ZERO]),
      smallest: number('smallest', SMALLEST),
      lastAxis: index('last_axis', -1),
    },
  };
}

function round(graph: Graph, { at, common: { constants }, config, kept }: Layer, { k, v }: HeadRows, layer: number): Rounded {
  const { kvHeads, headDim } = config;
  const shape = (name: string, dims: readonly number[]): Value => graph.constant(`${at}/rounded/${name}`, 'int64', [dims.length], dims);
  const both = graph.node('Reshape', `${at}/rounded/lines/Reshape`, [graph.node('Concat', `${at}/rounded/Concat`, [k, v], { axis: int(0) }), shape('line_shape', [-1, headDim])]);
  const most = graph.node('ReduceMax', `${at}/rounded/ReduceMax`, [graph.node('Abs', `${at}/rounded/Abs`, [both]), constants.lastAxis], { keepdims: int(0) });
  const scale = graph.node('Mul', `${at}/rounded/scale/Mul`, [graph.node('Max', `${at}/rounded/Max`, [most, constants.smallest]), constants.unit]);
  const codes = graph.node('QuantizeLinear', `${at}/rounded/QuantizeLinear`, [both, scale], { axis: int(0), output_dtype: int(INT8) });
  const rows = graph.node('Reshape', `${at}/rounded/rows/Reshape`, [codes, shape('row_shape', [2 * kvHeads, -1, headDim])]);
  const scales = graph.node('Reshape', `${at}/rounded/scales/Reshape`, [scale, shape('scale_shape', [2 * kvHeads, 1, -1])]);
  graph.output(newRowsName(layer), rows, 'int8', [2 * kvHeads, 'rows', headDim]);
  graph.output(newScaleName(layer), scales, 'float32', [2 * kvHeads, 1, 'rows']);
  const all = graph.node('Concat', `${at}/rounded/scales/Concat`, [kept.scale, scales], { axis: int(-1) });
  const [key = '', value = ''] = halves(graph, `${at}/rounded/rows`, rows);
  const [keyScales = '', valueScales = ''] = halves(graph, `${at}/rounded/scales`, all);
  return { codes, scale, key, value, keyScales, valueScales };
}

/** @param q [kvHeads, group · rows, headDim] @returns the same */
function inIntegers(graph: Graph, { at, shared, common, kept }: Layer, q: Value, { key, value, keyScales, valueScales }: Rounded): Value {
  const { zero, smallest } = common.constants;
  const product = (address: string, digits: Value, codes: Value): Value => graph.node('MatMulInteger', `${at}/${address}/MatMulInteger`, [digits, codes, zero]);
  const magnitude = largestOf(graph, `${at}/q`, common, graph.node('Abs', `${at}/q/Abs`, [q]));
  // A query of zeros would be divided by 0; weights have a largest one, and the scale of a value is never 0.
  const query = digitsOf(graph, `${at}/q`, common, q, graph.node('Max', `${at}/q/Max`, [magnitude, smallest]));
  const ownKeys = graph.node('Transpose', `${at}/key_columns/Transpose`, [key], { perm: ints([0, 2, 1]) });
  const products = graph.node('Concat', `${at}/products/Concat`, [product('scores_past', query.digits, kept.key), product('scores_new', query.digits, ownKeys)], { axis: int(-1) });
  const ofCodes = joined(graph, `${at}/scores`, common.joinScaled, query.scale, products);
  const scores = graph.node('Mul', `${at}/scores/Mul`, [ofCodes, keyScales]);
  const weights = graph.node('Softmax', `${at}/Softmax`, [graph.node('Add', `${at}/bias/Add`, [scores, shared.bias])], { axis: int(-1) });

  const parts = graph.node('Mul', `${at}/weighted/Mul`, [weights, valueScales]);
  const weighted = digitsOf(graph, `${at}/weighted`, common, parts, largestOf(graph, `${at}/weighted`, common, parts));
  const [ofPast = '', ofOwn = ''] = graph.nodeWithOutputs('Split', `${at}/weighted/Split`, [weighted.digits, shared.pastAndSeen], 2, { axis: int(-1) });
  const sum = graph.node('Add', `${at}/out/Add`, [product('out_past', ofPast, kept.value), product('out_new', ofOwn, value)]);
  return joined(graph, `${at}/out`, common.join, weighted.scale, sum);
}

/** Of each row of x [kvHeads, n, m]: [kvHeads, n, 1] */
function largestOf(graph: Graph, at: string, { constants: { lastAxis } }: Shared, x: Value): Value {
  return graph.node('ReduceMax', `${at}/ReduceMax`, [x, lastAxis], { keepdims: int(1) });
}

/**
 * Each row of x [kvHeads, n, m] over its scale, in [-1, 1], as two digits: uint8 [kvHeads, 2 · n, m], first digits before
 * second ones. @param scale [kvHeads, n, 1]
 */
function digitsOf(graph: Graph, at: string, { constants: { unit, secondUnit, zero } }: Shared, x: Value, scale: Value): { readonly digits: Value; readonly scale: Value } {
  const part = graph.node('Div', `${at}/digits/Div`, [x, scale]);
  const first = graph.node('QuantizeLinear', `${at}/digits/first/QuantizeLinear`, [part, unit, zero]);
  const rest = graph.node('Sub', `${at}/digits/Sub`, [part, graph.node('DequantizeLinear', `${at}/digits/DequantizeLinear`, [first, unit, zero])]);
  const second = graph.node('QuantizeLinear', `${at}/digits/second/QuantizeLinear`, [rest, secondUnit, zero]);
  return { digits: graph.node('Concat', `${at}/digits/Concat`, [first, second], { axis: int(1) }), scale };
}

/** Sums of digits int32 [kvHeads, 2 · n, m] as the numbers [kvHeads, n, m]. @param scale [kvHeads, n, 1] */
function joined(graph: Graph, at: string, join: Value, scale: Value, sums: Value): Value {
  const ofRows = graph.node('Mul', `${at}/join/Mul`, [join, scale]);
  return graph.node('MatMul', `${at}/join/MatMul`, [ofRows, graph.node('Cast', `${at}/join/Cast`, [sums], { to: int(FLOAT) })]);
}

/** @param q [kvHeads, group · rows, headDim] @returns the same */
function inFloat(graph: Graph, layer: Layer, q: Value, rounded: Rounded): Value {
  const { at, shared, config: { kvHeads, headDim }, kept } = layer;
  const [keyScale = '', valueScale = ''] = halves(graph, `${at}/past_scale`, kept.scale);
  const shape = (name: string, dims: readonly number[]): Value => graph.constant(`${at}/past/${name}`, 'int64', [dims.length], dims);
  const key = graph.node('DequantizeLinear', `${at}/past/key/DequantizeLinear`, [kept.key, keyScale], { axis: int(1), block_size: int(headDim) });
  // One scale a row is quicker along the first axis than as a block of the last one.
  const lines = graph.node('Reshape', `${at}/past/value_lines/Reshape`, [kept.value, shape('line_shape', [-1, headDim])]);
  const lineScales = graph.node('Reshape', `${at}/past/line_scales/Reshape`, [valueScale, shape('scale_shape', [-1])]);
  const values = graph.node('DequantizeLinear', `${at}/past/value/DequantizeLinear`, [lines, lineScales], { axis: int(0) });
  const value = graph.node('Reshape', `${at}/past/value/Reshape`, [values, shape('value_shape', [kvHeads, -1, headDim])]);
  const [ownKey = '', ownValue = ''] = ownInFloat(graph, layer, rounded);
  return attendInFloat(graph, at, shared, headDim, { q, past: { key, value, keyInColumns: true }, seen: { key: ownKey, value: ownValue } });
}

/** Keys and values of the run's own rows: float32 [kvHeads, rows, headDim] each. */
function ownInFloat(graph: Graph, { at, config: { kvHeads, headDim } }: Layer, { codes, scale }: Rounded): Value[] {
  const lines = graph.node('DequantizeLinear', `${at}/own/DequantizeLinear`, [codes, scale], { axis: int(0) });
  const shape = graph.constant(`${at}/own/shape`, 'int64', [3], [2 * kvHeads, -1, headDim]);
  return halves(graph, `${at}/own`, graph.node('Reshape', `${at}/own/Reshape`, [lines, shape]));
}

/** Those of keys and those of values: x [2 · kvHeads, ..] */
function halves(graph: Graph, at: string, x: Value): Value[] {
  return graph.nodeWithOutputs('Split', `${at}/halves/Split`, [x], 2, { axis: int(0), num_outputs: int(2) });
}
