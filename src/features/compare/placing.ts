/** Where the problem of compared runs stands: an answer of any of them goes to the same place. Pure. */

import type { Origin, Origins } from '../../host/origins.ts';

/** In a document, or where the problem of a run does; null: nowhere. */
export type ComparedPlace = Origin | { readonly runId: string } | null;

/** @returns what is to be called with each run: those that start later find the place as edits have moved it meanwhile */
export function placing(origins: Origins, place: ComparedPlace): (runId: string) => void {
  let known = place !== null && 'runId' in place ? place.runId : null;
  return (runId) => {
    if (known !== null) origins.copy(known, runId);
    else if (place !== null && !('runId' in place)) {
      origins.set(runId, place);
      known = runId;
    }
  };
}
