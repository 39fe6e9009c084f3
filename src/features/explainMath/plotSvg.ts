/** A small plot as SVG, in the colours of the theme. Knows scales and lines (d3), nothing of formulas. Pure. */

import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import type { Plot } from '../../answer/facts/formulaFacts.ts';
import type { Drawing } from '../../formula/typeset/messages.ts';
import type { MathColors } from './themes.ts';

const WIDTH = 360;
const HEIGHT = 220;
const MARGIN = { left: 40, right: 12, top: 10, bottom: 24 };

export function plotSvg(plot: Plot, colors: MathColors): Drawing {
  const x = scaleLinear(plot.x, [MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleLinear(plot.y, [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const fixed = (value: number): string => String(Math.round(value * 10) / 10);
  const inside = (value: number, [least, most]: readonly [number, number]): number => Math.min(most, Math.max(least, value));
  const [axisX, axisY] = [fixed(x(inside(0, plot.x))), fixed(y(inside(0, plot.y)))];
  const parts = [
    ...x.ticks(6).map((tick) => `<text x="${fixed(x(tick))}" y="${HEIGHT - 8}" text-anchor="middle">${x.tickFormat(6)(tick)}</text><path d="M${fixed(x(tick))} ${HEIGHT - MARGIN.bottom}v4"/>`),
    ...y.ticks(5).map((tick) => `<text x="${MARGIN.left - 7}" y="${fixed(y(tick) + 3.5)}" text-anchor="end">${y.tickFormat(5)(tick)}</text><path d="M${MARGIN.left - 4} ${fixed(y(tick))}h4"/>`),
    `<path d="M${MARGIN.left} ${axisY}H${WIDTH - MARGIN.right}M${axisX} ${MARGIN.top}V${HEIGHT - MARGIN.bottom}"/>`,
  ];
  const path = line<readonly [number, number] | null>((point) => x(point?.[0] ?? 0), (point) => y(point?.[1] ?? 0)).defined((point) => point !== null).digits(1);
  const curves = plot.curves.map(({ points }, i) => `<path d="${path(points) ?? ''}" stroke="${colors.curves[i % 2] ?? colors.text}" stroke-width="2"${i % 2 === 1 ? ' stroke-dasharray="6 3"' : ''}/>`);
  const marks = plot.marks.map(([at, value]) => `<circle cx="${fixed(x(at))}" cy="${fixed(y(value))}" r="4" fill="${colors.mark}"/>`);
  const clip = `<clipPath id="c"><rect x="${MARGIN.left}" y="${MARGIN.top}" width="${WIDTH - MARGIN.left - MARGIN.right}" height="${HEIGHT - MARGIN.top - MARGIN.bottom}"/></clipPath>`;
  const axes = `<g fill="none" stroke="${colors.axis}" stroke-width="1" font-family="sans-serif" font-size="11">${parts.join('').replaceAll('<text ', `<text stroke="none" fill="${colors.axis}" `)}</g>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">${clip}${axes}<g fill="none" clip-path="url(#c)">${curves.join('')}</g>${marks.join('')}</svg>`;
  return { svg, width: WIDTH, height: HEIGHT };
}
