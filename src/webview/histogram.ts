/**
 * The histogram of a run's scores as SVG, over the threshold slider's scale of 0 … 1. Colours are classes of the
 * style sheet; geometry is attributes. The text alternative says the same in words.
 */

import { svgElement } from './dom.ts';
import { l10n } from './texts.ts';

const HEIGHT = 44;
const WIDTH = 400;

/** @param counts of equal parts of 0 … 1 */
export function histogram(counts: readonly number[]): SVGSVGElement {
  const step = WIDTH / counts.length;
  const most = Math.max(1, ...counts);
  const bars = counts.map((count, i) => {
    // Hard tokens are rare: the square root keeps them in sight, and a bar is never lower than a pixel.
    const height = count === 0 ? 0 : Math.max(1, HEIGHT * Math.sqrt(count / most));
    return svgElement('rect', { class: 'histogram-bar', x: i * step + 0.5, y: HEIGHT - height, width: step - 1, height, 'data-from': i / counts.length });
  });
  const line = svgElement('line', { class: 'histogram-line', x1: 0, x2: 0, y1: 0, y2: HEIGHT });
  return svgElement('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': histogramText(counts) }, [...bars, line]);
}

/** Bars of scores above the threshold are drawn as sent. */
export function paintThreshold(chart: Element, threshold: number): void {
  for (const bar of chart.querySelectorAll('.histogram-bar')) bar.classList.toggle('sent', Number(bar.getAttribute('data-from')) >= threshold);
  const line = chart.querySelector('.histogram-line');
  line?.setAttribute('x1', String(threshold * WIDTH));
  line?.setAttribute('x2', String(threshold * WIDTH));
}

/** Counts of quarters: forty numbers are no help to a listener. */
export function histogramText(counts: readonly number[]): string {
  const quarters = [0, 0, 0, 0];
  counts.forEach((count, i) => {
    const quarter = Math.floor((i * 4) / counts.length);
    quarters[quarter] = (quarters[quarter] ?? 0) + count;
  });
  return l10n.t('Histogram of scores, heights as square roots: {0} tokens below 0.25, {1} to 0.5, {2} to 0.75, {3} above', ...quarters);
}
