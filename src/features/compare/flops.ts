/**
 * How many floating-point operations a run took, estimated from the shape in the model's manifest. Pure but for
 * reading that file.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_FILE } from '../../protocol/manifest.ts';
import type { Run } from '../../protocol/run.ts';

export interface ModelShape {
  readonly parameters: number;
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
}

/** Null where the folder has no readable manifest (an endpoint): there is no estimate then. */
export async function readShape(folder: string): Promise<ModelShape | null> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(await readFile(join(folder, MANIFEST_FILE), 'utf8'));
  } catch {
    // The run itself reports a model that can't be read; here only the estimate is missing.
    return null;
  }
  if (typeof manifest !== 'object' || manifest === null || !('architecture' in manifest)) return null;
  const { architecture } = manifest;
  if (typeof architecture !== 'object' || architecture === null) return null;
  const number = (key: string): number => {
    const value: unknown = Object.entries(architecture).find(([name]) => name === key)?.[1];
    return typeof value === 'number' && Number.isFinite(value) ? value : NaN;
  };
  const shape = { parameters: number('parameters'), layers: number('layers'), heads: number('heads'), headDim: number('headDim') };
  return Object.values(shape).every((value) => value > 0) ? shape : null;
}

/**
 * Every pass multiplies each weight once (2 operations: multiply and add) and attends to the positions up to its own
 * (queries times keys, weights times values: 4 operations a head dimension). LoRA and decider, below 3 %, are left out.
 */
export function flopsOf(shape: ModelShape, run: Pick<Run, 'prompt' | 'tokens'>): number {
  const { parameters, layers, heads, headDim } = shape;
  const pass = (position: number): number => 2 * parameters + 4 * layers * heads * headDim * (position + 1);
  let flops = 0;
  for (const { position, iterCount } of run.prompt) flops += iterCount * pass(position);
  // A token's prediction was made by the row before it. The first one's row is the prompt's last, counted above.
  const given = run.prompt.at(-1);
  for (const { position, iterCount } of run.tokens) {
    const row = position - 1;
    if (given === undefined || row > given.position || given.iterCount === 0) flops += iterCount * pass(row);
  }
  return flops;
}
