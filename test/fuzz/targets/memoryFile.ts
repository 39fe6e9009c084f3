/** A checkpoint's file that lies in memory: what a reader sees of one on a disk. */

import type { CheckpointFile } from '../../../src/importer/checkpoint/checkpointFolder.ts';
import { refuse, type Origin } from '../../../src/importer/checkpoint/refusal.ts';
import { Finding } from '../target.ts';

export class MemoryFile implements CheckpointFile {
  readonly origin: Origin = { name: 'fuzz', path: 'fuzz' };

  constructor(private readonly bytes: Uint8Array) {}

  get size(): number {
    return this.bytes.length;
  }

  readInto(position: number, target: Uint8Array): void {
    if (!Number.isSafeInteger(position) || position < 0) throw new Finding(`asks for byte ${position}`);
    if (position + target.length > this.bytes.length) refuse('checkpoint.unreadable', this.origin, `the file ends before byte ${position + target.length}`);
    target.set(this.bytes.subarray(position, position + target.length));
  }
}
