/**
 * Formulas of a document by its language id. Pure: given a text, not an editor. Knows which languages there are
 * formulas in; each has its own finder.
 */

import type { Formula } from './formula.ts';
import { latexFormulas } from './latex.ts';
import { markdownFormulas } from './markdown.ts';
import { pythonFormulas } from './python.ts';
import { sphinxFormulas } from './sphinx.ts';

type Finder = (source: string) => Formula[];

const FINDERS: Readonly<Record<string, Finder>> = {
  markdown: markdownFormulas,
  quarto: markdownFormulas,
  rmd: markdownFormulas,
  mdx: markdownFormulas,
  juliamarkdown: markdownFormulas,
  latex: (source) => latexFormulas(source),
  tex: (source) => latexFormulas(source),
  doctex: (source) => latexFormulas(source),
  'latex-expl3': (source) => latexFormulas(source),
  python: pythonFormulas,
  restructuredtext: sphinxFormulas,
};

export const FORMULA_LANGUAGES: readonly string[] = Object.keys(FINDERS);

/** In the order of the text, apart from each other. Never throws; time grows with the length of the text and no faster. */
export function findFormulas(source: string, languageId: string): readonly Formula[] {
  const finder = Object.hasOwn(FINDERS, languageId) ? FINDERS[languageId] : undefined;
  return finder?.(source) ?? [];
}
