/**
 * The engine and the importer as the extension host sees them: the same interfaces, served by a process of their own
 * that starts at the first request. A crash rejects what was open with `engine.crashed`; the next request starts anew.
 * Imports no `vscode`, so that it runs in tests under Node; knows neither settings nor how errors are shown.
 */

import type { CountRequest, EngineApi, EngineStatus, GenerateEvent, GenerateRequest, MeasureRequest, ModelInfo, ProviderChoice, ProviderInfo } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import type { ImporterApi, ImportEvent, ImportRequest } from '../protocol/importer.ts';
import { reason } from '../protocol/reasons.ts';
import { BUILD_ID } from '../protocol/rpc.ts';
import type { RpcStreams, StreamName } from '../protocol/rpc.ts';
import { cancelled } from '../protocol/streams.ts';
import type { EngineLog } from './engineChild.ts';
import { findRuntimes, RuntimeChoice } from './engineRuntime.ts';
import type { Runtime, RuntimeReport } from './engineRuntime.ts';
import { EngineSupervisor } from './engineSupervisor.ts';
import type { Backoff, EngineState, Lease, LeaseKind } from './engineSupervisor.ts';

export type { EngineLog } from './engineChild.ts';
export type { Backoff, EngineState } from './engineSupervisor.ts';

export interface EngineClientOptions {
  /** Path of the engine process's bundle. */
  readonly entry: string;
  /** A Node that the user configured; tried first. */
  readonly execPath?: string | undefined;
  readonly execArgv?: readonly string[];
  /** Beside the host's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Asked at each start of a process: what goes into its environment beside that. */
  readonly environment?: () => Promise<Readonly<Record<string, string>>>;
  readonly log: EngineLog;
  /** The process ends after this long without a request. Default 10 minutes. */
  readonly idleUnloadMs?: number;
  readonly backoff?: Backoff;
  /** Default: the configured Node, then what runs this host, then a Node on PATH. */
  readonly runtimes?: readonly Runtime[];
  /** Reasons of an earlier session against runtimes, by execPath. */
  readonly rejectedRuntimes?: Readonly<Record<string, string>>;
  /** Called with the reasons against runtimes that a later session should know, by execPath, when they change. */
  readonly onRejectedRuntimes?: (reasons: Readonly<Record<string, string>>) => void;
  /** How long a new process may take to answer. Default 20 s. */
  readonly handshakeMs?: number;
  /** How long a stopped request may take to end before the process counts as hung. Default 30 s (a model loads in one go). */
  readonly cancelGraceMs?: number;
  /** Default: this bundle's. */
  readonly build?: string;
}

const DEFAULT_BACKOFF: Backoff = { delaysMs: [0, 500, 2000, 5000], limit: 5, windowMs: 60_000 };
const DEFAULT_IDLE_UNLOAD_MS = 10 * 60_000;
const DEFAULT_HANDSHAKE_MS = 20_000;
const DEFAULT_CANCEL_GRACE_MS = 30_000;

/**
 * Streams start when they are first read. An aborted signal rejects the pending read at once with `cancelled`; the
 * engine stops within one pass. `status` and `unload` never start a process.
 */
export interface EngineClient extends EngineApi, ImporterApi {
  readonly state: EngineState;
  onDidChangeState(listener: (state: EngineState) => void): { dispose(): void };
  /** Which runtimes there are, which one is used, and why others are not. */
  runtimes(): readonly RuntimeReport[];
  /** A runtime that has come since; it is tried next unless the one in use has loaded a model. */
  addRuntime(runtime: Runtime): void;
  /** The next request starts a new process, with the environment of then; the one that runs ends when its requests have. */
  restart(): Promise<void>;
  /** Ends the process and all open streams (`cancelled`); resolves when it is gone. */
  dispose(): Promise<void>;
}

export function createEngineClient(options: EngineClientOptions): EngineClient {
  return new RemoteEngine(options);
}

class RemoteEngine implements EngineClient {
  readonly #choice: RuntimeChoice;
  readonly #supervisor: EngineSupervisor;
  readonly #cancelGraceMs: number;

  constructor(options: EngineClientOptions) {
    const { entry, log } = options;
    this.#cancelGraceMs = options.cancelGraceMs ?? DEFAULT_CANCEL_GRACE_MS;
    this.#choice = new RuntimeChoice(options.runtimes ?? findRuntimes({ configured: options.execPath }), options.rejectedRuntimes, options.onRejectedRuntimes);
    this.#supervisor = new EngineSupervisor({
      child: { entry, log, execArgv: options.execArgv ?? [], env: options.env ?? {}, build: options.build ?? BUILD_ID },
      choice: this.#choice,
      ...(options.environment === undefined ? {} : { environment: options.environment }),
      log,
      idleUnloadMs: options.idleUnloadMs ?? DEFAULT_IDLE_UNLOAD_MS,
      backoff: options.backoff ?? DEFAULT_BACKOFF,
      handshakeMs: options.handshakeMs ?? DEFAULT_HANDSHAKE_MS,
    });
  }

  get state(): EngineState {
    return this.#supervisor.state;
  }

  onDidChangeState(listener: (state: EngineState) => void): { dispose(): void } {
    return this.#supervisor.onDidChangeState(listener);
  }

  runtimes(): readonly RuntimeReport[] {
    return this.#choice.report();
  }

  addRuntime(runtime: Runtime): void {
    this.#choice.add(runtime);
  }

  generate(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent> {
    return this.#stream('engine/generate', 'model', request, signal);
  }

  measure(request: MeasureRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent> {
    return this.#stream('engine/measure', 'model', request, signal);
  }

  import(request: ImportRequest, signal?: AbortSignal): AsyncIterable<ImportEvent> {
    return this.#stream('importer/import', 'files', request, signal);
  }

  async load(model: string, provider?: ProviderChoice): Promise<{ readonly model: ModelInfo; readonly provider: ProviderInfo }> {
    for (;;) {
      const lease = await this.#supervisor.acquire('model');
      try {
        const loaded = await lease.child.call('engine/load', { model, ...(provider === undefined ? {} : { provider }) });
        this.#supervisor.prove(lease.child);
        return loaded;
      } catch (error) {
        if (!isCrash(error) || !this.#supervisor.mayRetry(lease)) throw error;
      } finally {
        lease.release();
      }
    }
  }

  async countTokens(request: CountRequest): Promise<number> {
    const lease = await this.#supervisor.acquire('files');
    try {
      return await lease.child.call('engine/count-tokens', request);
    } finally {
      lease.release();
    }
  }

  async status(): Promise<EngineStatus> {
    const child = this.#supervisor.live;
    if (child === null) return { loaded: null, residentBytes: 0, runtime: this.#supervisor.state.kind === 'starting' ? 'starting' : 'not running' };
    return child.call('engine/status', {});
  }

  async unload(): Promise<void> {
    await this.#supervisor.live?.call('engine/unload', {});
  }

  restart(): Promise<void> {
    return this.#supervisor.retire();
  }

  dispose(): Promise<void> {
    return this.#supervisor.dispose();
  }

  async *#stream<Name extends StreamName>(
    name: Name,
    kind: LeaseKind,
    request: RpcStreams[Name]['request'],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<RpcStreams[Name]['event'], void> {
    for (;;) {
      if (isAborted(signal)) throw cancelled();
      const lease = await this.#supervisor.acquire(kind, signal);
      let fresh = true;
      try {
        for await (const event of this.#read(lease, name, request, signal)) {
          if (event.type === 'start') this.#supervisor.prove(lease.child);
          if (event.type !== 'loading') fresh = false;
          yield event;
        }
        return;
      } catch (error) {
        // Nothing has been said yet but that it loads: to ask again can't repeat anything.
        if (!fresh || !isCrash(error) || !this.#supervisor.mayRetry(lease)) throw error;
      }
    }
  }

  /** One stream of one process. Whoever leaves early cancels it; the lease lasts until the process has answered. */
  async *#read<Name extends StreamName>(
    lease: Lease,
    name: Name,
    request: RpcStreams[Name]['request'],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<RpcStreams[Name]['event'], void> {
    const stream = lease.child.stream(name, request);
    const onAbort = (): void => { stream.cancel(); };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (isAborted(signal)) stream.cancel();
    try {
      yield* stream;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      const graceMs = this.#cancelGraceMs;
      const watchdog = setTimeout(() => { lease.child.fail(reason('process-hung', String(graceMs / 1000))); }, graceMs);
      watchdog.unref();
      void stream.settled.then(() => {
        clearTimeout(watchdog);
        lease.release();
      });
    }
  }
}

function isCrash(error: unknown): boolean {
  return error instanceof TahError && error.code === 'engine.crashed';
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
