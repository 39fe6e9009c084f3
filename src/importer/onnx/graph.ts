/**
 * A graph under construction. Node names are addresses (`/model/layers.0/attn/q_proj/MatMul`), an output is called
 * after its node, and a name that is used twice throws. Knows operators' names only as strings; knows no model.
 */
import type { Attribute, Dim, Dtype, GraphData, NodeData, TensorData, ValueInfo } from './wire.ts';

/** Name of a value in the graph: an input, an initializer or a node's output. */
export type Value = string;

export type Attributes = Readonly<Record<string, Attribute>>;

/** Operators of ONNX Runtime's own domain that the builders use. */
const MICROSOFT = new Set(['MatMulNBits', 'GatherBlockQuantized', 'FusedMatMul', 'RotaryEmbedding']);

const ARRAYS = {
  int64: (values: readonly number[]) => BigInt64Array.from(values, BigInt),
  uint8: (values: readonly number[]) => Uint8Array.from(values),
  uint32: (values: readonly number[]) => Uint32Array.from(values),
  float32: (values: readonly number[]) => Float32Array.from(values),
  float64: (values: readonly number[]) => Float64Array.from(values),
};

export const int = (value: number): Attribute => ({ type: 'int', value });
export const float = (value: number): Attribute => ({ type: 'float', value });
export const ints = (value: readonly number[]): Attribute => ({ type: 'ints', value });

export class Graph {
  private readonly nodes: NodeData[] = [];
  private readonly initializers: TensorData[] = [];
  private readonly inputs: ValueInfo[] = [];
  private readonly outputs: ValueInfo[] = [];
  private readonly names: Set<string>;
  private readonly prefix: string;

  /**
   * A subgraph shares its parent's names: it may read the parent's values and must not shadow them.
   * @param prefix put before the addresses of nodes and constants, where a builder is used twice in one model
   */
  constructor(
    private readonly name: string,
    parent?: Graph,
    prefix = '',
  ) {
    this.names = parent?.names ?? new Set();
    this.prefix = `${parent?.prefix ?? ''}${prefix}`;
  }

  input(name: string, dtype: Dtype, dims: readonly Dim[]): Value {
    this.claim(name);
    this.inputs.push({ name, dtype, dims });
    return name;
  }

  /** Names `value` as an output of the graph. */
  output(name: string, value: Value, dtype: Dtype, dims: readonly Dim[]): void {
    this.claim(name);
    this.nodes.push({ op: 'Identity', domain: '', name: `/output/${name}`, inputs: [value], outputs: [name], attributes: {} });
    this.outputs.push({ name, dtype, dims });
  }

  /** An output of a subgraph, which is bound by its place and keeps its own name. */
  yields(value: Value, dtype: Dtype, dims: readonly Dim[]): void {
    this.outputs.push({ name: value, dtype, dims });
  }

  initializer(tensor: TensorData): Value {
    this.claim(tensor.name);
    this.initializers.push(tensor);
    return tensor.name;
  }

  /** A small constant, kept in the graph file. */
  constant(name: string, dtype: keyof typeof ARRAYS, dims: readonly number[], values: readonly number[]): Value {
    return this.initializer({ name: `${this.prefix}${name}`, dtype, dims, data: new Uint8Array(ARRAYS[dtype](values).buffer) });
  }

  /** Adds a node with one output and returns it. */
  node(op: string, address: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    const [output] = this.nodeWithOutputs(op, address, inputs, 1, attributes);
    if (output === undefined) throw new Error(`node ${address} has no output`);
    return output;
  }

  nodeWithOutputs(op: string, place: string, inputs: readonly Value[], outputs: number, attributes: Attributes = {}): Value[] {
    const address = `${this.prefix}${place}`;
    this.claim(address);
    const names = Array.from({ length: outputs }, (_, i) => `${address}/output_${i}`);
    for (const name of names) this.claim(name);
    this.nodes.push({ op, domain: MICROSOFT.has(op) ? 'com.microsoft' : '', name: address, inputs, outputs: names, attributes });
    return names;
  }

  finish(): GraphData {
    return { name: this.name, nodes: this.nodes, initializers: this.initializers, inputs: this.inputs, outputs: this.outputs };
  }

  private claim(name: string): void {
    if (this.names.has(name)) throw new Error(`graph ${this.name}: the name ${name} is used twice`);
    this.names.add(name);
  }
}
