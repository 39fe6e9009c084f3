/**
 * Rows of a quantised table by plain operators, for a provider without GatherBlockQuantized. The same numbers: codes are
 * small integers, exact in float32, and each value is one product as there.
 *
 *   ids ─ Gather(packed) ─ bytes as float ─┬─ floor(byte / 16) = odd column ──┐
 *                                          └─ byte - 16 · that = even column ─┴ interleave ─ - zero point ─ × scale of the block
 */
import { int, type Graph, type Value } from '../onnx/graph.ts';
import type { QuantizedWeight } from './weights.ts';

/** ONNX TensorProto.FLOAT, as the operator Cast wants it. */
const FLOAT = 1;
const NIBBLE = 16;

/** @param ids int64 [rows, mix] @returns float32 [rows, mix, columns], columns a multiple of the block size */
export function dequantizedRows(graph: Graph, at: string, weight: QuantizedWeight, ids: Value): Value {
  const table = weight.asTable();
  const blocks = weight.columns / weight.blockSize;
  if (!Number.isInteger(blocks)) throw new Error(`${at}: ${weight.columns} columns are no whole blocks of ${weight.blockSize}`);
  const shape = (name: string, dims: readonly number[]): Value => graph.constant(`${at}/${name}`, 'int64', [dims.length], dims);
  const number = (name: string, value: number): Value => graph.constant(`${at}/${name}`, 'float32', [], [value]);
  const bytes = graph.node('Cast', `${at}/bytes/Cast`, [graph.node('Gather', `${at}/packed/Gather`, [table.data, ids], { axis: int(0) })], { to: int(FLOAT) });
  const codes = weight.bits === 8 ? bytes : nibbles(graph, at, bytes, shape('last', [-1]), number('nibble', NIBBLE));
  const blocked = graph.node('Reshape', `${at}/blocks/Reshape`, [codes, shape('blocked', [0, -1, blocks, weight.blockSize])]);
  const centred = graph.node('Sub', `${at}/zero/Sub`, [blocked, number('zero_point', 2 ** (weight.bits - 1))]);
  const scales = graph.node('Unsqueeze', `${at}/scales/Unsqueeze`, [graph.node('Gather', `${at}/scales/Gather`, [table.scales, ids], { axis: int(0) }), shape('scale_axis', [3])]);
  const values = graph.node('Mul', `${at}/scaled/Mul`, [centred, scales]);
  return graph.node('Reshape', `${at}/rows/Reshape`, [values, shape('flat', [0, -1, weight.columns])]);
}

/** @param bytes float32 [rows, mix, bytes] @returns float32 [rows, mix, bytes, 2]: the low half of each byte, then the high one */
function nibbles(graph: Graph, at: string, bytes: Value, lastAxis: Value, nibble: Value): Value {
  const high = graph.node('Floor', `${at}/high/Floor`, [graph.node('Div', `${at}/high/Div`, [bytes, nibble])]);
  const low = graph.node('Sub', `${at}/low/Sub`, [bytes, graph.node('Mul', `${at}/high/Mul`, [high, nibble])]);
  const pair = [low, high].map((half, i) => graph.node('Unsqueeze', `${at}/half.${i}/Unsqueeze`, [half, lastAxis]));
  return graph.node('Concat', `${at}/halves/Concat`, pair, { axis: int(-1) });
}
