/**
 * Markdown that can only be what it was meant to be: text stays text, whoever wrote it, and images are data of our
 * own. Every ASCII punctuation mark of a text is escaped, so no link, HTML, command, address or image comes of it.
 * Pure; knows VS Code's limit for one Markdown text.
 */

import type { Drawing } from '../../formula/typeset/messages.ts';

/** VS Code cuts a Markdown text behind this many characters; an image that is cut is broken. */
export const LONGEST_MARKDOWN = 100_000;

/** Characters that reorder what follows, or that nothing shows, become visible: no text looks like another one. */
export function visible(text: string): string {
  return text.replace(/[\u202a-\u202e\u2066-\u2069\u0000-\u0008\u000b\u000c\u000e-\u001f]|\r(?!\n)/g, '\ufffd');
}

/** One line or several, none of it markup. */
export function escaped(text: string): string {
  return visible(text)
    .replace(/[!-/:-@[-`{-~]/g, '\\$&')
    .replace(/^[ \t]+/gm, '')
    .replace(/[ \t]*\r?\n/g, '  \n');
}

/** Longer than anybody reads; escaped it has at most three times as many characters. */
const LONGEST_SENTENCE = 3000;

/** What somebody else says in a sentence or a few, escaped, and cut where it does not end. Without the blanks around it, behind which a mark of ours would begin a list. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  return escaped(trimmed.length > LONGEST_SENTENCE ? `${trimmed.slice(0, LONGEST_SENTENCE)} …` : trimmed);
}

/** TeX or code as it is written, in a fence that it can't close. */
export function fenced(text: string, language = 'latex'): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${visible(text)}\n${fence}`;
}

/** TeX within a line. */
export function codeSpan(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence} ${visible(text).replace(/\s+/g, ' ')} ${fence}`;
}

/** @param alternative for those who don't see it */
export function image({ svg, width, height }: Drawing, alternative: string): string {
  const data = Buffer.from(svg, 'utf8').toString('base64');
  return `![${escaped(alternative.replace(/\s+/g, ' ').slice(0, 500))}](data:image/svg+xml;base64,${data}|width=${width},height=${height})`;
}

/** Puts parts together and says when the next one would be too much. */
export class MarkdownBudget {
  private used = 0;

  constructor(private readonly limit = LONGEST_MARKDOWN - 2000) {}

  /** The part, or what stands for it where there is no more room. */
  take(part: string, otherwise: string): string {
    const chosen = this.used + part.length <= this.limit ? part : this.used + otherwise.length <= this.limit ? otherwise : '';
    this.used += chosen.length;
    return chosen;
  }
}
