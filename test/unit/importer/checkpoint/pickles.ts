/** Writes pickles opcode by opcode and zip archives entry by entry, sound or not. */
import { crc32 } from 'node:zlib';

export type Bytes = Uint8Array;

const u8 = (...values: readonly number[]): Bytes => Uint8Array.from(values);
const u32 = (value: number): Bytes => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

export function join(...parts: readonly Bytes[]): Buffer {
  return Buffer.concat(parts);
}

/** Opcodes with their arguments. */
export const op = {
  proto: u8(0x80, 2),
  stop: u8(0x2e),
  mark: u8(0x28),
  dict: u8(0x7d),
  list: u8(0x5d),
  emptyTuple: u8(0x29),
  tuple: u8(0x74),
  setItems: u8(0x75),
  append: u8(0x61),
  reduce: u8(0x52),
  build: u8(0x62),
  persistent: u8(0x51),
  false: u8(0x89),
  int: (value: number): Bytes => join(u8(0x4a), u32(value >>> 0)),
  text: (value: string): Bytes => join(u8(0x58), u32(Buffer.byteLength(value)), Buffer.from(value)),
  textOfLength: (length: number): Bytes => join(u8(0x58), u32(length)),
  global: (module: string, name: string): Bytes => Buffer.from(`c${module}\n${name}\n`),
  put: (index: number): Bytes => join(u8(0x72), u32(index)),
  get: (index: number): Bytes => join(u8(0x6a), u32(index)),
  raw: u8,
};

export function tupleOf(...items: readonly Bytes[]): Bytes {
  return join(op.mark, ...items, op.tuple);
}

export function dictOf(entries: Readonly<Record<string, Bytes>>): Bytes {
  return join(op.dict, op.mark, ...Object.entries(entries).flatMap(([key, value]) => [op.text(key), value]), op.setItems);
}

export function call(module: string, name: string, ...args: readonly Bytes[]): Bytes {
  return join(op.global(module, name), tupleOf(...args), op.reduce);
}

export function ints(...values: readonly number[]): Bytes {
  return tupleOf(...values.map((value) => op.int(value)));
}

export function storage(type: string, key: string, elements: number): Bytes {
  return join(tupleOf(op.text('storage'), op.global('torch', type), op.text(key), op.text('cpu'), op.int(elements)), op.persistent);
}

export interface TensorOptions {
  readonly type?: string;
  readonly elements?: number;
  readonly offset?: number;
  readonly strides?: readonly number[];
}

/** A tensor as torch.save writes it; contiguous where nothing else is asked for. */
export function tensor(key: string, shape: readonly number[], options: TensorOptions = {}): Bytes {
  const product = shape.reduce((a, b) => a * b, 1);
  const strides = options.strides ?? shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  return call(
    'torch._utils',
    '_rebuild_tensor_v2',
    storage(options.type ?? 'FloatStorage', key, options.elements ?? product),
    op.int(options.offset ?? 0),
    ints(...shape),
    ints(...strides),
    op.false,
    call('collections', 'OrderedDict'),
  );
}

export interface ZipItem {
  readonly name: string;
  readonly data: Bytes;
  /** Replaces fields of the central directory's record. */
  readonly central?: { readonly flags?: number; readonly method?: number; readonly packed?: number; readonly size?: number; readonly crc?: number; readonly header?: number };
  /** Name in the entry's own header, where it differs. */
  readonly localName?: string;
}

/** A zip of stored entries. */
export function zip(items: readonly ZipItem[]): Buffer {
  const parts: Bytes[] = [];
  const records: Buffer[] = [];
  let at = 0;
  for (const { name, data, central = {}, localName = name } of items) {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(Buffer.byteLength(localName), 26);
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x02014b50, 0);
    record.writeUInt16LE(central.flags ?? 0, 8);
    record.writeUInt16LE(central.method ?? 0, 10);
    record.writeUInt32LE(central.crc ?? crc32(data), 16);
    record.writeUInt32LE(central.packed ?? data.length, 20);
    record.writeUInt32LE(central.size ?? data.length, 24);
    record.writeUInt16LE(Buffer.byteLength(name), 28);
    record.writeUInt32LE(central.header ?? at, 42);
    records.push(record, Buffer.from(name));
    parts.push(local, Buffer.from(localName), data);
    at += local.length + Buffer.byteLength(localName) + data.length;
  }
  const directory = Buffer.concat(records);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(items.length, 8);
  end.writeUInt16LE(items.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, directory, end]);
}

/** A torch archive around a pickle and its storages. */
export function torchZip(pickle: Bytes, storages: Readonly<Record<string, Bytes>> = {}): Buffer {
  const data = Object.entries(storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, data: bytes }));
  return zip([{ name: 'archive/data.pkl', data: pickle }, { name: 'archive/byteorder', data: Buffer.from('little') }, ...data]);
}
