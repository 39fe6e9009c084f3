/** Option values of the command line, checked where they come in. */
import { InvalidArgumentError } from 'commander';
import type { ProviderChoice, SamplingOptions, ThinkingPolicy } from '../protocol/engine.ts';
import type { Quantization } from '../protocol/manifest.ts';

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

export function wholeNumber(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number of at least 0.');
  return value;
}

export function positive(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.');
  return value;
}

export type PolicyName = 'never' | 'decider' | 'always';
export const POLICIES: readonly PolicyName[] = ['never', 'decider', 'always'];
export const QUANTIZATIONS: readonly Quantization[] = ['fp32', 'int8', 'int4'];
export const PROVIDERS: readonly ProviderChoice[] = ['auto', 'cpu', 'cuda', 'dml', 'webgpu', 'coreml'];

/** A list with commas: "0.1,0.3". */
export function thresholds(text: string): readonly number[] {
  return text.split(',').map((part) => {
    const value = number(part);
    if (value < 0 || value > 1) throw new InvalidArgumentError('Each must lie between 0 and 1.');
    return value;
  });
}

/** A list with commas of some of `names`, each at most once. */
export function listOf<Name extends string>(names: readonly Name[]): (text: string) => readonly Name[] {
  return (text) => [...new Set(text.split(',').map((part) => {
    const name = names.find((one) => one === part.trim());
    if (name === undefined) throw new InvalidArgumentError(`Each must be one of ${names.join(', ')}.`);
    return name;
  }))];
}

export function thinkingPolicy(name: PolicyName, threshold: number | undefined): ThinkingPolicy {
  if (name === 'decider') return threshold === undefined ? { kind: 'decider' } : { kind: 'decider', threshold };
  if (threshold !== undefined) throw new InvalidArgumentError(`--threshold goes with --policy decider, not with ${name}.`);
  return { kind: name };
}

/** What was given; the model's own defaults hold for the rest. */
export function samplingOptions(temperature: number | undefined, seed: number | undefined): Partial<SamplingOptions> {
  return { ...(temperature === undefined ? {} : { temperature }), ...(seed === undefined ? {} : { seed }) };
}
