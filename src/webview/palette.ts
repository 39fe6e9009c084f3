/** The colours of the theme as the page has them, as `#rrggbb`, for exports. Reads computed styles; draws nothing. */

import type { Palette } from '../protocol/heatmap.ts';

type Rgba = readonly [red: number, green: number, blue: number, alpha: number];

const WHITE: Rgba = [255, 255, 255, 1];
const BLACK: Rgba = [0, 0, 0, 1];

export function readPalette(): Palette {
  const probe = document.createElement('span');
  document.body.append(probe);
  const read = (value: string, fallback: Rgba): Rgba => {
    probe.style.color = '';
    probe.style.color = value;
    return parseColour(getComputedStyle(probe).color) ?? fallback;
  };
  const background = over(read('var(--vscode-editor-background)', WHITE), WHITE);
  const colour = (value: string, fallback: Rgba): string => hex(over(read(value, fallback), background));
  const palette: Palette = {
    background: hex(background),
    foreground: colour('var(--vscode-editor-foreground)', BLACK),
    muted: colour('var(--vscode-descriptionForeground)', BLACK),
    heat: colour('var(--heat)', [191, 136, 3, 1]),
    most: shareOf(getComputedStyle(document.body).getPropertyValue('--heat-most')),
  };
  probe.remove();
  return palette;
}

/** `rgb(1, 2, 3)`, `rgba(1, 2, 3, 0.5)`, `color(srgb 0 0.5 1)`. */
export function parseColour(text: string): Rgba | null {
  const numbers = Array.from(text.matchAll(/-?[\d.]+(?:e-?\d+)?/g), ([number]) => Number(number));
  const [red, green, blue, alpha = 1] = numbers;
  if (red === undefined || green === undefined || blue === undefined) return null;
  if (text.startsWith('rgb')) return [red, green, blue, alpha];
  return text.startsWith('color(srgb') ? [red * 255, green * 255, blue * 255, alpha] : null;
}

function over([red, green, blue, alpha]: Rgba, below: Rgba): Rgba {
  const mix = (top: number, bottom: number): number => top * alpha + bottom * (1 - alpha);
  return [mix(red, below[0]), mix(green, below[1]), mix(blue, below[2]), 1];
}

function hex(colour: Rgba): string {
  return `#${colour.slice(0, 3).map((part) => Math.round(Math.min(255, Math.max(0, part))).toString(16).padStart(2, '0')).join('')}`;
}

function shareOf(percent: string): number {
  const share = parseFloat(percent) / 100;
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0.5;
}
