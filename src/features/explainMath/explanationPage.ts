/**
 * The HTML of an explanation that has a page of its own. It has no script, and its policy allows none; of the Markdown
 * of its parts only our own drawings become images, and only the one command that a trusted part may name becomes a link.
 * Pure.
 */

import MarkdownIt from 'markdown-it';
import type { MarkdownIt as Renderer } from 'markdown-it';
import { escapeHtml, webviewPage } from '../../host/webviewPage.ts';
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
  const sections = parts.map(({ source, markdown, trusted }) => `<section>\n<h2>${escapeHtml(source)}</h2>\n${renderers[trusted ? 'trusted' : 'untrusted'].render(markdown)}</section>`);
  const body = `<main class="explanation">\n<h1>${escapeHtml(title)}</h1>\n${sections.join('\n')}\n</main>`;
  return webviewPage({ policy: [`style-src ${cspSource}`, 'img-src data:'], styles: [style], language, title, body });
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
