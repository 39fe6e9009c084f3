/**
 * TeX to SVG and to MathML, by MathJax without a browser. The TeX is a document's or a model's and may be hostile:
 * only packages that draw are loaded (no \href, \style, \class, \require, \def, no HTML), and what they can write
 * into the SVG passes an allow-list. Synchronous and slow on long input: runs in the formula worker only.
 */

import { liteAdaptor } from '@mathjax/src/js/adaptors/liteAdaptor.js';
import type { LiteDocument } from '@mathjax/src/js/adaptors/lite/Document.js';
import type { LiteElement } from '@mathjax/src/js/adaptors/lite/Element.js';
import type { LiteText } from '@mathjax/src/js/adaptors/lite/Text.js';
import type { MmlNode } from '@mathjax/src/js/core/MmlTree/MmlNode.js';
import { SerializedMmlVisitor } from '@mathjax/src/js/core/MmlTree/SerializedMmlVisitor.js';
import { STATE } from '@mathjax/src/js/core/MathItem.js';
import { HTMLDocument } from '@mathjax/src/js/handlers/html/HTMLDocument.js';
import { TeX } from '@mathjax/src/js/input/tex.js';
import { SVG } from '@mathjax/src/js/output/svg.js';
import '@mathjax/src/js/input/tex/base/BaseConfiguration.js';
import '@mathjax/src/js/input/tex/ams/AmsConfiguration.js';
import '@mathjax/src/js/input/tex/boldsymbol/BoldsymbolConfiguration.js';
import '@mathjax/src/js/input/tex/braket/BraketConfiguration.js';
import '@mathjax/src/js/input/tex/cancel/CancelConfiguration.js';
import '@mathjax/src/js/input/tex/cases/CasesConfiguration.js';
import '@mathjax/src/js/input/tex/color/ColorConfiguration.js';
import '@mathjax/src/js/input/tex/mathtools/MathtoolsConfiguration.js';
import '@mathjax/src/js/input/tex/textmacros/TextMacrosConfiguration.js';
import { MathJaxNewcmFont } from './mathFont.ts';
import type { Drawing } from './messages.ts';

/** Pixels of an em: a little larger than the editor's own text, since exponents are small. */
const EM = 17;
/** Display formulas are broken into lines of this many pixels, about the width of a hover. */
const LINE_WIDTH = 620;
const UNITS_PER_EM = 1000;

const ELEMENTS = new Set(['svg', 'g', 'path', 'rect', 'line', 'ellipse', 'polygon', 'text', 'tspan', 'defs', 'use']);
const ATTRIBUTES = new Set([
  'viewBox', 'width', 'height', 'd', 'id', 'transform', 'x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'rx', 'ry', 'points', 'xmlns', 'xmlns:xlink', 'xlink:href',
  'fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'font-size', 'font-family', 'font-style', 'font-weight', 'opacity',
]);
/** A reference to a glyph of the same image; a colour, a number, a matrix: never an address. */
const ADDRESS = /url\s*\(|^(?!#)[^#]*:\/\/|^\s*(?:javascript|data):/i;

export class TexFault extends Error {
  override readonly name = 'TexFault';
}

export interface MathJax {
  /** @throws TexFault */
  readonly draw: (tex: string, display: boolean, color: string) => Drawing;
  /** @throws TexFault */
  readonly mathMl: (tex: string, display: boolean) => string;
}

export function createMathJax(): MathJax {
  const adaptor = liteAdaptor();
  const input = new TeX<LiteElement, LiteText, LiteDocument>({
    packages: ['base', 'ams', 'boldsymbol', 'braket', 'cancel', 'cases', 'color', 'mathtools', 'textmacros'],
    tags: 'none',
    maxMacros: 1000,
    maxBuffer: 20_000,
    formatError: (_jax: unknown, error: Error) => {
      throw new TexFault(error.message);
    },
  });
  const output = new SVG<LiteElement, LiteText, LiteDocument>({ fontData: MathJaxNewcmFont, fontCache: 'local', linebreaks: { inline: false }, displayOverflow: 'linebreak' });
  const page = new HTMLDocument<LiteElement, LiteText, LiteDocument>(adaptor.parse('', 'text/html'), adaptor, { InputJax: input, OutputJax: output });
  const visitor = new SerializedMmlVisitor();
  return {
    draw: (tex, display, color) => {
      const container = page.convert(clean(tex), { display, containerWidth: LINE_WIDTH, em: EM, ex: EM / 2 }) as LiteElement;
      const svg = adaptor.tags(container, 'svg')[0];
      if (svg === undefined) throw new TexFault('MathJax drew nothing');
      return finished(adaptor, svg, color);
    },
    mathMl: (tex, display) => visitor.visitTree(page.convert(clean(tex), { display, end: STATE['CONVERT'] }) as MmlNode),
  };
}

/** A label is not to be seen and may be there twice; a tag would be set at the far end of an endless line. */
function clean(tex: string): string {
  return tex.replace(/\\label\s*\{[^{}]*\}/g, '').replace(/\\tag\s*(\*?)\s*\{([^{}]*)\}/g, (_all, star: string, tag: string) => `\\qquad\\text{${star === '' ? `(${tag})` : tag}}`);
}

/** In pixels, in the wanted colour, without what an image has no use for. */
function finished(adaptor: ReturnType<typeof liteAdaptor>, svg: LiteElement, color: string): Drawing {
  const [, , width = 0, height = 0] = String(adaptor.getAttribute(svg, 'viewBox')).split(/\s+/).map(Number);
  const pixels = (units: number): number => Math.max(1, Math.ceil((units * EM) / UNITS_PER_EM));
  keepAllowed(adaptor, svg);
  const drawing = { width: pixels(width), height: pixels(height) };
  adaptor.setAttribute(svg, 'width', String(drawing.width));
  adaptor.setAttribute(svg, 'height', String(drawing.height));
  adaptor.setAttribute(svg, 'color', color);
  return { svg: adaptor.serializeXML(svg), ...drawing };
}

function keepAllowed(adaptor: ReturnType<typeof liteAdaptor>, element: LiteElement): void {
  for (const { name, value } of adaptor.allAttributes(element)) {
    if (!ATTRIBUTES.has(name) || (ADDRESS.test(value) && !name.startsWith('xmlns')) || (name === 'xlink:href' && !value.startsWith('#'))) adaptor.removeAttribute(element, name);
  }
  for (const child of [...adaptor.childNodes(element)]) {
    if (!('attributes' in child)) continue;
    if (ELEMENTS.has(adaptor.kind(child))) keepAllowed(adaptor, child);
    else adaptor.remove(child);
  }
}
