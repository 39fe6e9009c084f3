/**
 * The heatmap as a picture: SVG of one width, as high as the text is long, in the colours of the theme. A token is a
 * rectangle and its text, with a tooltip; second passes have a double underline, a changed pick a mark. Self-contained
 * and without scripts. Pure.
 */

import type { TokenEvent } from '../../../protocol/engine.ts';
import type { Palette } from '../../../protocol/heatmap.ts';
import { firstScore, secondThought } from '../../../protocol/run.ts';
import type { Run } from '../../../protocol/run.ts';
import { printable, visibleText } from '../../../protocol/tokenRow.ts';
import { escapeMarkup, heatColour, heatLine, runFacts } from './exportedRun.ts';

export interface Picture {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

const COLUMNS = 96;
const CHARACTER = 7.8;
const LINE = 24;
const MARGIN = 24;
const FONT = 'ui-monospace, Menlo, Consolas, monospace';
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

export function exportSvg(run: Run, palette: Palette): Picture {
  const head = [...wrap(printable(run.problem), COLUMNS), '', ...wrap(runFacts(run).map(({ label, value }) => `${label}: ${printable(value)}`).join(' · '), COLUMNS)];
  const top = MARGIN + head.length * LINE;
  const placed = placeTokens(run.tokens);
  const width = Math.ceil(COLUMNS * CHARACTER + 2 * MARGIN);
  const height = top + (placed.at(-1)?.row ?? 0) * LINE + 2 * LINE + MARGIN;
  const lines = head.map((line, i) => `<text x="${MARGIN}" y="${MARGIN + i * LINE + 16}" fill="${i === 0 ? palette.foreground : palette.muted}">${escapeMarkup(line)}</text>`);
  const tokens = placed.map((place) => tokenMarkup(place, top, palette));
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}" font-size="13" xml:space="preserve">`,
    `<title>${escapeMarkup(`Think-at-Hard: ${printable(run.problem).slice(0, 120)}`)}</title>`,
    `<rect width="${width}" height="${height}" fill="${palette.background}"/>`,
    ...lines,
    ...tokens,
    '</svg>',
  ].join('\n');
  return { svg, width, height };
}

interface Placed {
  readonly token: TokenEvent;
  readonly text: string;
  readonly row: number;
  readonly column: number;
  readonly columns: number;
}

/** Tokens in rows of COLUMNS characters; a new line of the text starts a new row. */
function placeTokens(tokens: readonly TokenEvent[]): Placed[] {
  const placed: Placed[] = [];
  let row = 0;
  let column = 0;
  for (const token of tokens) {
    if (token.text.includes('\n') && !token.text.endsWith('\n') && column > 0) [row, column] = [row + 1, 0];
    const text = visibleText(token);
    const columns = Math.min(COLUMNS, columnsOf(text));
    if (column + columns > COLUMNS) [row, column] = [row + 1, 0];
    placed.push({ token, text, row, column, columns });
    column += columns;
    if (token.text.endsWith('\n')) [row, column] = [row + 1, 0];
  }
  return placed;
}

function columnsOf(text: string): number {
  return Array.from(text).reduce((sum, char) => sum + (WIDE.test(char) ? 2 : 1), 0);
}

function tokenMarkup({ token, text, row, column, columns }: Placed, top: number, palette: Palette): string {
  const x = MARGIN + column * CHARACTER;
  const y = top + row * LINE;
  const width = columns * CHARACTER;
  const score = firstScore(token);
  const fill = heatColour(score, palette);
  const parts: string[] = [`<title>${escapeMarkup(tooltip(token))}</title>`];
  if (fill !== null) parts.push(`<rect x="${n(x)}" y="${y}" width="${n(width - 1)}" height="20" rx="2" fill="${fill}"/>`);
  parts.push(...lineMarkup(heatLine(score, palette), x, y, width, palette));
  parts.push(`<text x="${n(x)}" y="${y + 14}" textLength="${n(width)}" lengthAdjust="spacingAndGlyphs" fill="${palette.foreground}">${escapeMarkup(text)}</text>`);
  if (token.iterCount > 1) parts.push(...[17, 19].map((down) => `<line x1="${n(x)}" x2="${n(x + width - 1)}" y1="${y + down}" y2="${y + down}" stroke="${palette.foreground}"/>`));
  if (secondThought(token) === 'changed the pick') parts.push(`<path d="M${n(x + width - 4)} ${y - 3}l3 4h-6z" fill="${palette.foreground}"/>`);
  return `<g>${parts.join('')}</g>`;
}

function lineMarkup(line: ReturnType<typeof heatLine>, x: number, y: number, width: number, palette: Palette): string[] {
  if (line === 'none') return [];
  if (line === 'box') return [`<rect x="${n(x)}" y="${y}" width="${n(width - 1)}" height="21" fill="none" stroke="${palette.foreground}"/>`];
  return [`<line x1="${n(x)}" x2="${n(x + width - 1)}" y1="${y + 21.5}" y2="${y + 21.5}" stroke="${palette.foreground}"${line === 'dotted' ? ' stroke-dasharray="1 2"' : ''}/>`];
}

function tooltip(token: TokenEvent): string {
  const score = firstScore(token);
  const thought = secondThought(token);
  return [`token ${token.index + 1}`, ...(score === null ? [] : [`score ${score.toFixed(3)}`]), `${token.iterCount} ${token.iterCount === 1 ? 'pass' : 'passes'}`, ...(thought === null ? [] : [thought])].join(', ');
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= columns) lines[lines.length - 1] = longer;
    else for (let at = 0; at < word.length; at += columns) lines.push(word.slice(at, at + columns));
  }
  return lines.filter((line, i) => line !== '' || i > 0);
}

function n(value: number): string {
  return String(Number(value.toFixed(2)));
}
