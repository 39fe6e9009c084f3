/**
 * Keeps at most one engine process alive while it is needed: starts it at the first request, starts a new one after a
 * crash (later and later, up to a limit), tries another runtime where this one can't start or load a model, and ends
 * it when nobody has asked for a while.
 * Knows nothing of what is asked. engineClient.ts turns requests into leases of a process.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { TahError } from '../protocol/errors.ts';
import type { Told } from '../protocol/reasons.ts';
import { cancelled } from '../protocol/streams.ts';
import type { ChildEnd, ChildOptions, EngineChild, EngineLog } from './engineChild.ts';
import { describeRuntime } from './engineRuntime.ts';
import type { Runtime, RuntimeChoice } from './engineRuntime.ts';

export type EngineState =
  | { readonly kind: 'stopped'; readonly why: 'unused' | 'idle' | 'closed' }
  | { readonly kind: 'starting'; readonly runtime: string }
  | { readonly kind: 'ready'; readonly pid: number; readonly runtime: string }
  | ({ readonly kind: 'crashed' } & Told);

export interface Backoff {
  /** Wait before a start after n crashes within the window: delaysMs[n], the last one for more. */
  readonly delaysMs: readonly number[];
  /** This many crashes within the window: no further start. */
  readonly limit: number;
  readonly windowMs: number;
}

export interface SupervisorOptions {
  readonly child: Omit<ChildOptions, 'onEnd'>;
  readonly choice: RuntimeChoice;
  readonly log: EngineLog;
  readonly idleUnloadMs: number;
  readonly backoff: Backoff;
  readonly handshakeMs: number;
  /** Asked at each start: what goes into the environment beside the child's own. */
  readonly environment?: () => Promise<Readonly<Record<string, string>>>;
}

/** `model`: needs the native library and a model, so a death under it may be the runtime's fault. */
export type LeaseKind = 'model' | 'files';

export interface Lease {
  readonly child: EngineChild;
  /** The process was there before the request. */
  readonly reused: boolean;
  /** performance.now() at the request. */
  readonly since: number;
  /** Call once, when the request has ended. */
  release(): void;
}

/** A process that ends this soon after a request without a word to it was probably dying already. */
const DYING_MS = 500;

export class EngineSupervisor {
  readonly #options: SupervisorOptions;
  readonly #listeners = new Set<(state: EngineState) => void>();
  /** All processes that are not gone yet: the live one, one that starts, those that are ending. */
  readonly #children = new Set<EngineChild>();
  readonly #retryable = new WeakSet<EngineChild>();
  readonly #retired = new WeakSet<EngineChild>();
  readonly #crashedAt = new WeakMap<EngineChild, number>();
  readonly #leases = new Map<EngineChild, LeaseKind[]>();
  readonly #closing = new AbortController();
  #state: EngineState = { kind: 'stopped', why: 'unused' };
  #live: EngineChild | null = null;
  #starting: Promise<EngineChild> | null = null;
  #crashes: number[] = [];
  #lastCrash = '';
  #idle: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get state(): EngineState {
    return this.#state;
  }

  /** The process that is ready, or null. Doesn't start one. */
  get live(): EngineChild | null {
    return this.#live;
  }

  onDidChangeState(listener: (state: EngineState) => void): { dispose(): void } {
    this.#listeners.add(listener);
    return { dispose: () => { this.#listeners.delete(listener); } };
  }

  /**
   * A process to ask, started if there is none.
   * @throws TahError engine.not-starting; cancelled if the signal fires first (the start goes on for others).
   */
  async acquire(kind: LeaseKind, signal?: AbortSignal): Promise<Lease> {
    let reused = true;
    for (;;) {
      const live = this.#live;
      if (live?.exited === false) return this.#lease(live, kind, reused);
      reused = false;
      this.#starting ??= this.#start(live).finally(() => { this.#starting = null; });
      await unlessAborted(this.#starting, signal);
    }
  }

  /** The process has loaded a model: its runtime works. */
  prove(child: EngineChild): void {
    if (child === this.#live) this.#options.choice.prove();
  }

  /**
   * True if a request that got no answer from a crashed process is worth asking again: the runtime was at fault and
   * another one is now chosen, or the process was dying when the request was sent to it.
   */
  mayRetry(lease: Lease): boolean {
    if (this.#closing.signal.aborted) return false;
    const endedAt = this.#crashedAt.get(lease.child);
    const wasDying = lease.reused && endedAt !== undefined && endedAt - lease.since < DYING_MS;
    return wasDying || this.#retryable.has(lease.child);
  }

  /** The live process gets no further request and ends when those it has are answered; at once, where it has none. */
  async retire(): Promise<void> {
    const child = this.#live;
    if (child === null) return;
    this.#live = null;
    clearTimeout(this.#idle);
    this.#setState({ kind: 'stopped', why: 'unused' });
    this.#retired.add(child);
    if ((this.#leases.get(child) ?? []).length === 0) await child.stop();
  }

  /** Ends every process; resolves when they are gone. */
  async dispose(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#idle);
    this.#live = null;
    await Promise.all([...this.#children].map((child) => child.stop()));
    this.#setState({ kind: 'stopped', why: 'closed' });
    this.#listeners.clear();
  }

  #lease(child: EngineChild, kind: LeaseKind, reused: boolean): Lease {
    const kinds = this.#leases.get(child) ?? [];
    this.#leases.set(child, kinds);
    kinds.push(kind);
    clearTimeout(this.#idle);
    const release = (): void => {
      kinds.splice(kinds.indexOf(kind), 1);
      if (kinds.length > 0) return;
      if (child === this.#live) this.#awaitIdle(child);
      else if (this.#retired.has(child)) void child.stop();
    };
    return { child, reused, since: performance.now(), release };
  }

  #awaitIdle(child: EngineChild): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (this.#live !== child) return;
      this.#live = null;
      this.#options.log.info('The engine process ends: it was idle.');
      this.#setState({ kind: 'stopped', why: 'idle' });
      void child.stop();
    }, this.#options.idleUnloadMs);
    this.#idle.unref();
  }

  /** @param dying a process that has exited but whose end is not judged yet. */
  async #start(dying: EngineChild | null): Promise<EngineChild> {
    const { choice, handshakeMs } = this.#options;
    await dying?.ended;
    // With the RPC library; most windows start no process.
    const { EngineChild: Child } = await import('./engineChild.ts');
    await this.#backOff();
    const env = { ...this.#options.child.env, ...(await this.#options.environment?.()) };
    for (;;) {
      const runtime = choice.current;
      const words = describeRuntime(runtime);
      this.#setState({ kind: 'starting', runtime: words });
      const child = this.#spawn(Child, runtime, env);
      const greeting = await child.handshake(handshakeMs);
      if (this.#closing.signal.aborted) throw closedError();
      if (greeting.kind === 'ready') {
        const { pid, runtime: version } = greeting.hello;
        this.#live = child;
        this.#options.log.info(`The engine process ${pid} runs on ${words}: ${version}.`);
        this.#setState({ kind: 'ready', pid, runtime: version });
        this.#awaitIdle(child);
        return child;
      }
      await child.stop();
      if (greeting.kind === 'mismatch') throw this.#crashed({ reason: greeting.error.message }, greeting.error);
      this.#options.log.warn(`The engine process doesn't start on ${words}: ${greeting.reason}.`);
      if (!greeting.external && choice.reject(greeting.reason, greeting.silent, greeting.why)) continue;
      this.#countCrash(greeting.reason);
      throw this.#crashed(greeting, this.#notStarting(greeting.reason));
    }
  }

  #spawn(Child: typeof EngineChild, runtime: Runtime, env: Readonly<Record<string, string>>): EngineChild {
    try {
      const child: EngineChild = new Child(runtime, {
        ...this.#options.child,
        env,
        onEnd: (end) => { this.#onEnd(child, end); },
      });
      this.#children.add(child);
      return child;
    } catch (error) {
      // Most failures to start are events; the system refusing a process altogether is thrown.
      const reason = error instanceof Error ? error.message : String(error);
      this.#countCrash(reason);
      throw this.#crashed({ reason }, this.#notStarting(reason));
    }
  }

  #onEnd(child: EngineChild, end: ChildEnd): void {
    const kinds = this.#leases.get(child) ?? [];
    this.#children.delete(child);
    this.#leases.delete(child);
    // One that starts is judged by its handshake, one that was told to end is not judged.
    if (this.#live !== child || end.kind === 'stopped') return;
    this.#live = null;
    this.#crashedAt.set(child, performance.now());
    clearTimeout(this.#idle);
    const { choice, log } = this.#options;
    log.error(`The engine process ended unexpectedly: ${end.reason}.`);
    const runtimeAtFault = !end.external && !choice.proven && kinds.includes('model');
    if (runtimeAtFault && choice.reject(end.reason, false, end.why)) this.#retryable.add(child);
    else this.#countCrash(end.reason);
    this.#setState(crash(end));
  }

  #countCrash(reason: string): void {
    this.#crashes.push(performance.now());
    this.#lastCrash = reason;
  }

  async #backOff(): Promise<void> {
    if (this.#closing.signal.aborted) throw closedError();
    const { delaysMs, limit, windowMs } = this.#options.backoff;
    const now = performance.now();
    this.#crashes = this.#crashes.filter((at) => now - at < windowMs);
    const count = this.#crashes.length;
    if (count >= limit) {
      throw new TahError('engine.not-starting', `The engine process ended ${count} times within ${windowMs / 1000} s (last: ${this.#lastCrash}).`, {
        hint: 'Wait a minute and try again. If it goes on, choose another Node or a smaller model; the log has the reasons.',
      });
    }
    const delay = delaysMs[Math.min(count, delaysMs.length - 1)] ?? 0;
    if (delay === 0) return;
    this.#options.log.info(`The engine process starts again in ${delay} ms (${count} of ${limit} crashes).`);
    await sleep(delay, undefined, { signal: this.#closing.signal }).catch((error: unknown) => {
      throw this.#closing.signal.aborted ? closedError() : error;
    });
  }

  #notStarting(reason: string): TahError {
    const tried = this.#options.choice
      .report()
      .filter((entry) => entry.reason !== null)
      .map((entry) => `${describeRuntime(entry.runtime)}: ${entry.reason ?? ''}`);
    const why = tried.length > 1 ? `tried ${tried.join('; ')}` : reason;
    return new TahError('engine.not-starting', `The engine process doesn't start: ${why}.`, {
      hint: 'Choose a Node (20 or newer) in the settings, or look into the log.',
    });
  }

  #crashed(why: Told, error: TahError): TahError {
    this.#setState(crash(why));
    return error;
  }

  #setState(state: EngineState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}

function crash({ reason, why }: Told): EngineState {
  return { kind: 'crashed', reason, ...(why === undefined ? {} : { why }) };
}

function closedError(): TahError {
  return new TahError('cancelled', 'The engine was closed.');
}

async function unlessAborted(promise: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await promise;
    return;
  }
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => { reject(cancelled()); };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    // Whoever still waits for the start sees its failure; the one who left must not make it unhandled.
    promise.catch(() => undefined);
  }
}
