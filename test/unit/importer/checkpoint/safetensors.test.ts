// Headers that lie are refused before anything is read or allocated by their word.
import fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../../src/importer/checkpoint/openCheckpoint.ts';
import { TahError } from '../../../../src/protocol/errors.ts';
import { expectRefusal, GoodCopy, readAll, safetensors, takeApart, type Json } from './goodCopy.ts';

const FILE = 'model.safetensors';
const NORM = 'model.norm.weight';

function withHeader(change: (header: Json, data: Buffer) => void): GoodCopy {
  const copy = new GoodCopy();
  const { header, data } = takeApart(copy.bytes(FILE));
  change(header, data);
  return copy.write(FILE, safetensors(JSON.stringify(header), data));
}

function norm(change: Json): GoodCopy {
  return withHeader((header) => {
    header[NORM] = { ...(header[NORM] as Json), ...change };
  });
}

describe('a safetensors header is refused', () => {
  it.each([
    ['of length 0', 0n],
    ['of length 1', 1n],
    ['of length 2^60', 2n ** 60n],
    ['of negative length', -1n],
    ['that ends a byte after the file', null],
  ])('%s', (_name, length) => {
    const copy = new GoodCopy();
    const { header, data } = takeApart(copy.bytes(FILE));
    const text = JSON.stringify(header);
    copy.write(FILE, safetensors(text, data, length ?? BigInt(Buffer.byteLength(text) + data.length + 1)));
    expectRefusal(copy, 'checkpoint.bad-safetensors', [FILE]);
  });

  it.each([
    ['an array', '[]'],
    ['a number', '7'],
    ['a cut object', '{"a":'],
    ['text that is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['nested without end', '{"a":'.repeat(5000)],
  ])('that is %s', (_name, header) => {
    expectRefusal(new GoodCopy().write(FILE, safetensors(header, Buffer.alloc(0))), 'checkpoint.bad-safetensors', [FILE]);
  });

  it('with a tensor twice', () => {
    const copy = new GoodCopy();
    const { header, data } = takeApart(copy.bytes(FILE));
    const text = JSON.stringify(header);
    copy.write(FILE, safetensors(`${text.slice(0, -1)},"${NORM}":${JSON.stringify(header[NORM])}}`, data));
    expectRefusal(copy, 'checkpoint.bad-safetensors', [FILE, NORM, 'twice']);
  });

  it.each([
    ['an unsupported dtype', { dtype: 'F8_E4M3' }, 'F8_E4M3'],
    ['an integer dtype', { dtype: 'I8' }, 'I8'],
    ['a dtype named as a method', { dtype: 'toString' }, 'toString'],
    ['no dtype', { dtype: undefined }, 'missing'],
    ['a negative size', { shape: [-16] }, '[-16]'],
    ['a fractional size', { shape: [1.5] }, '[1.5]'],
    ['a size as text', { shape: ['16'] }, '"16"'],
    ['sizes whose product overflows', { shape: [2 ** 40, 2 ** 40, 2 ** 40] }, 'data_offsets'],
    ['sizes whose product wraps to the right one', { shape: [2 ** 32, 2 ** 32, 16] }, 'data_offsets'],
    ['a zero size', { shape: [0, 2 ** 50] }, 'data_offsets'],
    ['too many dimensions', { shape: new Array<number>(1000).fill(1) }, 'shape'],
    ['reversed offsets', { data_offsets: [64, 0] }, 'begin <= end'],
    ['negative offsets', { data_offsets: [-64, 0] }, 'data_offsets'],
    ['fractional offsets', { data_offsets: [0.5, 64.5] }, 'data_offsets'],
    ['offsets beyond 2^53', { data_offsets: [2 ** 60, 2 ** 60 + 64] }, 'data_offsets'],
    ['offsets past the end', { data_offsets: [10 ** 9, 10 ** 9 + 64] }, 'cut short'],
    ['three offsets', { data_offsets: [0, 64, 64] }, 'data_offsets'],
    ['offsets of another tensor', { data_offsets: [0, 64] }, 'overlap'],
  ])('with %s', (_name, change, word) => {
    expectRefusal(norm(change), 'checkpoint.bad-safetensors', [FILE, word]);
  });

  it('with bytes that belong to no tensor', () => {
    const copy = new GoodCopy();
    expectRefusal(copy.write(FILE, Buffer.concat([copy.bytes(FILE), Buffer.alloc(4)])), 'checkpoint.bad-safetensors', [FILE, '4 bytes of no tensor']);
  });

  it('with a gap between tensors', () => {
    const gap = withHeader((header) => {
      for (const value of Object.values(header)) {
        const entry = value as { data_offsets?: number[]; shape?: number[] };
        if (entry.data_offsets?.[0] === 0) Object.assign(entry, { data_offsets: [4, entry.data_offsets[1]], shape: [((entry.data_offsets[1] ?? 0) - 4) / 4] });
      }
    });
    expectRefusal(gap, 'checkpoint.bad-safetensors', [FILE, '4 bytes of no tensor']);
  });

  it.each(['__proto__', 'constructor', 'model.layers.2.mlp.up_proj.weight', 'model.layers.0.self_attn.q_proj.bias'])('with the foreign tensor %s', (name) => {
    const copy = new GoodCopy();
    const { header, data } = takeApart(copy.bytes(FILE));
    const text = `${JSON.stringify(header).slice(0, -1)},"${name}":{"dtype":"F32","shape":[0],"data_offsets":[${data.length},${data.length}]}}`;
    expectRefusal(copy.write(FILE, safetensors(text, data)), 'checkpoint.bad-safetensors', [FILE, name]);
  });

  it('with a tied head that differs from the embedding', () => {
    const copy = new GoodCopy();
    const { header, data } = takeApart(copy.bytes(FILE));
    header['lm_head.weight'] = { dtype: 'F32', shape: [64, 16], data_offsets: [data.length, data.length + 4096] };
    expectRefusal(copy.write(FILE, safetensors(JSON.stringify(header), Buffer.concat([data, Buffer.alloc(4096)]))), 'checkpoint.bad-safetensors', ['lm_head.weight', 'tie_word_embeddings']);
  });
});

describe('a safetensors file opens', () => {
  it('with frequencies that older versions saved, and with a tied head that is the embedding', () => {
    const copy = new GoodCopy();
    const { header, data } = takeApart(copy.bytes(FILE));
    const [from, to] = (header['model.embed_tokens.weight'] as { data_offsets: [number, number] }).data_offsets;
    const end = data.length + (to - from);
    header['lm_head.weight'] = { dtype: 'F32', shape: [64, 16], data_offsets: [data.length, end] };
    header['model.layers.0.self_attn.rotary_emb.inv_freq'] = { dtype: 'F32', shape: [4], data_offsets: [end, end + 16] };
    copy.write(FILE, safetensors(JSON.stringify(header), Buffer.concat([data, data.subarray(from, to), Buffer.alloc(16)])));
    const checkpoint = openCheckpoint(copy.dir);
    expect(checkpoint.weights.has('lm_head.weight')).toBe(false);
    expect(checkpoint.parameters).toBe(4976);
    checkpoint.close();
    copy.discard();
  });

  it.each([
    ['BF16', [0x3f80, 0xbf80, 0x0001, 0x7f7f], [1, -1, 2 ** -133, 3.3895313892515355e38]],
    ['F16', [0x3c00, 0xc000, 0x0001, 0x7bff], [1, -2, 2 ** -24, 65504]],
  ])('whose norm is stored as %s, with the exact values', (dtype, bits, values) => {
    const copy = new GoodCopy();
    const { header, data } = takeApart(copy.bytes(FILE));
    const entry = header[NORM] as { dtype: string; data_offsets: [number, number] };
    const [from, to] = entry.data_offsets;
    const narrow = Buffer.alloc(32);
    bits.forEach((value, i) => narrow.writeUInt16LE(value, 2 * i));
    for (const other of Object.values(header) as { data_offsets?: number[] }[]) {
      if ((other.data_offsets?.[0] ?? 0) >= to) other.data_offsets = other.data_offsets?.map((offset) => offset - 32) ?? [];
    }
    Object.assign(entry, { dtype, data_offsets: [from, from + 32] });
    copy.write(FILE, safetensors(JSON.stringify(header), Buffer.concat([data.subarray(0, from), narrow, data.subarray(to)])));
    const checkpoint = openCheckpoint(copy.dir);
    expect([...checkpoint.weights.read(NORM)]).toEqual([...values, ...new Array<number>(12).fill(0)]);
    checkpoint.close();
    copy.discard();
  });
});

describe('a mutated safetensors file', () => {
  it('is opened or refused with a TahError, never anything else, and quickly', () => {
    const copy = new GoodCopy();
    const original = copy.bytes(FILE);
    const headerEnd = 8 + Number(original.readBigUInt64LE(0));
    const edits = fc.array(fc.tuple(fc.nat(headerEnd - 1), fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('{}[]",:-0159eE')))), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(edits, (changes) => {
        const bytes = Buffer.from(original);
        for (const [at, value] of changes) bytes[at] = value;
        fs.writeFileSync(copy.path(FILE), bytes);
        const started = performance.now();
        try {
          readAll(copy.dir);
        } catch (error) {
          if (!(error instanceof TahError) || !error.code.startsWith('checkpoint.')) throw error;
        }
        expect(performance.now() - started).toBeLessThan(2000);
      }),
      { numRuns: 400 },
    );
    copy.discard();
  });
});
