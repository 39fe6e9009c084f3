/**
 * An answer as text of the document it goes into: Markdown and LaTeX keep their mathematics, reStructuredText gets its
 * own, programs get comment lines, or text where it goes into a string. Pure; knows language ids, not editors.
 */

import { commentMarks, lineComment } from '../../host/problem/comments.ts';
import { inPythonString } from './pythonString.ts';
import type { PythonQuotes } from './pythonString.ts';
import { reStructuredText } from './reStructuredText.ts';

const MARKDOWN = new Set(['markdown', 'quarto', 'rmd', 'mdx', 'juliamarkdown']);
const LATEX = new Set(['latex', 'tex', 'context', 'doctex', 'latex-expl3']);
const RST = 'restructuredtext';

/** What an answer is written as. */
export interface Surroundings {
  readonly languageId: string;
  /** The string of a Python program that it goes into: text, where a comment mark would be text too. */
  readonly string?: PythonQuotes | null;
}

export interface InsertionTarget extends Surroundings {
  readonly eol: string;
  /** White space at the start of the problem's line. */
  readonly indent: string;
  /** The line below the problem has text, so that a blank line must part it from the answer. */
  readonly textBelow: boolean;
}

/** Whole lines to put below the problem's last line, without a line break at start or end. */
export function insertionText(answer: string, target: InsertionTarget): string {
  const lines = bodyLines(answer.trim(), target, target.textBelow).map((line) => (line === '' ? '' : target.indent + line));
  return lines.join(target.eol);
}

/** The same for another place: no indent, and nothing that parts it from what is around it. */
export function copiedText(answer: string, surroundings: Surroundings): string {
  return bodyLines(answer.trim(), surroundings, false).join('\n').trim();
}

function bodyLines(answer: string, { languageId, string }: Surroundings, textBelow: boolean): string[] {
  const apart = textBelow ? [''] : [];
  const lines = answer.split(/\r?\n/);
  if (string != null) return ['', ...lines.map((line) => inPythonString(line, string)), ...apart];
  if (MARKDOWN.has(languageId)) return ['', ...hardBreaks(lines), ...apart];
  if (LATEX.has(languageId)) return ['', ...paragraphs(latexLines(lines)), ...apart];
  if (languageId === RST) return ['', ...reStructuredText(lines), ...apart];
  const comment = commentMarks(languageId);
  if (comment === null) return ['', ...lines, ...apart];
  const [open, close] = comment;
  return lines.map((line) => (close === undefined ? `${open} ${line}`.trimEnd() : `${open} ${line.replaceAll(close, '')} ${close}`));
}

export interface ReplacedPlace extends Surroundings {
  readonly eol: string;
  /** What its first line has before the problem, and its last line behind it. */
  readonly before: string;
  readonly after: string;
  /** The problem as it stands there: of a formula, the delimiters are kept. */
  readonly replaced: string;
}

/**
 * What a problem is replaced by: the worked answer where it has its lines for itself, within a line only the result.
 * @param result content of the answer's box
 */
export function replacementText(worked: string, result: string | null, place: ReplacedPlace): string {
  const { languageId, string, eol, before, after } = place;
  const indent = /^\s*/.exec(before)?.[0] ?? '';
  const head = before.trim();
  const marker = string == null ? lineComment(languageId) : null;
  const alone = after.trim() === '' && (head === '' || head === marker) && (string == null || string.quote.length === 3);
  if (!alone) return inlineText(worked, result, place);
  const lines = bodyLines(worked.trim(), place, false);
  // The blank line that parts an inserted answer from its problem has nothing to part here.
  const [first = '', ...rest] = lines[0] === '' ? lines.slice(1) : lines;
  const start = marker !== null && head === marker ? first.slice(marker.length).trimStart() : first;
  return [start, ...rest.map((line) => (line === '' ? '' : indent + line))].join(eol);
}

function inlineText(worked: string, result: string | null, place: ReplacedPlace): string {
  const written = (text: string): string => (place.string == null ? text : inPythonString(text, place.string));
  if (result === null) return written(worked.trim().replace(/\s*\n\s*/g, ' '));
  const [, open, close] = DELIMITED.exec(place.replaced) ?? ['', ...delimitersFor(place)];
  return `${open}${written(result)}${close}`;
}

/** A formula with its delimiters, in a string with doubled backslashes too. */
const DELIMITED = /^(\$\$?|\\{1,2}[([]|:math:`)[^]*?(\$\$?|\\{1,2}[)\]]|`)$/;

function delimitersFor({ languageId, string, before }: ReplacedPlace): readonly [string, string] {
  const isMath = (before.match(/(?<!\\)\$/g)?.length ?? 0) % 2 === 1 || /\\\((?!.*\\\))|\\\[(?!.*\\\])|:math:`[^`]*$/.test(before);
  if (isMath || string != null) return ['', ''];
  if (languageId === RST) return [':math:`', '`'];
  return MARKDOWN.has(languageId) || LATEX.has(languageId) ? ['$', '$'] : ['', ''];
}

/** A step a line stays a step a line: Markdown joins lines unless they end with a break. */
function hardBreaks(lines: readonly string[]): string[] {
  const display = displayLines(lines);
  const plain = (i: number): boolean => (lines[i] ?? '').trim() !== '' && display[i] !== true && !/^\s*([-*+>]\s|#|\||\d+[.)]\s|```)/.test(lines[i] ?? '');
  return lines.map((line, i) => (plain(i) && plain(i + 1) ? `${line.trimEnd()}  ` : line));
}

/** LaTeX joins lines too: each becomes a paragraph, but display mathematics stays whole. */
function paragraphs(lines: readonly string[]): string[] {
  const display = displayLines(lines);
  return lines.flatMap((line, i) => (line.trim() !== '' && (lines[i + 1] ?? '').trim() !== '' && display[i] !== true ? [line, ''] : [line]));
}

/** Which lines are part of display mathematics, its delimiters included. */
function displayLines(lines: readonly string[]): boolean[] {
  let depth = 0;
  let dollars = false;
  return lines.map((line) => {
    const before = depth > 0 || dollars;
    depth += (line.match(/\\\[|\\begin\{/g)?.length ?? 0) - (line.match(/\\\]|\\end\{/g)?.length ?? 0);
    if ((line.match(/\$\$/g)?.length ?? 0) % 2 === 1) dollars = !dollars;
    return before || depth > 0 || dollars;
  });
}

const MATH = /(\$\$[^$]*\$\$|\$[^$\n]+\$|\\\(.*?\\\)|\\\[.*?\\\])/;

/** Outside mathematics: Markdown's bold and headings become commands, and LaTeX's special characters are escaped. */
function latexLines(lines: readonly string[]): string[] {
  const display = displayLines(lines);
  return lines.map((line, i) => {
    if (display[i] === true) return line;
    const parts = line.split(MATH);
    return parts.map((part, k) => (k % 2 === 1 ? part : latexText(part))).join('');
  });
}

function latexText(text: string): string {
  return text
    .replace(/(?<!\\)[%#&]/g, '\\$&')
    .replace(/\*\*([^*]+)\*\*/g, '\\textbf{$1}')
    .replace(/^(?:\\#)+\s*(.*)$/, '\\paragraph{$1}');
}
