/**
 * Takes named libraries out of a wheel, which is a zip file. What is taken is known beforehand by size and hash, so no
 * name, size or byte of the archive is believed: a name in it that leads out of a folder ends the work.
 */
import path from 'node:path';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { TahError } from '../protocol/errors.ts';
import type { PinnedLibrary } from './cudaTable.ts';
import { diskFailure } from './failures.ts';
import { writePinned } from './pinnedFile.ts';
import { cancelledDownload } from './retry.ts';

/** The name that a library gets where it is unpacked. */
export function libraryName({ path: name }: PinnedLibrary): string {
  return path.posix.basename(name);
}

/**
 * Each library comes to its place in `dir` whole, under its last name; one that is there is replaced.
 * @throws TahError hub.bad-archive, hub.bad-path, hub.wrong-length, hub.wrong-hash, hub.disk-full, hub.cannot-write, cancelled
 */
export async function unpackWheel(file: string, libraries: readonly PinnedLibrary[], dir: string, signal: AbortSignal): Promise<void> {
  const wheel = path.basename(file);
  let zip: ZipFile | null = null;
  try {
    zip = await openPromise(file, { autoClose: false, strictFileNames: true });
    const wanted = new Map(libraries.map((library) => [library.path, library]));
    for await (const entry of zip.eachEntry()) {
      signal.throwIfAborted();
      const library = wanted.get(entry.fileName);
      if (library === undefined) continue;
      wanted.delete(entry.fileName);
      if (entry.isEncrypted() || entry.uncompressedSize !== library.size) throw wrongLength(wheel, library, entry);
      await writePinned(await zip.openReadStreamPromise(entry), library, { archive: wheel, what: 'file', target: path.join(dir, libraryName(library)), signal });
    }
    const [missing] = wanted.keys();
    if (missing !== undefined) throw badArchive(wheel, `${missing} is not in it`);
  } catch (error) {
    if (signal.aborted) throw cancelledDownload();
    throw archiveFailure(error, wheel, dir);
  } finally {
    zip?.close();
  }
}

function wrongLength(wheel: string, { path: name, size }: PinnedLibrary, entry: Entry): TahError {
  const why = entry.isEncrypted() ? 'is encrypted' : `has ${entry.uncompressedSize} bytes instead of ${size}`;
  return new TahError('hub.wrong-length', `${name} in ${wheel} ${why}.`, { subject: name, hint: 'Use another mirror.' });
}

function badArchive(wheel: string, why: string, cause?: unknown): TahError {
  return new TahError('hub.bad-archive', `${wheel} can't be unpacked: ${why}.`, { subject: wheel, hint: 'Fetch it again; if it repeats, use another mirror.', cause });
}

function archiveFailure(error: unknown, wheel: string, dir: string): unknown {
  const known = diskFailure(error, dir);
  if (known instanceof TahError || !(error instanceof Error)) return known;
  if (/^(invalid relative path|absolute path|invalid characters in fileName)/.test(error.message)) {
    return new TahError('hub.bad-path', `${wheel} names a file that leads out of its folder.`, { subject: wheel, hint: "Don't trust this mirror.", cause: error });
  }
  return badArchive(wheel, error.message, error);
}
