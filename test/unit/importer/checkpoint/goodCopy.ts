/** A copy of the sound golden checkpoint in a temporary folder, and the means to damage it. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { openCheckpoint } from '../../../../src/importer/checkpoint/openCheckpoint.ts';
import { LINEARS, type Checkpoint, type OpenCheckpointOptions } from '../../../../src/importer/checkpoint/types.ts';
import { TahError, type ErrorCode } from '../../../../src/protocol/errors.ts';

export const VECTORS = path.resolve(import.meta.dirname, '../../../golden/vectors');
export const GOOD = path.join(VECTORS, 'broken', '_good');

export type Json = Record<string, unknown>;

export class GoodCopy {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tah-checkpoint-'));

  constructor(source = GOOD) {
    fs.cpSync(source, this.dir, { recursive: true });
  }

  path(name: string): string {
    return path.join(this.dir, name);
  }

  json(name: string): Json {
    return JSON.parse(fs.readFileSync(this.path(name), 'utf8')) as Json;
  }

  edit(name: string, change: (value: Json) => void): this {
    const value = this.json(name);
    change(value);
    return this.write(name, JSON.stringify(value));
  }

  write(name: string, content: string | Uint8Array): this {
    fs.writeFileSync(this.path(name), content);
    return this;
  }

  bytes(name: string): Buffer {
    return fs.readFileSync(this.path(name));
  }

  remove(...names: readonly string[]): this {
    for (const name of names) fs.rmSync(this.path(name), { recursive: true });
    return this;
  }

  discard(): void {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Opens and reads every number, as the importer does. */
export function readAll(dir: string, options?: OpenCheckpointOptions): void {
  const checkpoint = openCheckpoint(dir, options);
  try {
    readNumbers(checkpoint);
  } finally {
    checkpoint.close();
  }
}

function readNumbers({ weights, tah, config }: Checkpoint): void {
  for (const name of weights.names) weights.read(name);
  if (!tah) return;
  for (let layer = 0; layer < config.layers; layer++) {
    for (const linear of LINEARS) if (tah.lora.adapts(linear)) tah.lora.read(layer, linear);
  }
  for (const name of tah.decider.names) tah.decider.read(name);
}

export function caught(action: () => unknown): TahError {
  try {
    action();
  } catch (error) {
    if (error instanceof TahError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** That the copy is refused with the code and with every one of the words in the message. */
export function expectRefusal(copy: GoodCopy, code: ErrorCode, words: readonly string[]): void {
  try {
    const error = caught(() => {
      readAll(copy.dir);
    });
    expect(error.message).toContain(words[0]);
    for (const word of words) expect(error.message).toContain(word);
    expect(error.code).toBe(code);
    expect(error.file?.startsWith(copy.dir)).toBe(true);
  } finally {
    copy.discard();
  }
}

/** A safetensors file: length, header, data. */
export function safetensors(header: string | Uint8Array, data: Uint8Array, length = BigInt(Buffer.byteLength(header))): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt.asUintN(64, length));
  return Buffer.concat([prefix, typeof header === 'string' ? Buffer.from(header) : header, data]);
}

/** Header text and data of a safetensors file. */
export function takeApart(file: Buffer): { readonly header: Json; readonly data: Buffer } {
  const length = Number(file.readBigUInt64LE(0));
  return { header: JSON.parse(file.subarray(8, 8 + length).toString()) as Json, data: file.subarray(8 + length) };
}
