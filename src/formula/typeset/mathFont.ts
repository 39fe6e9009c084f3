/**
 * The parts of MathJax's font that are bundled: everything that school and university mathematics uses. A part that
 * is not bundled is reported as missing, and its characters are drawn with the editor's own font. Nothing is fetched.
 */

import { mathjax } from '@mathjax/src/js/mathjax.js';
import { MathJaxNewcmFont } from '@mathjax/mathjax-newcm-font/js/svg.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/accents.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/arrows.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/calligraphic.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/double-struck.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/fraktur.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/marrows.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/math.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/mshapes.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/script.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/shapes.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/symbols.js';
import '@mathjax/mathjax-newcm-font/js/svg/dynamic/variants.js';

const BUNDLED = new Set(['accents', 'arrows', 'calligraphic', 'double-struck', 'fraktur', 'marrows', 'math', 'mshapes', 'script', 'shapes', 'symbols', 'variants']);

mathjax.asyncIsSynchronous = true;
mathjax.asyncLoad = (name: string): object => {
  const part = /([^/]+?)(\.js)?$/.exec(name)?.[1] ?? name;
  // MathJax marks the part as failed and goes on without it.
  if (!BUNDLED.has(part)) throw new Error(`Font part ${part} is not bundled`);
  return {};
};

export { MathJaxNewcmFont };
