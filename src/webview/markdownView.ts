/**
 * Markdown with mathematics to DOM nodes. The text is a model's and hostile: markdown-it only parses it, nodes are
 * made by createElement from an allow-list of tags, and no attribute of the text reaches the DOM. No HTML, no links,
 * no images: they stay visible as the characters they are.
 */

import MarkdownIt from 'markdown-it';
import type { MarkdownIt as Parser, StateBlock, StateInline, Token } from 'markdown-it';
import { mathElement } from './mathElement.ts';
import { scanMath } from './mathSpans.ts';

const TAGS = new Set([
  'p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'em', 'strong', 's', 'code', 'pre', 'hr', 'br',
  'table', 'thead', 'tbody', 'tr', 'th', 'td',
]);

const PENDING = { kind: 'pending' } as const;

const parser = createParser();

/** @param growing the text may go on: a formula that is not closed yet is held back */
export function renderMarkdown(text: string, growing: boolean): DocumentFragment {
  return buildNodes(parser.parse(withoutOverrides(text), { growing }));
}

/** One line, without paragraphs. */
export function renderInline(text: string): DocumentFragment {
  return buildNodes(parser.parseInline(withoutOverrides(text), { growing: false }));
}

/** Characters that reorder what follows could show an answer as another one; a mark stands in their place. */
function withoutOverrides(text: string): string {
  return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function createParser(): Parser {
  const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false, breaks: true });
  markdown.disable(['link', 'image', 'autolink', 'html_inline', 'html_block', 'reference', 'lheading', 'code']);
  markdown.inline.ruler.before('escape', 'math', inlineMath);
  markdown.block.ruler.before('fence', 'math', blockMath, { alt: ['paragraph', 'blockquote', 'list'] });
  return markdown;
}

function inlineMath(state: StateInline, silent: boolean): boolean {
  const scan = scanMath(state.src, state.pos, state.env['growing'] === true);
  if (scan === null) return false;
  if (scan.kind === 'pending') {
    if (!silent) state.push('math_pending', '', 0);
    state.pos = state.posMax;
    return true;
  }
  if (scan.end > state.posMax) return false;
  if (!silent) {
    const token = state.push('math', '', 0);
    token.content = scan.tex;
    token.hidden = !scan.display;
  }
  state.pos = scan.end;
  return true;
}

/** Display mathematics that starts a line may hold blank lines and lines that look like lists. */
function blockMath(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const start = (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0);
  if (!/^(\$\$|\\\[|\\begin\{)/.test(state.src.slice(start, start + 7))) return false;
  const limit = state.eMarks[endLine - 1] ?? state.src.length;
  const growing = state.env['growing'] === true;
  const found = scanMath(state.src, start, growing);
  // A formula that ends behind the quote or the list item that it began in is none.
  const scan = found?.kind === 'math' && found.end > limit ? (growing ? PENDING : null) : found;
  if (scan === null) return false;
  const end = scan.kind === 'math' ? scan.end : limit;
  let nextLine = startLine;
  while (nextLine < endLine && (state.bMarks[nextLine] ?? 0) < end) nextLine++;
  // Text after the closing delimiter on its line: leave the whole to the inline rule.
  if (scan.kind === 'math' && state.src.slice(end, state.eMarks[nextLine - 1] ?? end).trim() !== '') return false;
  if (silent) return true;
  const token = state.push(scan.kind === 'math' ? 'math' : 'math_pending', '', 0);
  if (scan.kind === 'math') token.content = scan.tex;
  token.block = true;
  state.line = nextLine;
  return true;
}

function buildNodes(tokens: readonly Token[]): DocumentFragment {
  const root = document.createDocumentFragment();
  const open: Node[] = [root];
  for (const token of tokens) {
    const parent = open.at(-1) ?? root;
    if (token.nesting === 1) {
      const element = token.hidden ? null : elementOf(token);
      if (element !== null) parent.appendChild(element);
      open.push(element ?? parent);
    } else if (token.nesting === -1) {
      if (open.length > 1) open.pop();
    } else {
      parent.appendChild(leafOf(token));
    }
  }
  return root;
}

function elementOf(token: Token): HTMLElement | null {
  if (!TAGS.has(token.tag)) return null;
  const element = document.createElement(token.tag);
  const start = token.tag === 'ol' ? Number(token.attrGet('start') ?? 1) : 1;
  if (element instanceof HTMLOListElement && Number.isSafeInteger(start)) element.start = start;
  return element;
}

function leafOf(token: Token): Node {
  switch (token.type) {
    case 'inline':
      return buildNodes(token.children ?? []);
    case 'math':
      return mathElement(token.content, !token.hidden);
    case 'math_pending': {
      const hole = document.createElement('span');
      hole.className = 'math-pending';
      hole.textContent = '…';
      return hole;
    }
    case 'code_inline': {
      const code = document.createElement('code');
      code.textContent = token.content;
      return code;
    }
    case 'fence': {
      const block = document.createElement('pre');
      block.appendChild(document.createElement('code')).textContent = token.content;
      return block;
    }
    case 'hardbreak':
    case 'softbreak':
      return document.createElement('br');
    case 'hr':
      return document.createElement('hr');
    default:
      return document.createTextNode(token.content);
  }
}
