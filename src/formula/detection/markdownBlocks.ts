/**
 * What of a Markdown text is prose, and what is code, front matter or a ```math block. Line by line, once. Knows
 * blocks only: formulas within prose are found by markdown.ts.
 */

import type { Region } from './formula.ts';

export interface MarkdownBlocks {
  readonly prose: readonly Region[];
  /** Content of fenced blocks that are mathematics; `block` is the fence with its lines. */
  readonly math: readonly { readonly block: Region; readonly content: Region }[];
}

const FENCE = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})[ \t]*([^`\r\n]*)/;
const LIST = /^[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]/;
const MATH_INFO = /^\{?\.?(?:math|latex-math|katex)\b/i;

interface Line extends Region {
  readonly text: string;
}

export function markdownBlocks(source: string): MarkdownBlocks {
  return new BlockScan(source).all();
}

class BlockScan {
  private readonly prose: Region[] = [];
  private readonly math: { block: Region; content: Region }[] = [];
  private proseStart = 0;
  private fence: { readonly mark: string; readonly math: boolean; readonly start: number; readonly inside: number } | null = null;
  private inList = false;
  private inCode = false;
  private afterBlank = true;

  constructor(private readonly source: string) {}

  all(): MarkdownBlocks {
    let at = frontMatterEnd(this.source);
    this.proseStart = at;
    while (at < this.source.length) {
      const newline = this.source.indexOf('\n', at);
      const end = newline < 0 ? this.source.length : newline + 1;
      // A line that is longer than any mark says nothing more about blocks.
      this.line({ start: at, end, text: this.source.slice(at, Math.min(end, at + 200)) });
      at = end;
    }
    if (this.fence === null) this.endProse(this.source.length);
    return { prose: this.prose, math: this.math };
  }

  private endProse(at: number): void {
    if (at > this.proseStart && !this.inCode) this.prose.push({ start: this.proseStart, end: at });
  }

  private line(line: Line): void {
    if (this.fence !== null) {
      this.fencedLine(line, this.fence);
      return;
    }
    const open = FENCE.exec(line.text);
    if (open !== null && !this.inCode) {
      this.endProse(line.start);
      this.fence = { mark: open[1] ?? '', math: MATH_INFO.test(open[2] ?? ''), start: line.start, inside: line.end };
      return;
    }
    this.indentedLine(line);
  }

  private fencedLine(line: Line, fence: NonNullable<typeof this.fence>): void {
    const close = /^[ \t>]*(`{3,}|~{3,})[ \t]*\r?\n?$/.exec(line.text)?.[1];
    if (close?.startsWith(fence.mark) !== true) return;
    if (fence.math) this.math.push({ block: { start: fence.start, end: line.end }, content: { start: fence.inside, end: line.start } });
    this.fence = null;
    this.proseStart = line.end;
    this.afterBlank = true;
  }

  /** Code by indentation: behind a blank line, outside of lists. */
  private indentedLine(line: Line): void {
    const blank = line.text.trim() === '';
    const indented = /^(?: {4}|\t| {1,3}\t)/.test(line.text);
    if (LIST.test(line.text) && !this.inCode && !(indented && !this.inList)) this.inList = true;
    else if (!blank && !indented && this.afterBlank) this.inList = false;
    const code = indented && !this.inList && (this.afterBlank || this.inCode);
    if (code && !this.inCode && !blank) {
      this.endProse(line.start);
      this.inCode = true;
    } else if (this.inCode && !blank && !indented) {
      this.inCode = false;
      this.proseStart = line.start;
    }
    this.afterBlank = blank;
  }
}

/** Behind the YAML at the start, or 0. */
function frontMatterEnd(source: string): number {
  const open = /^\ufeff?---[ \t]*\r?\n/.exec(source.slice(0, 100));
  if (open === null) return 0;
  const close = /^(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/gm;
  close.lastIndex = open[0].length;
  const end = close.exec(source);
  return end === null ? 0 : end.index + end[0].length;
}
