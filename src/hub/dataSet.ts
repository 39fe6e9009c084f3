/**
 * A data set of a hub in a cache folder: the files of one split, brought like a checkpoint's (resume, hashes), once.
 * What is there and whole is used without asking the hub, so that an evaluation repeats offline and on the same data.
 * Knows file names; what is in the files is for whoever reads them.
 */
import path from 'node:path';
import { TahError } from '../protocol/errors.ts';
import { HubConnection } from './connection.ts';
import { downloadPlanned, type DownloadOptions } from './download.ts';
import type { DownloadPlan } from './layout.ts';
import { listRepository, type HubFile } from './listing.ts';
import { isWhole } from './partFile.ts';
import { formatBytes } from './progress.ts';
import { readRecord } from './record.ts';
import { describeSource, folderNameOf, type HubSource } from './source.ts';

export interface SplitWanted {
  /** `test`; where a repository has none of that name, `train`, else its only files. */
  readonly split: string;
  /** Part of the repository ("main" of GSM8K): a folder, or the beginning of a file's name. */
  readonly subset?: string;
}

/** Of one data set the first of these formats that there is: they hold the same rows. */
const FORMATS = ['parquet', 'jsonl', 'json', 'csv'] as const;
const ABOUT = /(?:^|\/)(?:dataset_infos?|state|config|package|croissant|metadata)\.json$|(?:^|\/)\./;
const LARGEST_BYTES = 256 * 1024 * 1024;

/** The files of the split, in the order of their names. @throws TahError hub.not-a-data-set */
export function filesOfSplit(source: HubSource, listed: readonly HubFile[], { split, subset }: SplitWanted): readonly HubFile[] {
  const data = listed.filter(({ path: name }) => formatOf(name) !== null && !ABOUT.test(name));
  const inSubset = subset === undefined ? data : data.filter(({ path: name }) => segments(name).some((part) => part === subset || part.startsWith(`${subset}-`) || part.startsWith(`${subset}.`)));
  const of = (name: string): readonly HubFile[] => inSubset.filter((file) => namesSplit(file.path, name));
  const found = [of(split), of('train'), inSubset].find((files) => files.length > 0) ?? [];
  const format = FORMATS.find((one) => found.some((file) => formatOf(file.path) === one));
  const files = found.filter((file) => formatOf(file.path) === format).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  // Several files without a split's name are several data sets: which is meant is not known.
  const several = new Set(files.map(({ path: name }) => name.replace(/\d{3,}.*$/, ''))).size > 1;
  if (files.length === 0 || several) throw noDataSet(source, several ? `it has several data files and none is called ${split}` : 'it has no .parquet, .jsonl, .json or .csv file');
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > LARGEST_BYTES) throw noDataSet(source, `its files have ${formatBytes(bytes)}, more than the ${formatBytes(LARGEST_BYTES)} that are read`);
  return files;
}

/**
 * Paths of the split's files below `cache`, in order. The hub is asked only where they are not there and whole.
 * @throws TahError hub.*; cancelled, and what has come is kept
 */
export async function dataSetFiles(source: HubSource, wanted: SplitWanted, cache: string, options: DownloadOptions): Promise<readonly string[]> {
  const data: HubSource = { ...source, type: 'dataset' };
  const folder = path.join(cache, [folderNameOf(data), ...(wanted.subset === undefined ? [] : [wanted.subset]), wanted.split].join('--').replace(/[^A-Za-z0-9._-]+/g, '-'));
  const there = await wholeFiles(folder, data, options.signal);
  if (there !== null) return there;
  const { dir, plan } = await downloadPlanned(data, folder, (from, given) => planSplit(from, wanted, given), options);
  return inOrder(dir, plan.files);
}

async function planSplit(source: HubSource, wanted: SplitWanted, options: DownloadOptions): Promise<DownloadPlan> {
  const tell = (waiting: { readonly reason: string; readonly ms: number } | null): void => options.onProgress?.({ stage: 'listing', doneBytes: 0, totalBytes: 0, bytesPerSecond: null, secondsLeft: null, waiting });
  tell(null);
  const listed = await listRepository(new HubConnection(source.hub, options), source, options.signal, tell);
  const files = filesOfSplit(source, listed, wanted);
  return { source, files, totalBytes: files.reduce((sum, { size }) => sum + size, 0), thinksTwice: false };
}

/** Null where not all of an earlier download is there, byte by byte. */
async function wholeFiles(folder: string, source: HubSource, signal: AbortSignal | undefined): Promise<readonly string[] | null> {
  const record = await readRecord(folder);
  if (record?.complete !== true || record.hub !== source.hub || record.repository !== source.repository || record.revision !== source.revision) return null;
  const whole = await Promise.all(record.files.map((file) => isWhole(path.join(folder, ...segments(file.path)), file, signal)));
  return whole.every(Boolean) && whole.length > 0 ? inOrder(folder, record.files) : null;
}

function inOrder(folder: string, files: readonly HubFile[]): readonly string[] {
  return files.map(({ path: name }) => path.join(folder, ...segments(name))).toSorted();
}

function segments(name: string): string[] {
  return name.split('/');
}

function formatOf(name: string): (typeof FORMATS)[number] | null {
  return FORMATS.find((format) => name.toLowerCase().endsWith(`.${format}`)) ?? null;
}

/** `test.jsonl`, `data/test-00000-of-00001.parquet`, `main/test/0000.parquet`. */
function namesSplit(name: string, split: string): boolean {
  return segments(name).some((part) => part === split || part.startsWith(`${split}-`) || part.startsWith(`${split}.`) || part.startsWith(`${split}_`));
}

function noDataSet(source: HubSource, why: string): TahError {
  return new TahError('hub.not-a-data-set', `${describeSource(source)} can’t be read as a data set: ${why}.`, {
    subject: describeSource(source),
    hint: 'Download its file yourself and give the path with --data.',
  });
}
