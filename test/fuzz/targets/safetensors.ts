/** The safetensors reader: headers whose lengths, shapes and offsets lie, and damaged bytes. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { readFloats, readSafetensors } from '../../../src/importer/checkpoint/safetensors.ts';
import { mutateBytes } from '../mutate/bytes.ts';
import { mutateJson } from '../mutate/json.ts';
import { bytesOf, Finding, sampled, type Input, type Room, type Subject } from '../target.ts';
import { MemoryFile } from './memoryFile.ts';

const FILES = ['broken/_good/model.safetensors', 'broken/_good/lora/adapter_model.safetensors', 'broken/header-offset-overlap/model.safetensors', 'broken/nan-weights/model.safetensors'];
const BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

/** Well-formed files of a few tensors, each number of which may lie. */
const INVENTED = fc.record({
  tensors: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__metadata__', '__proto__', 'lm_head.weight')), fc.record({ dtype: fc.constantFrom('F32', 'F16', 'BF16', 'I64', 'F8_E4M3', '', 'toString'), shape: fc.array(fc.oneof(fc.nat(5), fc.integer(), fc.constantFrom(2 ** 53, 1e308, 0.5)), { maxLength: 9 }), data_offsets: fc.tuple(fc.nat(64), fc.nat(64)) }), { maxKeys: 5 }),
  data: fc.uint8Array({ maxLength: 64 }),
  lie: fc.constantFrom(0, 0, 0, 1, -1, 2 ** 31),
});

export function open({ root }: Room): Subject {
  const seeds = FILES.map((file): Input => ({ part: '', data: smaller(readFileSync(path.join(root, 'test/golden/vectors', file))) }));
  return {
    seeds,
    mutate: (seed, random) => {
      const bytes = bytesOf(seed);
      if (random.chance(0.5)) return { part: '', data: mutateBytes(bytes, random, bytesOf(random.pick(seeds))) };
      const { header, data } = partsOf(bytes);
      return { part: '', data: fileOf(mutateJson(header, random), random.chance(0.2) ? mutateBytes(data, random) : data, random.chance(0.1) ? random.int(9) - 4 : 0) };
    },
    invent: (random) => {
      const { tensors, data, lie } = sampled(INVENTED, random);
      return { part: '', data: fileOf(JSON.stringify(tensors), data, lie) };
    },
    run: (input) => {
      const bytes = bytesOf(input);
      for (const entry of readSafetensors(new MemoryFile(bytes)).values()) {
        if (entry.position + entry.elements * BYTES[entry.dtype] > bytes.length) throw new Finding(`tensor ${entry.name} ends behind the file`);
        if (readFloats(entry, 0, entry.elements).length !== entry.elements) throw new Finding(`tensor ${entry.name} has another number of elements`);
      }
      return 'accepted';
    },
  };
}

/** The first tensors only: a mutation then seldom hits mere numbers. */
function smaller(bytes: Uint8Array): Uint8Array {
  const { header, data } = partsOf(bytes);
  const entries = Object.entries(JSON.parse(header) as Record<string, { data_offsets: [number, number] }>);
  const kept: [string, { data_offsets: [number, number] }][] = [];
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [name, entry] of entries) {
    if (name === '__metadata__') continue;
    const [begin, end] = entry.data_offsets;
    if (end - begin > 1024 || kept.length === 6) continue;
    kept.push([name, { ...entry, data_offsets: [at, at + end - begin] }]);
    parts.push(data.subarray(begin, end));
    at += end - begin;
  }
  return kept.length === 0 ? bytes : fileOf(JSON.stringify(Object.fromEntries(kept)), new Uint8Array(Buffer.concat(parts)), 0);
}

/** Of a damaged file: as much as there is. */
function partsOf(bytes: Uint8Array): { readonly header: string; readonly data: Uint8Array } {
  const length = bytes.length < 8 ? 0 : Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  try {
    JSON.parse(header);
  } catch {
    // A seed that is damaged in its header has none to be changed.
    return { header: '{}', data: bytes };
  }
  return { header, data: bytes.subarray(8 + length) };
}

function fileOf(header: string, data: Uint8Array, lie: number): Uint8Array {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigInt64LE(BigInt(text.length + lie));
  return new Uint8Array(Buffer.concat([length, text, data]));
}
