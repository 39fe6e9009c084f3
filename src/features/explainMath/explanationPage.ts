/**
 * The HTML of an explanation that has a page of its own. It has no script, and its policy allows none; of the Markdown
 * of its parts only our own drawings become images, and only the one command that a trusted part may name becomes a link.
 * Pure.
 */

import MarkdownIt from 'markdown-it';
import type { MarkdownIt as Renderer } from 'markdown-it';
import { EXPLANATION_COMMAND } from './commandLink.ts';
import type { Part } from './explanation.ts';

export interface ExplanationPageParts {
  /** Source expression of the webview's own files. */
  readonly cspSource: string;
  readonly style: string;
  readonly language: string;
  readonly title: string;
  readonly parts: readonly Part[];
}

/** As `image` of safeMarkdown.ts writes it: the drawing, and VS Code's own notation of its size. */
const DRAWING = /^(data:image\/svg\+xml;base64,[\w+/=]*)\|width=([\d.]+),height=([\d.]+)$/;

const renderers = { trusted: createRenderer(true), untrusted: createRenderer(false) };

export function explanationPage({ cspSource, style, language, title, parts }: ExplanationPageParts): string {
  const policy = `default-src 'none'; style-src ${cspSource}; img-src data:; base-uri 'none'; form-action 'none'`;
  const sections = parts.map(({ source, markdown, trusted }) => `<section>\n<h2>${escapeHtml(source)}</h2>\n${renderers[trusted ? 'trusted' : 'untrusted'].render(markdown)}</section>`);
  return `<!DOCTYPE html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${escapeHtml(style)}">
<title>${escapeHtml(title)}</title>
</head>
<body>
<main class="explanation">
<h1>${escapeHtml(title)}</h1>
${sections.join('\n')}
</main>
</body>
</html>`;
}

function createRenderer(trusted: boolean): Renderer {
  const markdown = new MarkdownIt({ html: false, linkify: false, breaks: false });
  // Neither is rewritten: a drawing is taken apart below, and the command is one or is not.
  markdown.normalizeLink = (address) => address;
  markdown.validateLink = (address) => DRAWING.test(address) || (trusted && address === `command:${EXPLANATION_COMMAND}`);
  markdown.renderer.rules['image'] = (tokens, index) => {
    const token = tokens[index];
    const [, data, width, height] = DRAWING.exec(String(token?.attrGet('src'))) ?? [];
    const alternative = escapeHtml(token?.content ?? '');
    return data === undefined ? alternative : `<img src="${data}" width="${width}" height="${height}" alt="${alternative}">`;
  };
  return markdown;
}

function escapeHtml(text: string): string {
  return text.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
