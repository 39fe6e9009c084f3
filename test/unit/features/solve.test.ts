import { describe, expect, it } from 'vitest';
import { insertionText, replacementText } from '../../../src/features/solve/insertion.ts';
import { uncommented } from '../../../src/host/problem/comments.ts';
import { LONGEST_PROBLEM, readProblem, refuseTooLong } from '../../../src/host/problem/problem.ts';

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

describe('an answer in the place of its problem', () => {
  const worked = '**Step 1.** Subtract 5\n$3x = 15$';
  const replaced = (languageId: string, before = '', after = '', result: string | null = 'x = 5'): string => replacementText(worked, result, { languageId, eol: '\n', before, after });

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
