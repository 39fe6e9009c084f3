/**
 * The final answer in a model's text: the last box, else "Answer: …" or "#### …".
 * Knows no mathematics: what stands in the box is returned as it is written.
 */

/** Content of the last complete `\boxed{…}`, `\fbox{…}` or `\boxed 5`; else the last "Answer: …" or "#### …"; null without any. */
export function extractAnswer(text: string): string | null {
  return lastBox(text) ?? lastAnswerLine(text);
}

function lastBox(text: string): string | null {
  const starts = [...text.matchAll(/\\(?:boxed|fbox)(?![a-zA-Z])/g)].reverse();
  for (const start of starts) {
    const content = boxContent(text, start.index + start[0].length);
    if (content !== null) return content;
  }
  return null;
}

/** Characters; boxes in boxes are each searched for their end. */
const LONGEST_BOX = 4000;

/** A box whose braces never close (the text was cut) is no answer. */
function boxContent(text: string, from: number): string | null {
  let at = from;
  while (text.charAt(at) === ' ') at += 1;
  if (text.charAt(at) !== '{') {
    const bare = /^[-+]?[\p{L}\d.,/]*[\p{L}\d]/u.exec(text.slice(at, at + 200));
    return at > from && bare !== null ? cleaned(bare[0]) : null;
  }
  let depth = 0;
  for (let end = at; end < Math.min(text.length, at + LONGEST_BOX); end += 1) {
    const char = text.charAt(end);
    if (char === '\\') end += 1; // An escaped brace counts as text.
    else if (char === '{') depth += 1;
    else if (char === '}') {
      depth -= 1;
      if (depth === 0) return cleaned(text.slice(at + 1, end));
    }
  }
  return null;
}

function lastAnswerLine(text: string): string | null {
  const lines = [...text.matchAll(/(?:^|\n)[ \t]*(?:####|(?:\*\*)?(?:the )?(?:final )?answer(?: is)?(?:\*\*)?[ \t]*:(?:\*\*)?|the (?:final )?answer is)[ \t]*([^\n]*)/gi)];
  const last = lines.at(-1)?.[1];
  return last === undefined ? null : cleaned(last.trim().replace(/^\*\*|\*\*$/g, '').replace(/([^.])\.$/, '$1'));
}

function cleaned(content: string): string | null {
  let text = content.trim();
  for (const [open, close] of [['$$', '$$'], ['$', '$'], ['\\(', '\\)'], ['\\[', '\\]']] as const) {
    const inside = text.slice(open.length, text.length - close.length);
    if (text.length > open.length + close.length && text.startsWith(open) && text.endsWith(close) && !inside.includes(open)) text = inside.trim();
  }
  return text === '' ? null : text;
}
