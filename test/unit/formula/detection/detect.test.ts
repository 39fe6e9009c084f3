/** Guards against time that grows faster than the text, a wrong formula under the cursor, and macros that run away. */
import { describe, expect, it } from 'vitest';
import { FORMULA_LANGUAGES, findFormulas } from '../../../../src/formula/detection/detect.ts';
import { formulaAround } from '../../../../src/formula/detection/formula.ts';
import { MacroError, expandMacros, readMacros } from '../../../../src/formula/detection/macros.ts';

const r = String.raw;

describe('a language', () => {
  it.each(['javascript', 'plaintext', 'toString', '__proto__'])('without formulas has none: %s', (id) => {
    expect(findFormulas('$x$', id)).toEqual([]);
  });
});

describe('hostile and long texts', () => {
  const openings = ['$', '$$x', '\\(', '\\[', '\\begin{align}', '\\begin{', '`', '` `` ```', '$`', '<!--', '<pre>', '](', '\\text{', '$\\text{', '\\verb|', '%', '"', "'''", '#', 'f"{', '.. math::', ':math:`', '$a\n', '\\newcommand{\\a}{', '> ', '    ', '```math\n', '---\n', '{', '\\', '$5 and ', '\n\n$'];

  /** A scan that is quadratic in these takes minutes: it fails by the test's time limit. */
  it.each(openings)('many times %j end, in every language', (opening) => {
    const text = opening.repeat(Math.ceil(200_000 / opening.length));
    for (const language of FORMULA_LANGUAGES) expect(findFormulas(text, language).every(({ tex }) => tex.length <= 20_000)).toBe(true);
    expect(readMacros(text).size).toBeLessThan(1000);
  });

  it('of a megabyte are read whole', () => {
    const text = 'Some words and $x^2$, then \\(y\\). '.repeat(30_000);
    expect(findFormulas(text, 'markdown')).toHaveLength(60_000);
    expect(findFormulas(text, 'latex')).toHaveLength(60_000);
  });
});

describe('the formula around an offset', () => {
  const found = findFormulas('ab $x$ cd $y$$z$', 'latex');

  it.each([[0, null], [3, 'x'], [4, 'x'], [6, 'x'], [7, null], [10, 'y'], [13, 'z'], [16, 'z'], [17, null]])('at %d is %s', (offset, tex) => {
    expect(formulaAround(found, offset)?.tex ?? null).toBe(tex);
  });
});

describe('macros', () => {
  const source = r`
\newcommand{\R}{\mathbb{R}}
\newcommand\half{\frac12}
\renewcommand{\vec}[1]{\mathbf{#1}}
\providecommand{\norm}[2][2]{\lVert #2 \rVert_{#1}}
\DeclareMathOperator{\argmax}{arg\,max}
\DeclareMathOperator*{\lims}{lim}
\def\pair#1#2{(#1, #2)}
% \newcommand{\hidden}{x}
\newcommand{\nested}[1]{\vec{#1}+\R}
\newcommand{\open`;
  const macros = readMacros(source);

  it('of a document are read, those in comments and half-typed ones not', () => {
    expect([...macros.keys()].sort()).toEqual(['R', 'argmax', 'half', 'lims', 'nested', 'norm', 'pair', 'vec']);
  });

  it.each([
    [r`x \in \R`, r`x \in \mathbb{R}`],
    [r`\half x`, r`\frac12 x`],
    [r`\vec{a} \vec b`, r`\mathbf{a} \mathbf{b}`],
    [r`\norm{x}+\norm[1]{y}`, r`\lVert x \rVert_{2}+\lVert y \rVert_{1}`],
    [r`\argmax_x f`, r`\operatorname{arg\,max}_x f`],
    [r`\lims_x f`, r`\operatorname*{lim}_x f`],
    [r`\pair ab`, r`(a, b)`],
    [r`\nested{a}`, r`\mathbf{a}+\mathbb{R}`],
    [r`\alpha \Rightarrow \{`, r`\alpha \Rightarrow \{`],
    [r`\newcommand{\q}{q^2} \q + \R`, r` q^2 + \mathbb{R}`],
  ])('%s → %s', (tex, expanded) => {
    expect(expandMacros(tex, macros)).toBe(expanded);
  });

  it.each([
    [r`\newcommand{\x}{\x}\x`, 'without an end'],
    [r`\newcommand{\x}{\x\x}\x`, 'without an end'],
    [r`\newcommand{\a}{\b\b}\newcommand{\b}{\a}\a`, 'without an end'],
    [r`\pair{a}`, 'needs 2 arguments'],
  ])('that cannot be expanded are an error: %s', (tex, message) => {
    expect(() => expandMacros(tex, macros)).toThrow(MacroError);
    expect(() => expandMacros(tex, macros)).toThrow(message);
  });
});
