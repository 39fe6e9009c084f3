/** Imports with time and memory: in a process of its own, whose memory is that of the import alone. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Quantization } from '../protocol/manifest.ts';

export interface Imported {
  readonly seconds: number;
  /** Peak of resident memory. */
  readonly largestMemory: number;
  readonly bytes: number;
}

/** `tah import` as a user runs it. */
export async function importedIn(checkpoint: string, out: string, quantization: Quantization): Promise<Imported> {
  const cli = path.join(import.meta.dirname, 'cli.cjs');
  const { stdout } = await promisify(execFile)(process.execPath, [cli, 'import', checkpoint, '--out', out, '--quantization', quantization, '--replace', '--json']);
  return JSON.parse(stdout) as Imported;
}
