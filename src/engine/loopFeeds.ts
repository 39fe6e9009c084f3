/** Inputs of a graph that loops (LOOP of protocol/graph.ts): small arrays, and what is fed where it shall not loop. */
import { LOOP, MASKED } from '../protocol/graph.ts';
import type { ModelManifest } from '../protocol/manifest.ts';
import type { Feed, HostFeed } from './session.ts';

export function whole(dims: readonly number[], ...values: number[]): HostFeed {
  return { dtype: 'int64', data: BigInt64Array.from(values, BigInt), dims };
}

export function double(value: number): HostFeed {
  return { dtype: 'float64', data: Float64Array.of(value), dims: [1] };
}

/** What a graph that loops is fed where it makes one pass: no trip, and inputs that nothing reads. */
export function idleLoop({ architecture, tah }: ModelManifest, rows: number): Record<string, Feed> {
  const floats = (dims: readonly [number, number], fill: number): HostFeed => ({ dtype: 'float32', data: new Float32Array(dims[0] * dims[1]).fill(fill), dims });
  return {
    [LOOP.trips]: whole([], 0),
    [LOOP.firstPosition]: whole([1], 0),
    [LOOP.lastPosition]: whole([1], 0),
    [LOOP.ropeCos]: floats([1, architecture.headDim / 2], 0),
    [LOOP.ropeSin]: floats([1, architecture.headDim / 2], 0),
    [LOOP.pastBias]: floats([tah?.maxIter ?? 1, 1], MASKED),
    [LOOP.rowDepths]: whole([rows], ...new Array<number>(rows).fill(0)),
    [LOOP.threshold]: { dtype: 'float32', data: Float32Array.of(Infinity), dims: [1] },
    [LOOP.stopIds]: whole([1], -1),
    [LOOP.temperature]: double(1),
    [LOOP.topK]: whole([1], 1),
    [LOOP.ranks]: whole([1], 1),
    [LOOP.budget]: double(0),
    [LOOP.minP]: double(0),
    [LOOP.seed]: whole([2], 0, 0),
  };
}
