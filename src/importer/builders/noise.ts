/**
 * The noise of engine/noise.ts in a graph: Threefry-2x32 with 20 rounds, keyed by the seed, counting (position, token id),
 * and the same 53 of its bits as a number between 0 and 1. All in unsigned 32-bit integers, which wrap.
 */
import { int, type Graph, type Value } from '../onnx/graph.ts';

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const GROUPS = 5;
const PARITY = 0x1bd11bda;
const UINT32 = 12;
const DOUBLE = 11;

export interface NoiseInputs {
  /** int64 [2] low and high 32 bits */
  readonly seed: Value;
  /** int64 [1] */
  readonly position: Value;
  /** int64 [.., n] */
  readonly ids: Value;
}

/** @returns float64 [n], strictly between 0 and 1 */
export function raceNoise(graph: Graph, at: string, { seed, position, ids }: NoiseInputs): Value {
  const node = (op: string, name: string, inputs: readonly Value[], attributes = {}): Value => graph.node(op, `${at}/${name}/${op}`, inputs, attributes);
  const word = (name: string, of: Value): Value => node('Cast', name, [of], { to: int(UINT32) });
  const constant = (name: string, value: number): Value => graph.constant(`${at}/${name}`, 'uint32', [1], [value]);
  const index = (name: string, value: number): Value => graph.constant(`${at}/${name}`, 'int64', [1], [value]);
  const key0 = word('key0', node('Gather', 'seed_low', [seed, index('low', 0)]));
  const key1 = word('key1', node('Gather', 'seed_high', [seed, index('high', 1)]));
  const key2 = node('BitwiseXor', 'key2', [node('BitwiseXor', 'key01', [key0, key1]), constant('parity', PARITY)]);
  const keys = [key0, key1, key2] as const;
  const rotate = (name: string, value: Value, bits: number): Value =>
    node('BitwiseOr', `${name}/rotated`, [
      node('BitShift', `${name}/left`, [value, constant(`${name}/left_by`, bits)], { direction: { type: 'string', value: 'LEFT' } }),
      node('BitShift', `${name}/right`, [value, constant(`${name}/right_by`, 32 - bits)], { direction: { type: 'string', value: 'RIGHT' } }),
    ]);
  let a = node('Add', 'a', [word('counter0', position), key0]);
  let b = node('Add', 'b', [word('counter1', node('Reshape', 'ids', [ids, index('flat', -1)])), key1]);
  for (let group = 1; group <= GROUPS; group++) {
    ROTATIONS.slice(group % 2 === 0 ? 4 : 0, group % 2 === 0 ? 8 : 4).forEach((bits, i) => {
      const name = `group.${group}.${i}`;
      a = node('Add', `${name}/a`, [a, b]);
      b = node('BitwiseXor', `${name}/b`, [rotate(name, b, bits), a]);
    });
    a = node('Add', `group.${group}/a`, [a, keyOf(keys, group)]);
    b = node('Add', `group.${group}/b`, [node('Add', `group.${group}/key`, [b, keyOf(keys, group + 1)]), constant(`group.${group}/number`, group)]);
  }
  const top = (name: string, of: Value, dropped: number): Value =>
    node('Cast', `${name}/double`, [node('BitShift', `${name}/bits`, [of, constant(`${name}/dropped`, dropped)], { direction: { type: 'string', value: 'RIGHT' } })], { to: int(DOUBLE) });
  const double = (name: string, value: number): Value => graph.constant(`${at}/${name}`, 'float64', [1], [value]);
  const high = node('Mul', 'high', [top('top_a', a, 5), double('two_26', 0x4000000)]);
  const whole = node('Add', 'half', [node('Add', 'whole', [high, top('top_b', b, 6)]), double('half_step', 0.5)]);
  return node('Div', 'uniform', [whole, double('two_53', 2 ** 53)]);
}

/** The word that is added after a group: the key's words rotate. */
function keyOf(keys: readonly [Value, Value, Value], index: number): Value {
  const [key0, key1, key2] = keys;
  return index % 3 === 0 ? key0 : index % 3 === 1 ? key1 : key2;
}
