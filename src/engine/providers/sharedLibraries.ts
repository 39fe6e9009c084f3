/**
 * Which shared libraries a Linux library needs and does not find, by its own list (ELF dynamic section) and the places
 * where the loader looks. ONNX Runtime says only that a provider's library could not be loaded. Reads files; loads none.
 */
import fs from 'node:fs';
import path from 'node:path';

const ELF_64_LITTLE_ENDIAN = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT = { end: 0, needed: 1, stringTable: 5, rpath: 15, runpath: 29 } as const;
/** The loader's own places; more are in ld.so.conf. */
const PLACES = ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib64', '/usr/lib64', '/lib', '/usr/lib', '/usr/local/lib'];
const LOADER_FOLDERS = '/etc/ld.so.conf.d';

export interface LibraryNeeds {
  /** Names as the loader looks for them, such as libcudnn.so.9. */
  readonly needed: readonly string[];
  /** Folders that the library itself names, first ones first. */
  readonly folders: readonly string[];
}

/** @throws Error for a file that is no 64-bit little-endian ELF library */
export function libraryNeeds(file: string): LibraryNeeds {
  const fd = fs.openSync(file, 'r');
  try {
    return readNeeds(file, (offset, length) => readAt(fd, file, offset, length));
  } finally {
    fs.closeSync(fd);
  }
}

/** Libraries that `file` needs, directly, and that are nowhere where the loader looks; itself where it is not there. */
export function missingLibraries(file: string, env: NodeJS.ProcessEnv = process.env): readonly string[] {
  if (!fs.existsSync(file)) return [path.basename(file)];
  const { needed, folders } = libraryNeeds(file);
  return needed.filter((name) => !isFound(name, env, folders));
}

/** True where the loader finds a library of this name. @param folders that whoever needs it names itself */
export function isFound(name: string, env: NodeJS.ProcessEnv, folders: readonly string[] = []): boolean {
  const places = [...folders, ...(env['LD_LIBRARY_PATH'] ?? '').split(':').filter((place) => place !== ''), ...configuredFolders(), ...PLACES];
  return places.some((place) => fs.existsSync(path.join(place, name)));
}

type Read = (offset: number, length: number) => Buffer;

function readNeeds(file: string, read: Read): LibraryNeeds {
  const header = read(0, 64);
  if (!header.subarray(0, 6).equals(ELF_64_LITTLE_ENDIAN)) throw new Error(`${file} is no 64-bit library`);
  const [at, size, count] = [Number(header.readBigUInt64LE(32)), header.readUInt16LE(54), header.readUInt16LE(56)];
  const segments = Array.from({ length: count }, (_, i) => segmentOf(read(at + i * size, size)));
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return { needed: [], folders: [] };
  const entries = entriesOf(read(dynamic.offset, dynamic.bytes));
  const table = entries.find(({ tag }) => tag === DT.stringTable);
  const home = segments.find(({ type, address, bytes }) => type === PT_LOAD && table !== undefined && table.value >= address && table.value < address + bytes);
  if (table === undefined || home === undefined) throw new Error(`${file} has no table of names`);
  const strings = home.offset + table.value - home.address;
  const text = (offset: number): string => untilZero(read, strings + offset);
  const of = (tag: number): string[] => entries.filter((entry) => entry.tag === tag).map(({ value }) => text(value));
  const folders = [...of(DT.runpath), ...of(DT.rpath)].flatMap((list) => list.split(':'));
  return { needed: of(DT.needed), folders: folders.map((folder) => folder.replace(/\$(?:ORIGIN|\{ORIGIN\})/g, path.dirname(file))) };
}

function segmentOf(entry: Buffer): { type: number; offset: number; address: number; bytes: number } {
  return { type: entry.readUInt32LE(0), offset: Number(entry.readBigUInt64LE(8)), address: Number(entry.readBigUInt64LE(16)), bytes: Number(entry.readBigUInt64LE(32)) };
}

function entriesOf(section: Buffer): { tag: number; value: number }[] {
  const entries: { tag: number; value: number }[] = [];
  for (let at = 0; at + 16 <= section.length; at += 16) {
    const tag = Number(section.readBigInt64LE(at));
    if (tag === DT.end) break;
    entries.push({ tag, value: Number(section.readBigUInt64LE(at + 8)) });
  }
  return entries;
}

const LONGEST_NAME = 1024;

function untilZero(read: Read, offset: number): string {
  const bytes = read(offset, LONGEST_NAME);
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
}

/** As many bytes as are there. @throws Error where there are none */
function readAt(fd: number, file: string, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  const read = fs.readSync(fd, buffer, 0, length, offset);
  if (read === 0) throw new Error(`${file} ends before byte ${offset}`);
  return buffer.subarray(0, read);
}

function configuredFolders(): string[] {
  if (!fs.existsSync(LOADER_FOLDERS)) return [];
  return fs.readdirSync(LOADER_FOLDERS).flatMap((name) => {
    const lines = fs.readFileSync(path.join(LOADER_FOLDERS, name), 'utf8').split('\n');
    return lines.map((line) => line.trim()).filter((line) => line.startsWith('/'));
  });
}
