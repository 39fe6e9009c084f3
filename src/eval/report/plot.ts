/**
 * Plots as SVG text: points with intervals and lines over two linear axes. Colours are classes that the page's style
 * sheet gives a meaning to, so that a plot is readable on light and dark; each series has a shape of its own too.
 * Knows no evaluation.
 */

import { scaleLinear } from 'd3-scale';
import { line, symbol, symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape';

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Of y, drawn as a bar. */
  readonly interval?: readonly [low: number, high: number];
  /** Beside the point. */
  readonly label?: string;
  /** Where the pointer rests. */
  readonly title: string;
}

export interface Series {
  readonly name: string;
  /** Colour and shape, 0 … 3. */
  readonly style: number;
  readonly points: readonly Point[];
  /** Joins the points in their order. */
  readonly joined?: boolean;
}

export interface PlotOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** x is a share; y always is one. */
  readonly xShare?: boolean;
  /** Least and greatest that the axes hold; the data widen them. */
  readonly x?: readonly [number, number];
  readonly y?: readonly [number, number];
}

const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = { top: 14, right: 24, bottom: 48, left: 86 };
const SHAPES = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond];
const AREA = 90;
const SHARE = [0, 1] as const;

type Scale = ReturnType<typeof scaleLinear<number, number>>;

/** One <figure> with the plot and its legend. */
export function plot(options: PlotOptions): string {
  const points = options.series.flatMap((series) => series.points);
  const x = axis(points.map((point) => point.x), options.x, options.xShare === true ? SHARE : undefined).range([MARGIN.left, WIDTH - MARGIN.right]);
  const y = axis(points.flatMap((point) => [point.y, ...(point.interval ?? [])]), options.y, SHARE).range([HEIGHT - MARGIN.bottom, MARGIN.top]);
  const taken: Taken[] = [];
  const legend = options.series.map(({ name, style }) => `<li><svg viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true"><path class="mark s${style}" d="${shapeOf(style)}"/></svg>${escapeHtml(name)}</li>`).join('');
  return [
    `<figure><figcaption>${escapeHtml(options.title)}</figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(`${options.title}. The numbers are in the tables of this page.`)}">`,
    ...grid(x, y, options),
    ...options.series.map((series) => drawn(series, x, y, taken)),
    '</svg>',
    `<ul class="legend">${legend}</ul></figure>`,
  ].join('\n');
}

function axis(values: readonly number[], least: readonly [number, number] | undefined, within: readonly [number, number] = [-Infinity, Infinity]): Scale {
  const all = [...values, ...(least ?? [])];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const spare = least === undefined ? (high - low || Math.abs(high) || 1) * 0.12 : 0;
  const scale = scaleLinear().domain([low - spare, high + spare]).nice(5);
  const [from = low, to = high] = scale.domain();
  return scale.domain([Math.max(from, within[0]), Math.min(to, within[1])]);
}

function grid(x: Scale, y: Scale, { xLabel, yLabel, xShare }: PlotOptions): string[] {
  const [xFormat, yFormat] = [tickFormat(x, 6, xShare === true), tickFormat(y, 5, true)];
  const bottom = HEIGHT - MARGIN.bottom;
  return [
    ...y.ticks(5).map((value) => `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at(y(value))}" y2="${at(y(value))}"/><text class="tick" x="${MARGIN.left - 8}" y="${at(y(value) + 4)}" text-anchor="end">${escapeHtml(yFormat(value))}</text>`),
    ...x.ticks(6).map((value) => `<line class="grid" x1="${at(x(value))}" x2="${at(x(value))}" y1="${MARGIN.top}" y2="${bottom}"/><text class="tick" x="${at(x(value))}" y="${bottom + 18}" text-anchor="middle">${escapeHtml(xFormat(value))}</text>`),
    `<text class="axis" x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeHtml(xLabel)}</text>`,
    `<text class="axis" transform="translate(14 ${(MARGIN.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(yLabel)}</text>`,
  ];
}

/** As many places as tell neighbouring ticks apart. */
function tickFormat(scale: Scale, count: number, share: boolean): (value: number) => string {
  const [first = 0, second = 1] = scale.ticks(count);
  const step = Math.abs(second - first) * (share ? 100 : 1);
  const places = Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
  return (value) => (share ? `${(100 * value).toFixed(places)} %` : value.toFixed(places));
}

/** Lines of text already taken, so that labels of points that lie together stand below each other. */
interface Taken {
  readonly left: number;
  readonly top: number;
}

function drawn({ points, style, joined }: Series, x: Scale, y: Scale, taken: Taken[]): string {
  const path = joined === true && points.length > 1 ? line<Point>().x((point) => x(point.x)).y((point) => y(point.y))([...points]) : null;
  return [
    ...(path === null ? [] : [`<path class="line s${style}" d="${path}"/>`]),
    ...points.map((point) => {
      const [left, top] = [at(x(point.x)), at(y(point.y))];
      const bar = point.interval === undefined ? '' : `<line class="bar s${style}" x1="${left}" x2="${left}" y1="${at(y(point.interval[0]))}" y2="${at(y(point.interval[1]))}"/>`;
      // A label near the right edge stands on the other side of its point.
      const before = x(point.x) > WIDTH - 130;
      const label = point.label === undefined ? '' : `<text class="label" x="${before ? left - 9 : left + 9}" y="${freeLine(left, top - 7, taken)}"${before ? ' text-anchor="end"' : ''}>${escapeHtml(point.label)}</text>`;
      return `<g><title>${escapeHtml(point.title)}</title>${bar}<path class="mark s${style}" transform="translate(${left} ${top})" d="${shapeOf(style)}"/>${label}</g>`;
    }),
  ].join('');
}

function freeLine(left: number, wanted: number, taken: Taken[]): number {
  let top = wanted < MARGIN.top + 10 ? wanted + 22 : wanted;
  while (taken.some((one) => Math.abs(one.left - left) < 110 && Math.abs(one.top - top) < 13)) top += 13;
  taken.push({ left, top });
  return at(top);
}

function shapeOf(style: number): string {
  return symbol(SHAPES[style % SHAPES.length] ?? symbolCircle, AREA)() ?? '';
}

const at = (value: number): number => Math.round(value * 10) / 10;

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
