/** Guards against code, templates and regular expressions read as mathematics, and places that escapes have shifted. */
import { describe, it } from 'vitest';
import { expectRow } from './table.ts';
import type { Row } from './table.ts';

const r = String.raw;

const ROWS: Readonly<Record<string, Row>> = {
  'docstring': { text: 'def f():\n    """Returns $x^2$."""\n', formulas: ['x^2'], places: ['$x^2$'] },
  'raw docstring with commands': { text: `r'''Mean \\(\\frac{a}{n}\\).'''`, formulas: [r`\frac{a}{n}`] },
  'docstring with doubled backslashes': { text: `"""Mean $\\\\frac{a}{n}$ here."""`, formulas: [r`\frac{a}{n}`], places: [r`$\\frac{a}{n}$`] },
  'docstring with single backslashes': { text: `"""Angle $\\alpha + \\beta$."""`, formulas: [r`\alpha + \beta`] },
  'display in a docstring': { text: '"""\nSo\n\n$$\nx = 1\n$$\n"""', formulas: ['D x = 1'] },
  'Sphinx role': { text: '"""The :math:`\\sigma^2` of x."""', formulas: [r`\sigma^2`], places: [':math:`\\sigma^2`'] },
  'Sphinx directive': { text: '"""\n    .. math::\n\n        x = 1\n\n    and :math:`y`\n    """', formulas: ['D x = 1', 'y'], places: ['.. math::\n\n        x = 1', ':math:`y`'] },
  'Sphinx directive on its line': { text: '"""\n.. math:: x = 1\n\nText $y$\n"""', formulas: ['D x = 1', 'y'] },
  'Sphinx directive with options and lines': { text: '"""\n.. math::\n   :label: a\n\n   x &= 1 \\\\\\\\\n   y &= 2\n"""', formulas: ['D \\begin{aligned}x &= 1 \\\\\ny &= 2\\end{aligned}'] },
  'comment': { text: 'x = 1  # the root of $x^2 = 1$\n', formulas: ['x^2 = 1'] },
  'comment over lines': { text: '    # so $a +\n    # b$ holds\n', formulas: ['a +\nb'], places: ['$a +\n    # b$'] },
  'comments beside code stay apart': { text: 'a = 1 # $x\nb = 2 # y$\n', formulas: [] },
  'label of a plot': { text: `plt.title(r"$\\sin(x)$ and $y_1$")`, formulas: [r`\sin(x)`, 'y_1'] },
  'one letter': { text: `plt.xlabel("$x$")`, formulas: ['x'] },
  'f-string without values': { text: `f"$\\\\frac{{a}}{{b}}$"`, formulas: [r`\frac{a}{b}`], places: [r`$\\frac{{a}}{{b}}$`] },
  'f-string with values': { text: `f"$x_{i} = 1$ and $y$"`, formulas: ['y'] },
  'a price': { text: `"costs $5 and $6" # or $7 and $8`, formulas: [] },
  'code': { text: 'a = b$i + c$j\n', formulas: [] },
  'a variable of a template': { text: `Template("$name is $age years")`, formulas: [] },
  'shell': { text: 'run("echo $HOME:$PATH ${a}${b}")', formulas: [] },
  'regular expressions': { text: `re.compile(r"^\\((\\d+)\\)$|^$") or re.match(r"\\(.*\\)", x) or r"[^$]+$"`, formulas: [] },
  'a hash in a string is no comment': { text: `a = "# $x$" # $y$`, formulas: ['x', 'y'] },
  'quotes in a comment are no string': { text: `# it's $x$\na = "$y$"`, formulas: ['x', 'y'] },
  'escaped quotes': { text: `a = 'it\\'s $x$' + "\\"$y$"`, formulas: ['x', 'y'] },
  'escaped dollar': { text: `a = r"\\$x$ $y$"`, formulas: ['y'] },
  'CRLF': { text: '"""\r\nSo $x$\r\n\r\n$$\r\ny\r\n$$\r\n"""\r\n# $z$\r\n', formulas: ['x', 'D y', 'z'] },
  'string that is not closed ends with its line': { text: `a = "$x\nb = 1 # $y$`, formulas: ['y'] },
  'docstring that is not closed': { text: `"""So $x$ and $y`, formulas: ['x'] },
  'only opened': { text: `# so $x\n\n# and $y$`, formulas: ['y'] },
};

describe('formulas of Python', () => {
  it.each(Object.entries(ROWS))('%s', (_name, row) => {
    expectRow('python', row);
  });
});
