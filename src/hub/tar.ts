/** Takes one file out of a tar archive as it streams by. Knows ustar headers; believes no name, length or checksum of them. */
import { TahError } from '../protocol/errors.ts';

const BLOCK = 512;
/** Field of a header: offset and length in bytes. */
const NAME = [0, 100] as const;
const LENGTH = [124, 12] as const;
const CHECKSUM = [148, 8] as const;
const KIND = 156;
const PREFIX = [345, 155] as const;
const REGULAR: ReadonlySet<number> = new Set([0, 0x30]);
/** No file of an archive that we read is larger: a length beyond it is damage. */
const LARGEST = 2 ** 33;

/**
 * The bytes of the regular file `name` (with slashes), which has to have `size` bytes.
 * @throws TahError hub.bad-archive where the archive is damaged or has no such file, hub.wrong-length
 */
export async function* fileOfTar(source: AsyncIterable<Buffer>, name: string, size: number): AsyncGenerator<Buffer, void> {
  let header: Buffer = Buffer.alloc(0);
  let skip = 0;
  let take = 0;
  let found = false;
  for await (const chunk of source) {
    for (let rest = chunk; rest.length > 0; ) {
      if (take > 0) {
        const part = rest.subarray(0, take);
        take -= part.length;
        rest = rest.subarray(part.length);
        yield part;
      } else if (skip > 0 || found) {
        // What comes after the file is read to the end: the stream before this one wants to be emptied.
        const part = found ? rest.length : Math.min(skip, rest.length);
        skip -= part;
        rest = rest.subarray(part);
      } else {
        const missing = BLOCK - header.length;
        header = Buffer.concat([header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (header.length < BLOCK) continue;
        const entry = readHeader(header);
        header = Buffer.alloc(0);
        found = entry !== null && entry.name === name && entry.regular;
        if (entry !== null && found && entry.length !== size) throw new TahError('hub.wrong-length', `${name} in the archive has ${entry.length} bytes instead of ${size}.`, { subject: name });
        if (found) take = size;
        else skip = Math.ceil((entry?.length ?? 0) / BLOCK) * BLOCK;
      }
    }
  }
  if (!found) throw badArchive(`${name} is not in it`);
  if (take > 0) throw badArchive('it is cut off');
}

/** Null for the empty blocks at the end. */
function readHeader(header: Buffer): { readonly name: string; readonly length: number; readonly regular: boolean } | null {
  if (header.every((byte) => byte === 0)) return null;
  const checksum = octal(header, CHECKSUM);
  // The sum of all bytes, its own counted as blanks.
  const sum = header.reduce((total, byte, at) => total + (at >= CHECKSUM[0] && at < CHECKSUM[0] + CHECKSUM[1] ? 0x20 : byte), 0);
  const length = octal(header, LENGTH);
  if (checksum !== sum || !(length <= LARGEST)) throw badArchive('a header in it is damaged');
  const prefix = text(header, PREFIX);
  return { name: prefix === '' ? text(header, NAME) : `${prefix}/${text(header, NAME)}`, length, regular: REGULAR.has(header[KIND] ?? -1) };
}

function text(header: Buffer, [at, length]: readonly [number, number]): string {
  return header.toString('utf8', at, at + length).replace(/\0[^]*$/, '');
}

/** NaN where it is no octal number. */
function octal(header: Buffer, field: readonly [number, number]): number {
  const digits = text(header, field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function badArchive(why: string): TahError {
  return new TahError('hub.bad-archive', `The archive can't be read: ${why}.`, { hint: 'Fetch it again; if it repeats, use another mirror.' });
}
