/**
 * What torch.save puts into a pickle: tensors over storages, ordered dicts, dtypes. An allow-list of names, each with
 * its exact arguments; any other name is refused. Tensors stay references until their numbers are asked for.
 * Knows torch's serialization (torch/_utils.py `_rebuild_tensor_v2`, torch/serialization.py `persistent_id`).
 */
import type { CheckpointFile } from './checkpointFolder.ts';
import { halfToFloat } from './floatFormats.ts';
import { unpickle, type PickleHooks } from './pickle.ts';
import { isKind, type PickleValue } from './pickleValue.ts';
import { refuse, show, showShape } from './refusal.ts';
import { openTorchZip, type TorchArchive } from './torchZip.ts';

type StorageType = 'float32' | 'float16' | 'bfloat16' | 'float64' | 'int64';

const STORAGES: ReadonlyMap<string, { readonly type: StorageType; readonly bytes: number }> = new Map([
  ['torch.FloatStorage', { type: 'float32', bytes: 4 }],
  ['torch.HalfStorage', { type: 'float16', bytes: 2 }],
  ['torch.BFloat16Storage', { type: 'bfloat16', bytes: 2 }],
  ['torch.DoubleStorage', { type: 'float64', bytes: 8 }],
  ['torch.LongStorage', { type: 'int64', bytes: 8 }],
]);
const DTYPES: ReadonlySet<string> = new Set(['float32', 'float16', 'bfloat16', 'float64', 'int64'].map((name) => `torch.${name}`));
const REBUILD = 'torch._utils._rebuild_tensor_v2';
const ORDERED_DICT = 'collections.OrderedDict';
const MOST_DIMENSIONS = 8;

export interface TorchStorage {
  readonly what: 'storage';
  readonly type: StorageType;
  readonly key: string;
  readonly elements: number;
}
export interface TorchTensor {
  readonly what: 'tensor';
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}
export type TorchValue = PickleValue<TorchStorage | TorchTensor>;

export interface TorchFile {
  readonly value: TorchValue;
  /** The tensor's numbers as float32, C order. @throws TahError checkpoint.bad-decider */
  read(tensor: TorchTensor): Float32Array;
}

/** @throws TahError checkpoint.bad-decider, checkpoint.forbidden-pickle, checkpoint.unreadable */
export function openTorchFile(file: CheckpointFile): TorchFile {
  const archive = openTorchZip(file);
  const order = archive.size('byteorder') === null ? 'little' : new TextDecoder().decode(archive.read('byteorder'));
  if (order !== 'little') bad(file, `its numbers are ${show(order)}-endian; "little" is expected`);
  const value = unpickle(archive.read('data.pkl'), file.origin, hooks(file, archive));
  return { value, read: (tensor) => readTensor(archive, tensor) };
}

function bad(file: CheckpointFile, what: string): never {
  refuse('checkpoint.bad-decider', file.origin, what, { hint: 'The file is damaged; download it again.' });
}

function hooks(file: CheckpointFile, archive: TorchArchive): PickleHooks<TorchStorage | TorchTensor> {
  return {
    allows: (name) => name === REBUILD || name === ORDERED_DICT || STORAGES.has(name) || DTYPES.has(name),
    call: (name, args) => {
      if (name === ORDERED_DICT && args.length === 0) return { kind: 'dict', entries: new Map(), ordered: true };
      if (name === REBUILD) return { kind: 'object', object: rebuildTensor(file, args) };
      return bad(file, `its pickle calls ${name} with ${args.length} arguments, which torch.save does not write`);
    },
    persistent: (id) => ({ kind: 'object', object: findStorage(file, archive, id) }),
  };
}

/** ('storage', type, key, location, elements) */
function findStorage(file: CheckpointFile, archive: TorchArchive, id: TorchValue): TorchStorage {
  const [tag, type, key, location, elements] = isKind(id, 'tuple') && id.items.length === 5 ? id.items : [];
  const storage = isKind(type, 'global') ? STORAGES.get(type.name) : undefined;
  if (tag !== 'storage' || !storage || typeof key !== 'string' || typeof location !== 'string' || !isCount(elements)) {
    return bad(file, 'its pickle refers to a storage in a way that torch.save does not write');
  }
  const stored = archive.size(`data/${key}`);
  if (stored !== elements * storage.bytes) {
    bad(file, `its storage ${show(key)} should hold ${elements} numbers of ${storage.type}, but ${stored === null ? 'is missing' : `has ${stored} bytes`}`);
  }
  return { what: 'storage', type: storage.type, key, elements };
}

/** (storage, offset, shape, strides, requires_grad, backward_hooks[, metadata]) */
function rebuildTensor(file: CheckpointFile, args: readonly TorchValue[]): TorchTensor {
  const [holder, offset, size, stride] = args;
  const storage = isKind(holder, 'object') ? holder.object : undefined;
  const shape = counts(size);
  const strides = counts(stride);
  const rightArguments = args.length >= 6 && args.length <= 7 && storage?.what === 'storage' && isCount(offset);
  if (!rightArguments || !shape || shape.length !== strides?.length || shape.length > MOST_DIMENSIONS) return bad(file, 'its pickle builds a tensor in a way that torch.save does not write');
  const elements = product(shape);
  const last = offset + shape.reduce((sum, n, i) => sum + Math.max(n - 1, 0) * (strides[i] ?? 0), 0);
  // A stride of 0 repeats a number: a small storage could stand for a tensor of any size.
  if (elements > storage.elements || (elements > 0 && last >= storage.elements)) {
    return bad(file, `a tensor of shape ${showShape(shape)} at ${offset} does not fit into its storage ${show(storage.key)} of ${storage.elements} numbers`);
  }
  return { what: 'tensor', storage, offset, shape, strides };
}

function isCount(value: TorchValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function counts(value: TorchValue | undefined): readonly number[] | null {
  return isKind(value, 'tuple') && value.items.every(isCount) ? value.items.filter(isCount) : null;
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, size) => total * size, 1);
}

function readTensor(archive: TorchArchive, tensor: TorchTensor): Float32Array {
  const bytes = archive.read(`data/${tensor.storage.key}`);
  const number = numberAt(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), tensor.storage.type);
  const out = new Float32Array(product(tensor.shape));
  const index = tensor.shape.map(() => 0);
  let position = tensor.offset;
  for (let i = 0; i < out.length; i++) {
    out[i] = number(position);
    // Count up like an odometer, moving the position by the strides.
    for (let d = index.length - 1; d >= 0; d--) {
      const stride = tensor.strides[d] ?? 0;
      const at = (index[d] ?? 0) + 1;
      if (at < (tensor.shape[d] ?? 0)) {
        index[d] = at;
        position += stride;
        break;
      }
      index[d] = 0;
      position -= (at - 1) * stride;
    }
  }
  return out;
}

function numberAt(view: DataView, type: StorageType): (index: number) => number {
  switch (type) {
    case 'float32':
      return (i) => view.getFloat32(i * 4, true);
    case 'float64':
      return (i) => view.getFloat64(i * 8, true);
    case 'int64':
      return (i) => Number(view.getBigInt64(i * 8, true));
    case 'float16': {
      const table = halfToFloat();
      return (i) => table[view.getUint16(i * 2, true)] ?? NaN;
    }
    case 'bfloat16': {
      const bits = new DataView(new ArrayBuffer(4));
      return (i) => {
        bits.setUint16(0, view.getUint16(i * 2, true));
        return bits.getFloat32(0);
      };
    }
    default:
      return type satisfies never;
  }
}
