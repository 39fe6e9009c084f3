/**
 * Finds mathematics in text: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, bare `\begin{…}…\end{…}` and `\boxed{…}`.
 * Tells money from mathematics, and knows when a formula may still be on its way.
 * Pure: no DOM, no Markdown, no rendering.
 */

export type MathScan =
  /** `end` is the index after the closing delimiter. */
  | { readonly kind: 'math'; readonly tex: string; readonly display: boolean; readonly end: number }
  /** An opening that may still be closed by text to come: show nothing of it yet. */
  | { readonly kind: 'pending' };

const DISPLAY_ENVIRONMENTS =
  /^\\begin\{(equation|align|gather|multline|alignat|eqnarray|cases|array|[pbvBV]?matrix|split|aligned|gathered)(\*?)\}/;

/**
 * Mathematics that starts exactly at `at`, or null where the text there is text.
 * @param growing more text may follow (the model is still writing)
 */
export function scanMath(source: string, at: number, growing: boolean): MathScan | null {
  if (source[at] === '$') return source[at + 1] === '$' ? scanDoubleDollar(source, at, growing) : scanDollar(source, at, growing);
  if (source[at] !== '\\') return null;
  if (at + 1 === source.length) return growing ? { kind: 'pending' } : null;
  if (source.startsWith('\\(', at)) return scanDelimited(source, at, '\\)', false, growing);
  if (source.startsWith('\\[', at)) return scanDelimited(source, at, '\\]', true, growing);
  if (source.startsWith('\\boxed', at)) return scanBoxed(source, at, growing);
  if (source.startsWith('\\begin{', at)) return scanEnvironment(source, at, growing);
  const rest = source.slice(at);
  return growing && ('\\boxed{'.startsWith(rest) || '\\begin{'.startsWith(rest)) ? { kind: 'pending' } : null;
}

function scanDelimited(source: string, at: number, close: string, display: boolean, growing: boolean): MathScan | null {
  const end = findUnescaped(source, close, at + 2);
  if (end < 0) return growing ? { kind: 'pending' } : null;
  const tex = source.slice(at + 2, end).trim();
  return tex === '' ? null : { kind: 'math', tex, display, end: end + close.length };
}

function scanDoubleDollar(source: string, at: number, growing: boolean): MathScan | null {
  return scanDelimited(source, at, '$$', true, growing);
}

/** Pandoc's rule (no space inside the delimiters, no digit after the closing one), one paragraph, and no prices. */
function scanDollar(source: string, at: number, growing: boolean): MathScan | null {
  const first = source[at + 1];
  if (first === undefined) return growing ? { kind: 'pending' } : null;
  if (/\s/.test(first)) return null;
  const end = findUnescaped(source, '$', at + 1);
  const content = source.slice(at + 1, end < 0 ? undefined : end);
  if (looksLikeMoney(content) || /\n\s*\n/.test(content)) return null;
  if (end < 0) return growing && !content.includes('\n') ? { kind: 'pending' } : null;
  if (/\s$/.test(content) || /\d/.test(source[end + 1] ?? '')) return null;
  return { kind: 'math', tex: content.trim(), display: false, end: end + 1 };
}

/** An amount, then nothing or plain words: `5 and `, `6.`, `1,000 for the two`; not `5x`, `5 + 3`, `5`. */
function looksLikeMoney(content: string): boolean {
  const amount = /^\d[\d,]*(\.\d+)?(\s?(k|m|bn|million|billion))?/.exec(content);
  if (amount === null) return false;
  return /^(\s+(?!(mod|cm|mm|km|kg|and\s*\\)\b)[A-Za-z]{2,}|[.,;:!?)]*\s+[A-Za-z(]*$|[.,;:!?)]+\s|\/[a-z]{2,}|-$)/.test(content.slice(amount[0].length));
}

/** Boxes in boxes are each searched for their end; a box longer than this is text. */
const LONGEST_BOX = 4000;

function scanBoxed(source: string, at: number, growing: boolean): MathScan | null {
  const open = at + '\\boxed'.length;
  if (source[open] !== '{') return open === source.length && growing ? { kind: 'pending' } : null;
  let depth = 0;
  for (let i = open; i < Math.min(source.length, open + LONGEST_BOX); i++) {
    const c = source[i];
    if (c === '\\') i++;
    else if (c === '{') depth++;
    else if (c === '}' && --depth === 0) return { kind: 'math', tex: source.slice(at, i + 1), display: false, end: i + 1 };
  }
  return growing && source.length - open < LONGEST_BOX ? { kind: 'pending' } : null;
}

function scanEnvironment(source: string, at: number, growing: boolean): MathScan | null {
  const open = DISPLAY_ENVIRONMENTS.exec(source.slice(at, at + 40));
  if (open === null) return growing && !source.slice(at).includes('}') ? { kind: 'pending' } : null;
  const close = `\\end{${open[1] ?? ''}${open[2] ?? ''}}`;
  const end = source.indexOf(close, at);
  if (end < 0) return growing ? { kind: 'pending' } : null;
  return { kind: 'math', tex: source.slice(at, end + close.length), display: true, end: end + close.length };
}

/** Where a search of the last text found nothing: a later one finds nothing either, so many openings cost one search. */
let missed = { source: '', from: new Map<string, number>() };

function findUnescaped(source: string, wanted: string, from: number): number {
  if (missed.source !== source) missed = { source, from: new Map() };
  if (from >= (missed.from.get(wanted) ?? Infinity)) return -1;
  for (let i = from; i < source.length; i++) {
    if (source.startsWith(wanted, i)) return i;
    if (source[i] === '\\') i++;
  }
  missed.from.set(wanted, from);
  return -1;
}
