/** Formula detection in every language, the author's commands, a model's thinking and its formulas while they grow. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { partsOf } from '../../../src/features/explainMath/modelText.ts';
import { findFormulas, FORMULA_LANGUAGES } from '../../../src/formula/detection/detect.ts';
import { expandMacros, MacroError, readMacros } from '../../../src/formula/detection/macros.ts';
import { splitThinking } from '../../../src/protocol/run.ts';
import { LONGEST, mutateText, type Words } from '../mutate/text.ts';
import { Finding, sampled, textOf, type Input, type Room, type Subject } from '../target.ts';
import { MARKDOWN, TEX } from './words.ts';

const PIECES = [...TEX.pieces, ...MARKDOWN.pieces, '"""', "r'''", '# ', '#: ', 'f"{x}$', '\\newcommand{\\x}[2][a]{#1\\x{#2}}', '\\def\\x#1{\\x#1}', '\\DeclareMathOperator{\\f}{f}', ':math:`', '.. math::\n\n  ', '<!--', '-->', '<pre>', '---\n', '\\verb|', '\\begin{verbatim}', '%', '</think>', '<think>'];
const EXTRA = ['macros', 'model', 'thinking'];

export function open({ root }: Room): Subject {
  const files = [['markdown', 'formulas.md'], ['python', 'formulas.py'], ['latex', 'formulas.tex'], ['latex', 'paper.tex'], ['markdown', 'worked.md'], ['python', 'problem.py']] as const;
  const texts = files.map(([part, file]): Input => ({ part, data: readFileSync(path.join(root, 'test/fixtures/workspace', file), 'utf8') }));
  const seeds: readonly Input[] = [...texts, { part: 'restructuredtext', data: 'A :math:`x^2` and\n\n.. math::\n   :label: a\n\n   y = 2 \\\\\n   z = 3\n\nend' }, { part: 'macros', data: '\\newcommand{\\half}[1]{\\frac{#1}{2}} \\half{x} \\def\\R{\\mathbb{R}} \\R' }, { part: 'model', data: '<think>a $x</think> So $x = 5$ and \\boxed{x}' }];
  const parts = [...FORMULA_LANGUAGES, ...EXTRA];
  return {
    seeds,
    mutate: (seed, random) => {
      const words: Words = { pieces: PIECES, pairs: [...TEX.pairs, ...MARKDOWN.pairs], other: textOf(random.pick(seeds)) };
      return { part: random.chance(0.3) ? random.pick(parts) : seed.part, data: mutateText(textOf(seed), random, words) };
    },
    invent: (random) => ({ part: random.pick(parts), data: sampled(fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 60 }), random).join('').repeat(random.chance(0.1) ? random.size(400) : 1).slice(0, LONGEST) }),
    isRefusal: (error) => error instanceof MacroError,
    run: ({ part, data }) => {
      const text = String(data);
      if (part === 'macros') expandMacros(text, readMacros(text));
      else if (part === 'thinking') splitThinking(text);
      else if (part === 'model') for (const growing of [true, false]) partsOf(text, growing);
      else checkFormulas(text, part);
      return 'accepted';
    },
  };
}

function checkFormulas(text: string, language: string): void {
  let end = 0;
  for (const formula of findFormulas(text, language)) {
    if (formula.start < end) throw new Finding(`formulas overlap at ${formula.start}`);
    if (formula.end <= formula.start || formula.end > text.length) throw new Finding(`a formula is from ${formula.start} to ${formula.end} in a text of ${text.length}`);
    end = formula.end;
  }
}
