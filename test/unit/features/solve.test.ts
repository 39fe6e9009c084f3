import { describe, expect, it } from 'vitest';
import { copyAnswer } from '../../../src/features/solve/copyAnswer.ts';
import { insertionText, replacementText } from '../../../src/features/solve/insertion.ts';
import type { Surroundings } from '../../../src/features/solve/insertion.ts';
import { pythonStringAt } from '../../../src/formula/detection/pythonTexts.ts';
import { uncommented } from '../../../src/host/problem/comments.ts';
import { LONGEST_PROBLEM, readProblem, refuseTooLong } from '../../../src/host/problem/problem.ts';
import { keptRun, keptToken } from '../../fixtures/keptRun.ts';

describe('a problem', () => {
  it('is taken trimmed, with its line breaks, formulas and signs of all languages', () => {
    expect(readProblem('  Löse $x² = 4$\r\n\t求解 🙂 ')).toBe('Löse $x² = 4$\r\n\t求解 🙂');
    expect(readProblem('a'.repeat(LONGEST_PROBLEM))).toHaveLength(LONGEST_PROBLEM);
  });

  it.each(['', '   \n\t', '\u00a0'])('that is empty is refused: %j', (text) => {
    expect(() => readProblem(text)).toThrow(/no problem to solve/);
  });

  it('that is too long is refused with both numbers, before it is read', () => {
    expect(() => {
      refuseTooLong(10_000_000);
    }).toThrow('The problem has 10 000 000 characters; at most 20 000 can be solved at once.');
    expect(() => readProblem('a'.repeat(LONGEST_PROBLEM + 1))).toThrow('20 001');
  });

  it.each(['\u0000ELF\u0001', 'PK\u0003\u0004', '\ufffd\ufffd\ufffd\ufffdPNG'])('that is binary data is refused: %j', (text) => {
    expect(() => readProblem(text)).toThrow('binary');
  });
});

describe('an inserted answer', () => {
  const answer = '**Step 1.** Subtract 5, 50% & more\n$3x = 15$\n\n$$\nx = 5\n$$';

  it('keeps mathematics and lines in Markdown', () => {
    expect(insertionText(answer, { languageId: 'markdown', eol: '\n', indent: '', textBelow: true })).toBe('\n**Step 1.** Subtract 5, 50% & more  \n$3x = 15$\n\n$$\nx = 5\n$$\n');
  });

  it('keeps mathematics in LaTeX and escapes what LaTeX would misread', () => {
    const text = insertionText(answer, { languageId: 'latex', eol: '\n', indent: '', textBelow: true });
    expect(text).toContain('\\textbf{Step 1.} Subtract 5, 50\\% \\& more\n\n$3x = 15$');
    expect(text).toContain('$$\nx = 5\n$$');
    expect(insertionText('$a \\% b & c$', { languageId: 'latex', eol: '\n', indent: '', textBelow: true })).toContain('$a \\% b & c$');
  });

  it('is a comment in a program, indented as its problem', () => {
    expect(insertionText('a\n\nb', { languageId: 'python', eol: '\r\n', indent: '    ', textBelow: true })).toBe('    # a\r\n    #\r\n    # b');
    expect(insertionText('a', { languageId: 'rust', eol: '\n', indent: '', textBelow: true })).toBe('// a');
  });

  it('cannot close the comment that holds it', () => {
    expect(insertionText('a --> <script>', { languageId: 'html', eol: '\n', indent: '', textBelow: true })).toBe('<!-- a  <script> -->');
    expect(insertionText('a */ evil()', { languageId: 'css', eol: '\n', indent: '', textBelow: true })).toBe('/* a  evil() */');
  });

  it('is plain text where the language is not known', () => {
    expect(insertionText('a\nb', { languageId: 'plaintext', eol: '\n', indent: '', textBelow: true })).toBe('\na\nb\n');
  });

  it('adds no blank line where one is already below', () => {
    expect(insertionText('a', { languageId: 'markdown', eol: '\n', indent: '', textBelow: false })).toBe('\na');
  });
});

describe('an answer in reStructuredText, Julia Markdown and LaTeX 3', () => {
  const answer = '## Steps\n**Step 1.** From $3x = 15$th\n$$\nx = 5\n$$\n\\[ y = 1 \\]\nso \\(x\\).';
  const inserted = (languageId: string): string => insertionText(answer, { languageId, eol: '\n', indent: '', textBelow: false });

  it('has its mathematics as role and directive', () => {
    expect(inserted('restructuredtext')).toBe('\n**Steps**\n\n**Step 1.** From :math:`3x = 15`\\ th\n\n.. math::\n\n   x = 5\n\n.. math::\n\n   y = 1\n\nso :math:`x`.');
  });

  it('keeps mathematics that was cut off', () => {
    expect(insertionText('$$\nx', { languageId: 'restructuredtext', eol: '\n', indent: '', textBelow: false })).toBe('\n.. math::\n\n   x');
  });

  it('is as in the language that they are kinds of', () => {
    expect(inserted('juliamarkdown')).toBe(inserted('markdown'));
    expect(inserted('latex-expl3')).toBe(inserted('latex'));
    expect(inserted('latex')).toContain('\\paragraph{Steps}');
  });
});

describe('an answer in a string of a Python program', () => {
  const docstring = { quote: '"""', raw: false, formatted: false };
  const target = { languageId: 'python', eol: '\n', indent: '    ', textBelow: false };

  it('is text without comment marks, its backslashes doubled unless the string is raw', () => {
    expect(insertionText('a\n$\\pi$', { ...target, string: docstring })).toBe('\n    a\n    $\\\\pi$');
    expect(insertionText('$\\pi$', { ...target, string: { ...docstring, raw: true } })).toBe('\n    $\\pi$');
  });

  it('can neither end the string nor put a value in', () => {
    const inside = (text: string, quotes: Partial<typeof docstring>): string => replacementText('', text, { ...target, string: { ...docstring, ...quotes }, before: '"x ', after: '"', replaced: 'x' });
    expect(inside('a """ b"', {})).toBe('a \\"\\"\\" b\\"');
    expect(inside('say "x"', { quote: '"' })).toBe('say \\"x\\"');
    expect(inside('say "x" \\', { quote: '"', raw: true })).toBe("say 'x' \\ ");
    expect(inside('\\frac{1}{2}', { formatted: true })).toBe('\\\\frac{{1}}{{2}}');
  });

  it('in the place of a problem that has its lines for itself is text too, and of a formula keeps the delimiters', () => {
    const place = { ...target, string: docstring, before: '    ', after: '', replaced: 'Solve x' };
    expect(replacementText('a\nb', 'b', place)).toBe('a\n    b');
    expect(replacementText('a\nb', '\\pi', { ...place, before: '    """Area: ', after: '"""', replaced: '$\\\\pi r^2$' })).toBe('$\\\\pi$');
    expect(replacementText('a\nb', 'b', { ...place, string: { ...docstring, quote: '"' }, before: '', after: '' })).toBe('b');
  });

  it('goes where the string is', () => {
    const program = 'x = "a" # don\'t\ndef f():\n    r"""Solve x\n    """\n';
    const inDocstring = program.indexOf('Solve x') + 7;
    expect(pythonStringAt(program, inDocstring)).toMatchObject({ quote: '"""', raw: true, formatted: false, end: program.lastIndexOf('"""') });
    expect(pythonStringAt(program, program.indexOf('def'))).toBeNull();
    expect(pythonStringAt(program, program.indexOf("don't") + 5)).toBeNull();
  });
});

describe('a copied answer', () => {
  const run = keptRun({ tokens: [keptToken(0, '**Step 1.** 50% off\n'), keptToken(1, '$x = 5$')] });
  const copied = async (surroundings: Surroundings | null): Promise<string[]> => {
    const clipboard: string[] = [];
    await copyAnswer(run, {
      writeText: (text) => {
        clipboard.push(text);
        return Promise.resolve();
      },
      surroundingsOf: () => Promise.resolve(surroundings),
    });
    return clipboard;
  };

  it('is written as it would be inserted, without indent and blank lines around it', async () => {
    expect(await copied({ languageId: 'python' })).toEqual(['# **Step 1.** 50% off\n# $x = 5$']);
    expect(await copied({ languageId: 'latex' })).toEqual(['\\textbf{Step 1.} 50\\% off\n\n$x = 5$']);
    expect(await copied({ languageId: 'markdown' })).toEqual(['**Step 1.** 50% off  \n$x = 5$']);
  });

  it('of a problem that is in no document is as the model wrote it', async () => {
    expect(await copied(null)).toEqual(['**Step 1.** 50% off\n$x = 5$']);
  });
});

describe('an answer in the place of its problem', () => {
  const worked = '**Step 1.** Subtract 5\n$3x = 15$';
  const replaced = (languageId: string, before = '', after = '', result: string | null = 'x = 5', replacedText = 'Solve 3x + 5 = 20'): string => replacementText(worked, result, { languageId, eol: '\n', before, after, replaced: replacedText });

  it('is the worked answer where the problem has its lines for itself, in the language of the document', () => {
    expect(replaced('markdown')).toBe('**Step 1.** Subtract 5  \n$3x = 15$');
    expect(replaced('latex')).toBe('\\textbf{Step 1.} Subtract 5\n\n$3x = 15$');
    expect(replaced('plaintext')).toBe(worked);
    expect(replaced('python', '    ')).toBe('# **Step 1.** Subtract 5\n    # $3x = 15$');
    expect(replaced('css')).toBe('/* **Step 1.** Subtract 5 */\n/* $3x = 15$ */');
  });

  it('does not repeat the mark of the comment that it continues', () => {
    expect(replaced('python', '  # ')).toBe('**Step 1.** Subtract 5\n  # $3x = 15$');
    expect(replaced('rust', '// ')).toBe('**Step 1.** Subtract 5\n// $3x = 15$');
  });

  it('within a line is the result only, as mathematics where it is not in mathematics already', () => {
    expect(replaced('markdown', '- ', '')).toBe('$x = 5$');
    expect(replaced('markdown', 'We find ', '.')).toBe('$x = 5$');
    expect(replaced('latex', 'so $', '$ holds')).toBe('x = 5');
    expect(replaced('latex', 'so \\(', '\\) holds')).toBe('x = 5');
    expect(replaced('latex', 'so \\(a\\) and ', '')).toBe('$x = 5$');
    expect(replaced('python', 'x = "', '"')).toBe('x = 5');
    expect(replaced('restructuredtext', 'We find ', '.')).toBe(':math:`x = 5`');
  });

  it('of a formula within a line keeps the formula\'s delimiters', () => {
    expect(replaced('latex', 'so ', ' holds', 'x = 5', '\\(x + 1 = 6\\)')).toBe('\\(x = 5\\)');
    expect(replaced('python', '# so ', ' holds', 'x = 5', '$x + 1 = 6$')).toBe('$x = 5$');
    expect(replaced('restructuredtext', 'so ', '', 'x = 5', ':math:`x + 1 = 6`')).toBe(':math:`x = 5`');
  });

  it('within a line is one line also where there is no result', () => {
    expect(replaced('python', 'x = "', '"', null)).toBe('**Step 1.** Subtract 5 $3x = 15$');
  });
});

describe('a problem in comments', () => {
  it('is asked without what makes it a comment', () => {
    expect(uncommented('  # Solve\n  #\n  # x + 1 = 2', 'python')).toBe('Solve\n\nx + 1 = 2');
    expect(uncommented('// Solve x = 1', 'rust')).toBe('Solve x = 1');
  });

  it('is left alone where not all of it is one, and in languages where the mark means something else', () => {
    expect(uncommented('x = 1 # Solve', 'python')).toBe('x = 1 # Solve');
    expect(uncommented('# Heading', 'markdown')).toBe('# Heading');
    expect(uncommented('% x', 'latex')).toBe('% x');
    expect(uncommented('<!-- x -->', 'html')).toBe('<!-- x -->');
  });
});
