/**
 * Where a delimiter closes. A backslash takes the next character with it. A search that found nothing is remembered,
 * so that many openings without an end cost one search: the whole scan stays linear.
 */

export class Closings {
  /** Delimiter → from here on to `until` there is none. */
  private readonly missed = new Map<string, { readonly from: number; readonly until: number }>();

  constructor(private readonly source: string) {}

  /** Index of the first unescaped `close` in [from, until), or -1. */
  find(close: string, from: number, until: number): number {
    const miss = this.missed.get(close);
    const known = miss !== undefined && from >= miss.from && from < miss.until;
    const first = close.charAt(0);
    // The last characters of the part that is known may be the first ones of a delimiter.
    for (let at = known ? Math.max(from, miss.until - close.length + 1) : from; at < until; at += 1) {
      const char = this.source.charAt(at);
      if (char === first && this.source.startsWith(close, at) && at + close.length <= until) return at;
      if (char === '\\') at += 1;
    }
    this.missed.set(close, { from: known ? miss.from : from, until: Math.max(until, known ? miss.until : 0) });
    return -1;
  }
}

const BLANK_LINE = /\n[ \t]*(?:\r?\n|$)/g;

/** Where paragraphs of a region end: asked with growing offsets, each blank line is looked for once. */
export class Paragraphs {
  private known = -1;
  private asked = Infinity;

  constructor(
    private readonly source: string,
    private readonly end: number,
  ) {}

  /** Index of the first blank line behind `at`, or the region's end. */
  endAfter(at: number): number {
    if (at >= this.asked && at < this.known) return this.known;
    BLANK_LINE.lastIndex = at;
    const found = BLANK_LINE.exec(this.source);
    this.asked = at;
    this.known = found === null || found.index > this.end ? this.end : found.index;
    return this.known;
  }
}
