/**
 * What is fuzzed: a room's door behind one small interface. A target says what it starts from, how an input is changed,
 * and gives an input to the real code. Whoever runs it (fuzzProcess.ts) counts and measures; a target does neither.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { Random } from './random.ts';

export interface Input {
  /** Which of the target's doors it is for: a file's name, a language, a kind of message; '' where there is one. */
  readonly part: string;
  readonly data: string | Uint8Array;
}

/** `refused`: where a room says no by its result and not by an error. */
export type Outcome = 'accepted' | 'refused';

export interface Subject {
  /** Real inputs that mutations start from. */
  readonly seeds: readonly Input[];
  readonly mutate: (seed: Input, random: Random) => Input;
  /** An input from nothing, of fast-check. */
  readonly invent: (random: Random) => Input;
  /**
   * Gives the input to the code under test.
   * @throws TahError where it is refused; Finding where what came of it is wrong; any other error is a finding too
   */
  readonly run: (input: Input) => Outcome | Promise<Outcome>;
  /** Errors beside TahError by which this room says no, as its own documentation has it. */
  readonly isRefusal?: (error: unknown) => boolean;
  readonly close?: () => void | Promise<void>;
}

/** Where a target may be at work. */
export interface Room {
  /** An empty folder: the only place that may be read or written while an input is run. */
  readonly folder: string;
  /** The repository. */
  readonly root: string;
  /** With the bundled workers. */
  readonly bundles: string;
}

export interface Target {
  readonly name: string;
  /** Share of the mutations of a whole run; they are relative to each other. */
  readonly weight: number;
  /** Milliseconds of processor time that one input may take. */
  readonly limitMs: number;
  readonly open: (room: Room) => Promise<Subject>;
}

/** Something that must not happen, in words. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

/** One value of an arbitrary; the same for the same state of `random`. */
export function sampled<T>(arbitrary: fc.Arbitrary<T>, random: Random): T {
  const [value] = fc.sample(arbitrary, { numRuns: 1, seed: random.int(2 ** 31) });
  return value as T;
}

export function textOf(input: Input): string {
  return typeof input.data === 'string' ? input.data : new TextDecoder().decode(input.data);
}

export function bytesOf(input: Input): Uint8Array {
  return typeof input.data === 'string' ? new TextEncoder().encode(input.data) : input.data;
}

/** An input as a file of test/fuzz/seeds. */
interface SeedFile {
  readonly part: string;
  /** What it did before it was fixed, one sentence. */
  readonly why?: string;
  readonly text?: string;
  readonly base64?: string;
  /** A long text in few words: pieces, each as often as the number says. */
  readonly pieces?: readonly (readonly [string, number])[];
}

export function writeSeed({ part, data }: Input, why: string): string {
  const content: SeedFile = { part, why, ...(typeof data === 'string' ? { text: data } : { base64: Buffer.from(data).toString('base64') }) };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** @throws SyntaxError, TypeError for a file that is no seed */
export function readSeed(text: string): Input {
  const { part, text: data, base64, pieces } = JSON.parse(text) as SeedFile;
  if (base64 !== undefined) return { part, data: new Uint8Array(Buffer.from(base64, 'base64')) };
  if (pieces !== undefined) return { part, data: pieces.map(([piece, times]) => piece.repeat(times)).join('') };
  if (data === undefined) throw new TypeError('a seed has one of "text", "pieces" and "base64"');
  return { part, data };
}

/** The inputs of `test/fuzz/seeds/NAME`, which once did harm. */
export function regressionSeeds(root: string, name: string): readonly Input[] {
  const folder = path.join(root, 'test/fuzz/seeds', name);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { withFileTypes: true }).filter((file) => file.isFile() && file.name.endsWith('.json'));
  return files.map((file) => file.name).sort().map((file) => readSeed(readFileSync(path.join(folder, file), 'utf8')));
}
