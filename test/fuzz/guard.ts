/**
 * Notices what hostile input must never do while it is run: reach a file outside of the folder it was put in, start a
 * program, run as code, change the prototypes of this process. Knows no target.
 */

import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { Finding } from './target.ts';

/** Code in a mutation sets this variable of the global object. */
const CANARY = 'tahCanary';

/** Functions of fs whose first argument is a path, or the first two. */
const ONE_PATH = ['open', 'openSync', 'readFile', 'readFileSync', 'writeFile', 'writeFileSync', 'appendFileSync', 'stat', 'statSync', 'lstat', 'lstatSync', 'realpathSync', 'existsSync', 'readdirSync', 'mkdirSync', 'mkdtempSync', 'rmSync', 'unlinkSync', 'createReadStream', 'createWriteStream', 'accessSync'] as const;
const TWO_PATHS = ['renameSync', 'copyFileSync', 'cpSync', 'symlinkSync', 'linkSync'] as const;
const PROMISES = ['open', 'readFile', 'writeFile', 'stat', 'lstat', 'realpath', 'readdir', 'mkdir', 'mkdtemp', 'rm', 'unlink', 'access', 'rename', 'copyFile', 'cp'] as const;
const PROGRAMS = ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'] as const;

const PROTOTYPES: readonly (readonly [string, object])[] = [
  ['Object', Object.prototype], ['Array', Array.prototype], ['Function', Function.prototype], ['String', String.prototype], ['Number', Number.prototype], ['Map', Map.prototype], ['RegExp', RegExp.prototype], ['Promise', Promise.prototype],
];

type Wrapped = Record<string, (...args: unknown[]) => unknown>;

export class Guard {
  /** What has happened since the last look. */
  private readonly seen: string[] = [];
  private watching = false;
  private canary = false;
  private readonly names = PROTOTYPES.map(([, prototype]) => Reflect.ownKeys(prototype).length);

  /** @param allowed folders in which anything may be done; libraries may be loaded from `readable` */
  constructor(
    private readonly allowed: readonly string[],
    private readonly readable: readonly string[],
  ) {
    for (const name of ONE_PATH) this.wrap(fs as unknown as Wrapped, name, 1);
    for (const name of TWO_PATHS) this.wrap(fs as unknown as Wrapped, name, 2);
    for (const name of PROMISES) this.wrap(fs.promises as unknown as Wrapped, name, name === 'rename' || name === 'copyFile' || name === 'cp' ? 2 : 1);
    for (const name of PROGRAMS) {
      const real = (childProcess as unknown as Wrapped)[name];
      (childProcess as unknown as Wrapped)[name] = (...args) => {
        if (this.watching) this.seen.push(`starts a program: ${String(args[0])}`);
        return real?.(...args);
      };
    }
    syncBuiltinESMExports();
    Object.defineProperty(globalThis, CANARY, { get: () => this.canary, set: () => { this.canary = true; } });
  }

  /** Runs `work`. @throws Finding for what must not have happened, before anything that `work` throws */
  async watch<T>(work: () => T | Promise<T>): Promise<T> {
    this.watching = true;
    try {
      return await work();
    } finally {
      this.watching = false;
      this.look();
    }
  }

  private look(): void {
    const happened = this.seen.splice(0);
    if (this.canaryWasSet()) happened.push('runs as code');
    PROTOTYPES.forEach(([name, prototype], i) => {
      const count = Reflect.ownKeys(prototype).length;
      if (count !== this.names[i]) happened.push(`changes the prototype of ${name}`);
      this.names[i] = count;
    });
    if (happened.length > 0) throw new Finding(happened.slice(0, 3).join('; '));
  }

  private canaryWasSet(): boolean {
    const was = this.canary;
    this.canary = false;
    return was;
  }

  private wrap(module: Wrapped, name: string, paths: number): void {
    const real = module[name];
    if (real === undefined) return;
    const guarded = (...args: unknown[]): unknown => {
      if (this.watching) for (const given of args.slice(0, paths)) this.check(name, given);
      return real.apply(module, args);
    };
    // Some have functions of their own (realpathSync.native).
    module[name] = Object.assign(guarded, real);
  }

  private check(name: string, given: unknown): void {
    if (typeof given !== 'string' && !Buffer.isBuffer(given) && !(given instanceof URL)) return;
    const file = path.resolve(given instanceof URL ? decodeURIComponent(given.pathname) : given.toString());
    const inside = (folder: string): boolean => file === folder || file.startsWith(folder + path.sep);
    if (this.allowed.some(inside)) return;
    const reads = /^(?:open|read|stat|lstat|realpath|exists|access|createRead)/.test(name);
    if (reads && this.readable.some(inside)) return;
    this.seen.push(`${name} reaches ${file.slice(0, 200)}, which is outside of its folder`);
  }
}
