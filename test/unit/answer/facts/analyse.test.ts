/** Guards against a fact that is wrong, a formula read otherwise than it is meant, and facts made up where nothing is known. */
import { describe, expect, it } from 'vitest';
import { analyseFormula } from '../../../../src/answer/facts/analyse.ts';
import type { Fact } from '../../../../src/answer/facts/formulaFacts.ts';

const r = String.raw;

/** One fact a line: "derivative x: 2x". */
function shown(fact: Fact): string {
  switch (fact.kind) {
    case 'value':
      return `value ${fact.exact ?? ''}${fact.decimal === null ? '' : ` ${fact.rounded ? '≈' : '='} ${fact.decimal}`}`;
    case 'derivative':
      return `derivative ${fact.variable}: ${fact.tex}`;
    case 'solutions':
      return `solutions ${fact.solutions.join(', ')}${fact.all === true ? '' : ' …'}`;
    case 'domain':
      return `domain ${fact.conditions.join(', ')}`.trim();
    case 'simplified':
    case 'expanded':
    case 'factored':
    case 'result':
    case 'rearranged':
      return `${fact.kind} ${fact.tex}`;
    case 'no-real-solution':
    case 'always-true':
    case 'never-true':
    case 'holds':
    case 'holds-not':
      return fact.kind;
    default:
      return fact satisfies never;
  }
}

const TABLE: readonly (readonly [tex: string, kind: string, facts: readonly string[], plot?: boolean])[] = [
  // numbers
  ['2+3\\cdot 4', 'number', ['value 14']],
  [r`\frac{1}{6}+\frac{3}{4}`, 'number', [r`value \frac{11}{12} ≈ 0.91666667`]],
  [r`\sqrt{8}`, 'number', [r`value 2\sqrt{2} ≈ 2.8284271`]],
  [r`e^{i\pi}`, 'number', ['value -1']],
  ['5!', 'number', ['value 120']],
  ['20!', 'number', ['value 2432902008176640000']],
  ['2^{1000}', 'number', [r`value 1071508607186267320948425049\ldots 9831652624386837205668069376`]],
  [r`\binom{5}{2}`, 'number', ['value 10']],
  [r`\ln(e^2)`, 'number', ['value 2']],
  [r`\log_2 8`, 'number', ['value 3']],
  ['0.1+0.2', 'number', [r`value \frac{3}{10} = 0.3`]],
  [r`15\%`, 'number', [r`value \frac{3}{20} = 0.15`]],
  [r`3\frac{1}{2}`, 'number', [r`value \frac{7}{2} = 3.5`]],
  [r`\gcd(12,18)`, 'number', ['value 6']],
  [r`\sqrt{-4}`, 'number', ['value 2i']],
  [r`\sin(\pi/6)`, 'number', [r`value \frac{1}{2} ≈ 0.5`]],
  [r`\pi`, 'number', [r`value \pi ≈ 3.1415927`]],
  [r`\int_0^1 x^2\,dx`, 'number', [r`value \frac{1}{3} ≈ 0.33333333`]],
  [r`\int_{-\infty}^{\infty} e^{-x^2}\,dx`, 'number', [r`value \sqrt{\pi} ≈ 1.7724539`]],
  [r`\sum_{k=1}^{10} k^2`, 'number', ['value 385']],
  [r`\prod_{i=1}^{4} i`, 'number', ['value 24']],
  [r`\lim_{x\to 0}\frac{\sin x}{x}`, 'number', ['value 1']],
  // tasks
  [r`\int x^2\,dx`, 'expression', [r`result \frac{x^3}{3}`]],
  [r`\frac{d}{dx} x^3`, 'expression', ['result 3x^2']],
  // expressions
  ['x^2-5x+6', 'expression', ['factored (x-3)(x-2)', 'derivative x: 2x-5', 'domain'], true],
  ['(x+3)(2x-5)', 'expression', ['simplified 2x^2+x-15', 'derivative x: 4x+1', 'domain'], true],
  [r`\left(x+1\right)^2`, 'expression', ['expanded x^2+2x+1', 'derivative x: 2x+2', 'domain'], true],
  [r`\frac{x^2-1}{x-1}`, 'expression', ['simplified x+1', 'derivative x: 1', r`domain x \neq 1`], true],
  [r`\sin(x)^2+\cos(x)^2`, 'expression', ['simplified 1', 'derivative x: 0', 'domain'], true],
  [r`\ln(x+1)`, 'expression', [r`derivative x: \frac{1}{x+1}`, 'domain x > -1'], true],
  [r`\tan x`, 'expression', [r`derivative x: \sec(x)^2`, r`domain \cos\left(x\right) \neq 0`], true],
  ['e^x', 'expression', ['derivative x: e^{x}', 'domain'], true],
  [r`\frac{x+1}{x^2-x-2}`, 'expression', [r`simplified \frac{1}{x-2}`, expect.stringMatching(/^derivative x: /) as string, r`domain x \neq -1, x \neq 2`], true],
  ['(a+b)(a-b)', 'expression', ['simplified a^2-b^2']],
  ['n!', 'expression', []],
  ['f(x)=x^2+1', 'function', ['derivative x: 2x', 'domain'], true],
  ['y=x^2', 'function', ['derivative x: 2x', 'domain', r`rearranged x = \sqrt{y}\quad\text{or}\quad x = -\sqrt{y}`], true],
  // equations
  ['x^2-5x+6=0', 'equation', ['solutions x = 2, x = 3'], true],
  ['3x+5=20', 'equation', ['solutions x = 5'], true],
  ['x^2+1=0', 'equation', ['no-real-solution'], true],
  ['x^2=2', 'equation', [r`solutions x = -\sqrt{2}, x = \sqrt{2}`], true],
  [r`\frac{x+1}{x-2}=3`, 'equation', [r`solutions x = \frac{7}{2}`], true],
  [r`\sqrt{x-1}=2`, 'equation', ['solutions x = 5 …'], true],
  [r`\sqrt{x}=-1`, 'equation', [], true],
  [r`\sin x = 0`, 'equation', [r`solutions x = 0, x = \pi …`], true],
  ['x^5-x-1=0', 'equation', [r`solutions x \approx 1.167304`], true],
  ['2(x+1)=2x+2', 'equation', ['always-true']],
  ['x=x+1', 'equation', ['no-real-solution'], true],
  ['2+2=4', 'equation', ['holds']],
  ['2+2=5', 'equation', ['holds-not']],
  [r`\theta = \frac{\pi}{4}`, 'equation', [r`value \frac{\pi}{4} ≈ 0.78539816`]],
  ['F=ma', 'equation', [r`rearranged a = \frac{F}{m}`, r`rearranged m = \frac{F}{a}`]],
  [r`(a+b)^2=a^2+2ab+b^2`, 'equation', ['always-true']],
  [r`\begin{equation}x^2=4\label{a}\end{equation}`, 'equation', ['solutions x = -2, x = 2'], true],
  [r`\begin{cases}x+y=3,\\x-y=1\end{cases}`, 'system', ['solutions x = 2, y = 1']],
  [r`\begin{align}2x+y&=7\\x-y&=2\end{align}`, 'system', ['solutions x = 3, y = 1']],
  [r`\begin{cases}x+y=3\\x+y=4\end{cases}`, 'system', ['never-true']],
  // what is not known, or not for certain
  ['1/2x', 'unread', []],
  [r`\frac{1}{0}`, 'unread', []],
  ['a=b=c', 'unread', []],
  [r`x = \frac{-b\pm\sqrt{b^2-4ac}}{2a}`, 'unread', []],
  [r`\nabla f`, 'unread', []],
  [r`P(A\mid B)`, 'unread', []],
  [r`\vec{a}\cdot\vec{b}`, 'unread', []],
  [r`f'(x)=2x`, 'unread', []],
  [r`\frac{\partial f}{\partial x}`, 'expression', []],
  [r`\begin{pmatrix}1&2\\3&4\end{pmatrix}`, 'unread', []],
  [r`x\in\mathbb{R}`, 'relation', []],
  ['x<3', 'relation', []],
];

describe('what is known of a formula', () => {
  it.each(TABLE.map(([tex, kind, facts, plot = false]) => ({ tex, kind, facts, plot })))('$tex', ({ tex, kind, facts, plot }) => {
    const known = analyseFormula(tex);
    expect([known.kind, known.facts.map(shown), known.plot !== null]).toEqual([kind, facts, plot]);
  });
});

describe('a hostile formula', () => {
  it.each(['', ' ', '$', '{', '}', '\\', r`\frac`, r`\frac{1}`, '('.repeat(200), '^'.repeat(100), '9'.repeat(1500), '=', 'x==1', 'a=b=c', '\u0000', '🙂=1', r`\text{<script>alert(1)</script>}`, 'x+'.repeat(3000), '5/'])('has an answer and claims nothing: %j', (tex) => {
    const known = analyseFormula(tex);
    expect(known.facts.filter(({ kind }) => kind !== 'value' && kind !== 'domain' && kind !== 'derivative')).toEqual([]);
  });
});
