/** Writes what is taken out of an archive, and gives it its name only where its hash is the one that is known beforehand. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { TahError } from '../protocol/errors.ts';

export interface PinnedContents {
  /** Name in the archive, for messages. */
  readonly path: string;
  readonly sha256: string;
}

export interface PinnedPlace {
  /** Name of the archive, for messages. */
  readonly archive: string;
  /** What the file is, for messages: `file`, `program`. */
  readonly what: string;
  readonly target: string;
  readonly mode?: number;
  readonly signal: AbortSignal;
}

/**
 * The file is replaced where it is there; where this fails nothing new is left.
 * @throws TahError hub.wrong-hash; what `bytes`, the disk and the signal throw
 */
export async function writePinned(bytes: AsyncIterable<Buffer>, { path, sha256 }: PinnedContents, { archive, what, target, mode, signal }: PinnedPlace): Promise<void> {
  const partial = `${target}.tmp`;
  const hash = createHash('sha256');
  const hashed = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    await pipeline(bytes, hashed, createWriteStream(partial, mode === undefined ? {} : { mode }), { signal });
    if (hash.digest('hex') !== sha256) {
      throw new TahError('hub.wrong-hash', `${path} in ${archive} is not the ${what} that it should be: its hash is another.`, { subject: path, hint: 'Fetch it again; if it repeats, use another mirror.' });
    }
    await rename(partial, target);
  } finally {
    await rm(partial, { force: true });
  }
}
