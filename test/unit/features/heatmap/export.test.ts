/** Exports leave the house: a model's text in them must be inert in a browser and in a spreadsheet, and nothing be lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportCsv, textCell } from '../../../../src/features/heatmap/export/exportCsv.ts';
import { escapeMarkup, fileName } from '../../../../src/features/heatmap/export/exportedRun.ts';
import { exportHtml } from '../../../../src/features/heatmap/export/exportHtml.ts';
import { exportSvg } from '../../../../src/features/heatmap/export/exportSvg.ts';
import type { TokenEvent } from '../../../../src/protocol/engine.ts';
import type { Palette } from '../../../../src/protocol/heatmap.ts';
import type { Run } from '../../../../src/protocol/run.ts';
import { longRun } from '../../../e2e/longRun.ts';

const PALETTE: Palette = { background: '#1f1f1f', foreground: '#cccccc', muted: '#9d9d9d', heat: '#cca700', most: 0.4 };
const HOSTILE = ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onload='x", '</style><script>', '&lt;', ']]>', '=HYPERLINK("http://x")', '+1', '-1', '@SUM(A1)', '\t=1', ' =1', '\u202ecba', '\u0000\u0007', '\ud800', 'a"b,c\nd', '字'];

function hostileRun(): Run {
  const run = longRun(HOSTILE.length);
  const tokens = run.tokens.map((token, i): TokenEvent => {
    const text = HOSTILE[i] ?? '';
    return { ...token, text, before: token.before.map((candidate) => ({ ...candidate, text })), after: token.after.map((candidate) => ({ ...candidate, text })) };
  });
  return { ...run, problem: HOSTILE.join(' '), answer: HOSTILE.join(''), check: { state: 'unchecked', reason: HOSTILE.join('') }, tokens };
}

describe('markup', () => {
  it('of a hostile run has no element, attribute or reference but its own', () => {
    const svg = exportSvg(hostileRun(), PALETTE).svg;
    const html = exportHtml(hostileRun(), PALETTE);
    for (const text of [svg, html]) {
      const tags = Array.from(text.matchAll(/<\/?([a-z0-9]+)/gi), ([, name]) => name?.toLowerCase());
      expect(tags.filter((name) => name === 'script' || name === 'img' || name === 'foreignobject')).toEqual([]);
      expect(text).not.toMatch(/<[^>]*\son\w+=/i);
      expect(text).not.toMatch(/[\u202e\u0000\u0007\ud800]/);
    }
    expect(svg).not.toMatch(/href|url\(/i);
    expect(html).toContain("default-src 'none'");
    expect(html.match(/<\/style>/g)).toHaveLength(1);
  });

  it('escapes so that the text can be had back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const escaped = escapeMarkup(text);
        expect(escaped).not.toMatch(/[<>"']/);
        const back = escaped.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, '&');
        expect(back).toBe(text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '·').replace(/[\p{Cc}\ufffe\uffff]/gu, (char) => (char === '\n' || char === '\t' ? char : '·')));
      }),
    );
  });
});

describe('a picture', () => {
  it('holds every token inside its frame, in as many rows as the text is long', () => {
    const { svg, width, height } = exportSvg(longRun(600), PALETTE);
    expect(svg.match(/<g>/g)).toHaveLength(600);
    for (const [, x, y] of svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"/g)) {
      expect(Number(x)).toBeLessThan(width);
      expect(Number(y)).toBeLessThan(height);
    }
  });

  it('shows hardness by lines where the theme has no fill', () => {
    const plain = exportSvg(longRun(600), { ...PALETTE, most: 0 }).svg;
    expect(plain).not.toContain('rx="2"');
    expect(plain).toContain('stroke-dasharray');
  });
});

describe('a table', () => {
  it.each(['=1+1', '+1', '-1', '@A1', '\t=1', '\r=1', ' =1', '|calc'])('never has a formula: %j', (text) => {
    expect(textCell(text)).toBe(`"'${text}"`);
  });

  it('keeps any other text as it is, quotes doubled', () => {
    expect(textCell('a"b,c\nd')).toBe('"a""b,c\nd"');
    expect(textCell('x = 1')).toBe('"x = 1"');
    expect(textCell('')).toBe('""');
  });

  it('has a line for each token with as many cells as columns, and the oracle of a measured one', () => {
    const cells = (line: string): number => (line.match(/("(?:[^"]|"")*"|[^",]*)(,|$)/g) ?? []).length - 1;
    const lines = exportCsv(longRun(30)).split('\r\n');
    expect(lines[0]?.charCodeAt(0)).toBe(0xfeff);
    expect(lines).toHaveLength(32);
    expect(new Set(lines.slice(0, 31).map(cells)).size).toBe(1);
    expect(exportCsv({ ...longRun(3), kind: 'measure' })).toMatch(/,oracle\r\n.*,easy-(sent|skipped)\r\n/);
    expect(exportCsv({ ...longRun(1), tokens: longRun(1).tokens.map((token) => ({ ...token, logprob: null, entropyBefore: NaN })) })).not.toMatch(/NaN|null/);
  });
});

it('a file is named by what every system takes', () => {
  expect(fileName('Solve $3x + 5 = 20$ für x/../..')).toBe('solve-3x-5-20-fu-r-x');
  expect(fileName('求解')).toBe('heatmap');
  expect(fileName('a'.repeat(500)).length).toBeLessThanOrEqual(40);
});
