/** How much memory this process has, over time: what stays after everything that nobody needs was collected. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { check } from '../fixtures/stress/report.ts';

export interface Sample {
  /** How much was done before it. */
  readonly done: number;
  readonly bytes: number;
}

/** Resident bytes after garbage collection. @throws Error where this process was started without --expose-gc */
export async function residentBytes(): Promise<number> {
  const collect = globalThis.gc;
  check(collect !== undefined, 'this needs node --expose-gc');
  // Finalizers of the first collection free what the second one finds.
  for (let round = 0; round < 3; round++) {
    collect();
    await nextTurn();
  }
  return process.memoryUsage.rss();
}

/** Bytes for each thing that was done: the line that lies nearest to the samples. */
export function slopeOf(samples: readonly Sample[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(samples.map(({ done }) => done));
  const y = mean(samples.map(({ bytes }) => bytes));
  const squares = samples.reduce((sum, { done }) => sum + (done - x) ** 2, 0);
  return samples.reduce((sum, { done, bytes }) => sum + (done - x) * (bytes - y), 0) / squares;
}

/** How much the last third of the samples is above the first third, as a part of the first third. */
export function growthOf(samples: readonly Sample[]): number {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const mean = (part: readonly Sample[]): number => part.reduce((sum, { bytes }) => sum + bytes, 0) / part.length;
  return mean(samples.slice(-third)) / mean(samples.slice(0, third)) - 1;
}

export function describe(samples: readonly Sample[], unit: string): string {
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const first = samples[0]?.bytes ?? NaN;
  const last = samples.at(-1)?.bytes ?? NaN;
  return `${megabytes(first)} to ${megabytes(last)}, ${(100 * growthOf(samples)).toFixed(2)} %, slope ${slopeOf(samples).toFixed(0)} bytes a ${unit} over ${samples.length} samples`;
}
