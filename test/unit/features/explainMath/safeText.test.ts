/** Guards against a model's or a document's text that becomes a link, a command, HTML, an image, or too much for VS Code. */
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { LONGEST_SHOWN, partsOf } from '../../../../src/features/explainMath/modelText.ts';
import { explanationPage } from '../../../../src/features/explainMath/explanationPage.ts';
import { commandLink } from '../../../../src/features/explainMath/commandLink.ts';
import { readPlace } from '../../../../src/host/problem/place.ts';
import { MarkdownBudget, codeSpan, escaped, fenced, image } from '../../../../src/features/explainMath/safeMarkdown.ts';

const HOSTILE = [
  '[x](command:workbench.action.quit)', '<img src=x onerror=alert(1)>', '<script>alert(1)</script>', '[a](javascript:alert(1))', '![x](http://evil/a.png)', 'http://evil.example/a', 'www.evil.example', '<http://evil>', 'mail@evil.example',
  '[ref]\n\n[ref]: command:x', '`code`', '```\nfence\n```', '# heading', '> quote', '- item', '1. item', '| a | b |\n|---|---|\n| c | d |', '---', 'a  \nb', '    code', '**bold** __b__ ~~s~~', '$(gear)', '&lt;b&gt; &#60;', '\\[x](command:y)', '[x\\](command:y)', '\u202etxet', '\u0000\u0007', '<a href="command:x">y</a>', '\tcode',
];

/** What a renderer makes of it that lets everything through. */
const parser = new MarkdownIt({ html: true, linkify: true, breaks: false });
parser.validateLink = () => true;

describe('escaped text', () => {
  it.each(HOSTILE)('is only text: %j', (text) => {
    const html = parser.render(`before ${escaped(text)} behind`) + parser.render(escaped(text));
    expect(html.replace(/<\/?p>|<br>/g, '')).not.toMatch(/<[a-z/!]/i);
    expect(html).not.toMatch(/\u202e|\u0000/);
  });

  it('is shown as it was written', () => {
    const text = 'So [x](y) costs 5*3 = 15 & <b> $2 `c` #1';
    expect(parser.render(escaped(text))).toBe(`<p>${text.replace('&', '&amp;').replace('<b>', '&lt;b&gt;')}</p>\n`);
  });
});

describe('TeX that is shown as TeX', () => {
  it.each(['x', '```\n[x](command:y)', '````', '`', '\n\n# a', '</code><script>'])('cannot leave its fence or span: %j', (tex) => {
    const [block, inline] = [parser.render(fenced(tex)), parser.render(`a ${codeSpan(tex)} b`)];
    expect(block.match(/<pre>/g)).toHaveLength(1);
    expect(block + inline).not.toMatch(/<(?!\/?(?:p|pre|code)\b)/);
  });
});

describe('an image', () => {
  it('is data, and its alternative cannot end it', () => {
    const html = parser.render(image({ svg: '<svg/>', width: 5, height: 6 }, 'a](command:x) "onload=1 <b>'));
    expect(html.match(/<img /g)).toHaveLength(1);
    expect(html).not.toMatch(/<b>|href/);
    expect(image({ svg: '<svg/>', width: 5, height: 6 }, 'x')).toBe(`![x](data:image/svg+xml;base64,${Buffer.from('<svg/>').toString('base64')}|width=5,height=6)`);
  });

  it('that would make the text too long is left out', () => {
    const budget = new MarkdownBudget(10);
    expect([budget.take('12345678', '-'), budget.take('12345', '-'), budget.take('1', ''), budget.take('1', ''), budget.take('1', '')]).toEqual(['12345678', '-', '1', '', '']);
  });
});

describe('an explanation on a page of its own', () => {
  const select = '[x](command:thinkAtHard.selectModel)';
  const page = (markdown: string, trusted = false): string => {
    const html = explanationPage({ cspSource: 'vscode-resource:', style: 's.css', language: 'en', title: '</title><script>', parts: [{ source: '<b>Model</b>', markdown, trusted }] });
    return html.slice(html.indexOf('<h2>'));
  };

  it('has a policy that allows no script, and titles that are only text', () => {
    const html = explanationPage({ cspSource: 'vscode-resource:', style: 's.css', language: 'en', title: '</title><script>', parts: [] });
    expect(html).toContain("default-src 'none'; style-src vscode-resource:; img-src data:;");
    expect(html).not.toMatch(/<script|script-src|unsafe/);
    expect(page('')).toContain('<h2>&#60;b&#62;Model&#60;/b&#62;</h2>');
  });

  it('has our drawings in their size, whose alternative cannot end them', () => {
    const html = page(image({ svg: '<svg/>', width: 5.5, height: 6 }, 'a](command:x) "onload=1 <b>'));
    expect(html).toContain(`<img src="data:image/svg+xml;base64,${Buffer.from('<svg/>').toString('base64')}" width="5.5" height="6" alt="`);
    expect(html).not.toMatch(/<b>|href|" ?onload/);
  });

  it.each(HOSTILE)('makes nothing else of Markdown, be it ours: %j', (text) => {
    for (const trusted of [true, false]) expect(page(text, trusted)).not.toMatch(/<(img|script|a|iframe)\b/i);
  });

  it('has the one command as a link in a part that is trusted, and nowhere else', () => {
    expect(page(select, true)).toContain('<a href="command:thinkAtHard.selectModel">x</a>');
    expect(page(select)).not.toContain('<a');
    expect(page('[x](command:thinkAtHard.selectModel?1)', true)).not.toContain('<a');
  });
});

describe('what a model wrote', () => {
  it('is text and formulas, and money stays money', () => {
    expect(partsOf('It costs $5 and $6.\nSo $x = 5$ and $$y$$ give \\boxed{x = \\frac{1}{2}}.', false)).toEqual([
      { kind: 'text', text: 'It costs $5 and $6.\nSo ' }, { kind: 'math', tex: 'x = 5', display: false }, { kind: 'text', text: ' and ' }, { kind: 'math', tex: 'y', display: true }, { kind: 'text', text: ' give ' }, { kind: 'math', tex: '\\boxed{x = \\frac{1}{2}}', display: false }, { kind: 'text', text: '.' },
    ]);
  });

  it('holds back a formula that is still being written', () => {
    expect(partsOf('So $x = ', true)).toEqual([{ kind: 'text', text: 'So ' }]);
    expect(partsOf('So $x = ', false)).toEqual([{ kind: 'text', text: 'So $x = ' }]);
  });

  it('is shown up to a limit', () => {
    expect(partsOf('a'.repeat(10_000_000), false)).toEqual([{ kind: 'text', text: `${'a'.repeat(LONGEST_SHOWN)} …` }]);
  });

  it.each(HOSTILE)('never loses its text when it is hostile: %j', (text) => {
    expect(partsOf(text, false).map((part) => (part.kind === 'text' ? part.text : part.tex)).join('').length).toBeGreaterThan(0);
  });
});

describe('a command link', () => {
  const place = { uri: 'file:///a/b (c)[d]\'"%20*!?.md', start: 3, end: 9 };

  it('brings back its place and cannot be ended by a name of a file', () => {
    const link = commandLink('thinkAtHard.explain', place);
    expect(link).not.toMatch(/[()[\]\s<>"']/);
    expect(readPlace(JSON.parse(decodeURIComponent(link.slice(link.indexOf('?') + 1))) as unknown[])).toEqual(place);
  });

  it.each([[[]], [['a']], [['a', 1]], [['a', -1, 2]], [['a', 2, 1]], [['a', 1.5, 2]], [[1, 1, 2]], [['a', '1', 2]], [[{}]], [['a', NaN, 2]]])('from elsewhere is taken only where it is a place: %j', (args) => {
    expect(readPlace(args)).toBeNull();
  });
});
