/**
 * The CUDA runtime as this window offers it: whether there is something to fetch here, fetching and removing it, and
 * what the engine's process needs in its environment. What it is made of is src/hub, loaded when it is first needed.
 * Imports no `vscode`: `fetch` and settings are passed in.
 */

import type { CudaPlan, FetchOptions } from '../hub/cudaRuntime.ts';

export type { CudaPlan } from '../hub/cudaRuntime.ts';

export type CudaOffer =
  | { readonly kind: 'fetch'; readonly downloadBytes: number }
  /** A fetch was left. */
  | { readonly kind: 'continue'; readonly doneBytes: number; readonly downloadBytes: number }
  | { readonly kind: 'repair'; readonly files: readonly string[] }
  /** By this window or another one. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'there'; readonly unpackedBytes: number };

export interface CudaRuntimeOptions {
  /** The folder for what is kept on this machine. */
  readonly storage: string;
  /** The engine process's bundle, beside whose node_modules the runtime is. */
  readonly entry: string;
  readonly fetch: () => typeof fetch;
  /** Address of a mirror of PyPI's files; null: PyPI. */
  readonly mirror: () => string | null;
  /** For tests. */
  readonly machine?: { readonly possible: boolean; readonly driver: boolean };
  readonly table?: NonNullable<FetchOptions['table']>;
}

export interface CudaFetchOptions {
  readonly confirm: (plan: CudaPlan) => Promise<boolean>;
  readonly onProgress: NonNullable<FetchOptions['onProgress']>;
  readonly signal: AbortSignal;
}

export class CudaRuntime {
  constructor(private readonly options: CudaRuntimeOptions) {}

  /** Null where CUDA can't be, and where nothing was fetched and NVIDIA's driver is missing. */
  async offer(): Promise<CudaOffer | null> {
    const { cudaIsPossible, hasNvidiaDriver } = await import('../hub/cudaEnvironment.ts');
    const { storage, table, machine } = this.options;
    if (!(machine?.possible ?? cudaIsPossible())) return null;
    const { cudaSizes, cudaState, fetchedBytes } = await import('../hub/cudaRuntime.ts');
    const state = await cudaState(storage, table === undefined ? {} : { table });
    const { downloadBytes, unpackedBytes } = cudaSizes(table);
    switch (state.kind) {
      case 'absent':
        return (machine?.driver ?? hasNvidiaDriver()) ? { kind: 'fetch', downloadBytes } : null;
      case 'partial':
        return { kind: 'continue', doneBytes: await fetchedBytes(storage, table), downloadBytes };
      case 'damaged':
        return { kind: 'repair', files: state.files };
      case 'busy':
        return { kind: 'busy' };
      case 'complete':
        return { kind: 'there', unpackedBytes };
      default:
        return state satisfies never;
    }
  }

  /** @throws TahError hub.*, input.bad-option for a mirror that is no address; cancelled, and what has come is kept */
  async fetch(options: CudaFetchOptions): Promise<void> {
    const { storage, mirror, table } = this.options;
    const { fetchCudaRuntime } = await import('../hub/cudaRuntime.ts');
    const { parseHubUrl } = await import('../hub/source.ts');
    const given = mirror();
    await fetchCudaRuntime(storage, { ...options, fetch: this.options.fetch(), ...(given === null ? {} : { base: parseHubUrl(given, 'thinkAtHard.cudaMirror') }), ...(table === undefined ? {} : { table }) });
  }

  /** @throws TahError hub.busy, hub.cannot-write */
  async remove(): Promise<void> {
    const { removeCudaRuntime } = await import('../hub/cudaRuntime.ts');
    await removeCudaRuntime(this.options.storage);
  }

  /** For a process of the engine that starts now; nothing where there is no whole runtime. */
  async environment(): Promise<Readonly<Record<string, string>>> {
    const { cudaEnvironment, cudaIsPossible } = await import('../hub/cudaEnvironment.ts');
    const { storage, entry, table, machine } = this.options;
    if (!(machine?.possible ?? cudaIsPossible())) return {};
    return cudaEnvironment({ storage, beside: entry, ...(table === undefined ? {} : { table }) });
  }
}
