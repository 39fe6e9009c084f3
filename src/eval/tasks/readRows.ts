/**
 * Rows of a task's file: .jsonl, .json (an array, or an object with the rows in it), .csv and .parquet. Every row has
 * a label by which it is named in a message. What the columns mean is for loadTask.ts. Knows no network.
 */

import * as zlib from 'node:zlib';
import { readFile, stat } from 'node:fs/promises';
import { parquetReadObjects } from 'hyparquet';
import { TahError } from '../../protocol/errors.ts';

export interface Row {
  /** "line 3", or "row 3" where a line is no row. */
  readonly label: string;
  readonly fields: ReadonlyMap<string, unknown>;
}

export const FORMATS = ['.jsonl', '.json', '.csv', '.parquet'] as const;
const LARGEST_FILE = 256 * 1024 * 1024;

/** @throws TahError input.missing-file, input.bad-file (with file and row) */
export async function readRows(file: string): Promise<readonly Row[]> {
  const bytes = await readBytes(file);
  if (/\.parquet$/i.test(file)) return readParquet(file, bytes);
  const text = new TextDecoder().decode(bytes);
  if (/\.csv$/i.test(file)) return readCsv(file, text);
  return /\.json$/i.test(file) ? readJson(file, text) : readLines(file, text);
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST_FILE) throw new TahError('input.bad-file', `${file} is larger than ${LARGEST_FILE / 1024 / 1024} MiB.`, { file });
    return await readFile(file);
  } catch (error) {
    if (error instanceof TahError) throw error;
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new TahError(missing ? 'input.missing-file' : 'input.bad-file', missing ? `There is no file ${file}.` : `${file} can't be read: ${messageOf(error)}`, {
      file,
      hint: 'Give a .jsonl, .json, .csv or .parquet file, or the name of a benchmark.',
      cause: error,
    });
  }
}

export function badRow(file: string, label: string, what: string): TahError {
  return new TahError('input.bad-file', `${file}, ${label}: ${what}.`, { file, subject: label, hint: 'It should have "question" (or "problem") and "answer".' });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function rowOf(file: string, label: string, value: unknown): Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRow(file, label, 'it is not a JSON object');
  return { label, fields: new Map<string, unknown>(Object.entries(value)) };
}

function readLines(file: string, text: string): readonly Row[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const label = `line ${index + 1}`;
    try {
      return [rowOf(file, label, JSON.parse(line))];
    } catch (error) {
      if (error instanceof TahError) throw error;
      throw badRow(file, label, `it is not JSON (${messageOf(error)})`);
    }
  });
}

function readJson(file: string, text: string): readonly Row[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TahError('input.bad-file', `${file} is not JSON (${messageOf(error)}).`, { file, hint: 'A file with one JSON object a line should be called .jsonl.', cause: error });
  }
  const found: unknown = Array.isArray(value) ? value : typeof value === 'object' && value !== null ? Object.values(value).find(Array.isArray) : undefined;
  if (!Array.isArray(found)) throw new TahError('input.bad-file', `${file} holds no list of problems.`, { file, hint: 'It should be an array of objects with "question" and "answer".' });
  return found.map((row: unknown, index) => rowOf(file, `row ${index + 1}`, isWrapped(row) ? row.row : row));
}

/** The answer of a hub's viewer wraps each row. */
function isWrapped(row: unknown): row is { readonly row: unknown } {
  return typeof row === 'object' && row !== null && 'row_idx' in row && 'row' in row;
}

/** RFC 4180: quotes around what has commas, quotes or new lines in it. The first record names the columns. */
function readCsv(file: string, text: string): readonly Row[] {
  const records: string[][] = [[]];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|\n|\r|$)/y;
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const match = cell.exec(text);
    if (match === null) throw badRow(file, `row ${records.length - 1}`, `a quotation mark is open or stands inside a value (character ${at + 1})`);
    const raw = match[1] ?? '';
    records.at(-1)?.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (match[2] !== ',') records.push([]);
  }
  const [names = [], ...rows] = records.filter((record) => record.length > 1 || (record[0] ?? '') !== '');
  return rows.map((values, index) => {
    const label = `row ${index + 1}`;
    if (values.length !== names.length) throw badRow(file, label, `it has ${values.length} values and the header ${names.length}`);
    // An empty cell is a value that is not there.
    return { label, fields: new Map<string, unknown>(names.flatMap((name, column) => ((values[column] ?? '') === '' ? [] : [[name, values[column]]]))) };
  });
}

/** What the library doesn't unpack itself, Node does. */
const COMPRESSORS = {
  GZIP: (input: Uint8Array) => zlib.gunzipSync(input),
  BROTLI: (input: Uint8Array) => zlib.brotliDecompressSync(input),
  ZSTD: (input: Uint8Array) => {
    const unpack = (zlib as { readonly zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array }).zstdDecompressSync;
    if (unpack === undefined) throw new Error('it is packed with Zstandard, which needs Node 22.15 or newer');
    return unpack(input);
  },
};

async function readParquet(file: string, bytes: Buffer): Promise<readonly Row[]> {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  try {
    const rows = await parquetReadObjects({ file: buffer, compressors: COMPRESSORS });
    return rows.map((row, index) => ({ label: `row ${index + 1}`, fields: new Map<string, unknown>(Object.entries(row)) }));
  } catch (error) {
    throw new TahError('input.bad-file', `${file} can't be read as Parquet: ${messageOf(error)}.`, { file, hint: 'Download it again, or convert it to .jsonl.', cause: error });
  }
}
