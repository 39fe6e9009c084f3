/** Reads a zip archive: its names from the central directory, its files unpacked in memory. Knows nothing of what they are. */
import { readFile } from 'node:fs/promises';
import { crc32, inflateRawSync } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const STORED = 0;
const DEFLATED = 8;

export interface Zip {
  readonly names: readonly string[];
  /** The file's bytes. Throws when there is no such file, or when its checksum is wrong. */
  read(name: string): Buffer;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly checksum: number;
  readonly packedSize: number;
  /** Offset of the file's local header. */
  readonly at: number;
}

/** Throws when the file is no zip archive or its directory is damaged. Not for archives above 4 GB. */
export async function openZip(path: string): Promise<Zip> {
  const bytes = await readFile(path);
  const entries = entriesOf(path, bytes);
  return {
    names: entries.map(({ name }) => name),
    read(name) {
      const entry = entries.find((one) => one.name === name);
      if (entry === undefined) throw new Error(`${path} holds no ${name}.`);
      return unpack(path, bytes, entry);
    },
  };
}

export async function namesInZip(path: string): Promise<readonly string[]> {
  return (await openZip(path)).names;
}

function entriesOf(path: string, bytes: Buffer): readonly Entry[] {
  let end = bytes.length - 22;
  while (end >= 0 && bytes.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
  if (end < 0) throw new Error(`${path} is no zip archive.`);
  const count = bytes.readUInt16LE(end + 10);
  const entries: Entry[] = [];
  for (let at = bytes.readUInt32LE(end + 16); entries.length < count; ) {
    if (bytes.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error(`${path} has a damaged directory.`);
    const nameLength = bytes.readUInt16LE(at + 28);
    entries.push({
      name: bytes.toString('utf8', at + 46, at + 46 + nameLength),
      method: bytes.readUInt16LE(at + 10),
      checksum: bytes.readUInt32LE(at + 16),
      packedSize: bytes.readUInt32LE(at + 20),
      at: bytes.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

function unpack(path: string, bytes: Buffer, { name, method, checksum, packedSize, at }: Entry): Buffer {
  const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
  const packed = bytes.subarray(start, start + packedSize);
  if (method !== STORED && method !== DEFLATED) throw new Error(`${name} in ${path} is packed in a way that is not read here (${method}).`);
  const file = method === STORED ? packed : inflateRawSync(packed);
  if (crc32(file) !== checksum) throw new Error(`${name} in ${path} is damaged.`);
  return file;
}
