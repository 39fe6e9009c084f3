/**
 * What a checkpoint will need once it is imported, before it is: bytes on the disk and in memory for each precision.
 * An estimate from the sizes of its weight files and its config.json; the import itself counts exactly.
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Quantization } from '../../protocol/manifest.ts';

export interface CheckpointSize {
  readonly parameters: number;
  /** Bytes that a token takes in the key-value cache, for one pass. */
  readonly cacheBytesPerToken: number;
}

export interface Estimate {
  readonly diskBytes: number;
  readonly memoryBytes: number;
}

/** float32 scales included: a block of 128 columns for int4, of 32 for int8. */
const BYTES_PER_PARAMETER: Readonly<Record<Quantization, number>> = { fp32: 4, int8: 1 + 4 / 32, int4: 1 / 2 + 4 / 128 };
/** Runtime, tokenizer, activations. */
const ENGINE_BYTES = 250e6;
/** Room in the cache for a problem and its answer. */
const TOKENS = 4096;

/** Null where it can't be told: the import will say what is wrong. */
export async function sizeOfCheckpoint(dir: string): Promise<CheckpointSize | null> {
  try {
    const config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8')) as Readonly<Record<string, unknown>>;
    const names = (await readdir(dir)).filter((name) => name.endsWith('.safetensors'));
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(dir, name))).size));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const layers = numberOf(config['num_hidden_layers']);
    const heads = numberOf(config['num_key_value_heads']) ?? numberOf(config['num_attention_heads']);
    const headDim = numberOf(config['head_dim']) ?? 128;
    if (bytes === 0 || layers === null || heads === null) return null;
    return { parameters: bytes / bytesPerWeight(config['torch_dtype'] ?? config['dtype']), cacheBytesPerToken: 2 * layers * heads * headDim * 4 };
  } catch {
    return null;
  }
}

export function estimate({ parameters, cacheBytesPerToken }: CheckpointSize, quantization: Quantization): Estimate {
  const diskBytes = parameters * BYTES_PER_PARAMETER[quantization];
  return { diskBytes, memoryBytes: diskBytes + cacheBytesPerToken * TOKENS + ENGINE_BYTES };
}

function bytesPerWeight(dtype: unknown): number {
  return dtype === 'float32' ? 4 : 2;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}

/** The folder name of an import: the checkpoint's and the precision. */
export function importFolderName(checkpoint: string, quantization: Quantization): string {
  return `${checkpoint.replace(/[^\w.-]+/g, '-')}-${quantization}`;
}

/** Whether a model folder was imported from the checkpoint of that folder name. */
export function isImportOf(modelFolder: string, checkpoint: string): boolean {
  return (['fp32', 'int8', 'int4'] as const).some((quantization) => modelFolder === importFolderName(checkpoint, quantization));
}
