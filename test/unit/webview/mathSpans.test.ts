import { describe, expect, it } from 'vitest';
import { scanMath } from '../../../src/webview/mathSpans.ts';

/** All formulas of a text, as the inline rule meets them. */
function formulas(text: string, growing = false): string[] {
  const found: string[] = [];
  for (let i = 0; i < text.length; i++) {
    const scan = scanMath(text, i, growing);
    if (scan?.kind === 'pending') return [...found, '<pending>'];
    if (scan?.kind === 'math') {
      found.push(scan.tex);
      i = scan.end - 1;
    } else if (text[i] === '\\') i++;
  }
  return found;
}

describe('mathematics in text', () => {
  it.each([
    ['$x$', ['x']],
    ['$3x + 5 = 20$', ['3x + 5 = 20']],
    ['$5$', ['5']],
    ['$5x$ and $6y$', ['5x', '6y']],
    ['$15 + 3$', ['15 + 3']],
    ['$\\frac{1}{2}$.', ['\\frac{1}{2}']],
    ['$$x^2$$', ['x^2']],
    ['\\(a\\) and \\[b\\]', ['a', 'b']],
    ['\\begin{align*}a&=b\\end{align*}', ['\\begin{align*}a&=b\\end{align*}']],
    ['so \\boxed{\\frac{1}{2}} it is', ['\\boxed{\\frac{1}{2}}']],
    ['$\\text{costs \\$5}$', ['\\text{costs \\$5}']],
    ['$4$-digit', ['4']],
  ])('is found in %s', (text, expected) => {
    expect(formulas(text)).toEqual(expected);
  });

  it.each([
    'It costs $5 and $6 a piece.', '$5', 'from $5 to $10', 'between $5-$10', '$1,000 for $20', '($5) and ($6)', 'I have $5. You have $7.', '$20/month or $200/year',
    '\\$x\\$', 'a $ b $ c', '$x\n\ny$', '$ x$', '$x $', '\\begin{document}x\\end{document}', 'US$ 5 and A$ 6',
  ])('is not found in money and plain text: %s', (text) => {
    expect(formulas(text)).toEqual([]);
  });

  it.each(['so $x +', '\\(a + ', '\\[ a', '$$a $', 'thus \\', 'thus \\box', '\\boxed{\\frac{1}{', '\\begin{pmatrix} 1', '$'])('that is unfinished is held back while the text grows: %s', (text) => {
    expect(formulas(text, true).at(-1)).toBe('<pending>');
  });

  it('holds nothing back once the text has ended', () => {
    expect(scanMath('$x +', 0, false)).toBeNull();
    expect(scanMath('\\(x', 0, false)).toBeNull();
  });

  it('lets a price pass while the text grows, as soon as a word follows', () => {
    expect(scanMath('$5 and more', 0, true)).toBeNull();
  });

  it('takes no quadratic time on a text of dollars', () => {
    const text = '$ '.repeat(20_000);
    const start = performance.now();
    formulas(text);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
