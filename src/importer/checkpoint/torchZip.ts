/**
 * The zip archive that torch.save writes: entries stored uncompressed under one folder, sizes in the central directory.
 * Reads that and nothing more, with every position checked: no compression (so no bomb), no encryption, no overlap, CRC
 * checked. General zip libraries are laxer (no CRC, no overlap check) or asynchronous. Knows no pickle.
 * Format: PKWARE APPNOTE 6.3.9; zip64 only as far as torch writes it for small files.
 */
import { crc32 } from 'node:zlib';
import type { CheckpointFile } from './checkpointFolder.ts';
import { refuse, show } from './refusal.ts';

const END = 0x06054b50;
const END_BYTES = 22;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const LARGEST_DIRECTORY = 1 << 20;
const ENCRYPTED = 0x2041;

interface ZipEntry {
  readonly name: string;
  readonly size: number;
  readonly crc: number;
  readonly header: number;
  readonly data: number;
}

export interface TorchArchive {
  /** Entry names below the archive's folder, such as `data.pkl` and `data/0`. */
  size(name: string): number | null;
  /** @throws TahError checkpoint.bad-decider where the entry is missing or its checksum differs */
  read(name: string): Uint8Array;
}

/** @throws TahError checkpoint.bad-decider, checkpoint.unreadable */
export function openTorchZip(file: CheckpointFile): TorchArchive {
  const end = findEnd(file);
  const entries = readDirectory(file, end);
  const root = commonFolder(file, entries);
  const find = (name: string): ZipEntry | undefined => entries.get(`${root}/${name}`);
  return {
    size: (name) => find(name)?.size ?? null,
    read: (name) => {
      const entry = find(name) ?? bad(file, `its entry ${show(`${root}/${name}`)} is missing`, name);
      const bytes = bytesAt(file, entry.data, entry.size);
      if (crc32(bytes) !== entry.crc) bad(file, `the checksum of its entry ${show(entry.name)} is wrong`, entry.name);
      return bytes;
    },
  };
}

function bad(file: CheckpointFile, what: string, subject?: string): never {
  refuse('checkpoint.bad-decider', file.origin, what, {
    ...(subject === undefined ? {} : { subject }),
    hint: 'The file is damaged or was not written by torch.save; download it again.',
  });
}

function bytesAt(file: CheckpointFile, position: number, length: number): Uint8Array {
  if (position < 0 || position + length > file.size) bad(file, 'its archive points past the end of the file');
  const bytes = new Uint8Array(length);
  file.readInto(position, bytes);
  return bytes;
}

function viewAt(file: CheckpointFile, position: number, length: number): DataView {
  return new DataView(bytesAt(file, position, length).buffer);
}

interface End {
  readonly count: number;
  readonly position: number;
  readonly bytes: number;
}

/** torch writes no archive comment, so the end record is the file's last bytes. */
function findEnd(file: CheckpointFile): End {
  const start = file.size >= 4 ? viewAt(file, 0, 4).getUint32(0, true) : 0;
  if (start !== LOCAL) bad(file, 'it is not a zip archive as torch.save writes it');
  const position = file.size - END_BYTES;
  const view = viewAt(file, position, END_BYTES);
  if (view.getUint32(0, true) !== END) bad(file, 'the end of its archive is missing: the file is cut short');
  const [disk, count, bytes, start0] = [view.getUint32(4, true), view.getUint16(10, true), view.getUint32(12, true), view.getUint32(16, true)];
  if (disk !== 0 || view.getUint16(8, true) !== count || view.getUint16(20, true) !== 0) bad(file, 'its archive has several parts or a comment, which torch.save does not write');
  if (bytes > LARGEST_DIRECTORY || start0 + bytes > position) bad(file, `its archive's directory of ${bytes} bytes at ${start0} does not fit`);
  return { count, bytes, position: start0 };
}

function readDirectory(file: CheckpointFile, end: End): ReadonlyMap<string, ZipEntry> {
  const view = viewAt(file, end.position, end.bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < end.count; i++) {
    if (at + CENTRAL_BYTES > view.byteLength || view.getUint32(at, true) !== CENTRAL) bad(file, `entry ${i} of its archive's directory is damaged`);
    const nameBytes = view.getUint16(at + 28, true);
    const next = at + CENTRAL_BYTES + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > view.byteLength) bad(file, `entry ${i} of its archive's directory is damaged`);
    const entry = readEntry(file, end, view, at, nameBytes);
    if (entries.has(entry.name)) bad(file, `its entry ${show(entry.name)} occurs twice`, entry.name);
    entries.set(entry.name, entry);
    at = next;
  }
  if (at !== view.byteLength) bad(file, "its archive's directory has bytes of no entry");
  checkOverlap(file, end, [...entries.values()]);
  return entries;
}

function readEntry(file: CheckpointFile, end: End, view: DataView, at: number, nameBytes: number): ZipEntry {
  const name = Buffer.from(view.buffer, view.byteOffset + at + CENTRAL_BYTES, nameBytes).toString('utf8');
  if (!/^[\w .-]+(\/[\w.-]+)+$/.test(name) || name.split('/').includes('..')) bad(file, `its entry name ${show(name)} is not one that torch.save writes`, name);
  const problem = (what: string): never => bad(file, `its entry ${show(name)} ${what}`, name);
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const [crc, packed, size, header] = [view.getUint32(at + 16, true), view.getUint32(at + 20, true), view.getUint32(at + 24, true), view.getUint32(at + 42, true)];
  if (flags & ENCRYPTED) problem('is encrypted');
  if (method !== 0) problem('is compressed; torch.save stores entries as they are');
  if (packed !== size) problem(`is said to be ${size} bytes, stored in ${packed}`);
  if (header + LOCAL_BYTES > end.position) problem('lies outside the file');
  const local = viewAt(file, header, LOCAL_BYTES);
  if (local.getUint32(0, true) !== LOCAL || local.getUint16(8, true) !== 0 || local.getUint16(26, true) !== nameBytes) problem('has a damaged header');
  const data = header + LOCAL_BYTES + nameBytes + local.getUint16(28, true);
  if (data + size > end.position) problem(`of ${size} bytes does not fit into the file`);
  const localName = Buffer.from(bytesAt(file, header + LOCAL_BYTES, nameBytes)).toString('utf8');
  if (localName !== name) problem(`is called ${show(localName)} in its own header`);
  return { name, size, crc, header, data };
}

function checkOverlap(file: CheckpointFile, end: End, entries: readonly ZipEntry[]): void {
  const ordered = [...entries].sort((a, b) => a.header - b.header);
  ordered.forEach((entry, i) => {
    const limit = ordered[i + 1]?.header ?? end.position;
    if (entry.data + entry.size > limit) bad(file, `its entry ${show(entry.name)} overlaps with another`, entry.name);
  });
}

function commonFolder(file: CheckpointFile, entries: ReadonlyMap<string, ZipEntry>): string {
  const roots = new Set([...entries.keys()].map((name) => name.slice(0, name.indexOf('/'))));
  const [root, ...more] = roots;
  if (root === undefined || more.length > 0 || !entries.has(`${root}/data.pkl`)) bad(file, 'its archive has no single folder with data.pkl, as torch.save writes it');
  return root;
}
