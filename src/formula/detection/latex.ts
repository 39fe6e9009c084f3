/**
 * Formulas of a LaTeX text: `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and the environments of mathematics. Skips comments,
 * verbatim text and addresses. A paragraph ends every formula but an environment, so a delimiter that is only half
 * typed spoils one paragraph. One pass, linear.
 */

import { Closings, Paragraphs } from './delimiters.ts';
import { LONGEST_FORMULA } from './formula.ts';
import type { Formula, Region } from './formula.ts';

const MATH_ENVIRONMENTS = new Set(['equation', 'align', 'gather', 'multline', 'flalign', 'alignat', 'xalignat', 'eqnarray', 'dmath', 'math', 'displaymath']);
/** Only these go to a renderer without their begin and end. */
const BARE_ENVIRONMENTS = new Set(['math', 'displaymath', 'subequations', 'dmath']);
const VERBATIM = new Set(['verbatim', 'Verbatim', 'BVerbatim', 'LVerbatim', 'lstlisting', 'minted', 'alltt', 'comment', 'filecontents', 'tcblisting', 'pycode', 'luacode']);
const TEXT_COMMANDS = new Set(['\\text', '\\mbox', '\\hbox', '\\textrm', '\\textit', '\\textbf', '\\textsf', '\\texttt', '\\textnormal', '\\intertext', '\\fbox', '\\tag']);

/** What the scan stops at: a command, a comment, a dollar. */
const STOP = /\\(?:[a-zA-Z@]+\*?|[^a-zA-Z@])|%|\$\$?/g;

export function latexFormulas(source: string, region: Region = { start: 0, end: source.length }): Formula[] {
  return new LatexScan(source, region).all();
}

class LatexScan {
  private readonly found: Formula[] = [];
  private readonly closings: Closings;
  private readonly paragraphs: Paragraphs;
  /** Up to here a `\text{` without its end was seen: dollars in it close as they stand. */
  private openTextUntil = -1;

  constructor(
    private readonly source: string,
    private readonly region: Region,
  ) {
    this.closings = new Closings(source);
    this.paragraphs = new Paragraphs(source, region.end);
  }

  all(): Formula[] {
    let at = this.region.start;
    const stop = new RegExp(STOP.source, 'g');
    for (;;) {
      stop.lastIndex = at;
      const match = stop.exec(this.source);
      if (match === null || match.index >= this.region.end) return this.found;
      at = Math.max(match.index + 1, this.step(match[0], match.index));
    }
  }

  /** Takes what starts at `at`; returns where to go on. */
  private step(token: string, at: number): number {
    const behind = at + token.length;
    if (token === '%') return lineEnd(this.source, at);
    if (token === '$$') return this.delimited(at, behind, '$$', true);
    if (token === '$') return this.dollar(at);
    if (token === '\\(') return this.delimited(at, behind, '\\)', false);
    if (token === '\\[') return this.delimited(at, behind, '\\]', true);
    if (token === '\\begin') return this.environment(at, behind);
    if (/^\\(?:verb|lstinline|mintinline)\*?$/.test(token)) return this.verb(token, behind);
    if (token === '\\url' || token === '\\href' || token === '\\path') return this.group(behind);
    return behind;
  }

  private add(start: number, end: number, tex: string, display: boolean): number {
    if (tex.trim() !== '') this.found.push({ start, end, tex: withoutComments(tex).trim(), display });
    return end;
  }

  private delimited(start: number, from: number, close: string, display: boolean): number {
    const until = Math.min(this.paragraphs.endAfter(from), from + LONGEST_FORMULA);
    const end = this.closings.find(close, from, until);
    return end < 0 ? from : this.add(start, end + close.length, this.source.slice(from, end), display);
  }

  private dollar(start: number): number {
    const until = Math.min(this.paragraphs.endAfter(start + 1), start + LONGEST_FORMULA);
    const end = (start < this.openTextUntil ? null : this.dollarOutsideText(start + 1, until)) ?? this.closings.find('$', start + 1, until);
    return end < 0 ? start + 1 : this.add(start, end + 1, this.source.slice(start + 1, end), false);
  }

  /** The closing dollar that isn't part of a `\text{…$…$…}`; null where such a text has no end. */
  private dollarOutsideText(from: number, until: number): number | null {
    const texts: number[] = [];
    let depth = 0;
    const token = /\\(?:[a-zA-Z]+|[^a-zA-Z])|[{}$%]/g;
    token.lastIndex = from;
    for (let match = token.exec(this.source); match !== null && match.index < until; match = token.exec(this.source)) {
      const text = match[0];
      if (text === '%') token.lastIndex = lineEnd(this.source, match.index);
      else if (text === '{') depth += 1;
      else if (text === '}') {
        depth -= 1;
        if (depth === texts.at(-1)) texts.pop();
      } else if (text === '$' && texts.length === 0) return match.index;
      else if (TEXT_COMMANDS.has(text) && this.source.charAt(token.lastIndex) === '{') texts.push(depth);
    }
    if (texts.length === 0) return -1;
    this.openTextUntil = until;
    return null;
  }

  private environment(start: number, from: number): number {
    const open = /^\{([a-zA-Z@]+)(\*?)\}/.exec(this.source.slice(from, from + 40));
    if (open === null) return from;
    const name = open[1] ?? '';
    const inside = from + open[0].length;
    const close = `\\end{${name}${open[2] ?? ''}}`;
    if (VERBATIM.has(name)) {
      const end = this.source.indexOf(close, inside);
      return end < 0 ? this.region.end : end + close.length;
    }
    if (!MATH_ENVIRONMENTS.has(name)) return inside;
    const end = this.environmentEnd(`\\begin{${name}`, close, inside);
    if (end < 0) return inside;
    const whole = BARE_ENVIRONMENTS.has(name) ? this.source.slice(inside, end) : this.source.slice(start, end + close.length);
    return this.add(start, end + close.length, whole, name !== 'math');
  }

  /** -1 also where the same environment begins again first: then this one is being typed. */
  private environmentEnd(again: string, close: string, inside: number): number {
    const until = Math.min(this.region.end, inside + LONGEST_FORMULA);
    const token = /\\(?:begin|end)\{[a-zA-Z@]+\*?\}|\\[^a-zA-Z]|%/g;
    token.lastIndex = inside;
    for (let match = token.exec(this.source); match !== null && match.index < until; match = token.exec(this.source)) {
      if (match[0] === '%') token.lastIndex = lineEnd(this.source, match.index);
      else if (match[0] === close) return match.index;
      else if (match[0].startsWith(again)) return -1;
    }
    return -1;
  }

  /** `\verb|…|`; `\lstinline` and `\mintinline` also take braces and options. */
  private verb(token: string, from: number): number {
    const line = lineEnd(this.source, from);
    let at = from;
    if (token.startsWith('\\mintinline')) at = this.group(at);
    if (this.source.charAt(at) === '[') at = this.source.indexOf(']', at) + 1 || at;
    const open = this.source.charAt(at);
    if (open === '{') return this.group(at);
    const end = open === '' ? -1 : this.source.indexOf(open, at + 1);
    return end < 0 || end > line ? from : end + 1;
  }

  /** Behind the group in braces that starts at `from` on the same line, or `from`. */
  private group(from: number): number {
    if (this.source.charAt(from) !== '{') return from;
    const end = this.closings.find('}', from + 1, lineEnd(this.source, from));
    return end < 0 ? from : end + 1;
  }
}

function lineEnd(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end < 0 ? source.length : end;
}

/** TeX's comments, and the line break that each swallows. */
function withoutComments(tex: string): string {
  return tex.includes('%') ? tex.replace(/((?:^|[^\\])(?:\\\\)*)%[^\n]*(?:\n[ \t]*|$)/g, '$1') : tex;
}
