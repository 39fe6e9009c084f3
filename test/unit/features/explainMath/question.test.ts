/** Guards against questions that the bundled model has not learned, and against losing what was asked of one that it has. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { analyseFormula } from '../../../../src/answer/facts/analyse.ts';
import { understandProblem } from '../../../../src/answer/problem.ts';
import { judgeScope } from '../../../../src/answer/scopeFile.ts';
import { questionOf } from '../../../../src/features/explainMath/question.ts';

const r = String.raw;
const bundled = path.resolve('models/tah-math-small/checkpoint');

describe('the question to a model', () => {
  it.each([
    ['2+3\\cdot 4', 'Calculate 2+3\\cdot 4'],
    [r`\frac{1}{6}+\frac{3}{4}`, r`Calculate \frac{1}{6}+\frac{3}{4}`],
    ['3x+5=20', 'Solve 3x+5=20 for x'],
    ['x^2-5x+6=0.', 'Solve x^2-5x+6=0 for x'],
    [r`\begin{cases}2x+y=7\\x-y=2\end{cases}`, 'Solve 2x+y=7, x-y=2 for x and y'],
    [r`\left(x+3\right)\left(2x-5\right)`, 'Expand (x+3)(2x-5)'],
    ['f(x) = x^3 + 2x', 'Differentiate x^3 + 2x'],
  ])('%s: the bundled model has learned it, and the answer can be checked', async (tex, text) => {
    expect(questionOf(tex, analyseFormula(tex))).toBe(text);
    expect(understandProblem(text)).not.toBeNull();
    expect(await judgeScope(bundled, text, null)).toEqual({ state: 'inside' });
  });

  it.each([r`\int_0^1 x\,dx`, r`\sum_{k=1}^{10} k`, r`e^{i\pi}`, r`\sin x = 0`, r`\nabla f`, 'x<3', r`\frac{d}{dx}x^2`, r`\begin{pmatrix}1&2\\3&4\end{pmatrix}`, r`\binom{5}{2}`, '123456789+1'])('%s: the bundled model says that it has not learned it', async (tex) => {
    expect(await judgeScope(bundled, questionOf(tex, analyseFormula(tex)), null)).toMatchObject({ state: 'outside' });
  });
});
