/**
 * The ONNX file format (onnx.proto3, IR version 10) as far as a graph with external weights needs it.
 * Knows field numbers of ModelProto and its parts; writes them with protobuf's own wire writer. Knows no model and no
 * operator. Written only: nothing here reads an ONNX file.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** TensorProto.DataType */
const DTYPE = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float64: 11, uint32: 12 } as const;
export type Dtype = keyof typeof DTYPE;

/** A dimension: a size, or the name of a size known at run time. */
export type Dim = number | string;

export interface ValueInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly dims: readonly Dim[];
}

export interface TensorData {
  readonly name: string;
  readonly dtype: Dtype;
  readonly dims: readonly number[];
  /** Little-endian bytes in the graph file, or where they lie in the external file. */
  readonly data: Uint8Array | { readonly file: string; readonly offset: number; readonly bytes: number };
}

export type Attribute =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'ints'; readonly value: readonly number[] }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'graph'; readonly value: GraphData };

export interface NodeData {
  readonly op: string;
  readonly domain: '' | 'com.microsoft';
  readonly name: string;
  /** '' stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface GraphData {
  readonly name: string;
  readonly nodes: readonly NodeData[];
  readonly initializers: readonly TensorData[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

const IR_VERSION = 10;
const OPSET = 21;

class Message {
  private readonly writer = new BinaryWriter();

  text(field: number, value: string): this {
    this.writer.tag(field, WireType.LengthDelimited).string(value);
    return this;
  }
  bytes(field: number, value: Uint8Array): this {
    this.writer.tag(field, WireType.LengthDelimited).bytes(value);
    return this;
  }
  integer(field: number, value: number): this {
    this.writer.tag(field, WireType.Varint).int64(value);
    return this;
  }
  float(field: number, value: number): this {
    this.writer.tag(field, WireType.Bit32).float(value);
    return this;
  }
  message(field: number, value: Message): this {
    return this.bytes(field, value.finish());
  }
  finish(): Uint8Array {
    return this.writer.finish();
  }
}

/** The bytes of a `.onnx` file. */
export function encodeModel(graph: GraphData, producer: { readonly name: string; readonly version: string }): Uint8Array {
  return new Message()
    .integer(1, IR_VERSION)
    .text(2, producer.name)
    .text(3, producer.version)
    .message(7, graphProto(graph))
    .message(8, new Message().text(1, '').integer(2, OPSET))
    .message(8, new Message().text(1, 'com.microsoft').integer(2, 1))
    .finish();
}

function graphProto(graph: GraphData): Message {
  const message = new Message();
  for (const node of graph.nodes) message.message(1, nodeProto(node));
  message.text(2, graph.name);
  for (const tensor of graph.initializers) message.message(5, tensorProto(tensor));
  for (const input of graph.inputs) message.message(11, valueInfoProto(input));
  for (const output of graph.outputs) message.message(12, valueInfoProto(output));
  return message;
}

function nodeProto(node: NodeData): Message {
  const message = new Message();
  for (const input of node.inputs) message.text(1, input);
  for (const output of node.outputs) message.text(2, output);
  message.text(3, node.name).text(4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) message.message(5, attributeProto(name, attribute));
  if (node.domain !== '') message.text(7, node.domain);
  return message;
}

function attributeProto(name: string, attribute: Attribute): Message {
  const message = new Message().text(1, name);
  switch (attribute.type) {
    case 'float':
      return message.float(2, attribute.value).integer(20, 1);
    case 'int':
      return message.integer(3, attribute.value).integer(20, 2);
    case 'string':
      return message.bytes(4, new TextEncoder().encode(attribute.value)).integer(20, 3);
    case 'graph':
      return message.message(6, graphProto(attribute.value)).integer(20, 5);
    case 'ints':
      for (const value of attribute.value) message.integer(8, value);
      return message.integer(20, 7);
    default:
      return attribute satisfies never;
  }
}

function tensorProto(tensor: TensorData): Message {
  const message = new Message();
  for (const dim of tensor.dims) message.integer(1, dim);
  message.integer(2, DTYPE[tensor.dtype]).text(8, tensor.name);
  if (tensor.data instanceof Uint8Array) return message.bytes(9, tensor.data);
  const entry = (key: string, value: string): Message => new Message().text(1, key).text(2, value);
  return message
    .message(13, entry('location', tensor.data.file))
    .message(13, entry('offset', String(tensor.data.offset)))
    .message(13, entry('length', String(tensor.data.bytes)))
    .integer(14, 1);
}

function valueInfoProto(value: ValueInfo): Message {
  const shape = new Message();
  for (const dim of value.dims) {
    shape.message(1, typeof dim === 'number' ? new Message().integer(1, dim) : new Message().text(2, dim));
  }
  const tensor = new Message().integer(1, DTYPE[value.dtype]).message(2, shape);
  return new Message().text(1, value.name).message(2, new Message().message(1, tensor));
}
