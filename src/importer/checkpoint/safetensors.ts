/**
 * One safetensors file: eight bytes of header length, a JSON header, then the tensors' bytes without gap or overlap.
 * Checks every number of the header against the file before anything is read, then reads values on demand as float32.
 * Knows no tensor's meaning. Format: https://github.com/huggingface/safetensors (README, "Format").
 */
import { halfToFloat, firstNotFinite } from './floatFormats.ts';
import type { CheckpointFile } from './checkpointFolder.ts';
import { isObject, LARGEST_JSON, parseJsonObject } from './json.ts';
import { refuse, sameShape, show, showShape, type Origin } from './refusal.ts';
import type { SafetensorsDtype } from './types.ts';

const BYTES: Readonly<Record<SafetensorsDtype, number>> = { F32: 4, F16: 2, BF16: 2 };
const MOST_DIMENSIONS = 8;
/** Elements converted at a time, so that a narrow tensor needs little beside its float32 values. */
const CHUNK = 1 << 16;

export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly file: CheckpointFile;
  /** Position of its first byte in the file. */
  readonly position: number;
}

/** @throws TahError checkpoint.bad-safetensors, checkpoint.unreadable */
export function readSafetensors(file: CheckpointFile): ReadonlyMap<string, SafetensorsEntry> {
  const { header, dataStart } = readHeader(file);
  const dataBytes = file.size - dataStart;
  const entries: SafetensorsEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isObject(value)) bad(file.origin, `__metadata__ must be an object, but is ${show(value)}`, name);
      continue;
    }
    entries.push(readEntry(file, dataStart, dataBytes, name, value));
  }
  checkCoverage(file, dataStart, entries);
  return new Map(entries.map((entry) => [entry.name, entry]));
}

function bad(origin: Origin, what: string, subject?: string): never {
  refuse('checkpoint.bad-safetensors', origin, what, {
    ...(subject === undefined ? {} : { subject }),
    hint: 'The file is damaged or not a safetensors file; download it again.',
  });
}

function readHeader(file: CheckpointFile): { readonly header: Readonly<Record<string, unknown>>; readonly dataStart: number } {
  if (file.size < 8) bad(file.origin, `the file has ${file.size} bytes; a safetensors file begins with 8 bytes of header length`);
  const prefix = new Uint8Array(8);
  file.readInto(0, prefix);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(file.size - 8)) bad(file.origin, `its header says it is ${length} bytes long, but the file has only ${file.size - 8} after the length`);
  if (length > BigInt(LARGEST_JSON)) bad(file.origin, `its header is ${length} bytes long; at most ${LARGEST_JSON} are read`);
  const bytes = new Uint8Array(Number(length));
  file.readInto(8, bytes);
  return { header: parseJsonObject(bytes, file.origin, 'checkpoint.bad-safetensors'), dataStart: 8 + bytes.length };
}

function readEntry(file: CheckpointFile, dataStart: number, dataBytes: number, name: string, value: unknown): SafetensorsEntry {
  const problem = (what: string): never => bad(file.origin, `tensor ${show(name)} ${what}`, name);
  if (!isObject(value)) return problem(`must be described by an object, but is ${show(value)}`);
  const dtype = value['dtype'];
  if (!isDtype(dtype)) return problem(`has dtype ${show(dtype)}; F32, F16 and BF16 are supported`);
  const shape = value['shape'];
  if (!isCounts(shape) || shape.length > MOST_DIMENSIONS) return problem(`has shape ${show(shape)}; at most ${MOST_DIMENSIONS} whole numbers are expected`);
  const offsets = value['data_offsets'];
  if (!isCounts(offsets)) return problem(`has data_offsets ${show(offsets)}; two whole numbers are expected`);
  const [begin, end, ...more] = offsets;
  if (begin === undefined || end === undefined || more.length > 0 || begin > end) {
    return problem(`has data_offsets ${show(offsets)}; [begin, end] with begin <= end is expected`);
  }
  if (end > dataBytes) return problem(`should end at byte ${end} of the data, but the file has only ${dataBytes} bytes of data: it is cut short`);
  // An overflowing product is no longer exact, but it is then far above any file's size.
  const elements = shape.reduce((product, size) => product * size, 1);
  if (elements * BYTES[dtype] !== end - begin) {
    return problem(`has shape ${showShape(shape)} of ${dtype}, which is ${elements * BYTES[dtype]} bytes, but its data_offsets span ${end - begin}`);
  }
  return { name, dtype, shape, elements, file, position: dataStart + begin };
}

function isDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === 'string' && Object.hasOwn(BYTES, value);
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && Number(item) >= 0);
}

/** The tensors' bytes must be the whole data, each byte once. */
function checkCoverage(file: CheckpointFile, dataStart: number, entries: readonly SafetensorsEntry[]): void {
  const ordered = [...entries].sort((a, b) => a.position - b.position || a.elements - b.elements);
  let end = dataStart;
  let before = 'the start of the data';
  for (const entry of ordered) {
    if (entry.position < end) bad(file.origin, `the data_offsets of tensor ${show(entry.name)} overlap with those of ${before}`, entry.name);
    end = entry.position + entry.elements * BYTES[entry.dtype];
    before = show(entry.name);
  }
  end = dataStart;
  before = 'the start of the data';
  for (const entry of ordered) {
    if (entry.position > end) bad(file.origin, `there are ${entry.position - end} bytes of no tensor between ${before} and ${show(entry.name)}`, entry.name);
    end = entry.position + entry.elements * BYTES[entry.dtype];
    before = show(entry.name);
  }
  if (end !== file.size) bad(file.origin, `there are ${file.size - end} bytes of no tensor after ${before}`);
}

/**
 * Elements [from, to) of a tensor as float32, C order.
 * @throws TahError checkpoint.not-finite, checkpoint.unreadable
 */
export function readFloats(entry: SafetensorsEntry, from: number, to: number): Float32Array {
  const out = new Float32Array(to - from);
  const start = entry.position + from * BYTES[entry.dtype];
  switch (entry.dtype) {
    case 'F32':
      entry.file.readInto(start, new Uint8Array(out.buffer));
      break;
    case 'BF16':
      convert(entry, start, out.length, (halves, at) => {
        const bits = new Uint32Array(out.buffer);
        for (let i = 0; i < halves.length; i++) bits[at + i] = (halves[i] ?? 0) << 16;
      });
      break;
    case 'F16':
      convert(entry, start, out.length, (halves, at) => {
        const table = halfToFloat();
        for (let i = 0; i < halves.length; i++) out[at + i] = table[halves[i] ?? 0] ?? NaN;
      });
      break;
    default:
      entry.dtype satisfies never;
  }
  const index = firstNotFinite(out);
  if (index >= 0) {
    refuse('checkpoint.not-finite', entry.file.origin, `tensor ${show(entry.name)} holds ${out[index] ?? NaN} at element ${from + index}; finite numbers are expected`, {
      subject: entry.name,
      hint: 'The training that wrote it has diverged, or the file is damaged.',
    });
  }
  return out;
}

/** Whether two tensors hold the same numbers. @throws as readFloats */
export function sameValues(a: SafetensorsEntry, b: SafetensorsEntry): boolean {
  if (a.elements !== b.elements || !sameShape(a.shape, b.shape)) return false;
  for (let at = 0; at < a.elements; at += CHUNK) {
    const end = Math.min(at + CHUNK, a.elements);
    const other = readFloats(b, at, end);
    if (!readFloats(a, at, end).every((value, i) => value === other[i])) return false;
  }
  return true;
}

function convert(entry: SafetensorsEntry, start: number, count: number, store: (halves: Uint16Array, at: number) => void): void {
  const buffer = new Uint16Array(Math.min(CHUNK, count));
  for (let at = 0; at < count; at += CHUNK) {
    const halves = buffer.subarray(0, Math.min(CHUNK, count - at));
    entry.file.readInto(start + at * 2, new Uint8Array(halves.buffer, 0, halves.byteLength));
    store(halves, at);
  }
}
