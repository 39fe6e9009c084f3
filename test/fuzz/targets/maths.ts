/** MathJax and the Speech Rule Engine in their own worker: what comes back is a plain image, words or a refusal. */

import path from 'node:path';
import fc from 'fast-check';
import { MathService, type Typeset } from '../../../src/host/math/mathService.ts';
import { MathWorkerClient } from '../../../src/host/math/mathWorkerClient.ts';
import { mutateText } from '../mutate/text.ts';
import { Finding, sampled, textOf, type Input, type Outcome, type Room, type Subject } from '../target.ts';
import { TEX } from './words.ts';

const SEEDS = ['\\frac{-b\\pm\\sqrt{b^2-4ac}}{2a}', '\\begin{align}a&=b\\\\c&=d\\end{align}', '\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', '\\text{if } x \\in \\mathbb{R}', '\\color{red}{x}\\boldsymbol{y}\\bra{a}\\cancel{z}', '\\sum_{k=1}^n \\int_0^1 x^k\\,dx', '\\begin{cases}1&x>0\\\\2\\end{cases}'];
const TAG = /<(\/?)([\w:]+)((?:\s+[\w:-]+="[^"<>]*")*)\s*\/?>/g;
const ELEMENTS = new Set(['svg', 'g', 'path', 'rect', 'line', 'ellipse', 'polygon', 'text', 'tspan', 'defs', 'use']);
const LARGEST_SVG = 8 * 2 ** 20;

export function open({ bundles }: Room): Subject {
  // Once the worker runs, its own limit is what a formula has; a slow machine is not the formula's fault.
  const math = new MathService(new MathWorkerClient({ workerPath: path.join(bundles, 'mathWorker.cjs'), timeoutMs: 30_000, startMs: 300_000 }));
  const seeds = SEEDS.map((data): Input => ({ part: 'draw', data }));
  return {
    seeds,
    mutate: (seed, random) => ({ part: random.chance(0.2) ? 'speak' : 'draw', data: mutateText(textOf(seed), random, { ...TEX, other: textOf(random.pick(seeds)) }, random.chance(0.95) ? 600 : 4000) }),
    invent: (random) => ({ part: random.chance(0.2) ? 'speak' : 'draw', data: sampled(fc.array(fc.oneof(fc.constantFrom(...TEX.pieces), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 25 }), random).join('') }),
    run: async ({ part, data }): Promise<Outcome> => {
      const input = { tex: String(data), display: true };
      if (part === 'speak') return outcomeOf(await math.speak(input, 'de'));
      const drawn = await math.draw(input, '#cccccc');
      if (drawn.kind === 'done') checkSvg(drawn.value.svg);
      return outcomeOf(drawn);
    },
    close: () => { math.dispose(); },
  };
}

/** A fault of the TeX is refused; that the worker ended by itself is not what a formula may do. */
function outcomeOf(result: Typeset<unknown>): Outcome {
  if (result.kind === 'failed') throw new Finding(`the worker failed: ${result.message}`);
  return result.kind === 'done' ? 'accepted' : 'refused';
}

function checkSvg(svg: string): void {
  if (svg.length > LARGEST_SVG) throw new Finding(`an image has ${svg.length} characters`);
  const open: string[] = [];
  for (const [tag, slash, name = '', attributes = ''] of svg.matchAll(TAG)) {
    if (!ELEMENTS.has(name)) throw new Finding(`an image has the element ${name}`);
    const odd = /\s(?:on\w+|(?:xlink:)?href="(?!#)[^"]*"|\w+="[^"]*(?:url\s*\(|javascript:|data:)[^"]*"|style)/i.exec(attributes);
    if (odd !== null) throw new Finding(`an image has the attribute${odd[0].slice(0, 100)}`);
    if (slash === '/' ? open.pop() !== name : !tag.endsWith('/>') && open.push(name) === 0) throw new Finding(`an image is not well-formed at ${tag.slice(0, 60)}`);
  }
  if (open.length > 0 || svg.replace(TAG, '').includes('<')) throw new Finding('an image is not well-formed');
}
