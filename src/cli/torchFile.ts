/**
 * Writes a state dict as torch.save does: a pickle of tensors over storages in an uncompressed zip. What
 * importer/checkpoint/torchPickle.ts reads; for checkpoints with random weights.
 */
import { crc32 } from 'node:zlib';

export interface StateTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A dict of the class's name and its float32 tensors, as bytes of a .bin file. */
export function torchStateDict(className: string, tensors: readonly StateTensor[]): Uint8Array {
  const storages = tensors.map(({ data }, key) => ({ name: `archive/data/${key}`, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }));
  return zip([{ name: 'archive/data.pkl', data: pickle(className, tensors) }, { name: 'archive/version', data: ascii('3\n') }, ...storages]);
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Protocol 2: the opcodes that torch.save itself uses for a dict of tensors. */
function pickle(className: string, tensors: readonly StateTensor[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const raw = (text: string): void => { parts.push(ascii(text)); };
  const word = (opcode: string, value: number): void => {
    const bytes = Buffer.alloc(5);
    bytes.write(opcode, 'latin1');
    bytes.writeInt32LE(value, 1);
    parts.push(bytes);
  };
  const text = (value: string): void => { word('X', value.length); raw(value); };
  const global = (module: string, name: string): void => { raw(`c${module}\n${name}\n`); };
  const sizes = (values: readonly number[]): void => {
    raw('(');
    for (const value of values) word('J', value);
    raw('t');
  };
  raw('\x80\x02}(');
  text('class');
  text(className);
  text('state_dict');
  raw('}(');
  tensors.forEach(({ name, shape, data }, key) => {
    text(name);
    global('torch._utils', '_rebuild_tensor_v2');
    raw('((');
    text('storage');
    global('torch', 'FloatStorage');
    text(String(key));
    text('cpu');
    word('J', data.length);
    raw('tQ');
    word('J', 0);
    sizes(shape);
    sizes(shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1)));
    raw('\x89');
    global('collections', 'OrderedDict');
    raw(')RtR');
  });
  raw('uu.');
  return Buffer.concat(parts);
}

interface Entry {
  readonly name: string;
  readonly data: Uint8Array;
}

/** PKWARE APPNOTE 6.3.9, entries stored as they are. */
function zip(entries: readonly Entry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, data } of entries) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    parts.push(signed(0x04034b50), common, ascii(name), data);
    const central = Buffer.alloc(14);
    central.writeUInt32LE(offset, 10);
    directory.push(signed(0x02014b50), Buffer.from([20, 0]), common, central, ascii(name));
    offset += 4 + common.length + name.length + data.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, signed(0x06054b50), end]);
}

function signed(signature: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(signature);
  return bytes;
}
