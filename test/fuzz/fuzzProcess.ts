/**
 * The process in which one target is fuzzed: makes input after input, gives each to the target, writes what
 * came of it. It may hang or crash; scripts/fuzz.mjs watches it, and knows from the file `at` which input it was.
 */

import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { TahError } from '../../src/protocol/errors.ts';
import { Guard } from './guard.ts';
import { Random, seedOf } from './random.ts';
import { regressionSeeds, writeSeed, type Input, type Subject, type Target } from './target.ts';

/** Of inputs that are made from nothing. */
const INVENTED = 0.15;
const MOST_FINDINGS = 20;
/** Inputs between two reports of a process that may be lost. */
const KEPT_EVERY = 250;

const { values } = parseArgs({
  options: {
    target: { type: 'string' }, from: { type: 'string' }, to: { type: 'string' }, seed: { type: 'string' }, root: { type: 'string' }, bundles: { type: 'string' }, work: { type: 'string' },
    /** Writes the input `from` to this file and runs nothing. */
    write: { type: 'string' },
    why: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

interface Found {
  readonly at: number;
  readonly what: string;
  readonly seed: string;
}

class FuzzProcess {
  private readonly counts = { mutations: 0, accepted: 0, refused: 0 };
  private readonly codes = new Map<string, number>();
  private readonly findings = new Map<string, Found>();
  private slowest = { ms: 0, at: 0 };
  private largest = { bytes: 0, at: 0 };
  /** Taken before the guard wraps them. */
  private readonly write = fs.writeSync;
  private readonly writeFile = fs.writeFileSync;
  private readonly atFile: number;

  constructor(
    private readonly target: Target,
    private readonly subject: Subject,
    private readonly seeds: readonly Input[],
    private readonly guard: Guard,
    private readonly base: string,
    private readonly work: string,
  ) {
    this.atFile = fs.openSync(path.join(work, 'at'), 'w');
  }

  input(at: number): Input {
    // What once did harm comes first, as it is.
    const known = this.seeds[at];
    if (known !== undefined) return known;
    const random = new Random(seedOf(this.base, this.target.name, at));
    if (random.chance(INVENTED)) return this.subject.invent(random);
    const seeds = random.chance(0.2) && this.seeds.length > 0 ? this.seeds : this.subject.seeds;
    const seed = random.pick(seeds);
    try {
      return this.subject.mutate(seed, random);
    } catch (error) {
      // A seed that is nested more deeply than the mutator can copy goes in as it is.
      if (error instanceof RangeError) return seed;
      throw error;
    }
  }

  async run(from: number, to: number): Promise<void> {
    // A worker that is waited for does not keep its process alive.
    const alive = setInterval(() => undefined, 60_000);
    for (let at = from; at < to; at++) {
      this.write(this.atFile, `${at}`.padEnd(12), 0);
      await this.one(at);
      // A process that is lost has not counted for nothing.
      if (this.counts.mutations % KEPT_EVERY === 0) this.keep(path.join(this.work, 'counted.json'));
    }
    clearInterval(alive);
  }

  private async one(at: number): Promise<void> {
    const input = this.input(at);
    const started = process.cpuUsage();
    this.counts.mutations++;
    try {
      const outcome = await this.guard.watch(() => this.subject.run(input));
      this.counts[outcome]++;
    } catch (error) {
      this.refusal(error, at, input);
    }
    const { user, system } = process.cpuUsage(started);
    const ms = (user + system) / 1000;
    if (ms > this.slowest.ms) this.slowest = { ms, at };
    if (ms > this.target.limitMs) this.find(`takes ${Math.round(ms)} ms of processor time; at most ${this.target.limitMs} are allowed`, 'too long', at, input);
    const bytes = process.memoryUsage.rss();
    if (bytes > this.largest.bytes) this.largest = { bytes, at };
  }

  private refusal(error: unknown, at: number, input: Input): void {
    const known = error instanceof TahError && error.code !== 'internal';
    if (known || this.subject.isRefusal?.(error) === true) {
      this.counts.refused++;
      const code = known ? error.code : error instanceof Error ? error.name : 'refused';
      this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
      return;
    }
    const cause = error instanceof TahError && error.cause !== undefined ? error.cause : error;
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.find(stack.slice(0, 1500), kindOf(stack), at, input);
  }

  find(what: string, kind: string, at: number, input: Input): void {
    if (this.findings.has(kind) || this.findings.size >= MOST_FINDINGS) return;
    this.findings.set(kind, { at, what, seed: writeSeed(input, what.split('\n')[0]?.slice(0, 200) ?? '') });
  }

  /** An error that nobody caught: it belongs to the input that is being run. */
  uncaught(error: unknown): void {
    const at = this.counts.mutations - 1;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.find(`not caught: ${stack.slice(0, 1500)}`, `not caught ${kindOf(stack)}`, at, this.input(at));
  }

  keep(file: string): void {
    const report = JSON.stringify({
      ...this.counts, slowest: this.slowest, largest: { ...this.largest, peak: process.resourceUsage().maxRSS * 1024 }, codes: Object.fromEntries([...this.codes].sort((a, b) => b[1] - a[1])), findings: [...this.findings.values()],
    });
    this.writeFile(file, report);
  }
}

/** The same fault is told once: errors of one place with other numbers are one. */
function kindOf(stack: string): string {
  const [message = '', ...frames] = stack.split('\n');
  return `${message.replace(/\d+/g, '#').slice(0, 60)} ${frames.find((frame) => /\bat /.test(frame))?.trim() ?? ''}`;
}

function required(name: 'target' | 'from' | 'to' | 'seed' | 'root' | 'bundles' | 'work'): string {
  const value = values[name];
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}

/** Does what the command line says: one target, or the list of them. */
export async function fuzzProcess(targets: readonly Target[]): Promise<void> {
  if (values.list) process.stdout.write(JSON.stringify(targets.map(({ name, weight }) => ({ name, weight }))));
  else await fuzzOne(targets);
}

async function fuzzOne(targets: readonly Target[]): Promise<void> {
  const [root, work] = [required('root'), required('work')];
  const target = targets.find(({ name }) => name === required('target'));
  if (target === undefined) throw new Error(`there is no target ${required('target')}; there are ${targets.map(({ name }) => name).join(', ')}`);
  const folder = path.join(work, 'room');
  fs.mkdirSync(folder, { recursive: true });
  const subject = await target.open({ folder, root, bundles: required('bundles') });
  const fuzz = new FuzzProcess(target, subject, regressionSeeds(root, target.name), new Guard([folder, fs.realpathSync(folder)], [path.join(root, 'node_modules'), required('bundles')]), required('seed'), work);
  if (values.write !== undefined) {
    fs.writeFileSync(values.write, writeSeed(fuzz.input(Number(required('from'))), values.why ?? ''));
  } else {
    process.on('uncaughtException', (error) => { fuzz.uncaught(error); });
    process.on('unhandledRejection', (error) => { fuzz.uncaught(error); });
    await fuzz.run(Number(required('from')), Number(required('to')));
    fuzz.keep(path.join(work, 'report.json'));
  }
  await subject.close?.();
}
