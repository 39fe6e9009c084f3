/** Formulas of reStructuredText, as Sphinx reads them: the role :math:`…` and the directive `.. math::`. Linear. */

import { LONGEST_FORMULA } from './formula.ts';
import type { Formula } from './formula.ts';

const NEXT = /:math:`([^`]+)`|^([ \t]*)\.\. math::[ \t]*(.*)$/gm;

export function sphinxFormulas(source: string): Formula[] {
  const found: Formula[] = [];
  const next = new RegExp(NEXT.source, 'gm');
  for (let match = next.exec(source); match !== null; match = next.exec(source)) {
    const role = match[1];
    if (role !== undefined) {
      if (role.trim() !== '' && role.length <= LONGEST_FORMULA) found.push({ start: match.index, end: match.index + match[0].length, tex: role.trim(), display: false });
      continue;
    }
    const block = directive(source, match.index + match[0].length, match[2] ?? '');
    const tex = `${(match[3] ?? '').trim()}\n${block.tex}`.trim();
    if (tex !== '' && tex.length <= LONGEST_FORMULA) found.push({ start: match.index + (match[2] ?? '').length, end: block.end, tex: aligned(tex), display: true });
    next.lastIndex = block.end;
  }
  return found;
}

/** The lines below that are indented deeper than the directive; its options (:label:) are no mathematics. */
function directive(source: string, from: number, indent: string): { readonly tex: string; readonly end: number } {
  const lines: string[] = [];
  let end = from;
  for (let at = source.indexOf('\n', from); at >= 0 && at + 1 <= source.length; ) {
    const next = source.indexOf('\n', at + 1);
    const line = source.slice(at + 1, next < 0 ? source.length : next).trimEnd();
    const deeper = line.length - line.trimStart().length > indent.length;
    if (line !== '' && !deeper) break;
    if (line !== '') {
      if (!/^[ \t]*:[\w-]+:/.test(line)) lines.push(line.trim());
      end = at + 1 + line.length;
    } else if (lines.length > 0) lines.push('');
    at = next;
  }
  return { tex: lines.join('\n').trim(), end };
}

/** Sphinx puts what has several lines (`\\`) into an aligned environment. */
function aligned(tex: string): string {
  const bare = tex.replace(/\n\s*\n/g, '\n');
  return bare.includes('\\\\') && !bare.includes('\\begin{') ? `\\begin{aligned}${bare}\\end{aligned}` : bare;
}
