// Pairs of answers with the verdict that a careful teacher gives. `null`: it can honestly be read in two ways.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equivalent } from '../../../src/answer/equivalence.ts';

type Row = readonly [string, string, boolean | null];

const NUMBERS: Row[] = [
  ['5', '5', true], ['5', '5.0', true], ['5', '6', false], ['-3', '−3', true], ['-3', '3', false], ['-(-3)', '3', true], ['+7', '7', true],
  ['1/2', '0.5', true], ['\\frac{1}{2}', '0.5', true], ['\\frac12', '1/2', true], ['\\dfrac{1}{2}', '\\tfrac12', true], ['½', '0.5', true],
  ['0.333', '1/3', false], ['0.3333333333333333333333', '1/3', false], ['0.\\overline{3}', '1/3', true], ['0.1\\overline{6}', '1/6', true], ['.5', '0.5', true],
  ['2\\frac12', '5/2', true], ['2\\frac{1}{2}', '2.5', true], ['2 1/2', '5/2', true], ['-2\\frac{1}{2}', '-5/2', true], ['2\\frac{1}{2}', '1', false],
  ['50%', '0.5', true], ['50\\%', '\\frac{1}{2}', true], ['50%', '50', false], ['12.5\\%', '1/8', true],
  ['1,000', '1000', true], ['1,234,567', '1234567', true], ['1{,}234', '1234', true], ['1\\,234', '1234', true], ['10\\,000', '10000', true], ['1,000', '1', false], ['1,234.5', '1234.5', true],
  ['1.5e3', '1500', true], ['1.5\\times10^3', '1500', true], ['1.5 \\cdot 10^{-2}', '0.015', true],
  ['\\sqrt{8}', '2\\sqrt2', true], ['\\sqrt{8}', '2\\sqrt{2}', true], ['√8', '2√2', true], ['\\sqrt{8}', '2.828', false], ['\\sqrt[3]{16}', '2\\sqrt[3]{2}', true], ['\\sqrt[3]{-8}', '-2', true],
  ['\\frac{1}{\\sqrt2}', '\\frac{\\sqrt2}{2}', true], ['\\frac{\\sqrt{6}}{\\sqrt{2}}', '\\sqrt{3}', true], ['\\sqrt{2}+\\sqrt{3}', '\\sqrt{5}', false], ['(1+\\sqrt2)^2', '3+2\\sqrt2', true],
  ['2^{10}', '1024', true], ['2^10', '1024', true], ['2**10', '1024', true], ['2³', '8', true], ['8^{1/3}', '2', true], ['4^{-1/2}', '1/2', true], ['2^{100}', '2^{100}+1', false],
  ['\\pi', '3.14', false], ['\\pi', '3.14159265358979323846', false], ['2\\pi', '\\pi*2', true], ['\\pi', 'π', true], ['\\pi + 10^{-200}', '\\pi', false], ['\\sqrt2+10^{-200}', '\\sqrt2', false],
  ['\\sin(\\pi/6)', '1/2', true], ['\\sin(\\pi/6)', '0.5000001', false], ['\\ln e', '1', true], ['\\log_2 8', '3', true], ['5!', '120', true], ['\\binom{5}{2}', '10', true], ['|-3|', '3', true],
  ['i^2', '-1', true], ['\\sqrt{-4}', '2i', true], ['1/(1+i)', '(1-i)/2', true], ['3+4i', '3-4i', false],
  ['\\frac{6}{4}', '3/2', true], ['0', '-0', true], ['1/0', '1', null], ['1/0', '1/0', true], ['\\lfloor 2.7 \\rfloor', '2', true], ['\\infty', '\\infty', true],
  ['6/2(1+2)', '9', null], ['6/2(1+2)', '1', null], ['1/2x', 'x/2', null], ['9^{9^{9^9}}', '1', null], ['10^{-10^9}', '0', null], ['\\pi + e^{-9999999}', '\\pi', null], ['\\sin 1 + 10^{-10^2}', '\\cos(\\pi/2-1)', null], ['e^{-10^9}', '0', null], ['9^{9^{9^9}}', '9^{9^{9^9}}', true],
  ['12', '1 2', null], ['\\sqrt12', '\\sqrt{12}', null], ['3 \\cdot 4', '12', true], ['3 × 4', '12', true], ['12 ÷ 4', '3', true], ['3/4 ÷ 1/2', '3/2', true],
];

const EXPRESSIONS: Row[] = [
  ['x^2', 'x2', false], ['x^2', 'x²', true], ['x^2', '2x', false], ['x2', '2x', false], ['2x', 'x*2', true], ['2x', 'x + x', true], ['xy', 'yx', true], ['xy', 'x+y', false],
  ['(x+1)^2', 'x^2+2x+1', true], ['(x+1)(x-1)', 'x^2-1', true], ['(x+1)^2', 'x^2+1', false], ['x(x+1)', 'x^2+x', true], ['-(x-3)', '3-x', true], ['3 - x', 'x - 3', false],
  ['\\frac{x^2-1}{x-1}', 'x+1', true], ['\\frac{1}{x}+\\frac{1}{y}', '\\frac{x+y}{xy}', true], ['\\frac{1}{x+y}', '\\frac1x+\\frac1y', false],
  ['\\sqrt{x^2}', 'x', false], ['\\sqrt{x^2}', '|x|', true], ['\\sqrt{x}\\sqrt{x}', 'x', true], ['\\sqrt{4x}', '2\\sqrt{x}', true],
  ['\\sin^2 x + \\cos^2 x', '1', true], ['\\sin 2x', '2\\sin x\\cos x', true], ['\\sin^{-1} x', '\\arcsin x', true], ['2^{x+1}', '2\\cdot 2^x', true], ['2^{x+1}', '2^x+1', false],
  ['\\ln(x^2)', '2\\ln x', true], ['e^{2x}', '(e^x)^2', true], ['x_1', 'x_2', false], ['x_1 + 1', '1 + x_{1}', true], ['\\alpha\\beta', '\\beta\\alpha', true], ['abc', 'a*b*c', true], ['X', 'x', false],
  ['\\frac{x}{2}', '\\frac12 x', true], ['x/2', '0.5x', true], ['x^{-1}', '1/x', true], ['\\left(\\frac{1}{2}\\right)^2', '0.25', true], ['a^2-b^2', '(a-b)(a+b)', true], ['a^2+b^2', '(a+b)^2', false],
];

const FORMS: Row[] = [
  ['x = 5', '5', true], ['5', 'x=5', true], ['x = 5', 'x = 6', false], ['x = 5', 'y = 5', false], ['5 = x', 'x=5', true], ['x = 5', '6', false],
  ['x = 2, x = 3', 'x=3 or x=2', true], ['x=2 \\text{ or } x=3', '\\{2,3\\}', true], ['2, 3', '3, 2', true], ['2,3', '{3,2}', true], ['2 and 3', '2, 3', true], ['x = 2, x = 3', 'x = 2', false], ['2, 3', '2, 4', false],
  ['2, 3', '2, 3, 4', false], ['\\{2,2,3\\}', '\\{2,3\\}', true], ['x = \\pm 3', 'x=3, x=-3', true], ['\\pm3', '{-3,3}', true], ['\\pm 3', '3', false], ['1 \\pm \\sqrt2', '1+\\sqrt2, 1-\\sqrt2', true],
  ['x = 2, y = -1', 'y = -1, x = 2', true], ['x = 2, y = -1', '(2,-1)', true], ['y = -1, x = 2', '(2, -1)', true], ['x = 2, y = -1', '(-1,2)', false], ['x=2, y=-1', 'x=-1, y=2', false],
  ['(1,2)', '(1, 2)', true], ['(1,2)', '(2,1)', false], ['(1,2)', '\\{2,1\\}', false], ['(1,2)', '\\{1,2\\}', false], ['(1,2)', '[1,2]', false], ['[1,2)', '[1,2)', true], ['(1/2, 3)', '(0.5, 3)', true], ['(1,2)', '(1,2,3)', false],
  ['(-\\infty, 3)', '(-∞,3)', true], ['(-\\infty,1)\\cup(2,\\infty)', '(2,\\infty)\\cup(-\\infty,1)', true], ['(1,234)', '1234', null],
  ['y = 2x + 1', '2x + 1 = y', true], ['2y = 4x + 2', 'y = 2x+1', true], ['y = 2x + 1', 'y = 2x - 1', false], ['x + y = 5', 'y = 5 - x', true],
  ['x < 3', '3 > x', true], ['x < 3', 'x > 3', false], ['x < 3', 'x \\le 3', false], ['x \\geq 2', 'x >= 2', true], ['-x < 3', 'x > -3', true], ['2x<6', 'x<3', true],
  ['no solution', '\\text{no solution}', true], ['\\emptyset', 'no solution', true], ['No solutions', 'none', true], ['no solution', '5', false], ['all real numbers', '\\mathbb{R}', true], ['all real numbers', 'no solution', false],
  ['Tuesday', 'tuesday', true], ['\\text{Tuesday}', 'Tuesday', true], ['Tuesday', 'Wednesday', false], ['yes', 'no', false], ['yes', 'sey', false], ['five', '5', null], ['Tuesday', '3', null], ['no', 'on', false],
  ['12 remainder 3', '12\\text{ remainder }3', true], ['12 r 3', '12 R 3', true], ['12 remainder 3', '12 remainder 4', false], ['12 remainder 3', '12', null], ['12 remainder 0', '12', true],
];

const UNITS: Row[] = [
  ['$5', '5', true], ['\\$5', '5', true], ['$5$', '5', true], ['\\$5.00', '$5', true], ['$5', '£5', false], ['$5', '$6', false], ['5 dollars', '\\$5', true], ['\\$1,000', '1000', true], ['50 cents', '$0.50', true],
  ['5 cm', '5', true], ['5\\text{ cm}', '5 cm', true], ['5 cm', '5 m', false], ['5 km', '5000 m', true], ['5\\text{ km}', '5000\\text{ m}', true], ['5 km', '500 m', false], ['3 kg', '3000 g', true], ['3 kg', '3 km', false],
  ['2 h 15 min', '135 min', true], ['2\\text{ h }15\\text{ min}', '135\\text{ min}', true], ['2 h 15 min', '2 h 51 min', false], ['1.5 hours', '90 minutes', true], ['5m', '5 m', true], ['5m', '5', false], ['3t', '3*t', true], ['3t', '3', false],
  ['90^\\circ', '90°', true], ['90^\\circ', '90', true], ['45°', '46°', false], ['12\\text{ cm}^2', '12 cm^2', true], ['12 apples', '12', true], ['12 apples', '12 eggs', false], ['60 km/h', '60', true], ['x = 5 cm', 'x=5', true],
];

const BAD: Row[] = [
  ['', '5', null], ['\\frac{1}{', '1', null], ['((((', '5', null], ['5', ')', null], ['\\foo', '5', null], ['\\foo', '\\foo', true], ['#!', '5', null], [`${'('.repeat(5000)}1${')'.repeat(5000)}`, '1', null], ['1'.repeat(30_000), '1', null], ['?', '?', true],
];

describe.each([['numbers', NUMBERS], ['expressions', EXPRESSIONS], ['forms', FORMS], ['units', UNITS], ['bad input', BAD]] as const)('%s', (_name, rows) => {
  it.each(rows.map(([a, b, verdict]) => ({ a, b, verdict, title: `${a.slice(0, 40)}  |  ${b.slice(0, 40)}  →  ${String(verdict)}` })))('$title', ({ a, b, verdict }) => {
    expect(equivalent(a, b)).toBe(verdict);
    // A verdict that depends on the order of the two is a wrong verdict for one of them.
    expect(equivalent(b, a)).toBe(verdict);
  });
});

describe('laws', () => {
  const fraction = fc.tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: 1, max: 99 }));

  it('never calls two different fractions the same, whatever the writing', () => {
    fc.assert(fc.property(fraction, fraction, fc.nat(3), fc.nat(3), ([a, b], [c, d], left, right) => {
      const write = (n: number, m: number, how: number): string => [`${n}/${m}`, `\\frac{${n}}{${m}}`, `${2 * n}/${2 * m}`, `(${n})\\cdot\\frac{1}{${m}}`][how] ?? '';
      expect(equivalent(write(a, b, left), write(c, d, right))).toBe(a * d === c * b);
    }), { numRuns: 300 });
  });

  it('is decided for polynomials by their values', () => {
    const coefficients = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 3, maxLength: 3 });
    fc.assert(fc.property(coefficients, coefficients, ([a = 0, b = 0, c = 0], [d = 0, e = 0, f = 0]) => {
      expect(equivalent(`${a}x^2+(${b})x+(${c})`, `(${f})+x(${e}+(${d})x)`)).toBe(a === d && b === e && c === f);
    }), { numRuns: 200 });
  });
});
