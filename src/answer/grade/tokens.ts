/** Tokens of a normal answer. What LaTeX or a benchmark's answers don't have ends the reading: `Undecided`. */

import { Unread } from './unread.ts';

export type Token =
  | { readonly type: 'number'; readonly text: string }
  | { readonly type: 'letter'; readonly text: string }
  /** Content of \text{…}. */
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'command'; readonly text: string }
  | { readonly type: 'sign'; readonly text: string };

const SPACE = /(?:\s|\\[,;:> ]|\\q?quad(?![a-zA-Z])|\\(?:limits|nolimits|[bB]igg?[lr]?)(?![a-zA-Z]))+/y;
const NUMBER = /\d+(?:\.\d+)?|\.\d+/y;
const TEXT = /\\(?:text|mbox)\s*\{([^{}]*)\}/y;
const SPECIAL = /\\mathbb\s*\{?([A-Z])\}?/y;
const COMMAND = /\\([a-zA-Z]+)\*?/y;
const ESCAPED = /\\([{}%|])|\\\\/y;

export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found;
  };
  while (at < text.length) {
    if (match(SPACE) !== null) continue;
    const token = next(match) ?? sign(text.charAt(at));
    if (token.type === 'sign' && token.text === text.charAt(at)) at += 1;
    tokens.push(token);
  }
  return tokens;
}

function next(match: (pattern: RegExp) => RegExpExecArray | null): Token | null {
  const number = match(NUMBER);
  if (number !== null) return { type: 'number', text: number[0] };
  const text = match(TEXT);
  if (text !== null) return { type: 'text', text: (text[1] ?? '').replace(/\s+/g, '').replace(/[()]/g, '') };
  const set = match(SPECIAL);
  if (set !== null) return { type: 'command', text: `mathbb${set[1] ?? ''}` };
  const command = match(COMMAND);
  if (command !== null) return { type: 'command', text: command[1] ?? '' };
  const escaped = match(ESCAPED);
  if (escaped !== null) return { type: 'command', text: escaped[1] ?? 'newline' };
  const letter = match(/[a-zA-Z]/y);
  return letter === null ? null : { type: 'letter', text: letter[0] };
}

function sign(char: string): Token {
  if (!'+-*/:^_(){}[]|!%,;=<>&≤≥≠'.includes(char) || char === '') throw new Unread(`“${char}” is not known in an answer`);
  return { type: 'sign', text: char };
}
