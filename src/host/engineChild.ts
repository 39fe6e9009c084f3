/**
 * One engine process from its fork to its end: handshake, requests, what it printed last, how it ended.
 * It is never restarted; engineSupervisor.ts makes a new one. Knows no VS Code and no policy.
 */

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { isErrorCode, TahError } from '../protocol/errors.ts';
import { reason, sayReason, told } from '../protocol/reasons.ts';
import type { Reason, Told } from '../protocol/reasons.ts';
import { errorDataOf, OLDEST_NODE_MAJOR, PARENT_VARIABLE, PROTOCOL_VERSION } from '../protocol/rpc.ts';
import type { CallName, HelloResult, RpcCalls, RpcStreams, StreamName } from '../protocol/rpc.ts';
import { StreamClient } from '../protocol/streams.ts';
import type { IncomingStream } from '../protocol/streams.ts';
import type { Runtime } from './engineRuntime.ts';

/** Where a process's story goes; VS Code's LogOutputChannel is one. */
export interface EngineLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export interface ChildOptions {
  /** The bundle of the engine process. */
  readonly entry: string;
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly build: string;
  readonly log: EngineLog;
  /** Called once, before the open requests are rejected. */
  readonly onEnd: (end: ChildEnd) => void;
}

export type ChildEnd =
  /** We ended it. */
  | { readonly kind: 'stopped' }
  /** It ended by itself. `external`: another program ended it. */
  | ({ readonly kind: 'crashed'; readonly external: boolean } & Told);

export type Greeting =
  | { readonly kind: 'ready'; readonly hello: HelloResult }
  /** The process or its runtime doesn't work. */
  | ({ readonly kind: 'failed'; readonly external: boolean; /** It was silent, as on a machine that is too busy. */ readonly silent?: boolean } & Told)
  /** It works but speaks another version. */
  | { readonly kind: 'mismatch'; readonly error: TahError };

const LAST_LINES = 3;
/** Lines of a JavaScript stack trace or error dump that say nothing to a user; the log has them. */
const TRACE_LINE = /^(at |\^|[{}[\]]|throw |node:internal|Node\.js v|code:|requireStack)/;
const LONGEST_LINE = 1000;
/** How long an ended process's last output may take to arrive. */
const LAST_OUTPUT_MS = 250;
const TERMINATE_AFTER_MS = 1000;
/** Gone within two seconds, whatever it does. */
const KILL_AFTER_MS = 1800;
/** Sent by users and the system's memory killer, not by a fault in the process. */
const EXTERNAL_SIGNALS: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']);

export class EngineChild {
  /** Resolves when the process is gone. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;
  readonly #connection: MessageConnection;
  readonly #streams: StreamClient;
  readonly #options: ChildOptions;
  readonly #lastLines: string[] = [];
  #end: ChildEnd | null = null;
  #stopped: Promise<void> | null = null;
  #failure: Reason | null = null;

  constructor(runtime: Runtime, options: ChildOptions) {
    this.#options = options;
    this.#process = fork(options.entry, [], {
      execPath: runtime.execPath,
      execArgv: [...options.execArgv],
      env: childEnvironment({ ...options.env, ...runtime.env }),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'json',
    });
    this.#listenToOutput();
    this.ended = this.#whenGone();
    const { log } = options;
    this.#connection = createMessageConnection(new IPCMessageReader(this.#process), new IPCMessageWriter(this.#process), {
      error: (text) => { log.error(`engine connection: ${text}`); },
      warn: (text) => { log.warn(`engine connection: ${text}`); },
      info: (text) => { log.info(`engine connection: ${text}`); },
      log: (text) => { log.info(`engine connection: ${text}`); },
    });
    this.#connection.onError(([error]) => { log.warn(`engine connection: ${error.message}`); });
    this.#streams = new StreamClient(this.#connection, (error) => this.#toError(error));
    this.#connection.listen();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** True as soon as the process has exited, a moment before `ended` knows its last words. */
  get exited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Asks who is there. Resolves with what came of it; never rejects. */
  async handshake(timeoutMs: number): Promise<Greeting> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<Greeting>((resolve) => {
      timer = setTimeout(() => {
        resolve({ kind: 'failed', ...told('process-silent', seconds(timeoutMs)), external: false, silent: true });
      }, timeoutMs);
    });
    const end = this.ended.then((how): Greeting => (how.kind === 'crashed' ? { ...how, kind: 'failed' } : { kind: 'failed', ...told('process-stopped'), external: true }));
    const answer = this.call('engine/hello', { protocol: PROTOCOL_VERSION, build: this.#options.build }).then(
      (hello) => judgeHello(hello, this.#options.build),
      async (error: unknown): Promise<Greeting> => (this.#end === null ? { kind: 'failed', reason: TahError.from(error).message, external: false } : end),
    );
    try {
      return await Promise.race([answer, end, silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  async call<Name extends CallName>(name: Name, params: RpcCalls[Name]['params']): Promise<RpcCalls[Name]['result']> {
    try {
      return await this.#connection.sendRequest<RpcCalls[Name]['result']>(name, params);
    } catch (error) {
      throw await this.#toError(error);
    }
  }

  stream<Name extends StreamName>(name: Name, request: RpcStreams[Name]['request']): IncomingStream<RpcStreams[Name]['event']> {
    return this.#streams.open(name, request);
  }

  /** Ends the process: asks it (its end of the channel closes), then SIGTERM, then SIGKILL. Resolves when it is gone. */
  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  /** Ends a process that hangs, as a crash with this reason. */
  fail(why: Reason): void {
    this.#failure = why;
    this.#process.kill('SIGKILL');
  }

  async #shutDown(): Promise<void> {
    if (this.#end !== null) return;
    if (this.#process.connected) this.#process.disconnect();
    const timers = [
      setTimeout(() => this.#process.kill('SIGTERM'), TERMINATE_AFTER_MS),
      setTimeout(() => this.#process.kill('SIGKILL'), KILL_AFTER_MS),
    ];
    this.#connection.dispose(); // Open requests end now; #toError says why.
    await this.ended;
    for (const timer of timers) clearTimeout(timer);
  }

  #whenGone(): Promise<ChildEnd> {
    const child = this.#process;
    return new Promise((resolve) => {
      const finish = (why: Told, external: boolean): void => {
        if (this.#end !== null) return;
        this.#end = this.#stopped === null ? { kind: 'crashed', ...why, external } : { kind: 'stopped' };
        this.#options.onEnd(this.#end);
        this.#connection.dispose();
        resolve(this.#end);
      };
      child.on('error', (error) => {
        if (child.pid === undefined) finish(told('process-cannot-start', error.message), false);
        else this.#options.log.warn(`engine process: ${error.message}`);
      });
      child.once('exit', (code, signal) => {
        const report = (): void => {
          const external = this.#failure === null && signal !== null && EXTERNAL_SIGNALS.has(signal);
          finish(this.#describeEnd(code, signal), external);
        };
        const timer = setTimeout(report, LAST_OUTPUT_MS);
        child.once('close', () => { clearTimeout(timer); report(); });
      });
    });
  }

  #describeEnd(code: number | null, signal: string | null): Told {
    const how = this.#failure ?? (signal === null ? reason('process-exited', describeExitCode(code ?? 0)) : reason('process-signal', signal));
    return this.#lastLines.length === 0 ? { reason: sayReason(how), why: how } : told('process-said-last', how, this.#lastLines.join(' | '));
  }

  /** What a failed answer means: the engine's own words, or what became of the process. */
  async #toError(error: unknown): Promise<TahError> {
    const data = errorDataOf(error);
    if (data !== null) return isErrorCode(data.code) ? TahError.fromData(data) : new TahError('internal', data.message);
    if (this.#stopped !== null) return new TahError('cancelled', 'The engine was stopped.');
    // A write can fail a moment before the process's end is known.
    const end = this.#end ?? (await Promise.race([this.ended, new Promise<null>((resolve) => setTimeout(resolve, 1000, null))]));
    if (end === null) return new TahError('internal', `The engine process gave no usable answer: ${String(error)}`, { cause: error });
    return endError(end);
  }

  #listenToOutput(): void {
    const { log } = this.#options;
    eachLine(this.#process.stdout, (line) => { log.info(`engine: ${line}`); });
    eachLine(this.#process.stderr, (line) => {
      log.warn(`engine: ${line}`);
      if (!TRACE_LINE.test(line.trim())) this.#lastLines.push(line.trim());
      if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
    });
  }
}

function endError(end: ChildEnd): TahError {
  switch (end.kind) {
    case 'stopped':
      return new TahError('cancelled', 'The engine was stopped.');
    case 'crashed':
      return new TahError('engine.crashed', `The engine process ended unexpectedly: ${end.reason}.`, {
        hint: 'Try again: the next request starts it anew. The log has its last output.',
      });
    default:
      return end satisfies never;
  }
}

function judgeHello(hello: HelloResult, build: string): Greeting {
  if (hello.protocol !== PROTOCOL_VERSION || hello.build !== build) {
    const error = new TahError(
      'engine.not-starting',
      `The engine process is of another version (build ${hello.build}, protocol ${hello.protocol}) than the extension (build ${build}, protocol ${PROTOCOL_VERSION}).`,
      { hint: 'Reload the window: the extension was updated while it ran.' },
    );
    return { kind: 'mismatch', error };
  }
  if (Number.parseInt(hello.node, 10) < OLDEST_NODE_MAJOR) {
    return { kind: 'failed', ...told('process-old-node', hello.node, String(OLDEST_NODE_MAJOR)), external: false };
  }
  return { kind: 'ready', hello };
}

/** The host's environment without what would make the child run other code or wait for a debugger. */
function childEnvironment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const unwanted = new Set(['NODE_OPTIONS', 'VSCODE_INSPECTOR_OPTIONS', 'ELECTRON_RUN_AS_NODE']);
  const inherited = Object.entries(process.env).filter(([name]) => !unwanted.has(name));
  return { ...Object.fromEntries(inherited), ...extra, [PARENT_VARIABLE]: String(process.pid) };
}

/** Windows reports a crash as an NTSTATUS (0xC0000005 is an access violation); those are known by their hex form. */
function describeExitCode(code: number): string {
  return code > 255 ? `0x${code.toString(16).toUpperCase()}` : String(code);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toString()} s`;
}

/** Calls `onLine` for each line that is not blank; one without an end is cut, so that it can't grow for ever. */
function eachLine(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  let rest = '';
  const emit = (line: string): void => {
    if (line.trim() !== '') onLine(line.slice(0, LONGEST_LINE));
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split(/\r?\n/);
    rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) emit(line);
  });
  stream.on('end', () => { emit(rest); });
}
