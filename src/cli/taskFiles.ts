/**
 * The files of a benchmark for `tah eval`: brought from a hub or mirror into the user's cache folder at the first use,
 * with resume and hashes like a checkpoint's, and taken from there ever after.
 */
import path from 'node:path';
import { cacheFolder } from '../engine/providers/record.ts';
import type { Benchmark } from '../eval/tasks/benchmarks.ts';
import { dataSetFiles } from '../hub/dataSet.ts';
import type { DownloadProgress } from '../hub/progress.ts';
import { parseHubUrl, parseSource } from '../hub/source.ts';
import { progressText, tokenOf } from './download.ts';
import { withProxyFetch } from './proxyFetch.ts';
import type { Terminal } from './terminal.ts';

export interface TaskFilesOptions {
  readonly mirror: string;
  /** Name of the variable that holds the access token. */
  readonly tokenEnv?: string;
}

/** @throws TahError hub.*, input.bad-option; cancelled */
export async function benchmarkFiles(benchmark: Benchmark, options: TaskFilesOptions, terminal: Terminal, signal: AbortSignal): Promise<readonly string[]> {
  const source = parseSource(benchmark.repository, parseHubUrl(options.mirror, '--mirror'));
  const progress = terminal.progress();
  const onProgress = (step: DownloadProgress): void => {
    progress.show(progressText(step));
  };
  try {
    return await withProxyFetch((ask) => dataSetFiles(source, benchmark, path.join(cacheFolder(), 'data-sets'), { fetch: ask, token: tokenOf(options.tokenEnv), signal, onProgress }));
  } finally {
    progress.done();
  }
}
