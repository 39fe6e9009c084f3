/** Which token is above or below another one on the page. Reads boxes of elements; knows nothing else of them. */

/**
 * The token of the next or previous row of the page that is nearest in x; null where `cells` hold none.
 * @param cells elements by index, without gaps around `index`
 */
export function rowNeighbour(cells: ReadonlyMap<number, Element>, index: number, step: 1 | -1): number | null {
  const from = cells.get(index)?.getBoundingClientRect();
  if (from === undefined) return null;
  let best: number | null = null;
  let bestDistance = Infinity;
  let row: number | null = null;
  for (let i = index + step; cells.has(i); i += step) {
    const box = cells.get(i)?.getBoundingClientRect();
    if (box === undefined || Math.abs(box.top - from.top) < from.height / 2) continue;
    row ??= box.top;
    if (Math.abs(box.top - row) > box.height / 2) break;
    const distance = Math.abs(box.left - from.left);
    if (distance < bestDistance) [best, bestDistance] = [i, distance];
  }
  return best;
}
