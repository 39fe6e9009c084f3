// Where the final answer stands in a text.
import { describe, expect, it } from 'vitest';
import { extractAnswer } from '../../../src/answer/extract.ts';

describe('extractAnswer', () => {
  it.each([
    ['so $\\boxed{5}$', '5'], ['\\boxed{1} then \\boxed{2}', '2'], ['\\boxed{\\frac{1}{2}}', '\\frac{1}{2}'], ['\\boxed{\\{1, 2\\}}', '\\{1, 2\\}'], ['\\boxed{ x = 5 }', 'x = 5'], ['\\boxed{$5$}', '5'],
    ['\\fbox{7}', '7'], ['\\boxed 5', '5'], ['\\boxed 12 apples', '12'], ['\\boxed{\\text{no solution}}', '\\text{no solution}'], ['\\boxed{\\boxed{3}}', '3'], ['\\boxed {4}', '4'],
    ['a \\boxed{3} and \\boxed{unfinished', '3'], ['\\boxed{\\frac{1}{2}', null], ['\\boxed{}', null], ['Answer: 12', '12'], ['**Answer:** 12', '12'], ['The final answer is 12.', '12'], ['Final answer: $x=3$', 'x=3'],
    ['9 * 2 = 18\n#### 18', '18'], ['#### 70,000', '70,000'], ['Answer: 1\nAnswer: 2', '2'], ['Answer: 1 \\boxed{3}', '3'], ['nothing here', null], ['', null], ['\\boxedness{5}', null], ['Answer:', null], ['\\boxed{\\$5}', '\\$5'],
  ])('%s → %s', (text, expected) => {
    expect(extractAnswer(text)).toBe(expected);
  });

  it('takes linear time on a text full of open boxes', () => {
    const start = performance.now();
    expect(extractAnswer('\\boxed{'.repeat(3000))).toBeNull();
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
