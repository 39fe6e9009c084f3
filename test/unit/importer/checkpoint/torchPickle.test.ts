// A decider file is data: nothing in it is run, believed beyond its bytes, or allowed to grow.
import fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CheckpointFolder } from '../../../../src/importer/checkpoint/checkpointFolder.ts';
import { isKind } from '../../../../src/importer/checkpoint/pickleValue.ts';
import { openTorchFile, type TorchTensor } from '../../../../src/importer/checkpoint/torchPickle.ts';
import { TahError, type ErrorCode } from '../../../../src/protocol/errors.ts';
import { caught, expectRefusal, GoodCopy, readAll } from './goodCopy.ts';
import { call, dictOf, ints, join, op, storage, tensor, torchZip, tupleOf, zip, type Bytes } from './pickles.ts';

const FILE = 'iter_decider.bin';

function program(...steps: readonly Bytes[]): Bytes {
  return join(op.proto, ...steps, op.stop);
}

function open<T>(bytes: Uint8Array, use: (file: ReturnType<typeof openTorchFile>) => T): T {
  const copy = new GoodCopy().write(FILE, bytes);
  const folder = new CheckpointFolder(copy.dir);
  try {
    return use(openTorchFile(folder.open(FILE)));
  } finally {
    folder.close();
    copy.discard();
  }
}

/** The numbers of the only tensor in the file. */
function numbers(pickle: Bytes, storages: Readonly<Record<string, Bytes>>): readonly number[] {
  return open(torchZip(program(pickle), storages), (file) => {
    const object = isKind(file.value, 'object') ? file.value.object : null;
    if (object?.what !== 'tensor') throw new Error('no tensor');
    return [...file.read(object satisfies TorchTensor)];
  });
}

function refusal(pickle: Bytes, storages: Readonly<Record<string, Bytes>> = {}): TahError {
  const started = performance.now();
  const error = caught(() => open(torchZip(pickle, storages), (file) => file.value));
  expect(performance.now() - started).toBeLessThan(2000);
  return error;
}

const floats = (...values: readonly number[]): Bytes => new Uint8Array(Float32Array.from(values).buffer);

describe('a tensor is read', () => {
  it.each([
    ['whole', {}, [0, 1, 2, 3, 4, 5]],
    ['transposed, by its strides', { strides: [1, 2] }, [0, 2, 4, 1, 3, 5]],
  ])('%s', (_name, options, values) => {
    expect(numbers(tensor('0', [2, 3], options), { 0: floats(0, 1, 2, 3, 4, 5) })).toEqual(values);
  });

  it('from the middle of a storage that it shares', () => {
    expect(numbers(tensor('0', [2], { elements: 6, offset: 3 }), { 0: floats(0, 1, 2, 3, 4, 5) })).toEqual([3, 4]);
  });

  it('of no dimensions and of size zero', () => {
    expect(numbers(tensor('0', []), { 0: floats(7) })).toEqual([7]);
    expect(numbers(tensor('0', [0, 3], { elements: 1 }), { 0: floats(7) })).toEqual([]);
  });

  it.each([
    ['HalfStorage', Uint8Array.of(0x00, 0x3c, 0x00, 0xc0), [1, -2]],
    ['BFloat16Storage', Uint8Array.of(0x80, 0x3f, 0x80, 0xbf), [1, -1]],
    ['DoubleStorage', new Uint8Array(Float64Array.of(0.5, -0.25).buffer), [0.5, -0.25]],
    ['LongStorage', new Uint8Array(BigInt64Array.of(3n, -4n).buffer), [3, -4]],
  ])('from a %s', (type, bytes, values) => {
    expect(numbers(tensor('0', [2], { type }), { 0: bytes })).toEqual(values);
  });

  it('beside an OrderedDict with attributes, as Module.state_dict() gives it', () => {
    const dict = join(call('collections', 'OrderedDict'), op.mark, op.text('a'), op.int(1), op.setItems, dictOf({ _metadata: op.dict }), op.build);
    const value = open(torchZip(program(dict)), (file) => file.value);
    expect(isKind(value, 'dict') && [...value.entries]).toEqual([['a', 1]]);
  });
});

describe('a pickle is forbidden', () => {
  it.each([
    ['os.system', call('os', 'system', op.text('touch PWNED'))],
    ['builtins.eval', call('builtins', 'eval', op.text('1'))],
    ['builtins.getattr', op.global('builtins', 'getattr')],
    ['torch.load', op.global('torch', 'load')],
    ['torch._utils._rebuild_tensor_v2.__globals__', op.global('torch._utils', '_rebuild_tensor_v2.__globals__')],
    ['collections.OrderedDict\\u0000', op.global('collections', 'OrderedDict\u0000')],
    ['os.system', join(op.text('os'), op.text('system'), op.raw(0x93))],
  ])('that asks for %s', (name, steps) => {
    const error = refusal(program(steps));
    expect([error.code, error.message]).toEqual(['checkpoint.forbidden-pickle', expect.stringContaining(name)]);
    expect(fs.existsSync('PWNED')).toBe(false);
  });

  it.each([
    ['INST', join(op.mark, Buffer.from('ios\nsystem\n'))],
    ['OBJ', join(op.mark, op.raw(0x6f))],
    ['NEWOBJ', join(op.emptyTuple, op.emptyTuple, op.raw(0x81))],
    ['EXT1', op.raw(0x82, 1)],
    ['PERSID', Buffer.from('P0\n')],
    ['calls', join(op.text('system'), op.emptyTuple, op.reduce)],
    ['calls', join(tensor('0', [1]), op.emptyTuple, op.reduce)],
    ['state', join(op.list, op.dict, op.build)],
    ['state', join(op.dict, op.dict, op.build)],
    ['state', join(op.global('torch', 'float32'), op.dict, op.build)],
  ])('that has or does: %s', (name, steps) => {
    const error = refusal(program(steps), { 0: floats(1) });
    expect([error.code, error.message]).toEqual(['checkpoint.forbidden-pickle', expect.stringContaining(name)]);
  });
});

describe('a pickle is damaged', () => {
  it.each([
    ['a text of 4 GB', op.textOfLength(0xffffffff), 'asks for 4294967295 bytes'],
    ['a text of 2^63 bytes', op.raw(0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80), 'asks for'],
    ['a number of 2 GB', op.raw(0x8b, 0xff, 0xff, 0xff, 0x7f), 'whole number of'],
    ['a number beyond 2^53', op.raw(0x8a, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), '2^53'],
    ['text that is not UTF-8', op.raw(0x58, 1, 0, 0, 0, 0xff), 'UTF-8'],
    ['an empty stack', op.emptyTuple.subarray(0, 0), 'empty stack'],
    ['a tuple of nothing', op.tuple, 'never opened'],
    ['a value from below the mark', join(op.int(1), op.mark, op.raw(0x85), op.tuple), 'empty stack'],
    ['a memory that was never stored', op.get(7), 'recalls value 7'],
    ['an append to a number', join(op.int(1), op.int(2), op.append), 'no list'],
    ['a list as key', join(op.dict, op.mark, op.list, op.int(1), op.setItems), 'dict key'],
    ['half an item', join(op.dict, op.mark, op.int(1), op.setItems), 'no dict'],
    ['a key twice', join(op.dict, op.mark, op.text('a'), op.int(1), op.text('a'), op.int(2), op.setItems), 'twice'],
    ['two values', join(op.int(1), op.int(2)), 'leaves values'],
    ['DUP, which doubles', join(op.list, op.raw(0x32)), '0x32'],
    ['protocol 0', op.raw(0x80, 0), 'protocol 0'],
    ['a global without end', Buffer.from('ctorch'), 'line without end'],
  ])('with %s', (_name, steps, words) => {
    const error = refusal(program(steps));
    expect([error.code, error.message]).toEqual(['checkpoint.bad-decider', expect.stringContaining(words)]);
  });

  it('that goes on after its end, or has none', () => {
    expect(refusal(join(program(op.int(1)), op.int(2))).message).toContain('goes on after its end');
    expect(refusal(join(op.proto, op.int(1))).message).toContain('asks for 1 bytes');
  });

  it('that is larger than any decider’s', () => {
    expect(refusal(Buffer.alloc(2 << 20, 0x5d)).message).toContain('at most');
  });

  it('whose list holds itself is read without end only by who walks it: nobody', () => {
    const value = open(torchZip(program(op.list, op.put(0), op.get(0), op.append)), (file) => file.value);
    expect(isKind(value, 'list') && value.items[0] === value).toBe(true);
  });
});

describe('a tensor is refused', () => {
  const rebuild = (...args: readonly Bytes[]): Bytes => call('torch._utils', '_rebuild_tensor_v2', ...args);
  const hooks = call('collections', 'OrderedDict');
  const one = { 0: floats(1, 2) };
  it.each([
    ['larger than its storage', tensor('0', [3], { elements: 2 }), 'does not fit'],
    ['past the end of its storage', tensor('0', [2], { offset: 1 }), 'does not fit'],
    ['that repeats one number without end', tensor('0', [1 << 30], { elements: 2, strides: [0] }), 'does not fit'],
    ['whose strides leave its storage', tensor('0', [2], { strides: [1 << 30] }), 'does not fit'],
    ['of negative size', tensor('0', [-2], { elements: 2 }), 'torch.save does not write'],
    ['with a negative offset', tensor('0', [1], { elements: 2, offset: -1 }), 'torch.save does not write'],
    ['with more strides than sizes', tensor('0', [2], { strides: [1, 1] }), 'torch.save does not write'],
    ['of many dimensions', tensor('0', new Array<number>(100).fill(1), { elements: 2 }), 'torch.save does not write'],
    ['whose storage says more than its entry holds', tensor('0', [2], { elements: 3 }), 'has 8 bytes'],
    ['whose storage is missing', tensor('1', [2]), 'is missing'],
    ['whose storage has another type’s size', tensor('0', [2], { type: 'DoubleStorage' }), 'float64'],
    ['over a storage of no known type', join(tupleOf(op.text('storage'), op.global('torch', 'float32'), op.text('0'), op.text('cpu'), op.int(2)), op.persistent), 'refers to a storage'],
    ['over a storage by number', join(op.int(0), op.persistent), 'refers to a storage'],
    ['over another tensor', rebuild(tensor('0', [2]), op.int(0), ints(2), ints(1), op.false, hooks), 'torch.save does not write'],
    ['without arguments', rebuild(), 'torch.save does not write'],
    ['with lists as sizes', rebuild(storage('FloatStorage', '0', 2), op.int(0), op.list, op.list, op.false, hooks), 'torch.save does not write'],
    ['made by calling a dtype', call('torch', 'float32', op.int(1)), 'torch.float32'],
    ['beside an OrderedDict made of arguments', call('collections', 'OrderedDict', op.list), 'OrderedDict'],
  ])('%s', (_name, steps, words) => {
    const error = refusal(program(steps), one);
    expect([error.code, error.message]).toEqual(['checkpoint.bad-decider', expect.stringContaining(words)]);
  });
});

describe('an archive is refused', () => {
  const data = program(op.int(1));
  const item = { name: 'archive/data.pkl', data };
  const big = Buffer.alloc(64);
  it.each([
    ['with a compressed entry', zip([{ ...item, central: { method: 8 } }]), 'compressed'],
    ['with an entry that would unpack to more', zip([{ ...item, central: { size: 0x7fffffff } }]), 'is said to be'],
    ['with an entry larger than the file', zip([{ ...item, central: { size: 0x7fffffff, packed: 0x7fffffff } }]), 'does not fit'],
    ['with zip64 sizes', zip([{ ...item, central: { size: 0xffffffff, packed: 0xffffffff } }]), 'does not fit'],
    ['with an encrypted entry', zip([{ ...item, central: { flags: 1 } }]), 'encrypted'],
    ['with a wrong checksum', zip([{ ...item, central: { crc: 1 } }]), 'checksum'],
    ['with an entry twice', zip([item, item]), 'twice'],
    ['with overlapping entries', zip([item, { name: 'archive/data/0', data: big }, { name: 'archive/data/1', data: big, localName: 'archive/data/1', central: { header: 0 } }]), 'header'],
    ['with another name in the entry’s own header', zip([{ ...item, localName: 'archive/evil.pkl' }]), 'archive/evil.pkl'],
    ['with a header outside the file', zip([{ ...item, central: { header: 0x7fffffff } }]), 'outside'],
    ['with a name that leads up', zip([item, { name: 'archive/../../PWNED', data }]), 'entry name'],
    ['with an absolute name', zip([item, { name: '/PWNED', data }]), 'entry name'],
    ['with a backslash in a name', zip([item, { name: 'archive\\PWNED', data }]), 'entry name'],
    ['with two folders', zip([item, { name: 'other/data.pkl', data }]), 'single folder'],
    ['without data.pkl', zip([{ name: 'archive/data/0', data }]), 'data.pkl'],
    ['without entries', zip([]), 'zip'],
    ['with a comment', join(zip([item]), Buffer.alloc(4)), 'end of its archive'],
    ['for big-endian machines', zip([item, { name: 'archive/byteorder', data: Buffer.from('big') }]), 'big'],
    ['of nothing', Buffer.alloc(0), 'zip'],
    ['of one byte', Buffer.from('P'), 'zip'],
    ['that is only a beginning', Buffer.from('PK\u0003\u0004'), 'past the end'],
  ])('%s', (_name, bytes, words) => {
    const error = caught(() => open(bytes, (file) => file.value));
    expect([error.code, error.message]).toEqual(['checkpoint.bad-decider', expect.stringContaining(words)]);
  });

  it('whose entries all share the same bytes, as in a bomb', () => {
    const shared = { name: 'archive/data/0', data: big };
    const at = 30 + item.name.length + data.length;
    const bytes = zip([item, shared, { ...shared, name: 'archive/data/1', localName: 'archive/data/0', central: { header: at } }]);
    expect(caught(() => open(bytes, (file) => file.value)).message).toMatch(/overlaps|own header/);
  });
});

describe('a decider file', () => {
  const refused: readonly [string, Bytes, ErrorCode, string][] = [
    ['no dict', op.int(1), 'checkpoint.bad-decider', 'no dict'],
    ['no class', dictOf({ state_dict: op.dict }), 'checkpoint.bad-decider', 'class'],
    ['no state_dict', dictOf({ class: op.text('MLPIterDecider') }), 'checkpoint.bad-decider', 'state_dict'],
    ['a number as tensor', dictOf({ class: op.text('MLPIterDecider'), state_dict: dictOf({ threshold: op.int(1) }) }), 'checkpoint.bad-decider', 'threshold'],
    ['an unknown entry', dictOf({ class: op.text('MLPIterDecider'), state_dict: dictOf({ other: op.int(1) }) }), 'checkpoint.bad-decider', 'other'],
  ];
  it.each(refused)('that holds %s is refused', (_name, steps, code, word) => {
    expectRefusal(new GoodCopy().write(FILE, torchZip(program(steps))), code, [FILE, word]);
  });

  it('with flipped bytes is opened or refused with a TahError, never anything else, and quickly', () => {
    const copy = new GoodCopy();
    const original = copy.bytes(FILE);
    const pickle = original.indexOf(Buffer.from([0x80, 2, 0x7d]));
    const stop = original.indexOf(Buffer.from('iter_decider/.format_version')) - 30;
    const inPickle = fc.integer({ min: pickle, max: stop });
    const edits = fc.array(fc.tuple(fc.oneof(inPickle, fc.nat(original.length - 1), fc.integer({ min: original.length - 2500, max: original.length - 1 })), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(edits, (changes) => {
        const bytes = Buffer.from(original);
        for (const [at, value] of changes) bytes[at] = value;
        copy.write(FILE, bytes);
        expectTahErrorOrNothing(copy);
      }),
      { numRuns: 300 },
    );
    copy.discard();
  });

  it('with a mutated pickle under a right checksum is opened or refused with a TahError', () => {
    const copy = new GoodCopy();
    const sound = program(dictOf({ class: op.text('MLPIterDecider'), state_dict: dictOf({ threshold: tensor('0', []), a: tensor('1', [2, 3]) }), init_args: dictOf({ topk: op.int(6) }) }));
    const storages = { 0: floats(0.5), 1: floats(1, 2, 3, 4, 5, 6) };
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), fc.nat(3), (changes, cut) => {
        const bytes = Uint8Array.from(sound).subarray(0, sound.length - (cut === 3 ? (changes[0]?.[0] ?? 0) : 0));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        copy.write(FILE, torchZip(bytes, storages));
        expectTahErrorOrNothing(copy);
      }),
      { numRuns: 600 },
    );
    copy.discard();
  });
});

function expectTahErrorOrNothing(copy: GoodCopy): void {
  const started = performance.now();
  try {
    readAll(copy.dir);
  } catch (error) {
    if (!(error instanceof TahError) || !error.code.startsWith('checkpoint.')) throw error;
  }
  expect(performance.now() - started).toBeLessThan(2000);
}
