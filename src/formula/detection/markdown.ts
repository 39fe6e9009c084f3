/**
 * Formulas of a Markdown text: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, bare environments, ```math blocks and GitHub's
 * $`…`$. Skips code, HTML comments and link targets; tells money and shell variables from mathematics. Linear.
 */

import { Closings, Paragraphs } from './delimiters.ts';
import { isDollarMath } from './dollars.ts';
import { LONGEST_FORMULA } from './formula.ts';
import type { Formula, Region } from './formula.ts';
import { markdownBlocks } from './markdownBlocks.ts';

const ENVIRONMENT = /^\\begin\{(equation|align|gather|multline|alignat|flalign|eqnarray|cases|array|[pbBvV]?matrix|split|aligned|gathered)(\*?)\}/;
const STOP = /[`$\\<]|\]\(/g;

export function markdownFormulas(source: string): Formula[] {
  const { prose, math } = markdownBlocks(source);
  const blocks = math.map(({ block, content }): Formula => ({ ...trimmed(source, block), tex: withoutQuoteMarks(source.slice(content.start, content.end)).trim(), display: true }));
  const closings = new Closings(source);
  const found = [...prose.flatMap((region) => new ProseScan(source, region, closings).all()), ...blocks.filter(({ tex }) => tex !== '' && tex.length <= LONGEST_FORMULA)];
  return found.sort((a, b) => a.start - b.start);
}

/** Formulas of text in which no blocks are told apart: a docstring, a comment. */
export function inlineFormulas(source: string, region: Region): Formula[] {
  return new ProseScan(source, region, new Closings(source)).all();
}

function trimmed(source: string, { start, end }: Region): Region {
  const text = source.slice(start, end);
  return { start: start + (text.length - text.trimStart().length), end: end - (text.length - text.trimEnd().length) };
}

/** In a quotation each line begins with `>`. */
function withoutQuoteMarks(tex: string): string {
  return tex.replace(/\n[ \t]*>[> \t]*/g, '\n').replace(/^[ \t]*>[> \t]*/, '');
}

class ProseScan {
  private readonly found: Formula[] = [];
  private readonly paragraphs: Paragraphs;
  /** Length of a run of backticks → where the last such run of the region starts. */
  private lastRuns: Map<number, number> | null = null;

  constructor(
    private readonly source: string,
    private readonly region: Region,
    private readonly closings: Closings,
  ) {
    this.paragraphs = new Paragraphs(source, region.end);
  }

  all(): Formula[] {
    const stop = new RegExp(STOP.source, 'g');
    let at = this.region.start;
    for (;;) {
      stop.lastIndex = at;
      const match = stop.exec(this.source);
      if (match === null || match.index >= this.region.end) return this.found;
      at = Math.max(match.index + 1, this.step(match.index));
    }
  }

  private step(at: number): number {
    switch (this.source.charAt(at)) {
      case '`':
        return this.codeSpan(at);
      case '\\':
        return this.backslash(at);
      case '<':
        return this.html(at);
      case ']':
        return this.linkTarget(at);
      default:
        return this.source.charAt(at + 1) === '$' ? this.doubleDollar(at) : this.dollar(at);
    }
  }

  private add(start: number, end: number, tex: string, display: boolean): number {
    const plain = withoutQuoteMarks(tex).trim();
    if (plain !== '') this.found.push({ start, end, tex: plain, display });
    return end;
  }

  private codeSpan(at: number): number {
    const length = runLength(this.source, at);
    const behind = at + length;
    const until = this.paragraphs.endAfter(behind);
    this.lastRuns ??= lastBacktickRuns(this.source, this.region);
    if ((this.lastRuns.get(length) ?? -1) < behind) return behind;
    for (let next = this.source.indexOf('`', behind); next >= 0 && next < until; ) {
      const run = runLength(this.source, next);
      if (run === length) return next + run;
      next = this.source.indexOf('`', next + run);
    }
    return behind;
  }

  private backslash(at: number): number {
    const next = this.source.charAt(at + 1);
    if (next === '(') return this.delimited(at, at + 2, '\\)', false, this.paragraphs.endAfter(at + 2));
    if (next === '[') return this.delimited(at, at + 2, '\\]', true, this.region.end);
    if (next === 'b') return this.environment(at);
    return at + 2;
  }

  private delimited(start: number, from: number, close: string, display: boolean, limit: number): number {
    const end = this.closings.find(close, from, Math.min(limit, from + LONGEST_FORMULA));
    return end < 0 ? from : this.add(start, end + close.length, this.source.slice(from, end), display);
  }

  private environment(at: number): number {
    const open = ENVIRONMENT.exec(this.source.slice(at, at + 40));
    if (open === null) return at + 2;
    const inside = at + open[0].length;
    const name = `${open[1] ?? ''}${open[2] ?? ''}}`;
    const end = this.closings.find(`\\end{${name}`, inside, Math.min(this.region.end, inside + LONGEST_FORMULA));
    if (end < 0) return inside;
    const again = this.source.indexOf(`\\begin{${name}`, inside);
    // The same one begins before it ends: this one is still being typed.
    if (again >= 0 && again < end) return inside;
    const behind = end + `\\end{${name}`.length;
    return this.add(at, behind, this.source.slice(at, behind), true);
  }

  /** A block that starts and ends a line may have blank lines in it. */
  private doubleDollar(at: number): number {
    const from = at + 2;
    const before = this.source.slice(Math.max(this.region.start, at - 100), at);
    const startsLine = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?$/.test(before.slice(before.lastIndexOf('\n') + 1));
    const limit = startsLine ? this.region.end : this.paragraphs.endAfter(from);
    const end = this.closings.find('$$', from, Math.min(limit, from + LONGEST_FORMULA));
    if (end < 0 || hasLooseDollar(this.source.slice(from, end))) return from;
    return this.add(at, end + 2, this.source.slice(from, end), true);
  }

  private dollar(at: number): number {
    const until = Math.min(this.paragraphs.endAfter(at + 1), at + LONGEST_FORMULA);
    if (this.source.charAt(at + 1) === '`') {
      const end = this.closings.find('`$', at + 2, until);
      if (end >= 0) return this.add(at, end + 2, this.source.slice(at + 2, end), false);
    }
    const end = this.closings.find('$', at + 1, until);
    if (end < 0) return at + 1;
    const content = this.source.slice(at + 1, end);
    if (!isDollarMath(content, this.source.charAt(end + 1)) || this.source.charAt(end + 1) === '$') return at + 1;
    return this.add(at, end + 1, content, false);
  }

  private html(at: number): number {
    if (this.source.startsWith('<!--', at)) return this.behind('-->', at + 4);
    const tag = /^<(pre|code|script|style)[\s>]/i.exec(this.source.slice(at, at + 10))?.[1];
    return tag === undefined ? at + 1 : this.behind(`</${tag}>`, at + 1);
  }

  private behind(close: string, from: number): number {
    const end = this.closings.find(close, from, this.region.end);
    return end < 0 ? from : end + close.length;
  }

  private linkTarget(at: number): number {
    const target = /^\]\([^\s()]*\)/.exec(this.source.slice(at, at + 2000));
    return target === null ? at + 1 : at + target[0].length;
  }
}

/** A dollar outside of braces: one of the two pairs around it is not a pair. */
function hasLooseDollar(tex: string): boolean {
  return tex.includes('$') && tex.replace(/\\[^a-zA-Z]/g, '').replace(/\{[^{}]*\}/g, '').includes('$');
}

function runLength(source: string, at: number): number {
  let end = at;
  while (source.charAt(end) === '`') end += 1;
  return end - at;
}

function lastBacktickRuns(source: string, { start, end }: Region): Map<number, number> {
  const runs = new Map<number, number>();
  const run = /`+/g;
  run.lastIndex = start;
  for (let match = run.exec(source); match !== null && match.index < end; match = run.exec(source)) runs.set(match[0].length, match.index);
  return runs;
}
