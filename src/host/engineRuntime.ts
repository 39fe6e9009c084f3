/**
 * Which program runs the engine process: a Node that the user configured, the one that runs this host (Electron as
 * Node on a desktop, plain Node in a remote), or a Node on PATH. One that dies while it starts or loads its first
 * model is left for the next, and its reason is kept for Diagnose.
 * Knows no process: it only chooses. Why it can fail: Electron's allocator ends some model loads with SIGTRAP
 * (onnxruntime#29763, electron#41513); the same code runs in plain Node.
 */

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

export type RuntimeKind = 'configured' | 'electron' | 'node' | 'path';

export interface Runtime {
  readonly kind: RuntimeKind;
  readonly execPath: string;
  /** Beside the host's own environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface RuntimeSearch {
  /** Node that the user chose in the settings. */
  readonly configured?: string | undefined;
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

/** The runtime in words, for messages and Diagnose. */
export function describeRuntime(runtime: Runtime): string {
  switch (runtime.kind) {
    case 'configured':
      return `the configured Node (${runtime.execPath})`;
    case 'electron':
      return `VS Code's own runtime (${runtime.execPath})`;
    case 'node':
      return `the Node that runs the extension (${runtime.execPath})`;
    case 'path':
      return `the Node on PATH (${runtime.execPath})`;
    default:
      return runtime.kind satisfies never;
  }
}

export interface RuntimeReport {
  readonly runtime: Runtime;
  /** `proven`: it has loaded a model. `chosen`: it is used next or now, and nothing speaks against it yet. */
  readonly state: 'proven' | 'chosen' | 'untried' | 'rejected';
  /** Why it was rejected; null for the other states. */
  readonly reason: string | null;
}

/** Remembers which runtime is in use and why others are not. */
export class RuntimeChoice {
  readonly #runtimes: readonly Runtime[];
  readonly #reasons = new Map<Runtime, string>();
  #current: Runtime;
  #proven = false;

  /** @param remembered reasons of an earlier session, by execPath: those are tried only when nothing else is left. */
  constructor(runtimes: readonly Runtime[], remembered: Readonly<Record<string, string>> = {}) {
    const [first] = runtimes;
    if (first === undefined) throw new RangeError('RuntimeChoice needs at least one runtime');
    this.#runtimes = runtimes;
    for (const runtime of runtimes) {
      const reason = remembered[runtime.execPath];
      if (reason !== undefined) this.#reasons.set(runtime, reason);
    }
    this.#current = this.#untried() ?? first;
  }

  get current(): Runtime {
    return this.#current;
  }

  /** The current runtime has loaded a model: later deaths are not its fault. */
  prove(): void {
    this.#proven = true;
    this.#reasons.delete(this.#current);
  }

  get proven(): boolean {
    return this.#proven;
  }

  /**
   * The current runtime failed. True if another one is left and is now current. Else all start over from the first,
   * with their reasons kept.
   */
  reject(reason: string): boolean {
    this.#reasons.set(this.#current, reason);
    this.#proven = false;
    const next = this.#untried();
    this.#current = next ?? this.#runtimes[0] ?? this.#current;
    return next !== undefined;
  }

  report(): readonly RuntimeReport[] {
    return this.#runtimes.map((runtime) => {
      const reason = this.#reasons.get(runtime) ?? null;
      if (runtime === this.#current && reason === null) return { runtime, state: this.#proven ? 'proven' : 'chosen', reason };
      return { runtime, state: reason === null ? 'untried' : 'rejected', reason };
    });
  }

  #untried(): Runtime | undefined {
    return this.#runtimes.find((runtime) => !this.#reasons.has(runtime));
  }
}
