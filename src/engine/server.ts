/**
 * Serves an EngineApi and an ImporterApi over a JSON-RPC connection: one inference or import at a time, in the order
 * of asking; status and token counts are answered at once. Errors travel as ErrorData.
 * Knows neither how the connection came about nor what the engine does; processLife.ts has the process around it.
 */

import { ResponseError } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { EngineApi, GenerateEvent } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import type { ErrorData } from '../protocol/errors.ts';
import type { ImporterApi, ImportEvent } from '../protocol/importer.ts';
import { BUILD_ID, PROTOCOL_VERSION, RPC_FAILURE } from '../protocol/rpc.ts';
import type { CallName, HelloResult, RpcCalls, RpcStreams, StreamName } from '../protocol/rpc.ts';
import { readStreamParams, readToken, sendStream, withSignal } from '../protocol/streams.ts';
import type { CancelToken, Sending } from '../protocol/streams.ts';
import { checkRequest } from './requests.ts';
import { SerialQueue } from './serialQueue.ts';

export interface ServeOptions {
  /** Gets the stack of an error that is our fault; the other side sees its message only. */
  readonly logError: (text: string) => void;
  /** Default: this bundle's. */
  readonly build?: string;
}

export interface Served {
  /** Aborts everything that runs or waits, and resolves when it has ended. */
  abort(): Promise<void>;
}

const SENDING: Sending<GenerateEvent | ImportEvent> = {
  isMilestone: (event) => event.type !== 'token' && event.type !== 'progress',
  nextTurn: () => new Promise((resolve) => { setImmediate(resolve); }),
  now: () => performance.now(),
};

/** Answers requests on `connection` until it closes. The caller calls `connection.listen()` afterwards. */
export function serve(engine: EngineApi, importer: ImporterApi, connection: MessageConnection, options: ServeOptions): Served {
  const queue = new SerialQueue();
  const running = new Set<AbortController>();

  const stream = <Name extends StreamName>(
    name: Name,
    open: (request: RpcStreams[Name]['request'], signal: AbortSignal) => AsyncIterable<RpcStreams[Name]['event']>,
  ): void => {
    connection.onRequest(name, (params: unknown, token: CancelToken | undefined) =>
      answering(options, () =>
        // Parameters in a list come as so many arguments, and one that is missing as none: the token then stands elsewhere.
        withSignal(readToken(token), async (abort) => {
          const { stream: id, request: asked } = readStreamParams(params);
          const request = checkRequest(name, asked) as RpcStreams[Name]['request'];
          running.add(abort);
          try {
            await sendStream(connection, id, inTurn(queue, abort.signal, () => open(request, abort.signal)), abort, SENDING);
          } finally {
            running.delete(abort);
          }
          return null;
        }),
      ),
    );
  };
  const call = <Name extends CallName>(name: Name, answer: (params: RpcCalls[Name]['params']) => Promise<RpcCalls[Name]['result']>): void => {
    connection.onRequest(name, (params: unknown) => answering(options, async () => answer(checkRequest(name, params) as RpcCalls[Name]['params'])));
  };

  call('engine/hello', () => Promise.resolve(hello(options.build ?? BUILD_ID)));
  call('engine/status', () => engine.status());
  call('engine/count-tokens', (request) => engine.countTokens(request));
  call('engine/load', ({ model, provider }) => turn(queue, () => engine.load(model, provider)));
  call('engine/unload', () => turn(queue, async () => { await engine.unload(); return null; }));
  stream('engine/generate', (request, signal) => engine.generate(request, signal));
  stream('engine/measure', (request, signal) => engine.measure(request, signal));
  stream('importer/import', (request, signal) => importer.import(request, signal));

  return {
    abort() {
      for (const abort of running) abort.abort();
      return queue.drained();
    },
  };
}

async function* inTurn<Event>(queue: SerialQueue, signal: AbortSignal, open: () => AsyncIterable<Event>): AsyncGenerator<Event, void> {
  const leave = await queue.enter(signal);
  try {
    yield* open();
  } finally {
    leave();
  }
}

async function turn<T>(queue: SerialQueue, body: () => Promise<T>): Promise<T> {
  const leave = await queue.enter();
  try {
    return await body();
  } finally {
    leave();
  }
}

/** Errors leave as ErrorData; the stack of what is our fault goes to the log. */
async function answering<T>(options: ServeOptions, answer: () => Promise<T>): Promise<T> {
  try {
    return await answer();
  } catch (caught) {
    const error = TahError.from(caught);
    if (!error.isUserFault) options.logError(`[${error.code}] ${stackOf(caught)}`);
    throw new ResponseError<ErrorData>(RPC_FAILURE, error.message, error.toData());
  }
}

/** Stack and causes of anything thrown. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`;
}

function hello(build: string): HelloResult {
  const { node, electron } = process.versions;
  const runtime = electron === undefined ? `Node ${node}` : `Electron ${electron} (Node ${node})`;
  return { protocol: PROTOCOL_VERSION, build, pid: process.pid, node, runtime };
}
