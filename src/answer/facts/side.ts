/** One side of a formula as both readers see it. Types only. */

import type { Expr } from '../expression.ts';
import type { Term } from './algebra.ts';

export interface Side {
  /** As compute-engine reads it. */
  readonly term: Term;
  /** As this room's own parser does; null beyond its reach. */
  readonly expr: Expr | null;
}
