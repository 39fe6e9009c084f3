/** A model's text as the run panel draws it: Markdown, formulas, while it grows and whole. In happy-dom. */

import fc from 'fast-check';
import { Window } from 'happy-dom';
import { mutateText } from '../mutate/text.ts';
import { sampled, textOf, type Input, type Subject } from '../target.ts';
import { MARKDOWN, TEX } from './words.ts';

const PARTS = ['whole', 'growing', 'inline', 'formula'];
/** A node of happy-dom takes some 6 kB, ten times a browser's: more formulas than fit into this would measure happy-dom. */
const LONGEST_TEXT = 12_000;
const SEEDS = ['**Step 1.** Solve $x + 1 = 2$:\n\n$$x = 1$$\n\n- so \\(x\\) is\n- \\boxed{1}\n\n| a | b |\n|---|---|\n| $1$ | 2 |', '> quote\n>> more\n\n```js\nalert(1)\n```\n\n1. one\n   2. two\n', '\\begin{align}\na &= b\\\\\nc &= d\n\\end{align}\nIt costs $5 and $6.', '\\frac{-b \\pm \\sqrt{b^2-4ac}}{2a}'];

export async function open(): Promise<Subject> {
  const window = new Window();
  // What the views use of a browser.
  Object.assign(globalThis, { window, document: window.document, Element: window.Element, HTMLElement: window.HTMLElement, HTMLOListElement: window.HTMLOListElement, SVGElement: window.SVGElement, DocumentFragment: window.DocumentFragment, Node: window.Node, Text: window.Text, DOMParser: window.DOMParser });
  const { drawHostile } = await import('webview-views');
  const seeds = SEEDS.map((data, i): Input => ({ part: PARTS[i] ?? 'whole', data }));
  const pieces = [...MARKDOWN.pieces, ...TEX.pieces];
  return {
    seeds,
    mutate: (seed, random) => ({ part: random.pick(PARTS), data: mutateText(textOf(seed), random, { pieces, pairs: [...MARKDOWN.pairs, ...TEX.pairs], other: textOf(random.pick(seeds)) }, LONGEST_TEXT) }),
    invent: (random) => ({ part: random.pick(PARTS), data: sampled(fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 50 }), random).join('') }),
    run: ({ part, data }) => {
      drawHostile(part, String(data));
      return 'accepted';
    },
    close: () => window.happyDOM.close(),
  };
}
