// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { renderInline, renderMarkdown } from '../../../src/webview/markdownView.ts';
import { mathElement } from '../../../src/webview/mathElement.ts';

function render(text: string, growing = false): HTMLElement {
  const node = document.createElement('div');
  node.append(renderMarkdown(text, growing));
  return node;
}

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<b onclick="x()">bold</b>',
  '[click](command:workbench.action.quit)',
  '[click](javascript:alert(1))',
  '[a]: javascript:alert(1)\n\n[a]',
  '<https://example.com>',
  'https://example.com',
  '![pixel](https://example.com/p.png)',
  '<style>*{display:none}</style>',
  '<iframe src="https://example.com"></iframe>',
  '```html\n<script>alert(1)</script>\n```',
  '`<img src=x>`',
  '| a |\n|---|\n| <img src=x> |',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '$\\href{javascript:alert(1)}{x}$',
  '$\\style{position:fixed}{x}$ $\\class{app}{x}$ $\\cssId{app}{x}$',
  '$\\unicode{x202e}$ $\\require{html}$ $\\def\\x{\\x}\\x$',
  '$\\mmlToken{mi}[href="javascript:alert(1)" class="app" id="app" style="position:fixed;top:0"]{x}$',
  '$\\ref{a}\\eqref{b}\\label{c}$',
  '$\\text{<img src=x onerror=alert(1)>}$',
  '$$\\begin{matrix}<script>\\end{matrix}$$',
];

describe("a model's text", () => {
  it.each(HOSTILE)('never becomes an active element or attribute: %s', (text) => {
    for (const node of render(text).querySelectorAll('*')) {
      expect(['script', 'img', 'a', 'iframe', 'style', 'object', 'embed', 'form', 'input', 'foreignobject', 'use', 'image', 'animate']).not.toContain(node.nodeName.toLowerCase());
      for (const { name, value } of node.attributes) {
        expect(name).not.toMatch(/^on|href|^src$|^id$/i);
        if (name === 'style') expect(value).not.toMatch(/position|url|display/);
        if (name === 'class') expect(value).toMatch(/^math/);
      }
    }
  });

  it('stays readable where it holds a link', () => {
    expect(render('[a](http://x) <b>c</b>').textContent).toBe('[a](http://x) <b>c</b>');
  });

  it('is laid out as Markdown, a line a line', () => {
    const node = render('**Step 1.** Go\non\n\n3. three\n4. four\n\n| a | b |\n|---|---|\n| 1 | 2 |');
    expect(node.querySelector('strong')?.textContent).toBe('Step 1.');
    expect(node.querySelectorAll('br')).toHaveLength(1);
    expect(node.querySelector('ol')?.getAttribute('start')).toBe('3');
    expect(node.querySelectorAll('td')).toHaveLength(2);
  });
});

describe('mathematics', () => {
  it('is drawn as SVG that reads as its TeX, in the colour of the text', () => {
    const math = render('so $\\frac{1}{2} \\in \\mathbb{R}$ holds').querySelector('.math');
    expect(math?.getAttribute('role')).toBe('img');
    expect(math?.getAttribute('aria-label')).toBe('\\frac{1}{2} \\in \\mathbb{R}');
    expect(math?.querySelectorAll('path').length).toBeGreaterThan(3);
    expect(math?.querySelector('[fill]:not([fill="currentColor"]):not([fill="none"])')).toBeNull();
    expect(math?.textContent).not.toContain('frac');
  });

  it('in display form may hold blank lines and lines that look like lists', () => {
    const node = render('Thus\n\\[\na\n- b\n\n+ c\n\\]\nend');
    expect(node.querySelectorAll('.math-display')).toHaveLength(1);
    expect(node.querySelector('ul')).toBeNull();
    expect(node.textContent).toContain('end');
  });

  it('is left alone in code, and money stays money', () => {
    const node = render('`$x$` costs $5 and $6\n\n```\n$y$\n```');
    expect(node.querySelector('.math')).toBeNull();
    expect(node.textContent).toContain('costs $5 and $6');
  });

  it('that is unfinished shows no TeX while the text grows', () => {
    for (const text of ['so $\\frac{1}{', '\\[ \\frac{1}', '$$\n\\frac{1}', 'so \\boxed{\\frac', '\\begin{pmatrix} \\alpha']) {
      const node = render(text, true);
      expect(node.textContent).not.toMatch(/[\\$]/);
      expect(node.querySelector('.math-pending')).not.toBeNull();
    }
  });

  it('that cannot be drawn is shown as code, not lost', () => {
    const node = mathElement('\\frac{1', false);
    expect(node.nodeName).toBe('CODE');
    expect(node.textContent).toBe('\\frac{1');
    expect(mathElement('x'.repeat(20_000), false).nodeName).toBe('CODE');
  });

  it('of every kind that school uses is drawn', () => {
    for (const tex of ['\\sqrt[3]{x}', '\\int_0^1 x\\,dx', '\\sum_{k=1}^n k', '\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', '\\begin{cases}x\\\\y\\end{cases}', '\\mathcal{L}\\mathfrak{g}\\mathscr{F}', '\\vec{v}\\hat{x}\\overline{ab}', '\\text{if } x \\ne 0', '\\lim_{x\\to\\infty}', '\\cancel{x}', '\\boldsymbol{x}', '\\dfrac12', '\\leq\\geq\\approx\\Rightarrow\\iff', '90^\\circ', '50\\%', '\\boxed{x = 5}', '\\angle ABC \\perp \\triangle']) {
      expect(mathElement(tex, true).querySelector('svg'), tex).not.toBeNull();
    }
  });

  it('of a problem is drawn in one line', () => {
    const node = document.createElement('h1');
    node.append(renderInline('Solve $x$ *now*'));
    expect(node.querySelector('p')).toBeNull();
    expect(node.querySelector('.math')).not.toBeNull();
  });
});
