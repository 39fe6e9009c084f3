/**
 * `tah-download.json` in a checkpoint folder: where its files come from and whether all of them are there. By it a
 * download that was left is found again, and a folder with anything else is never written to.
 */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { TahError } from '../protocol/errors.ts';
import type { DownloadPlan } from './layout.ts';
import { bytesOnDisk } from './partFile.ts';
import { describeSource, type HubSource } from './source.ts';

export const RECORD_FILE = 'tah-download.json';
const FORMAT = 'tah-download/1';

const RECORD = z.object({
  format: z.literal(FORMAT),
  hub: z.string(),
  repository: z.string(),
  revision: z.string(),
  complete: z.boolean(),
  thinksTwice: z.boolean(),
  files: z.array(
    z.object({
      path: z.string(),
      size: z.number().int().nonnegative(),
      hash: z.object({ kind: z.enum(['sha256', 'git-blob']), value: z.string() }).nullable(),
    }),
  ),
});

export type DownloadRecord = Readonly<z.infer<typeof RECORD>>;

/** Null where there is none, or one that can't be read. */
export async function readRecord(dir: string): Promise<DownloadRecord | null> {
  try {
    return RECORD.safeParse(JSON.parse(await readFile(path.join(dir, RECORD_FILE), 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}

export async function writeRecord(dir: string, { source, files, thinksTwice }: DownloadPlan, complete: boolean): Promise<void> {
  const record: DownloadRecord = { format: FORMAT, ...source, complete, thinksTwice, files: files.map(({ path: name, size, hash }) => ({ path: name, size, hash })) };
  // Its name is one of ours to whoever looks into the folder in between.
  const temporary = path.join(dir, `.${RECORD_FILE}.tmp`);
  try {
    await writeFile(temporary, `${JSON.stringify(record, null, 2)}\n`);
    await rename(temporary, path.join(dir, RECORD_FILE));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** @throws TahError hub.exists where the folder holds something else than an earlier download of the same repository */
export async function checkFolder(dir: string, source: HubSource): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  if (names.every((name) => name.startsWith('.tah-download'))) return;
  const record = await readRecord(dir);
  if (record?.hub === source.hub && record.repository === source.repository && record.revision === source.revision) return;
  const holds = record === null ? 'is not empty' : `holds ${describeSource(record)}${record.hub === source.hub ? '' : ` of ${record.hub}`}`;
  throw new TahError('hub.exists', `${dir} ${holds}, so nothing is downloaded into it.`, { file: dir, hint: 'Choose another folder.' });
}

/** How much of the files of a record is there. */
export async function recordedBytes(dir: string, record: DownloadRecord): Promise<{ readonly done: number; readonly total: number }> {
  const sizes = await Promise.all(record.files.map((file) => bytesOnDisk(path.join(dir, ...file.path.split('/')), file)));
  return { done: sizes.reduce((sum, size) => sum + size, 0), total: record.files.reduce((sum, { size }) => sum + size, 0) };
}
