/**
 * Where the answer stands in a text, best guess first: the last box (and boxes beside it), what follows the word
 * "answer", the last formula or number. Knows no mathematics.
 */

const SEPARATOR = /\b(?:and|or)\b|[,;]/;
/** Boxes that are closer than this are one answer; with a separator between them, up to the second. */
const BESIDE = 10;
const SAME_SENTENCE = 70;

/** Readings of the text's answer, in the order in which they are tried. */
export function readings(text: string): readonly string[] {
  const boxed = /\\boxed\{[^]+\}/.test(text) ? [boxContents(text)] : [];
  return [...boxed, ...afterTheWord(text), ...candidates(text).map(({ content }) => content)];
}

function boxContents(text: string): string {
  const found: string[] = [];
  let end = text.length;
  let nextStart: number | null = null;
  for (;;) {
    const start = Math.max(text.lastIndexOf('\\boxed', end - 1), text.lastIndexOf('\\fbox', end - 1));
    if (start < 0 || end <= 0) break;
    const open = text.indexOf('{', start);
    const close = open < 0 || open >= end ? null : closing(text, open, end);
    if (close === null) {
      if (found.length === 0) found.push(text.slice(open < 0 ? start : open));
      break;
    }
    const content = text.slice(open + 1, close).trim();
    if (nextStart !== null && !isBeside(text.slice(close + 1, nextStart), content, found.at(-1) ?? '')) break;
    if (found.at(-1) !== content) found.push(content);
    nextStart = start;
    end = start;
  }
  // A box in a box is the inner one's content.
  const joined = found.reverse().join(',');
  return joined.includes('\\boxed{') && joined !== text ? boxContents(joined) : joined;
}

function isBeside(between: string, content: string, next: string): boolean {
  return between.length < BESIDE || (content !== next && between.length < SAME_SENTENCE && SEPARATOR.test(between));
}

function closing(text: string, open: number, end: number): number | null {
  let depth = 0;
  for (let at = open; at < end; at += 1) {
    if (text.charAt(at) === '{') depth += 1;
    if (text.charAt(at) === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return null;
}

interface Candidate {
  readonly start: number;
  readonly end: number;
  readonly content: string;
}

const FORMULAS = [/(?<!\\)\$\$([^$]+?)(?<!\\)\$\$/g, /\\\[([^]+?)\\\]/g, /(?<![\\\d$])\$((?:\\\$|[^\n$])+?)(?<!\\)\$(?!\$)/g, /\\\(([^\n]+?)\\\)/g, /(-?\\frac\{-?\d+(?:[.,]\d+)?\}\{-?\d+(?:[.,]\d+)?\})/g];
const NUMBER = String.raw`-?[1-9]\d{0,2}(?:[ ,]\d{3})+(?:\.\d+)?|-?\d+[.,]\d+|\.\d+|-?\d+`;
const NUMBERS = [
  new RegExp(String.raw`(?:^|\s|=)(?:\*\*)?(-?\(?-?\d[\d.\s+\-*×/^()÷]*[+\-*×/^()÷][\d.\s+\-*×/^()÷]+\)?)(?:\*\*)?(?=[.,:\s)$]|$)`, 'g'),
  new RegExp(String.raw`(?:^|\s|=)(?:\*\*)?[$€£¥]?((?:${NUMBER})(?:\s*(?:%|[Pp]ercent(?:age)?|[Pp]ct))?)`, 'g'),
];

/** Formulas and numbers, the rightmost first; of two that end together the longer. */
function candidates(text: string): readonly Candidate[] {
  return [...FORMULAS, ...NUMBERS]
    .flatMap((pattern) => [...text.matchAll(pattern)].map((match) => ({ start: match.index, end: match.index + match[0].length, content: (match[1] ?? '').trim().replace(/(\d)\.$/, '$1') })))
    .sort((a, b) => b.end - a.end || a.start - b.start);
}

/** "Answer: 5", "the final answer is $x$": the first formula or number within reach of the word. */
function afterTheWord(text: string): readonly string[] {
  const all = candidates(text);
  return [...text.matchAll(/answer/gi)].reverse().flatMap((word) => {
    const from = word.index + word[0].length;
    const near = all.filter(({ start }) => start >= from && start <= from + 50).sort((a, b) => a.start - b.start || b.end - a.end);
    return near[0] === undefined ? [] : [near[0].content];
  });
}

/** The last number of a text, without thousands separators and signs of money; null without one. */
export function lastNumber(text: string): string | null {
  const found = [...text.matchAll(new RegExp(NUMBER, 'g'))].at(-1)?.[0];
  return found === undefined ? null : found.replace(/[ ,](?=\d{3})/g, '');
}
