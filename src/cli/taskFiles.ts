/**
 * The files of a benchmark for `tah eval`: brought from a hub or mirror into the user's cache folder at the first use,
 * with resume and hashes like a checkpoint's, and taken from there ever after.
 */
import path from 'node:path';
import { EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';
import { cacheFolder } from '../engine/providers/record.ts';
import type { Benchmark } from '../eval/tasks/benchmarks.ts';
import { dataSetFiles } from '../hub/dataSet.ts';
import { parseHubUrl, parseSource } from '../hub/source.ts';
import { progressText, tokenOf } from './download.ts';
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
  const agent = new EnvHttpProxyAgent();
  try {
    return await dataSetFiles(source, benchmark, path.join(cacheFolder(), 'data-sets'), {
      // The library's fetch is the one that takes its own agent; it differs from Node's in the names of its types only.
      fetch: ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher: agent })) as unknown as typeof fetch,
      token: tokenOf(options.tokenEnv),
      signal,
      onProgress: (step) => {
        progress.show(progressText(step));
      },
    });
  } finally {
    progress.done();
    await agent.destroy();
  }
}
