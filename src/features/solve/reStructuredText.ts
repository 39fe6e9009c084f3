/** Lines of Markdown with TeX as reStructuredText: its role and directive for mathematics, a paragraph for each line. Pure. */

const INLINE = /\$([^$\n]+)\$|\\\((.*?)\\\)/g;
const DISPLAY_OPEN = /^\s*(\$\$|\\\[)/;
const DISPLAY_CLOSE = /(\$\$|\\\])\s*$/;

export function reStructuredText(lines: readonly string[]): string[] {
  const blocks: string[][] = [];
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    if (line.trim() === '') continue;
    if (!DISPLAY_OPEN.test(line)) {
      blocks.push([textLine(line)]);
      continue;
    }
    const display = [line.replace(DISPLAY_OPEN, '')];
    // What is never closed goes on to the end: it is mathematics that was cut off.
    while (!DISPLAY_CLOSE.test(display.at(-1) ?? '') && i + 1 < lines.length) display.push(lines[++i] ?? '');
    const tex = display.map((part) => part.replace(DISPLAY_CLOSE, '').trim()).filter((part) => part !== '');
    blocks.push(['.. math::', '', ...tex.map((part) => `   ${part}`)]);
  }
  return blocks.flatMap((block, i) => (i === 0 ? block : ['', ...block]));
}

function textLine(line: string): string {
  const heading = /^#+\s+(.*)$/.exec(line)?.[1];
  // A role ends where a word begins only if something stands between them.
  const formula = (match: string, dollars: string | undefined, brackets: string | undefined, at: number): string => {
    const after = line.charAt(at + match.length);
    const before = line.charAt(at - 1);
    return `${/[\p{L}\p{N}]/u.test(before) ? '\\ ' : ''}:math:\`${(dollars ?? brackets ?? '').trim()}\`${/[\p{L}\p{N}]/u.test(after) ? '\\ ' : ''}`;
  };
  return heading === undefined ? line.replace(INLINE, formula) : `**${heading.replaceAll('**', '')}**`;
}
