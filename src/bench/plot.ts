/** Growth as an SVG: time a token and memory against the context. Pure. */
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import type { GrowthPoint } from './growth.ts';

const PANEL = { width: 420, height: 260, left: 60, bottom: 44, top: 34, right: 16 } as const;

interface Series {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly number[];
}

/** @param weightBytes of the model's weights on disk */
export function growthPlot(points: readonly GrowthPoint[], weightBytes: number): string {
  const contexts = points.map(({ context }) => context);
  const megabytes = (of: (point: GrowthPoint) => number): number[] => points.map((point) => of(point) / 1e6);
  const time = panel('Time a token (ms)', contexts, [{ name: 'decode', colour: '#1f6feb', values: points.map(({ ms }) => ms.median) }]);
  const memory = panel('Memory (MB)', contexts, [
    { name: 'process', colour: '#1f6feb', values: megabytes(({ rssBytes }) => rssBytes) },
    { name: 'weights, keys and values', colour: '#8250df', values: megabytes(({ cacheBytes }) => cacheBytes + weightBytes) },
  ]);
  const width = 2 * PANEL.width;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${PANEL.height}" width="${width}" height="${PANEL.height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#ffffff"/>
${time}
<g transform="translate(${PANEL.width} 0)">${memory}</g>
</svg>
`;
}

function panel(title: string, contexts: readonly number[], series: readonly Series[]): string {
  const { width, height, left, bottom, top, right } = PANEL;
  const x = scaleLinear([0, Math.max(...contexts)], [left, width - right]);
  const y = scaleLinear([0, Math.max(...series.flatMap(({ values }) => values))], [height - bottom, top]).nice();
  const text = (at: { x: number; y: number; anchor: string }, said: string): string => `<text x="${at.x}" y="${at.y}" text-anchor="${at.anchor}" fill="#24292f">${said}</text>`;
  const grid = y.ticks(5).map((tick) => `<line x1="${left}" x2="${width - right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#d0d7de"/>${text({ x: left - 6, y: y(tick) + 4, anchor: 'end' }, String(tick))}`);
  const ticks = x.ticks(5).map((tick) => text({ x: x(tick), y: height - bottom + 16, anchor: 'middle' }, String(tick)));
  const path = line<number>((_, i) => x(contexts[i] ?? 0), (value) => y(value));
  const lines = series.map(({ colour, values }) => `<path d="${path([...values]) ?? ''}" fill="none" stroke="${colour}" stroke-width="2"/>${values.map((value, i) => `<circle cx="${x(contexts[i] ?? 0)}" cy="${y(value)}" r="3" fill="${colour}"/>`).join('')}`);
  const legend = series.map(({ name, colour }, i) => `<circle cx="${left + 12}" cy="${top + 8 + 16 * i}" r="4" fill="${colour}"/>${text({ x: left + 22, y: top + 12 + 16 * i, anchor: 'start' }, name)}`);
  return [...grid, ...ticks, ...lines, ...legend, `<text x="${left}" y="18" font-size="13" font-weight="bold" fill="#24292f">${title}</text>`, text({ x: (left + width) / 2, y: height - 8, anchor: 'middle' }, 'context (rows)')].join('\n');
}
