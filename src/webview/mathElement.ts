/**
 * TeX to an SVG element. Works under a CSP without inline styles: MathJax's style attributes are set through the
 * CSSOM. TeX is a model's text and hostile: only packages that draw are loaded (no \href, \style, \class, \unicode,
 * \require, \def), the result passes an allow-list of elements and attributes, and long input is refused.
 */

import { browserAdaptor } from '@mathjax/src/js/adaptors/browserAdaptor.js';
import { HTMLDocument } from '@mathjax/src/js/handlers/html/HTMLDocument.js';
import { TeX } from '@mathjax/src/js/input/tex.js';
import { SVG } from '@mathjax/src/js/output/svg.js';
import '@mathjax/src/js/input/tex/base/BaseConfiguration.js';
import '@mathjax/src/js/input/tex/ams/AmsConfiguration.js';
import '@mathjax/src/js/input/tex/boldsymbol/BoldsymbolConfiguration.js';
import '@mathjax/src/js/input/tex/cancel/CancelConfiguration.js';
import '@mathjax/src/js/input/tex/cases/CasesConfiguration.js';
import '@mathjax/src/js/input/tex/mathtools/MathtoolsConfiguration.js';
import '@mathjax/src/js/input/tex/textmacros/TextMacrosConfiguration.js';
import { MathJaxNewcmFont } from '../formula/typeset/mathFont.ts';

/** Longer TeX is shown as text. */
const LONGEST_TEX = 10_000;
const KEPT_FORMULAS = 500;
/** Characters of TeX in all of them: a long formula is thousands of nodes. */
const KEPT_TEX = 10_000;

const ELEMENTS = new Set(['svg', 'g', 'path', 'rect', 'line', 'ellipse', 'polygon', 'text', 'tspan']);
const ATTRIBUTES = new Set([
  'viewBox', 'width', 'height', 'd', 'transform', 'x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'rx', 'ry', 'points',
  'fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'font-size', 'font-family', 'font-style', 'font-weight', 'opacity', 'data-c',
]);
const STYLES = new Set(['vertical-align', 'opacity', 'stroke-width', 'stroke-dasharray', 'letter-spacing']);

let convert: ((tex: string, display: boolean) => Element) | null = null;

/** Built at the first formula: a run without mathematics pays nothing. */
function createConverter(): (tex: string, display: boolean) => Element {
  const adaptor = browserAdaptor();
  const setAttribute = adaptor.setAttribute.bind(adaptor);
  adaptor.setAttribute = (node, name, value, namespace) => {
    if (name === 'style') setStyles(node, value);
    else setAttribute(node, name, value, namespace);
  };
  const math = new HTMLDocument<HTMLElement, Text, Document>(document, adaptor, {
    InputJax: new TeX({
      packages: ['base', 'ams', 'boldsymbol', 'cancel', 'cases', 'mathtools', 'textmacros'],
      maxMacros: 1000,
      maxBuffer: LONGEST_TEX,
      formatError: (_jax: unknown, error: Error) => {
        throw error;
      },
    }),
    OutputJax: new SVG({ fontData: MathJaxNewcmFont, fontCache: 'none', linebreaks: { inline: false }, displayOverflow: 'overflow' }),
  });
  return (tex, display) => {
    const drawn: unknown = math.convert(tex, { display });
    if (!(drawn instanceof Element)) throw new TypeError('MathJax returned no element');
    return drawn;
  };
}

/** Through the CSSOM, which a CSP without inline styles allows; and only properties that a formula needs. */
function setStyles(node: HTMLElement, styles: string): void {
  for (const declaration of styles.split(';')) {
    const colon = declaration.indexOf(':');
    const property = declaration.slice(0, colon).trim();
    if (colon > 0 && STYLES.has(property)) node.style.setProperty(property, declaration.slice(colon + 1).trim());
  }
}

const rendered = new Map<string, SVGElement | null>();
let renderedTex = 0;

/** An element that draws the formula and reads as its TeX; TeX that cannot be drawn is shown as code. */
export function mathElement(tex: string, display: boolean): HTMLElement {
  const svg = formula(tex, display);
  const element = document.createElement(svg === null ? 'code' : 'span');
  element.className = `math ${display ? 'math-display' : 'math-inline'}`;
  if (svg === null) {
    element.classList.add('math-source');
    element.textContent = tex;
    return element;
  }
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', tex);
  element.append(svg.cloneNode(true));
  return element;
}

function formula(tex: string, display: boolean): SVGElement | null {
  const key = `${display ? 'd' : 'i'}${tex}`;
  const known = rendered.get(key);
  if (known !== undefined) return known;
  const svg = tex.length > LONGEST_TEX ? null : drawFormula(tex, display);
  // What is too long to be drawn is not looked for again either.
  if (svg === null && tex.length > LONGEST_TEX) return null;
  rendered.set(key, svg);
  renderedTex += key.length;
  for (const oldest of rendered.keys()) {
    if (rendered.size <= KEPT_FORMULAS && renderedTex <= KEPT_TEX) break;
    rendered.delete(oldest);
    renderedTex -= oldest.length;
  }
  return svg;
}

function drawFormula(tex: string, display: boolean): SVGElement | null {
  convert ??= createConverter();
  try {
    const svg = convert(tex, display).querySelector('svg');
    if (svg === null) return null;
    keepAllowed(svg);
    svg.setAttribute('aria-hidden', 'true');
    svg.setAttribute('focusable', 'false');
    return svg;
  } catch {
    // Not TeX that MathJax can draw: the caller shows the source, which is all there is to say.
    return null;
  }
}

/** Removes attributes that are not on the list, and elements that are not, keeping what those contain. */
function keepAllowed(element: Element): void {
  for (const { name } of [...element.attributes]) {
    if (!ATTRIBUTES.has(name) && name !== 'style') element.removeAttribute(name);
  }
  for (const child of [...element.children]) {
    keepAllowed(child);
    if (!ELEMENTS.has(child.nodeName.toLowerCase())) child.replaceWith(...child.childNodes);
  }
}
