/** The names of the files in a zip archive, from its central directory. Knows nothing of their content. */
import { readFile } from 'node:fs/promises';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;

/** Throws when the file is no zip archive or its directory is damaged. Not for archives above 4 GB. */
export async function namesInZip(path: string): Promise<readonly string[]> {
  const bytes = await readFile(path);
  let end = bytes.length - 22;
  while (end >= 0 && bytes.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
  if (end < 0) throw new Error(`${path} is no zip archive.`);
  const count = bytes.readUInt16LE(end + 10);
  const names: string[] = [];
  for (let at = bytes.readUInt32LE(end + 16); names.length < count; ) {
    if (bytes.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error(`${path} has a damaged directory.`);
    const nameLength = bytes.readUInt16LE(at + 28);
    names.push(bytes.toString('utf8', at + 46, at + 46 + nameLength));
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return names;
}
