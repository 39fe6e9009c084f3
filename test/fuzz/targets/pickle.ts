/** The pickle reader in its zip: instructions that lie, that would run code in Python, or that nobody knows. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { openTorchFile, type TorchTensor, type TorchValue } from '../../../src/importer/checkpoint/torchPickle.ts';
import { call, dictOf, ints, op, tensor, torchZip, tupleOf, zip, type ZipItem } from '../../unit/importer/checkpoint/pickles.ts';
import { mutateBytes } from '../mutate/bytes.ts';
import type { Random } from '../random.ts';
import { bytesOf, Finding, sampled, type Input, type Room, type Subject } from '../target.ts';
import { MemoryFile } from './memoryFile.ts';

/** What an attacker would put in; in Python each would run code or read what is not there. */
const HOSTILE: readonly Uint8Array[] = [
  call('os', 'system', op.text('touch tahCanary')), call('builtins', 'eval', op.text('globalThis.tahCanary=1')), call('builtins', 'exec', op.text('1')), call('posix', 'system', op.text('x')), call('torch', 'load', op.text('x')), call('torch._utils', '_rebuild_tensor_v2'), call('torch._utils', '_rebuild_parameter', op.emptyTuple), call('collections', 'OrderedDict', ints(1)), call('__builtin__', 'getattr', op.text('a'), op.text('b')),
  op.global('constructor', 'constructor'), op.global('__proto__', 'x'), op.global('torch', 'FloatStorage'), op.global('torch', 'float32'), op.text('__proto__'), op.text('state_dict'), op.text('class'), op.textOfLength(2 ** 32 - 1), op.textOfLength(1 << 20), op.int(-1), op.int(2 ** 31 - 1), op.put(0), op.put(2 ** 32 - 1), op.get(0), op.get(2 ** 32 - 1), op.mark, op.dict, op.list, op.emptyTuple, op.tuple, op.setItems, op.append, op.reduce, op.build, op.persistent, op.stop, op.proto, dictOf({ __proto__: op.int(1), constructor: op.int(2) }), tensor('0', [2, 2]), tensor('0', [1 << 20, 1 << 20], { elements: 4, strides: [0, 0] }), tensor('../data', [1]), tupleOf(op.text('storage')),
  op.raw(0x69), op.raw(0x6f), op.raw(0x81), op.raw(0x92), op.raw(0x82, 1), op.raw(0x50), op.raw(0x32), op.raw(0x30), op.raw(0x8b, 255, 255, 255, 255), op.raw(0x8d, 255, 255, 255, 255, 255, 255, 255, 127), op.raw(0x95, 0, 0, 0, 0, 0, 0, 0, 255), op.raw(0x47, 127, 240, 0, 0, 0, 0, 0, 0), op.raw(0x8a, 9), op.raw(0x94), op.raw(0x93), op.raw(0xff),
];

/** Bytes of an argument by opcode; a function where the argument says it itself. */
const FIXED: Readonly<Record<number, number>> = { 0x80: 1, 0x95: 8, 0x4a: 4, 0x4b: 1, 0x4d: 2, 0x47: 8, 0x71: 1, 0x72: 4, 0x68: 1, 0x6a: 4 };
const COUNTED: Readonly<Record<number, number>> = { 0x8a: 1, 0x58: 4, 0x8c: 1 };

const PICKLES = fc.array(fc.constantFrom(...HOSTILE), { maxLength: 40 });

export function open({ root }: Room): Subject {
  const good = smallZip(readFileSync(path.join(root, 'test/golden/vectors/broken/_good/iter_decider.bin')));
  const attack = readFileSync(path.join(root, 'test/golden/vectors/broken/decider-malicious-pickle/iter_decider.bin'));
  const own = torchZip(Buffer.concat([op.proto, dictOf({ class: op.text('MLPIterDecider'), state_dict: dictOf({ threshold: tensor('0', []), w: tensor('1', [2, 3]) }) }), op.stop]), { 0: Buffer.alloc(4), 1: Buffer.alloc(24) });
  const seeds = [good, own, own, attack].map((data): Input => ({ part: '', data }));
  return {
    seeds,
    mutate: (seed, random) => ({ part: '', data: mutate(bytesOf(seed), random, bytesOf(random.pick(seeds))) }),
    invent: (random) => ({ part: '', data: torchZip(Buffer.concat([op.proto, ...sampled(PICKLES, random), op.stop]), { 0: Buffer.alloc(16) }) }),
    run: (input) => {
      const torch = openTorchFile(new MemoryFile(bytesOf(input)));
      for (const found of tensorsOf(torch.value)) {
        if (torch.read(found).length > found.storage.elements) throw new Finding('a tensor has more numbers than its storage');
      }
      return 'accepted';
    },
  };
}

function mutate(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const items = itemsOf(bytes);
  if (items === null || random.chance(0.3)) return mutateBytes(bytes, random, other);
  const changed = items.map((item): ZipItem => {
    if (item.name.endsWith('data.pkl')) return { ...item, data: random.chance(0.9) ? mutatePickle(item.data, random) : item.data };
    return random.chance(0.05) ? { ...item, data: mutateBytes(item.data, random) } : item;
  });
  if (random.chance(0.1)) changed.splice(random.int(changed.length), 1);
  if (random.chance(0.05)) changed.push({ name: random.pick(['archive/../../x', '/etc/x', 'archive/data/0', 'x', 'archive/data/__proto__', '..', 'archive/\u0000']), data: Buffer.alloc(4) });
  if (random.chance(0.1)) {
    const at = random.int(changed.length);
    const item = changed[at];
    if (item !== undefined) changed[at] = { ...item, central: { [random.pick(['flags', 'method', 'packed', 'size', 'crc', 'header'])]: random.pick([0, 1, 8, 0xffff]) } };
  }
  return new Uint8Array(zip(changed));
}

/** Its instructions, put in another order, doubled, left out, and with those of an attacker between. */
function mutatePickle(bytes: Uint8Array, random: Random): Uint8Array {
  const steps = instructions(bytes);
  for (let n = random.size(6); n > 0; n--) {
    const at = random.int(steps.length);
    const actions: readonly (() => void)[] = [
      () => { steps.splice(at, 1); },
      () => { steps.splice(at, 0, random.pick(HOSTILE)); },
      () => { steps.splice(at, 1, random.pick(HOSTILE)); },
      () => { steps.splice(at, 0, steps[random.int(steps.length)] ?? op.stop); },
      () => { const step = steps[at]; if (step !== undefined) steps[at] = mutateBytes(step, random); },
      () => { const [a, b] = [steps[at], steps[random.int(steps.length)]]; if (a !== undefined && b !== undefined) steps.splice(at, 1, b, a); },
      () => { if (random.chance(0.1)) steps.splice(at, 0, ...Array.from({ length: random.size(20_000) }, () => random.pick([op.mark, op.list, op.emptyTuple, op.raw(0x85), op.raw(0x94), op.dict]))); },
    ];
    random.pick(actions)();
  }
  return new Uint8Array(Buffer.concat(steps));
}

function instructions(bytes: Uint8Array): Uint8Array[] {
  const steps: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + lengthAt(bytes, at);
    steps.push(bytes.slice(at, end));
    at = end;
  }
  return steps;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  const code = bytes[at] ?? 0;
  const counted = COUNTED[code];
  if (counted !== undefined) {
    let length = 0;
    for (let i = 0; i < counted; i++) length += (bytes[at + 1 + i] ?? 0) * 256 ** i;
    return 1 + counted + length;
  }
  if (code !== 0x63) return 1 + (FIXED[code] ?? 0);
  const first = bytes.indexOf(10, at);
  const second = first < 0 ? -1 : bytes.indexOf(10, first + 1);
  return second < 0 ? bytes.length - at : second + 1 - at;
}

/** Entries of a sound archive; null where there is no central directory at its end. */
function itemsOf(bytes: Uint8Array): ZipItem[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - 22;
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) return null;
  const items: ZipItem[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = view.getUint16(end + 10, true); i > 0; i--) {
    if (at + 46 > bytes.length) return null;
    const [size, name, header] = [view.getUint32(at + 24, true), view.getUint16(at + 28, true), view.getUint32(at + 42, true)];
    if (header + 30 > bytes.length) return null;
    const data = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    items.push({ name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + name)), data: bytes.slice(data, data + size) });
    at += 46 + name + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return items;
}

/** Without torch's padding between entries. */
function smallZip(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(zip(itemsOf(bytes) ?? []));
}

/** Every tensor that can be reached; a container may hold itself. */
function tensorsOf(value: TorchValue): readonly TorchTensor[] {
  const tensors: TorchTensor[] = [];
  const seen = new Set<unknown>();
  const waiting: TorchValue[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    if (next.kind === 'list' || next.kind === 'tuple') waiting.push(...next.items.slice(0, 10_000));
    else if (next.kind === 'dict') waiting.push(...[...next.entries.values()].slice(0, 10_000));
    else if (next.kind === 'object' && next.object.what === 'tensor') tensors.push(next.object);
  }
  return tensors;
}
