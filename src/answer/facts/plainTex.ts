/** TeX of a document made plain for a parser: without layout, environments and the full stop of its sentence. */

const LAYOUT = /\\(?:label|tag\*?)\s*\{[^{}]*\}|\\(?:displaystyle|textstyle|nonumber|notag|limits|nolimits|quad|qquad|big|Big|bigg|Bigg|bigl|bigr|Bigl|Bigr)(?![a-zA-Z])|\\[,;!:> ]|~/g;
const ENVIRONMENT = /^\s*\\begin\{(equation|align|aligned|gather|gathered|multline|split|cases|eqnarray|alignat|flalign)\*?\}(?:\{\d+\})?([\s\S]*)\\end\{\1\*?\}\s*$/;

export function plainTex(tex: string): string {
  let plain = tex.trim();
  const cases = plain.includes('\\begin{cases}');
  for (let before = ''; before !== plain; ) {
    before = plain;
    const inside = ENVIRONMENT.exec(plain)?.[2];
    if (inside !== undefined && !inside.includes('\\begin{')) plain = inside.trim();
    else if (inside !== undefined) plain = inside.trim();
  }
  plain = plain.replace(/^\\left\\\{\s*|\s*\\right\.$/g, '');
  plain = plain.replace(/\\(?:d|t|c)frac(?![a-zA-Z])/g, '\\frac').replace(/\\operatorname\*?\{(sin|cos|tan|ln|log|exp|gcd|lcm|max|min)\}/g, '\\$1').replace(/\\(?:mathrm|mathit)\{([a-zA-Z])\}/g, '$1');
  plain = plain.replace(LAYOUT, ' ').replace(/(?<!\\)&/g, ' ');
  // In cases, a comma ends a line; elsewhere it may end the sentence.
  plain = plain.replace(/[\s,;]+(?=\\\\)/g, ' ').replace(/(?:\\\\|[\s.,;])+$/, '');
  return cases ? plain.trim() : plain.trim();
}

/** The lines of a system; null where there is only one. */
export function systemLines(tex: string): readonly string[] | null {
  const lines = topLevel(tex, /^\\\\(?:\[[^\]]*\])?/).map((line) => line.trim()).filter((line) => line !== '');
  return lines.length > 1 ? lines : null;
}

const RELATION = /^(?:\\(?:leq?|geq?|neq?|lt|gt|in|to|approx|equiv|sim|subset\w*|mid|Rightarrow|implies|iff|rightarrow|mapsto)(?![a-zA-Z])|[<>≤≥≠≈→∈])/;

/** Parts between equals signs; null where another relation stands in it. */
export function sidesOf(tex: string): readonly string[] | null {
  if (topLevel(tex, RELATION).length > 1) return null;
  return topLevel(tex, /^=/);
}

function topLevel(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    const found = depth === 0 ? separator.exec(text.slice(at, at + 40)) : null;
    if (found !== null) {
      parts.push(text.slice(start, at));
      at += found[0].length - 1;
      start = at + 1;
    } else if (char === '\\') {
      if (/^\\(?:begin|end)(?![a-zA-Z])/.test(text.slice(at, at + 7))) depth += text.startsWith('\\begin', at) ? 1 : -1;
      at += 1;
    } else if (char === '{' || char === '(') depth += 1;
    else if (char === '}' || char === ')') depth -= 1;
  }
  return [...parts, text.slice(start)];
}
