/** Guards against money read as mathematics, mathematics read out of code, and a half-typed formula that swallows the rest. */
import { describe, expect, it } from 'vitest';
import { expectRow } from './table.ts';
import type { Row } from './table.ts';

const long = 'x+'.repeat(5000);

const ROWS: Readonly<Record<string, Row>> = {
  'inline': { text: 'So $a^2+b^2$ holds.', formulas: ['a^2+b^2'], places: ['$a^2+b^2$'] },
  'two on a line': { text: '$a$ and $b$', formulas: ['a', 'b'] },
  'over two lines': { text: 'x $a +\nb$ y', formulas: ['a +\nb'] },
  'not over a paragraph': { text: 'x $a +\n\nb$ y', formulas: [] },
  'display on one line': { text: '$$x=1$$', formulas: ['D x=1'] },
  'display block': { text: 'a\n\n$$\nx = 1\n$$\n\nb', formulas: ['D x = 1'], places: ['$$\nx = 1\n$$'] },
  'display with a blank line in it': { text: '$$\nx\n\n= 1\n$$ and $y$', formulas: ['D x\n\n= 1', 'y'] },
  'CRLF': { text: 'a\r\n\r\n$$\r\nx = 1\r\n$$\r\n\r\n$y$\r\n', formulas: ['D x = 1', 'y'] },
  'CRLF between paragraphs ends a formula': { text: 'a $x\r\n\r\ny$', formulas: [] },
  'round brackets': { text: String.raw`so \(x^2\) is`, formulas: ['x^2'] },
  'square brackets': { text: 'so \\[x^2\n\\] is', formulas: ['D x^2'] },
  'a bare environment': { text: '\\begin{align}a&=b\\\\c&=d\\end{align}', formulas: ['D \\begin{align}a&=b\\\\c&=d\\end{align}'] },
  'nested environments': { text: '$$\\begin{aligned}A&=\\begin{pmatrix}1\\\\2\\end{pmatrix}\\end{aligned}$$', formulas: ['D \\begin{aligned}A&=\\begin{pmatrix}1\\\\2\\end{pmatrix}\\end{aligned}'] },
  'math fence': { text: 'a\n```math\nx^2\n```\n$y$', formulas: ['D x^2', 'y'], places: ['```math\nx^2\n```', '$y$'] },
  'math fence in a quotation': { text: '> ```math\n> x^2\n> + 1\n> ```\n', formulas: ['D x^2\n+ 1'] },
  'display in a quotation': { text: '> $$\n> x^2\n> $$\n', formulas: ['D x^2'] },
  'display in a list': { text: '- a\n\n    $$\n    x\n    $$\n', formulas: ['D x'] },
  "GitHub's code form": { text: 'so $`x_1`$ is', formulas: ['x_1'] },
  'in a heading, a table, bold': { text: '# $a$\n\n| $b$ | c |\n|--|--|\n| **$d$** | _$e$_ |', formulas: ['a', 'b', 'd', 'e'] },
  'an ordinal': { text: 'the $n$th and $x$-axis', formulas: ['n', 'x'] },
  'numbers alone': { text: 'is $5$ or $3.5$', formulas: ['5', '3.5'] },
  'sums of numbers': { text: 'is $5 + 6$ or $12 \\cdot 3$', formulas: ['5 + 6', '12 \\cdot 3'] },
  'words in text commands': { text: '$x \\text{ if } y$', formulas: ['x \\text{ if } y'] },
  // money
  'two prices': { text: 'It costs $5 and $6 today.', formulas: [] },
  'a price and a formula': { text: 'It costs $5, but $x$ is free', formulas: ['x'] },
  'a range of prices': { text: '$5-$10 or US$3/US$4', formulas: [] },
  'a price with thousands': { text: 'from $1,000 to 2,000$ a year', formulas: [] },
  'prices at a sentence end': { text: 'He has $20. She has 30$.', formulas: [] },
  'prices in a table': { text: '| $5 | $6 |\n|---|---|\n| $1.50 | $2 |', formulas: [] },
  'millions': { text: 'about $5 million to $10M in $USD terms', formulas: [] },
  // shells and templates
  'shell variables': { text: 'set $HOME/$USER and $PATH:$PWD', formulas: [] },
  'template': { text: 'is ${a}${b} and ${c}', formulas: [] },
  'prose between dollars': { text: 'the $ sign and the $ sign; $see the manual$', formulas: [] },
  // escapes
  'escaped dollars': { text: String.raw`pay \$5 or \$6, $a$`, formulas: ['a'] },
  'escaped dollar inside': { text: String.raw`$a + \$b$`, formulas: [String.raw`a + \$b`] },
  'escaped backslash before a dollar': { text: String.raw`\\$a$`, formulas: ['a'] },
  // code
  'code span': { text: 'is `$a$` but $b$', formulas: ['b'] },
  'code span of two backticks': { text: 'is ``$a$ ` $c$`` but $b$', formulas: ['b'] },
  'a backtick alone': { text: 'a ` and $b$', formulas: ['b'] },
  'code fence': { text: '```\n$a$\n```\n$b$', formulas: ['b'] },
  'code fence with a language': { text: '~~~sh\necho $a $b\n~~~\n$c$', formulas: ['c'] },
  'longer fence around a fence': { text: '````\n```math\nx\n```\n````\n$c$', formulas: ['c'] },
  'fence that is not closed': { text: '$a$\n```\n$b$\n\n$c$', formulas: ['a'] },
  'indented code': { text: 'a\n\n    $b$\n\n$c$', formulas: ['c'] },
  'indented text of a list is no code': { text: '1. a\n\n    $b$\n\n$c$', formulas: ['b', 'c'] },
  'front matter': { text: '---\ntitle: $a$\n---\n$b$', formulas: ['b'] },
  'a rule later is no front matter': { text: '$a$\n\n---\n\n$b$', formulas: ['a', 'b'] },
  'HTML comment': { text: 'a <!-- $b$ --> $c$', formulas: ['c'] },
  'HTML code': { text: '<pre>$a$</pre> <code>$b$</code> $c$ <b>$d$</b>', formulas: ['c', 'd'] },
  'link target': { text: '[x](http://a.b/$c) and [y](http://a.b/$d)', formulas: [] },
  // half typed
  'only opened': { text: 'now $x', formulas: [] },
  'only opened, more below': { text: 'now $x\n\nthen $y$', formulas: ['y'] },
  'empty': { text: '$$ and $ $ and $$$$ \\(\\) x', formulas: [] },
  'display only opened': { text: '$$\nx\n\nthen $y$', formulas: ['y'] },
  'round bracket only opened': { text: '\\(x\n\nthen $y$', formulas: ['y'] },
  'environment only opened': { text: '\\begin{align}\nx\n\nthen $y$', formulas: ['y'] },
  'environment that ends with another name': { text: '\\begin{align}x\\end{gather} $y$', formulas: ['y'] },
  'a formula without any end at the end of the text': { text: '$', formulas: [] },
  'a backslash at the end': { text: '$a$ \\', formulas: ['a'] },
  '10 000 characters': { text: `$${long}x$ and $y$`, formulas: [`${long}x`, 'y'] },
};

describe('formulas of Markdown', () => {
  it.each(Object.entries(ROWS))('%s', (_name, row) => {
    expectRow('markdown', row);
  });

  it('are the same where the text is being typed: no beginning of a text throws or overlaps', () => {
    const text = Object.values(ROWS).filter((row) => row.text.length < 1000).map((row) => row.text).join('\n\n');
    for (let end = 0; end < text.length; end += 3) expect(() => { expectRow('markdown', { text: text.slice(0, end), formulas: expect.anything() as never }); }).not.toThrow();
  });
});
