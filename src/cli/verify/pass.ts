/** The passes of a replayed forward, kept with their outputs. Compares nothing. */
import type { PassObserver } from '../../engine/forward.ts';
import type { Outputs } from '../../engine/session.ts';

export interface Pass extends Pick<Outputs, 'has'> {
  /** 0-based; the vectors count from 1. */
  readonly depth: number;
  readonly positions: readonly number[];
  /** Indices into `positions` of the rows that have head, top-k and decider. */
  readonly headRows: readonly number[];
  /** A float32 output of the graph. */
  read(name: string): Float32Array;
}

/** @param passes where the next pass is put */
export function collectInto(passes: () => Pass[]): PassObserver {
  return ({ depth, positions, headRows, outputs }) => {
    passes().push({ depth, positions, headRows, read: (name) => outputs.floats(name), has: (name) => outputs.has(name) });
  };
}
