/**
 * The run panel's own drawing of a model's text, in a DOM without a browser. What is in the tree afterwards must be of
 * a short list; nothing of the text may be an element, an attribute or an address of its own.
 */

import { renderInline, renderMarkdown } from '../../../src/webview/markdownView.ts';
import { mathElement } from '../../../src/webview/mathElement.ts';
import { settledLength } from '../../../src/webview/settledText.ts';

const ELEMENTS = new Set([
  'p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'em', 'strong', 's', 'code', 'pre', 'hr', 'br', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'span',
  'svg', 'g', 'path', 'rect', 'line', 'ellipse', 'polygon', 'text', 'tspan',
]);
const ATTRIBUTE = /^(?:class|role|aria-label|aria-hidden|focusable|start|style|data-c|viewbox|width|height|d|transform|[xy][12]?|[cr][xy]|points|fill|stroke|stroke-width|stroke-dasharray|stroke-linecap|font-size|font-family|font-style|font-weight|opacity)$/i;
const STYLE = /^(?:\s*(?:vertical-align|opacity|stroke-width|stroke-dasharray|letter-spacing)\s*:[\w\s.,%+-]*;?)*\s*$/;

/** @throws Error that says what should not be there */
export function drawHostile(part: string, text: string): void {
  const holder = document.createElement('div');
  if (part === 'inline') holder.append(renderInline(text));
  else if (part === 'formula') holder.append(mathElement(text, true));
  else {
    const settled = settledLength(text);
    if (settled < 0 || settled > text.length) throw new Error(`${settled} of ${text.length} characters are settled`);
    holder.append(renderMarkdown(text, part === 'growing'));
  }
  checkTree(holder);
}

/** @throws Error for the first element or attribute that is not on the lists */
export function checkTree(holder: Element): void {
  const waiting = [...holder.children];
  for (let element = waiting.pop(); element !== undefined; element = waiting.pop()) {
    check(element);
    waiting.push(...element.children);
  }
}

function check(element: Element): void {
  const name = element.nodeName.toLowerCase();
  if (!ELEMENTS.has(name)) throw new Error(`the text makes an element ${name}`);
  for (const { name: key, value } of [...element.attributes]) {
    if (!ATTRIBUTE.test(key)) throw new Error(`the text makes an attribute ${key} of ${name}`);
    if (key !== 'aria-label' && /url\s*\(|:\/\/|javascript:|data:/i.test(value)) throw new Error(`the attribute ${key} is an address: ${value.slice(0, 80)}`);
    if (key === 'style' && !STYLE.test(value)) throw new Error(`the text sets a style: ${value.slice(0, 80)}`);
    if (key === 'class' && !value.split(/\s+/).every((one) => one.startsWith('math'))) throw new Error(`the text sets a class: ${value.slice(0, 80)}`);
  }
}
