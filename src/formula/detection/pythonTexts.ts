/**
 * The strings and comments of a Python text, each as plain text with the way back to its place in the document.
 * Knows Python's quotes, prefixes, escapes and comment marks; knows no mathematics. One pass.
 */

export interface PythonText {
  readonly kind: 'string' | 'docstring' | 'comment';
  /** Without comment marks and quotes; `\\` is one backslash unless the string is raw. */
  readonly plain: string;
  /** Offset in the document of the character at `index` of `plain`. */
  readonly placeOf: (index: number) => number;
  /** Has an f-string a value put in between the two? Then its text is not known. */
  readonly isInterpolated: (start: number, end: number) => boolean;
  /** How it is written; null for a comment. */
  readonly literal: PythonLiteral | null;
}

/** A string as it is written. */
export interface PythonLiteral {
  /** Offsets in the document of what is between the quotes. */
  readonly start: number;
  readonly end: number;
  readonly quote: string;
  /** A backslash is itself. */
  readonly raw: boolean;
  /** Braces hold values. */
  readonly formatted: boolean;
}

/** The string whose text holds the offset, its ends included; null in code and comments. */
export function pythonStringAt(source: string, offset: number): PythonLiteral | null {
  return readPythonTexts(source).find(({ literal }) => literal !== null && literal.start <= offset && offset <= literal.end)?.literal ?? null;
}

const NEXT = /#|(?:(?<!\w)([rRbBuUfFtT]{1,2}))?('''|"""|'|")/g;

export function readPythonTexts(source: string): PythonText[] {
  const texts: PythonText[] = [];
  const next = new RegExp(NEXT.source, 'g');
  for (let match = next.exec(source); match !== null; match = next.exec(source)) {
    if (match[0] === '#') {
      const end = commentEnd(source, match.index);
      texts.push(commentText(source, match.index, end));
      next.lastIndex = end;
      continue;
    }
    const prefix = (match[1] ?? '').toLowerCase();
    const quote = match[2] ?? '"';
    const inside = match.index + match[0].length;
    const end = stringEnd(source, inside, quote);
    texts.push(stringText(source, inside, end, prefix, quote));
    next.lastIndex = source.startsWith(quote, end) ? end + quote.length : end;
  }
  return texts;
}

/** Comment lines that follow each other and begin their lines are one text. */
function commentEnd(source: string, start: number): number {
  let end = lineEnd(source, start);
  const alone = /^[ \t]*$/.test(source.slice(source.lastIndexOf('\n', start - 1) + 1, start));
  for (;;) {
    const more = alone ? /^\n[ \t]*#/.exec(source.slice(end, end + 200)) : null;
    if (more === null) return end;
    end = lineEnd(source, end + more[0].length);
  }
}

function lineEnd(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end < 0 ? source.length : end;
}

function commentText(source: string, start: number, end: number): PythonText {
  const places: number[] = [];
  let plain = '';
  for (let at = start; at < end; ) {
    const mark = /^[ \t]*#+:? ?/.exec(source.slice(at, at + 300))?.[0].length ?? 0;
    const newline = Math.min(end, lineEnd(source, at) + 1);
    for (let i = Math.min(at + mark, newline); i < newline; i += 1) places.push(i);
    plain += source.slice(Math.min(at + mark, newline), newline);
    at = newline;
  }
  return { kind: 'comment', plain, placeOf: (index) => places[index] ?? end, isInterpolated: () => false, literal: null };
}

/** Index of the closing quote; a string that isn't closed ends with its line, or with the text where it has three quotes. */
function stringEnd(source: string, inside: number, quote: string): number {
  const long = quote.length === 3;
  const first = quote.charAt(0);
  for (let at = inside; at < source.length; at += 1) {
    const char = source.charAt(at);
    if (char === first && source.startsWith(quote, at)) return at;
    if (char === '\n' && !long) return at;
    if (char === '\\') at += 1;
  }
  return source.length;
}

function stringText(source: string, start: number, end: number, prefix: string, quote: string): PythonText {
  const kind = quote.length === 3 ? 'docstring' : 'string';
  const raw = prefix.includes('r');
  const formatted = prefix.includes('f') || prefix.includes('t');
  const written = source.slice(start, end);
  const literal: PythonLiteral = { start, end, quote, raw, formatted };
  if (!(formatted && /[{}]/.test(written)) && (raw || !written.includes('\\'))) {
    return { kind, plain: written, placeOf: (index) => start + index, isInterpolated: () => false, literal };
  }
  return decoded(written, kind, literal);
}

/**
 * Doubled backslashes and braces become one. Other escapes stay as they are written: who writes "$\alpha$" without
 * an r means the letter alpha, whatever Python makes of `\a`.
 */
function decoded(written: string, kind: PythonText['kind'], literal: PythonLiteral): PythonText {
  const { start, raw, formatted } = literal;
  const places: number[] = [];
  const values: number[] = [];
  let plain = '';
  const put = (char: string, at: number): void => {
    plain += char;
    places.push(start + at);
  };
  for (let at = 0; at < written.length; at += 1) {
    const char = written.charAt(at);
    const next = written.charAt(at + 1);
    const doubled = char === next && ((char === '\\' && !raw) || (formatted && (char === '{' || char === '}')));
    if (formatted && char === '{' && !doubled) values.push(plain.length);
    if (!raw && char === '\\' && (next === '"' || next === "'")) continue;
    put(char, at);
    if (doubled) at += 1;
  }
  return { kind, plain, placeOf: (index) => places[index] ?? start + written.length, isInterpolated: (from, to) => values.some((value) => value >= from && value < to), literal };
}
