// @vitest-environment happy-dom
// A model's output that was made to take the panel over: drawn by the panel's own code, nothing of it is more than text.
import { describe, expect, it } from 'vitest';
import { checkTree, drawHostile } from '../../fuzz/webview/views.ts';
import { mathElement } from '../../../src/webview/mathElement.ts';
import { renderMarkdown } from '../../../src/webview/markdownView.ts';

const DEEP = 10_000;
const OUTPUTS: readonly (readonly [string, string])[] = [
  ['a script', '<script>alert(1)</script>\n\n<SCRIPT SRC=//evil.example>'],
  ['event handlers', '<img src=x onerror=alert(1)><svg/onload=alert(1)><details open ontoggle=alert(1)>'],
  ['links of scripts and commands', '[a](javascript:alert(1)) [b](command:workbench.action.quit) [c]: command:x\n\n[c] <javascript:x> [d](data:text/html,x)'],
  ['a picture of a stranger', '![a](https://evil.example/p.png) ![b][c]\n\n[c]: //evil.example'],
  ['a frame and a form', '<iframe src=//evil.example></iframe><form action=//evil.example><input autofocus onfocus=alert(1)>'],
  ['styles', '<style>*{display:none}</style> <p style="position:fixed">x</p> $\\style{position:fixed}{x}$'],
  ['signs of a terminal', '\u001b[2J\u001b[31mred\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007\u009b31m\u0007\u0008'],
  ['characters that reorder', '\u202eabc\u202c \u2066d\u2069 $\u202ex$ `\u202ecode`\n\n```\n\u202efence\n```'],
  ['a line of a million characters', 'a'.repeat(1_000_000)],
  ['a line of many formulas', '$x$ '.repeat(2000)],
  ['lists in lists', Array.from({ length: 100 }, (_, i) => `${'  '.repeat(i)}- x`).join('\n')],
  ['lists in lists in one line', '- '.repeat(DEEP)],
  ['numbers in numbers in one line', '1. '.repeat(DEEP)],
  ['quotes in quotes', '> '.repeat(DEEP)],
  ['emphasis in emphasis', `${'*a **b '.repeat(DEEP)}${'** *'.repeat(DEEP)}`],
  ['brackets in brackets', '['.repeat(DEEP) + '](x)'.repeat(DEEP)],
  ['braces in braces', `$${'{'.repeat(4000)}x${'}'.repeat(4000)}$`],
  ['fractions in fractions', `$${'\\frac{'.repeat(1000)}x${'}{y}'.repeat(1000)}$`],
  ['broken TeX', '$\\frac{$ $\\begin{align}x$ $\\left($ $x^2^3$ $\\undefined$ $\\require{html}\\href{javascript:alert(1)}{x}$'],
  ['a table of many columns', `|${'a|'.repeat(2000)}\n|${'-|'.repeat(2000)}\n|${'$x$|'.repeat(20)}`],
];

describe.each(OUTPUTS)('%s', { timeout: 120_000 }, (_, text) => {
  it.each(['whole', 'growing', 'inline', 'formula'])('is only text and what we draw: %s', (part) => {
    expect(() => { drawHostile(part, text); }).not.toThrow();
  });
});

it.each([['script', 'class', 'math'], ['p', 'onclick', 'x()'], ['p', 'style', 'position:fixed'], ['p', 'class', 'app'], ['p', 'width', 'url(http://evil.example)'], ['a', 'href', 'x']])('the check of the tree finds %s with %s="%s"', (name, attribute, value) => {
  const holder = document.createElement('div');
  const element = document.createElement(name);
  element.setAttribute(attribute, value);
  holder.appendChild(document.createElement('p')).append(element);
  expect(() => { checkTree(holder); }).toThrow(/the text|the attribute/);
});

it('what is drawn is whole: no text is lost with what is taken from it', () => {
  expect(renderMarkdown('<b onclick="x()">a</b> [b](command:c) ![d](e)', false).textContent).toBe('<b onclick="x()">a</b> [b](command:c) ![d](e)');
  expect(mathElement('\\href{javascript:alert(1)}{x}', false).textContent).toBe('\\href{javascript:alert(1)}{x}');
});
