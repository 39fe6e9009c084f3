// Problems with right, wrong, incomplete and unfinished answers. The fault guarded against above all: "verified" for a wrong one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkAnswerNow } from '../../../src/answer/check.ts';
import { answerCheck } from '../../../src/protocol/answer.ts';
import { reason } from '../../../src/protocol/reasons.ts';

type State = 'verified' | 'contradicted' | 'unchecked';
type Row = readonly [string, string, State, RegExp?];

const COMPUTE: Row[] = [
  ['12*13', '156', 'verified'], ['12*13', '157', 'contradicted', /156, not 157/], ['12*13', '12*13', 'unchecked', /repeats/], ['12*13', '12 \\cdot 13', 'unchecked'], ['12*13', '100+56', 'unchecked', /not worked out/],
  ['What is 3/4 + 1/6?', '\\frac{11}{12}', 'verified', /11\/12/], ['What is 3/4 + 1/6?', '11/12', 'verified'], ['What is 3/4 + 1/6?', '22/24', 'verified'], ['What is 3/4 + 1/6?', '3/4+1/6', 'unchecked'], ['What is 3/4 + 1/6?', '4/10', 'contradicted'],
  ['Calculate $\\frac{3}{4}+\\frac{1}{6}$.', '\\frac{11}{12}', 'verified'], ['Calculate 1/3 + 1/3', '0.667', 'unchecked', /rounded/], ['1/3+1/3', '0.66', 'unchecked'], ['1/3+1/3', '0.6', 'unchecked'], ['1/3+1/3', '0.7', 'unchecked'], ['1/3+1/3', '0.5', 'contradicted'],
  ['5 - 8', '-3', 'verified'], ['5 − 8', '3', 'contradicted'], ['2^10', '1024', 'verified'], ['2^{10}', '2^{10}', 'unchecked'], ['√144', '12', 'verified'], ['√144', '\\pm 12', 'unchecked'], ['\\sqrt{50}', '5\\sqrt{2}', 'verified'], ['Simplify √50', '√50', 'unchecked'],
  ['\\sqrt{50}', '7.07', 'unchecked', /rounded/], ['(2+3)*4-6/2', '17', 'verified'], ['gcd(60, 33)', '3', 'verified'], ['lcm of 4 and 6', '12', 'verified'], ['greatest common divisor of 12 and 18', '6', 'verified'], ['gcd(60,33)', '11', 'contradicted'],
  ['15% of 80', '12', 'verified'], ['What is 15% of 80?', '$12', 'verified'], ['15 % of 80', '1200', 'contradicted'], ['What percent of 60 is 15?', '25\\%', 'verified'], ['What percent of 60 is 15?', '25', 'verified'], ['What percent of 60 is 15?', '0.25', 'unchecked', /percent/], ['15 is what percent of 60?', '400%', 'contradicted'],
  ['Increase 200 by 15%', '230', 'verified'], ['Decrease 200 by 15%', '230', 'contradicted'], ['Simplify 12/18', '2/3', 'verified'], ['Simplify 12/18', '4/6', 'contradicted', /lowest terms/], ['Simplify 12/18', '12/18', 'contradicted'], ['Simplify 3/7', '3/7', 'verified'],
  ['Divide 17 by 5', '3 remainder 2', 'verified', /3·5 \+ 2 = 17/], ['Divide 17 by 5', '3.4', 'verified'], ['Divide 17 by 5', '3', 'contradicted'], ['Divide 17 by 5', '2 remainder 7', 'contradicted', /smaller/], ['17 divided by 5 with remainder', '17/5', 'unchecked'], ['17 divided by 5 with remainder', '3 r 2', 'verified'],
  ['77÷4', '77/4', 'unchecked', /repeats/], ['three plus four', '7', 'verified'], ['What is 7 squared?', '49', 'verified'], ['the sum of 12 and 30', '42', 'verified'], ['Subtract 5 from 12', '7', 'verified'], ['Subtract 5 from 12', '-7', 'contradicted'], ['34 x 5', '170', 'verified'], ['5!', '120', 'verified'],
  ['Evaluate x^2 + 1 for x = 3', '10', 'verified'], ['f(x) = 2x - 5, find f(-1)', '-7', 'verified'], ['f(x) = 2x - 5, find f(-1)', '7', 'contradicted'], ['1/0', '0', 'unchecked'], ['3/4 ÷ 1/2', '3/2', 'verified'], ['6/2(1+2)', '9', 'unchecked'],
];

const SOLVE: Row[] = [
  ['Solve 3x + 5 = 20 for x', 'x = 5', 'verified', /3·5 \+ 5 = 20: both sides are equal/], ['Solve 3x + 5 = 20 for x', '5', 'verified'], ['3x+5=20', 'x = 4', 'contradicted', /3x \+ 5 is 17, 20 is 20/], ['3x+5=20', 'y = 5', 'contradicted'], ['3x+5=20', 'x = 15/3', 'verified'], ['3x+5=20', 'x = (20-5)/3', 'unchecked'],
  ['3x = 1', 'x = 1/3', 'verified'], ['3x = 1', 'x = 0.333', 'unchecked', /approximately/], ['3x = 1', 'x = 0.5', 'contradicted'], ['x^2 - 5x + 6 = 0', 'x = 2, x = 3', 'verified'], ['x^2 - 5x + 6 = 0', 'x = 2', 'contradicted', /2 solutions, and x = 3 is missing/], ['x^2 - 5x + 6 = 0', 'x=2, x=3, x=4', 'contradicted'],
  ['x^2 - 5x + 6 = 0', '\\{2,3\\}', 'verified'], ['x^2 = 9', 'x = \\pm 3', 'verified'], ['x^2 = 9', '3', 'contradicted'], ['x^2 = 2', 'x = \\pm\\sqrt2', 'verified'], ['x^2=2', 'x = \\sqrt{2}', 'contradicted', /2 solutions/], ['x^2 - 4x + 4 = 0', 'x = 2', 'verified'], ['x^2 - 4x + 4 = 0', 'x = 2, x = 2', 'verified'],
  ['x^2 + 1 = 0', 'no real solution', 'verified'], ['x^2 + 1 = 0', 'x = \\pm i', 'verified'], ['x^2 + 1 = 0', 'x = i', 'contradicted'], ['x^2 - 1 = 0', 'no solution', 'contradicted'], ['x^3 = 8', 'x = 2', 'verified', /no other real/], ['x + 1 = x', 'no solution', 'verified'], ['2(x+1) = 2x + 2', 'all real numbers', 'verified'], ['2(x+1) = 2x+2', 'x = 1', 'contradicted', /Every number/],
  ['\\frac{x^2-1}{x-1} = 2', 'x = 1', 'contradicted', /no value/], ['\\frac{x^2-1}{x-1} = 2', 'no solution', 'verified'], ['\\frac{6}{x} = 3', 'x = 2', 'verified'], ['\\sqrt{x} = 3', 'x = 9', 'unchecked', /other solutions/], ['\\sqrt{x+6} = x', 'x = -2', 'contradicted'], ['|x| = 3', 'x = 3', 'unchecked'], ['x = 5', '5', 'verified'],
  ['2x + y = 5, x - y = 1', 'x = 2, y = 1', 'verified', /both sides are equal/], ['2x + y = 5, x - y = 1', '(2, 1)', 'verified'], ['2x + y = 5, x - y = 1', '(1, 2)', 'contradicted'], ['2x + y = 5, x - y = 1', 'x = 2', 'contradicted', /y is missing/], ['2x + y = 5 and x - y = 1', 'y = 1, x = 2', 'verified'], ['x + y = 2, 2x + 2y = 4', 'x = 1, y = 1', 'contradicted', /more solutions/],
  ['x + y = 2, x + y = 3', 'no solution', 'verified'], ['$\\begin{cases}x+y=3\\\\x-y=1\\end{cases}$', 'x = 2, y = 1', 'verified'], ['x + y = 5', 'x = 2, y = 3', 'unchecked'], ['If 3x + 5 = 20, what is x?', '5', 'verified'], ['Solve ax + b = c for x', 'x = \\frac{c-b}{a}', 'verified'], ['Solve ax + b = c for x', 'x = \\frac{c+b}{a}', 'contradicted'],
  ['Solve x^2 = 4', 'x = 2 \\text{ or } x = -2', 'verified'], ['Solve x^2 = 4', 'x = 2 \\text{ and } x = 3', 'contradicted'], ['x^2=4', '(2, -2)', 'unchecked'], ['2x = 6', '2x = 6', 'unchecked'], ['2x = 6', 'x', 'unchecked'], ['2x=6', 'Tuesday', 'unchecked'], ['2x=6', '', 'unchecked'],
];

const OTHERS: Row[] = [
  ['Expand (x + 3)(2x - 5)', '2x^2 + x - 15', 'verified'], ['Expand (x + 3)(2x - 5)', '(x+3)(2x-5)', 'unchecked', /not fully expanded/], ['Expand (x+3)^2', 'x^2 + 9', 'contradicted', /x\^2 \+ 6x \+ 9/], ['Expand (x+3)^2', 'x^2+3x+3x+9', 'unchecked'], ['Factor x^2 - 5x + 6', '(x-2)(x-3)', 'verified'], ['Factor x^2 - 5x + 6', 'x^2-5x+6', 'unchecked'],
  ['Factor 2x^2 - 8', '2(x-2)(x+2)', 'verified'], ['Factor 2x^2-8', '2(x^2-4)', 'unchecked'], ['Factor x^2-5x+6', '(x-1)(x-6)', 'contradicted'], ['Simplify 2x + 3x', '5x', 'verified'], ['Simplify 2x + 3x', '6x', 'contradicted'], ['Simplify 2x + 3x', '2x+3x', 'unchecked'], ['Simplify (x^2-1)/(x-1)', 'x+1', 'verified'],
  ['Differentiate 3x^2 - 5x + 1', '6x - 5', 'verified'], ['Differentiate 3x^2 - 5x + 1', '6x', 'contradicted', /6x - 5/], ['derivative of \\sin x', '\\cos x', 'verified'], ["Find f'(x) if f(x) = x^3", '3x^2', 'verified'], ['d/dx x^4', '4x^3', 'verified'], ['Differentiate x^2 e^x', '2xe^x + x^2e^x', 'verified'], ['derivative of ln x', '1/x', 'verified'],
  ['Convert 3.5 km to m', '3500\\text{ m}', 'verified'], ['Convert 3.5 km to m', '3500', 'verified'], ['Convert 3.5 km to m', '350 m', 'contradicted', /3500 m/], ['Convert 3.5 km to m', '3.5 km', 'contradicted'], ['135 min in h and min', '2\\text{ h }15\\text{ min}', 'verified'], ['135 min in h and min', '1 h 75 min', 'unchecked'], ['2 h 15 min in minutes', '135', 'verified'], ['How many grams are 2 kg?', '2000\\text{ g}', 'verified'], ['Convert 5 km to kg', '5', 'unchecked'],
  ['Anna has 12 pens and gives 5 to Ben. How many are left?', '7', 'unchecked', /isn’t a formula/], ['What is the capital of France?', 'Paris', 'unchecked'], ['Prove that 1 + 1 = 2', '2', 'unchecked'], ['Find the number of solutions of 3x + 5 = 20', '1', 'unchecked'], ['If 3x + 5 = 20, what is 2x?', '10', 'unchecked'], ['Solve 3x + 5 > 20', 'x > 5', 'unchecked'], ['sin(30)', '0.5', 'unchecked'], ['sin(30°)', '1/2', 'verified'],
  ['What is 2^5 - 3!', '23', 'unchecked'], ['', '5', 'unchecked'], ['?', '5', 'unchecked'], ['5 apples plus 3', '8', 'unchecked'], ['x2 + 5 = 9', '2', 'unchecked'], ['log(100)', '2', 'unchecked'], ['Find the smallest x with 2x = 6 + y', '3', 'unchecked'],
  ['3 cm + 4 cm', '7 cm', 'unchecked'], ['Simplify 5m + 3m', '8 m', 'verified'], ['Simplify 5m + 3m', '8', 'contradicted'], ['12:30 + 1:15', '13:45', 'unchecked'], ['12:4', '3', 'verified'], ['9x(9 - 28)', '-171', 'unchecked'], ['9 x (9 - 28)', '-171', 'verified'], ['Expand 3x(x + 2)', '3x^2 + 6x', 'verified'], ['Solve x^2 = 4, x > 0', 'x = 2', 'unchecked'], ['Find all positive solutions of x^2 = 4', 'x = 2, x = -2', 'unchecked'],
];

/** Writings that mean two things, or nothing, in the problem's place: none of these may pass, and no right one is called wrong. */
const DOUBTFUL: Row[] = [
  ['What is 3+2?', 'x = 5', 'unchecked', /not asked for/], ['What is 3+2?', 'x = 6', 'contradicted'], ['Evaluate x^2 + 1 for x = 3', 'x = 10', 'unchecked'], ['What is 3+2?', '5 cm', 'unchecked', /no units/], ['What is 3+2?', '5 apples', 'unchecked'], ['What is 3+2?', '5°', 'contradicted'], ['What is 3+2?', '5%', 'contradicted'], ['3x + 5 = 20', 'x = 5 cm', 'unchecked'],
  ['arcsin(1/2)', '30°', 'verified'], ['arcsin(1/2)', '30', 'contradicted'], ['x + 30° = 90°', 'x = 60°', 'verified'], ['tan(90°)', '0', 'unchecked'], ['cot(180°)', '0', 'unchecked'], ['1/0', '\\infty', 'unchecked'], ['0/0', '0', 'unchecked'],
  ['7/2', '3\\frac12', 'verified'], ['7/2', '3 1/2', 'verified'], ['7/2', '31/2', 'contradicted'], ['2/3', '0.\\overline{6}', 'verified'], ['200 + 10%', '200.1', 'unchecked'], ['200 + 10%', '220', 'unchecked'], ['100 - 10%', '90', 'unchecked'], ['10% + 5%', '15%', 'verified'], ['5!!', '5', 'unchecked'], ['5!!', '15', 'unchecked'],
  ['sin x = 0', 'x = \\pi n', 'unchecked', /letter n/], ['x/x = 1', 'x = 3', 'contradicted', /for which it has a value/], ['log_2 8', '3', 'verified', /= 3\./], ['derivative of \\sin x', '\\cos x', 'verified', /is cos\(x\)\./], ['What is 0.1+0.2?', '0.30000000000000004', 'contradicted'], ['What is 0.1+0.2?', '0.3', 'verified'], ['10^100 + 1', '10^100', 'contradicted'],
];

describe.each([['compute', COMPUTE], ['solve', SOLVE], ['others', OTHERS], ['doubtful', DOUBTFUL]] as const)('%s', (_name, rows) => {
  it.each(rows.map(([problem, answer, state, reason]) => ({ problem, answer, state, reason })))('$problem | $answer → $state', ({ problem, answer, state, reason }) => {
    const check = checkAnswerNow(problem, answer);
    expect(`${check.state}: ${check.reason}`).toMatch(new RegExp(`^${state}: `));
    if (reason !== undefined) expect(check.reason).toMatch(reason);
  });
});

it('says why a text is not checked', () => {
  expect(checkAnswerNow('Write a poem', '5')).toEqual(answerCheck('unchecked', [reason('not-a-formula')]));
});

describe('no wrong answer is verified, no right one contradicted', () => {
  const small = fc.integer({ min: -12, max: 12 });
  const nonzero = small.filter((n) => n !== 0);
  const signed = (n: number): string => (n < 0 ? `- ${-n}` : `+ ${n}`);

  it('linear equations', () => {
    fc.assert(fc.property(nonzero, small, small, small, (a, b, x, guess) => {
      expect(checkAnswerNow(`Solve ${a}x ${signed(b)} = ${a * x + b}`, `x = ${guess}`).state).toBe(guess === x ? 'verified' : 'contradicted');
    }), { numRuns: 300 });
  });

  it('linear equations with fractions as solutions', () => {
    fc.assert(fc.property(nonzero, small, small, (a, b, c) => {
      const state = checkAnswerNow(`${a}y ${signed(b)} = ${c}`, `y = \\frac{${c - b}}{${a}}`).state;
      expect(state).toBe('verified');
      expect(checkAnswerNow(`${a}y ${signed(b)} = ${c}`, `y = \\frac{${c - b + 1}}{${a}}`).state).toBe('contradicted');
    }), { numRuns: 200 });
  });

  it('quadratic equations: one root is not enough, a third is too many', () => {
    fc.assert(fc.property(nonzero, small, small, small, (a, p, q, r) => {
      const problem = `${a}x^2 ${signed(-a * (p + q))}x ${signed(a * p * q)} = 0`;
      expect(checkAnswerNow(problem, `x = ${p}, x = ${q}`).state).toBe('verified');
      expect(checkAnswerNow(problem, `x = ${p}`).state).toBe(p === q ? 'verified' : 'contradicted');
      expect(checkAnswerNow(problem, `x = ${p}, x = ${q}, x = ${r}`).state).toBe(r === p || r === q ? 'verified' : 'contradicted');
    }), { numRuns: 200 });
  });

  it('systems of two equations', () => {
    fc.assert(fc.property(nonzero, nonzero, nonzero, nonzero, small, small, small, small, (a, b, c, d, x, y, u, v) => {
      fc.pre(a * d !== b * c);
      const problem = `${a}x ${signed(b)}y = ${a * x + b * y}, ${c}x ${signed(d)}y = ${c * x + d * y}`;
      expect(checkAnswerNow(problem, `x = ${x}, y = ${y}`).state).toBe('verified');
      expect(checkAnswerNow(problem, `(${u}, ${v})`).state).toBe(u === x && v === y ? 'verified' : 'contradicted');
    }), { numRuns: 200 });
  });

  it('arithmetic', () => {
    const number = fc.integer({ min: -999, max: 999 });
    fc.assert(fc.property(number, number, number, fc.constantFrom('+', '-', '*'), fc.integer({ min: -3, max: 3 }), (a, b, c, sign, off) => {
      const right = sign === '+' ? a + b : sign === '-' ? a - b : a * b;
      const state = checkAnswerNow(`(${a}) ${sign} (${b}) - (${c})`, String(right - c + off)).state;
      expect(state).toBe(off === 0 ? 'verified' : 'contradicted');
    }), { numRuns: 300 });
  });

  it('any text at all: no exception, and nothing verified that is no formula', () => {
    fc.assert(fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 30 }), (problem, answer) => {
      expect(['verified', 'contradicted', 'unchecked']).toContain(checkAnswerNow(problem, answer).state);
    }), { numRuns: 500 });
    const piece = fc.constantFrom('x', '1', '2', '+', '-', '*', '/', '^', '(', ')', '{', '}', '\\frac', '\\sqrt', '=', ',', '|', '!', '%', ' ', '\\pm', 'and', 'sin', '°', '.', '[', ']', '_', '<');
    const formula = fc.array(piece, { maxLength: 14 }).map((parts) => parts.join(''));
    fc.assert(fc.property(formula, formula, (problem, answer) => {
      expect(['verified', 'contradicted', 'unchecked']).toContain(checkAnswerNow(problem, answer).state);
    }), { numRuns: 1500 });
  });
});
