/** Guards against formulas read out of comments and verbatim text, and pairs of delimiters that run across paragraphs. */
import { describe, it } from 'vitest';
import { expectRow } from './table.ts';
import type { Row } from './table.ts';

const r = String.raw;
const long = 'a_{1}+'.repeat(1700);

const ROWS: Readonly<Record<string, Row>> = {
  'inline': { text: 'Let $x_1$ be', formulas: ['x_1'], places: ['$x_1$'] },
  'old display': { text: '$$x=1$$', formulas: ['D x=1'] },
  'round brackets': { text: r`Let \(x^2\) be`, formulas: ['x^2'] },
  'square brackets': { text: '\\[\n x^2\n\\]', formulas: ['D x^2'] },
  'a line break with space is no bracket': { text: r`a \\[2pt] b $x$`, formulas: ['x'] },
  'equation': { text: r`\begin{equation}x=1\end{equation}`, formulas: [r`D \begin{equation}x=1\end{equation}`] },
  'starred align over lines': { text: '\\begin{align*}\n a &= b \\\\\n c &= d\n\\end{align*}', formulas: ['D \\begin{align*}\n a &= b \\\\\n c &= d\n\\end{align*}'] },
  'gather, multline, alignat': { text: r`\begin{gather}a\end{gather}\begin{multline*}b\end{multline*}\begin{alignat}{2}c\end{alignat}`, formulas: [r`D \begin{gather}a\end{gather}`, r`D \begin{multline*}b\end{multline*}`, r`D \begin{alignat}{2}c\end{alignat}`] },
  'math and displaymath': { text: r`\begin{math}a\end{math} \begin{displaymath}b\end{displaymath}`, formulas: ['a', 'D b'] },
  'nested environments': { text: r`\begin{equation}\begin{aligned}a&=\begin{cases}1\\2\end{cases}\end{aligned}\end{equation}`, formulas: [r`D \begin{equation}\begin{aligned}a&=\begin{cases}1\\2\end{cases}\end{aligned}\end{equation}`] },
  'inside other environments': { text: r`\begin{theorem}\begin{itemize}\item $x$\end{itemize}\end{theorem}`, formulas: ['x'] },
  'subequations hold several': { text: r`\begin{subequations}\begin{equation}a\end{equation}\begin{equation}b\end{equation}\end{subequations}`, formulas: [r`D \begin{equation}a\end{equation}`, r`D \begin{equation}b\end{equation}`] },
  'dollars in text': { text: r`$x \text{ if $y > 0$}$ and $z$`, formulas: [r`x \text{ if $y > 0$}`, 'z'] },
  'dollars in nested text': { text: r`$a \mbox{b {c $d$} e} f$`, formulas: [r`a \mbox{b {c $d$} e} f`] },
  'escaped dollars': { text: r`cost \$5 and $x$ for \$6`, formulas: ['x'] },
  'escaped percent': { text: r`50\% of $x$`, formulas: ['x'] },
  'comment': { text: '% $a$\n$b$ % $c$\n$d$', formulas: ['b', 'd'] },
  'comment inside': { text: '$a + % the $ sign\n b$', formulas: ['a + b'] },
  'comment with a delimiter in an environment': { text: '\\begin{align}\na % \\end{align}\n&=b\n\\end{align}', formulas: ['D \\begin{align}\na &=b\n\\end{align}'] },
  'verbatim': { text: '\\begin{verbatim}\n$a$\n\\end{verbatim} $b$', formulas: ['b'] },
  'listing with options': { text: '\\begin{lstlisting}[language=sh]\necho $a $b\n\\end{lstlisting} $c$', formulas: ['c'] },
  'verb': { text: r`\verb|$a$| \verb*+$b$+ $c$`, formulas: ['c'] },
  'inline listing': { text: r`\lstinline{$a$} \mintinline{sh}{$b$} $c$`, formulas: ['c'] },
  'address': { text: r`\url{http://a/$b} \href{http://c/$d}{$e$}`, formulas: ['e'] },
  'CRLF': { text: '\\begin{align}\r\na\r\n\\end{align}\r\n\r\n$x$\r\n', formulas: ['D \\begin{align}\r\na\r\n\\end{align}', 'x'] },
  'a number alone': { text: '$5$ and $6$', formulas: ['5', '6'] },
  // half typed
  'only opened': { text: 'now $x\n\nthen $y$', formulas: ['y'] },
  'only opened, windows lines': { text: 'now $x\r\n\r\nthen $y$', formulas: ['y'] },
  'display only opened': { text: '\\[ x\n\nthen $y$', formulas: ['y'] },
  'double dollar only opened': { text: '$$ x\n\nthen $y$', formulas: ['y'] },
  'environment only opened': { text: '\\begin{align} x\n\n\\begin{align}y\\end{align} $z$', formulas: ['D \\begin{align}y\\end{align}', 'z'] },
  'environment without a name': { text: '\\begin{ $y$', formulas: ['y'] },
  'text only opened': { text: '$a \\text{b$ and $c$', formulas: ['a \\text{b', 'c'] },
  'verb only opened': { text: '\\verb|$a\n$b$', formulas: ['a'] },
  'closed twice': { text: '$a$$ and\n\n$b$', formulas: ['a', 'b'] },
  'a dollar alone': { text: '$', formulas: [] },
  'a backslash at the end': { text: '$a$\\', formulas: ['a'] },
  'over 10 000 characters': { text: `\\[${long}x\\] $y$`, formulas: [`D ${long}x`, 'y'] },
};

describe('formulas of LaTeX', () => {
  it.each(Object.entries(ROWS))('%s', (_name, row) => {
    expectRow('latex', row);
  });
});
