/** Guards against a line over a pole, colours that can't be seen, and an SVG that is not well-formed. */
import { describe, expect, it } from 'vitest';
import { analyseFormula } from '../../../../src/answer/facts/analyse.ts';
import type { Plot } from '../../../../src/answer/facts/formulaFacts.ts';
import { plotSvg } from '../../../../src/features/explainMath/plotSvg.ts';
import { MATH_COLORS } from '../../../../src/features/explainMath/themes.ts';

function plotOf(tex: string): Plot {
  const { plot } = analyseFormula(tex);
  if (plot === null) throw new Error(`${tex} has no plot`);
  return plot;
}

/** WCAG contrast. */
function contrast(a: string, b: string): number {
  const luminance = (color: string): number => {
    const [r = 0, g = 0, b2 = 0] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b2;
  };
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

describe('colours', () => {
  it.each([['dark', '#1f1f1f', 4.5], ['light', '#f8f8f8', 4.5], ['high-contrast-dark', '#000000', 7], ['high-contrast-light', '#ffffff', 7]] as const)('of %s can be seen', (kind, background, least) => {
    const { text, axis, curves, mark } = MATH_COLORS[kind];
    for (const color of [text, axis, ...curves, mark]) expect(contrast(color, background)).toBeGreaterThanOrEqual(least);
  });
});

describe('a plot', () => {
  it.each(Object.keys(MATH_COLORS) as (keyof typeof MATH_COLORS)[])('is drawn in the colours of %s', (kind) => {
    const { svg } = plotSvg(plotOf('x^2-5x+6=0'), MATH_COLORS[kind]);
    for (const color of [MATH_COLORS[kind].axis, ...MATH_COLORS[kind].curves, MATH_COLORS[kind].mark]) expect(svg).toContain(color);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    // Both solutions are marked.
    expect(svg.match(/<circle/g)).toHaveLength(2);
  });

  it.each([String.raw`\frac{1}{x}`, String.raw`\tan x`, String.raw`\frac{1}{x^2-1}`])('of %s has no line over its poles', (tex) => {
    const plot = plotOf(tex);
    const height = plot.y[1] - plot.y[0];
    const steps = plot.curves.flatMap(({ points }) => points.map((point, i) => [points[i - 1] ?? null, point] as const));
    for (const [before, point] of steps) if (before !== null && point !== null) expect(Math.abs(point[1] - before[1])).toBeLessThan(height);
    expect(/<path d="M[^"]*M/.exec(plotSvg(plot, MATH_COLORS.dark).svg)).not.toBeNull();
  });

  it('of a constant has room around its line', () => {
    const { y } = plotOf('x-x+3');
    expect(y[0]).toBeLessThan(3);
    expect(y[1]).toBeGreaterThan(3);
  });
});
