/**
 * Which program runs the engine process: a Node that the user configured, the one that runs this host (Electron as
 * Node on a desktop, plain Node in a remote), a Node on PATH, or the official one where the user had it fetched. One that dies while it starts or loads its first
 * model is left for the next, and its reason is kept for Diagnose.
 * Knows no process: it only chooses. Why it can fail: Electron's allocator ends some model loads with SIGTRAP
 * (onnxruntime#29763, electron#41513); the same code runs in plain Node.
 */

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { reason, sayReason } from '../protocol/reasons.ts';
import type { Reason } from '../protocol/reasons.ts';

export type RuntimeKind = 'configured' | 'electron' | 'node' | 'path' | 'fetched';

export interface Runtime {
  readonly kind: RuntimeKind;
  readonly execPath: string;
  /** Beside the host's own environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface RuntimeSearch {
  /** Node that the user chose in the settings. */
  readonly configured?: string | undefined;
  /** Node that was fetched for the extension. */
  readonly fetched?: string | null;
  readonly execPath?: string;
  /** Default: whether this process is Electron. */
  readonly electron?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
}

/** Runtimes to try, best first; never empty. */
export function findRuntimes(search: RuntimeSearch = {}): readonly Runtime[] {
  const own = search.execPath ?? process.execPath;
  const electron = search.electron ?? process.versions['electron'] !== undefined;
  const found: Runtime[] = [];
  const add = (kind: RuntimeKind, execPath: string): void => {
    if (found.some((runtime) => runtime.execPath === execPath)) return;
    found.push({ kind, execPath, env: kind === 'electron' ? { ELECTRON_RUN_AS_NODE: '1' } : {} });
  };
  if (search.configured !== undefined && search.configured !== '') add('configured', search.configured);
  add(electron ? 'electron' : 'node', own);
  const onPath = findNodeOnPath(search.env ?? process.env, search.platform ?? process.platform);
  if (onPath !== null) add('path', onPath);
  if (typeof search.fetched === 'string') add('fetched', search.fetched);
  return found;
}

/** The first executable `node` in an absolute folder of PATH, or null. Relative entries depend on the folder opened. */
export function findNodeOnPath(env: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform): string | null {
  const name = platform === 'win32' ? 'node.exe' : 'node';
  const path = env['PATH'] ?? env['Path'] ?? '';
  for (const folder of path.split(delimiter)) {
    if (isAbsolute(folder) && isExecutableFile(join(folder, name))) return join(folder, name);
  }
  return null;
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there or not ours to run: both mean that it is no candidate.
    return false;
  }
}

/** The runtime in English, for the log, errors and Diagnose. */
export function describeRuntime(runtime: Runtime): string {
  return sayReason(runtimeInWords(runtime));
}

export function runtimeInWords({ kind, execPath }: Runtime): Reason {
  return reason(`runtime-${kind}`, execPath);
}

export interface RuntimeReport {
  readonly runtime: Runtime;
  /** `proven`: it has loaded a model. `chosen`: it is used next or now, and nothing speaks against it yet. */
  readonly state: 'proven' | 'chosen' | 'untried' | 'rejected';
  /** Why it was rejected; null for the other states. */
  readonly reason: string | null;
  /** The same as data, where it is of this session. */
  readonly why?: Reason;
}

/** Remembers which runtime is in use and why others are not. */
export class RuntimeChoice {
  readonly #runtimes: Runtime[];
  readonly #reasons = new Map<Runtime, string>();
  readonly #whys = new Map<Runtime, Reason>();
  /** Of these reasons those that a later session should know. */
  readonly #lasting = new Set<Runtime>();
  readonly #onChange: (lasting: Readonly<Record<string, string>>) => void;
  #current: Runtime;
  #proven = false;

  /**
   * @param remembered reasons of an earlier session, by execPath: those are tried only when nothing else is left. When
   *   all have one, all are tried again.
   * @param onChange called with the reasons that a later session should know, whenever they change
   */
  constructor(runtimes: readonly Runtime[], remembered: Readonly<Record<string, string>> = {}, onChange: (lasting: Readonly<Record<string, string>>) => void = () => undefined) {
    const [first] = runtimes;
    if (first === undefined) throw new RangeError('RuntimeChoice needs at least one runtime');
    this.#runtimes = [...runtimes];
    this.#onChange = onChange;
    const known = runtimes.filter(({ execPath }) => Object.hasOwn(remembered, execPath));
    for (const runtime of known.length < runtimes.length ? known : []) {
      this.#reasons.set(runtime, remembered[runtime.execPath] ?? '');
      this.#lasting.add(runtime);
    }
    this.#current = this.#untried() ?? first;
  }

  get current(): Runtime {
    return this.#current;
  }

  /** The current runtime has loaded a model: later deaths are not its fault. */
  prove(): void {
    this.#proven = true;
    this.#forget(this.#current);
    if (this.#lasting.delete(this.#current)) this.#tell();
  }

  get proven(): boolean {
    return this.#proven;
  }

  /**
   * The current runtime failed. True if another one is left and is now current. Else all start over from the first,
   * with their reasons kept.
   * @param passing the reason may be the moment's and not the runtime's: a later session should not know it
   * @param why the reason as data
   */
  reject(reason: string, passing = false, why?: Reason): boolean {
    this.#forget(this.#current);
    this.#reasons.set(this.#current, reason);
    if (why !== undefined) this.#whys.set(this.#current, why);
    this.#proven = false;
    if (!passing) {
      this.#lasting.add(this.#current);
      this.#tell();
    }
    const next = this.#untried();
    this.#current = next ?? this.#runtimes[0] ?? this.#current;
    return next !== undefined;
  }

  /** A runtime that has come since; it is tried next unless the current one has proven itself. */
  add(runtime: Runtime): void {
    const known = this.#runtimes.findIndex(({ execPath }) => execPath === runtime.execPath);
    if (known < 0) this.#runtimes.push(runtime);
    const added = known < 0 ? runtime : (this.#runtimes[known] ?? runtime);
    this.#forget(added);
    if (this.#lasting.delete(added)) this.#tell();
    if (!this.#proven) this.#current = added;
  }

  report(): readonly RuntimeReport[] {
    return this.#runtimes.map((runtime) => {
      const reason = this.#reasons.get(runtime) ?? null;
      if (runtime === this.#current && reason === null) return { runtime, state: this.#proven ? 'proven' : 'chosen', reason };
      const why = this.#whys.get(runtime);
      return { runtime, state: reason === null ? 'untried' : 'rejected', reason, ...(why === undefined ? {} : { why }) };
    });
  }

  #forget(runtime: Runtime): void {
    this.#reasons.delete(runtime);
    this.#whys.delete(runtime);
  }

  #tell(): void {
    this.#onChange(Object.fromEntries([...this.#lasting].map((runtime) => [runtime.execPath, this.#reasons.get(runtime) ?? ''])));
  }

  #untried(): Runtime | undefined {
    return this.#runtimes.find((runtime) => !this.#reasons.has(runtime));
  }
}
