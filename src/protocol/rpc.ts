/**
 * What goes over the wire between the extension host and the engine process: method names, their parameters and
 * results, and the versions that both sides must share. JSON-RPC 2.0 messages, JSON values only: numbers must be
 * finite, since JSON turns NaN and infinities into null.
 * Knows no library and no transport; streams.ts says how a stream is made of these messages.
 */

import type { CountRequest, EngineStatus, GenerateEvent, GenerateRequest, MeasureRequest, ModelInfo, ProviderChoice, ProviderInfo } from './engine.ts';
import type { ErrorData } from './errors.ts';
import type { ImportEvent, ImportRequest } from './importer.ts';

/** Raised whenever a message changes its meaning. */
export const PROTOCOL_VERSION = 1;

declare const __TAH_BUILD__: string | undefined;

/** Names the build that a bundle came from (set by the bundler); host and engine of two builds don't talk. */
export const BUILD_ID: string = typeof __TAH_BUILD__ === 'undefined' ? 'development' : __TAH_BUILD__;

/** Environment variable that tells the engine process where to keep what it measures on this machine. */
export const CACHE_FOLDER_VARIABLE = 'TAH_CACHE_DIR';

/** The verdicts of the providers' self-tests in that folder; without the file they are tested again. */
export const PROVIDER_RECORD_FILE = 'providers.json';

/** Environment variable that tells a child process who forked it. */
export const PARENT_VARIABLE = 'TAH_PARENT';

/** Oldest major version of Node that the engine runs on. */
export const OLDEST_NODE_MAJOR = 20;

/** Requests with one answer. */
export interface RpcCalls {
  readonly 'engine/hello': { readonly params: Hello; readonly result: HelloResult };
  readonly 'engine/load': {
    readonly params: { readonly model: string; readonly provider?: ProviderChoice };
    readonly result: { readonly model: ModelInfo; readonly provider: ProviderInfo };
  };
  readonly 'engine/count-tokens': { readonly params: CountRequest; readonly result: number };
  readonly 'engine/status': { readonly params: Record<string, never>; readonly result: EngineStatus };
  readonly 'engine/unload': { readonly params: Record<string, never>; readonly result: null };
}

/** Requests whose events come as `stream/events` notifications; the answer (null or an error) ends the stream. */
export interface RpcStreams {
  readonly 'engine/generate': { readonly request: GenerateRequest; readonly event: GenerateEvent };
  readonly 'engine/measure': { readonly request: MeasureRequest; readonly event: GenerateEvent };
  readonly 'importer/import': { readonly request: ImportRequest; readonly event: ImportEvent };
}

export type CallName = keyof RpcCalls;
export type StreamName = keyof RpcStreams;

/** Notification, engine to host: events of one stream in order. Events of one turn of the event loop share a message. */
export const STREAM_EVENTS = 'stream/events';

/** Code of every JSON-RPC error that carries an `ErrorData` as its data. */
export const RPC_FAILURE = -32000;

export interface Hello {
  readonly protocol: number;
  readonly build: string;
}

export interface HelloResult extends Hello {
  readonly pid: number;
  /** process.versions.node of the child. */
  readonly node: string;
  /** The runtime in words: `Node 20.20.2`, `Electron 37.2.0 (Node 22.17.0)`. */
  readonly runtime: string;
}

export interface StreamParams<Request> {
  /** Chosen by the host, unique within the connection. */
  readonly stream: number;
  readonly request: Request;
}

export interface StreamEvents<Event> {
  readonly stream: number;
  readonly events: readonly Event[];
}

/** The `ErrorData` that a failed answer carries, as far as it looks like one; else null. */
export function errorDataOf(error: unknown): ErrorData | null {
  if (typeof error !== 'object' || error === null || !('data' in error)) return null;
  const { data } = error;
  if (typeof data !== 'object' || data === null || !('code' in data) || !('message' in data)) return null;
  return typeof data.code === 'string' && typeof data.message === 'string' ? (data as ErrorData) : null;
}
