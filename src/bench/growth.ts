/** How time a token and memory grow with the context, in a process that does nothing else. */
import { start } from './contestant.ts';
import type { Row } from './report.ts';
import { spreadOf, type Spread } from './statistics.ts';

export interface GrowthPoint {
  readonly context: number;
  readonly ms: Spread;
  /** Resident memory of the process, and what of it is keys and values. */
  readonly rssBytes: number;
  readonly cacheBytes: number;
}

export const CONTEXTS = [64, 512, 1024, 2048, 4096, 8192] as const;
/** Contexts at which the memory has a goal. */
const MEASURED = [2048, 8192];

/** Ascending, each context in a fresh process: a cache that was filled before would count. */
export async function growth(model: string, tokens: number, rounds: number, say: (text: string) => void): Promise<GrowthPoint[]> {
  const points: GrowthPoint[] = [];
  for (const context of CONTEXTS) {
    say(`Growth: ${context} rows`);
    const worker = await start('growth', process.execPath, [process.argv[1] ?? '', '--worker', model]);
    try {
      await worker.ask({ op: 'fill', context });
      const times: number[] = [];
      for (let round = 0; round <= rounds; round++) times.push((await worker.ask({ op: 'decode', context, tokens })).ms ?? NaN);
      const { rssBytes = NaN, cacheBytes = NaN } = await worker.ask({ op: 'memory' });
      points.push({ context, ms: spreadOf(times.slice(1)), rssBytes, cacheBytes });
    } finally {
      await worker.close();
    }
  }
  return points;
}

/** @param weightBytes of the model's weights on disk */
export function memoryRows(points: readonly GrowthPoint[], weightBytes: number): Row[] {
  return points.filter(({ context }) => MEASURED.includes(context)).map(({ context, rssBytes, cacheBytes }) => {
    const megabytes = (rssBytes - cacheBytes - weightBytes) / 1e6;
    return { measure: `memory above weights and keys and values at ${context}`, goal: '<= 250 MB', ours: { median: megabytes, low: megabytes, high: megabytes }, unit: 'MB' };
  });
}
