/**
 * What a model folder can still say of what it was made from, damaged as it may be: the record of its import, else its
 * manifest. Imports no `vscode`.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HubSource } from '../hub/source.ts';
import { TahError } from '../protocol/errors.ts';
import { MANIFEST_FILE } from '../protocol/manifest.ts';
import type { Quantization, SourceManifest } from '../protocol/manifest.ts';
import { weightsHash } from './models.ts';

export interface MadeFrom {
  /** False: nothing in the folder says that an import has made it. */
  readonly isImport: boolean;
  /** Null: there is no record that can be believed. */
  readonly checkpoint: { readonly path: string; readonly isThere: boolean } | null;
  /** Why the record that is there can't be believed; null where it can, or there is none. */
  readonly badRecord: TahError | null;
  readonly download: HubSource | null;
  readonly quantization: Quantization | null;
  readonly name: string | null;
  /** `ModelEntry.hash` of what was there before the damage; null where the manifest is damaged too. */
  readonly hash: string | null;
}

export async function readMadeFrom(model: string): Promise<MadeFrom> {
  const { isCheckpoint } = await import('../hub/importSource.ts');
  const [record, manifest] = await Promise.all([readRecord(model), readManifest(model)]);
  const badRecord = record instanceof TahError ? record : null;
  const source = record instanceof TahError ? null : record;
  const { name, quantization, files } = manifest ?? {};
  const checkpoint = source === null ? null : { path: source.checkpoint, isThere: await isCheckpoint(source.checkpoint) };
  return {
    isImport: source !== null || manifest !== null,
    checkpoint,
    badRecord,
    download: source?.download ?? null,
    quantization: source?.quantization ?? quantizationOf(quantization),
    name: source?.name ?? (typeof name === 'string' ? name : null),
    hash: weightsHash(files),
  };
}

async function readRecord(model: string): Promise<SourceManifest | TahError | null> {
  const { readSource } = await import('../hub/importSource.ts');
  try {
    return await readSource(model);
  } catch (error) {
    if (error instanceof TahError) return error;
    throw error;
  }
}

/** As far as it is there: the importer and the engine decide what of it is right. Null: there is none. */
async function readManifest(model: string): Promise<Readonly<Record<string, unknown>> | null> {
  let text: string;
  try {
    text = await readFile(join(model, MANIFEST_FILE), 'utf8');
  } catch {
    // Whatever keeps it from being read, nothing is known of it.
    return null;
  }
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? { ...json } : {};
  } catch {
    // Damaged, but here.
    return {};
  }
}

function quantizationOf(value: unknown): Quantization | null {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : null;
  return kind === 'fp32' || kind === 'int8' || kind === 'int4' ? kind : null;
}
