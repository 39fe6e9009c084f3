/** A model's, a document's and a computer algebra's words in comment threads and on their page: nothing of them is more than text. */
import { describe, expect, it, vi } from 'vitest';
import { Random } from '../../../fuzz/random.ts';
import { textOf } from '../../../fuzz/target.ts';
import { open } from '../../../fuzz/targets/comments.ts';

vi.mock('vscode', () => import('../../../fuzz/vscodeTexts.ts'));

const DEEP = 10_000;
const WORDS: readonly (readonly [string, string])[] = [
  ['a script and handlers', '<script>alert(1)</script> <img src=x onerror=alert(1)> <svg onload=alert(1)>'],
  ['links of scripts and commands', '[a](javascript:alert(1)) [b](command:workbench.action.quit)\n\n[c]: command:x\n\n[c] <command:x> command:x'],
  ['the link that a trusted part may have', '[Select](command:thinkAtHard.selectModel)'],
  ['the end of an image', '](data:image/svg+xml;base64,AAAA|width=1,height=1) ![x](http://evil.example)'],
  ['a codicon', '$(gear) $(trash)'],
  ['signs of a terminal', '\u001b[31mred\u001b]8;;https://evil.example\u0007link'],
  ['characters that reorder', '\u202eabc\u202c \u2066d\u2069 $\u202ex$ \\boxed{\u202e5}'],
  ['a line of a million characters', 'a'.repeat(1_000_000)],
  ['lists in lists', '- '.repeat(DEEP)],
  ['quotes in quotes', '> '.repeat(DEEP)],
  ['brackets', '['.repeat(DEEP)],
  ['backticks', '`'.repeat(DEEP)],
  ['many formulas', '$x$ '.repeat(5000)],
  ['boxes in boxes', '\\boxed{'.repeat(DEEP) + '}'.repeat(DEEP)],
  ['broken TeX', '$\\frac{$ \\[ x $$ \\boxed{ \\begin{align}'],
];

describe.each(WORDS)('%s', { timeout: 120_000 }, (_, text) => {
  it.each(['answer', 'growing', 'tex', 'words', 'fault', 'reason', 'name'])('is only text: %s', async (part) => {
    await expect(open().run({ part, data: text })).resolves.toBe('accepted');
  });
});

it('mutations are the same for the same seed', () => {
  const { seeds, mutate } = open();
  const [seed] = seeds;
  if (seed === undefined) throw new Error('there is no seed');
  expect(textOf(mutate(seed, new Random(7)))).toBe(textOf(mutate(seed, new Random(7))));
});
