/** Points of a function of one variable for a small picture: where it is drawn, what is left out. Knows no colours. */

import type { Curve, Plot } from './formulaFacts.ts';
import { realAt } from './numbers.ts';
import type { Json } from './numbers.ts';

const STEPS = 240;
const HALF_WIDTH = 5;

export interface PlotInput {
  readonly variable: string;
  readonly variableTex: string;
  readonly curves: readonly { readonly json: Json; readonly tex: string }[];
  /** Values of the variable that should be in the picture: solutions, poles. */
  readonly interesting: readonly number[];
  readonly marked: readonly number[];
}

/** null where too little of it is real to be worth a picture. */
export function plotOf({ variable, variableTex, curves, interesting, marked }: PlotInput): Plot | null {
  const x = xRange(interesting);
  const sampled = curves.map(({ json, tex }) => ({ tex, json, values: sample(json, variable, x) }));
  const seen = sampled.flatMap(({ values }) => values.filter((value) => value !== null));
  if (seen.length < STEPS / 8) return null;
  const marks = marked.flatMap((at): [number, number][] => {
    const y = curves[0] === undefined ? null : realAt(curves[0].json, new Map([[variable, at]]));
    return y === null ? [] : [[at, y]];
  });
  const y = yRange(seen, marks.map(([, value]) => value));
  const height = y[1] - y[0];
  const drawn = sampled.map(({ tex, values }): Curve => ({
    tex,
    points: values.map((value, i) => (value === null || value > y[1] + height || value < y[0] - height ? null : [round(xAt(x, i)), round(value)])),
  }));
  return { variable: variableTex, x, y, curves: drawn.map(withoutJumps(height)), marks };
}

/** A line may not be drawn over a pole. */
function withoutJumps(height: number): (curve: Curve) => Curve {
  return (curve) => ({ ...curve, points: curve.points.map((point, i, all) => (point !== null && Math.abs((all[i - 1]?.[1] ?? point[1]) - point[1]) > 0.9 * height ? null : point)) });
}

function xAt([from, to]: readonly [number, number], step: number): number {
  return from + ((to - from) * step) / STEPS;
}

function sample(json: Json, variable: string, x: readonly [number, number]): (number | null)[] {
  return Array.from({ length: STEPS + 1 }, (_, i) => realAt(json, new Map([[variable, xAt(x, i)]])));
}

/** Around what is interesting, with some room; from -5 to 5 where nothing is. */
function xRange(interesting: readonly number[]): readonly [number, number] {
  const near = interesting.filter((value) => Math.abs(value) < 1e4);
  if (near.length === 0) return [-HALF_WIDTH, HALF_WIDTH];
  const [least, most] = [Math.min(...near), Math.max(...near)];
  const margin = Math.max(2, (most - least) * 0.6);
  return [round(Math.min(least - margin, Math.abs(least) < HALF_WIDTH ? -margin : least - margin)), round(Math.max(most + margin, Math.abs(most) < HALF_WIDTH ? margin : most + margin))];
}

/** Most of the values: a pole doesn't flatten the rest. What is marked is always in it. */
function yRange(values: readonly number[], marked: readonly number[]): readonly [number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? 0;
  const [low, high] = [at(0.04), at(0.96)];
  const spread = high - low;
  let [least, most] = [Math.max(at(0), low - spread * 0.5), Math.min(at(1), high + spread * 0.5)];
  for (const value of marked) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const room = most - least < 1e-9 ? 1 : (most - least) * 0.08;
  return [round(least - room), round(most + room)];
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}
