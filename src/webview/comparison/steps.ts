/**
 * A text as steps: lines, but display mathematics and fenced code stay whole. Tokens go with the step that they start
 * in. Pure.
 */

import type { ComparedToken } from '../../protocol/comparison.ts';

export interface Step {
  /** Without the line break at its end. */
  readonly text: string;
  /** Index of the first token that starts in this step or in the blank lines before it, and of the first after it. */
  readonly from: number;
  readonly to: number;
}

/** Blank lines are no steps; their tokens go to the step after them, or to the last one. */
export function stepsOf(tokens: readonly Pick<ComparedToken, 'text'>[]): Step[] {
  const text = tokens.map((token) => token.text).join('');
  const starts: number[] = [];
  let offset = 0;
  for (const token of tokens) {
    starts.push(offset);
    offset += token.text.length;
  }
  const steps: Step[] = [];
  let at = 0;
  for (const block of blocks(text)) {
    if (block.text.trim() === '') continue;
    let to = at;
    while (to < tokens.length && (starts[to] ?? Infinity) < block.end) to++;
    steps.push({ text: block.text.trimEnd(), from: at, to });
    at = to;
  }
  const last = steps.pop();
  return last === undefined ? [] : [...steps, { ...last, to: tokens.length }];
}

interface Block {
  readonly text: string;
  /** Offset after its line break. */
  readonly end: number;
}

function blocks(text: string): Block[] {
  const found: Block[] = [];
  let open = '';
  let depth = 0;
  let dollars = false;
  let fenced = false;
  let end = 0;
  for (const line of text.split(/(?<=\n)/)) {
    open += line;
    end += line.length;
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    else if (!fenced) {
      depth += (line.match(/\\\[|\\begin\{/g)?.length ?? 0) - (line.match(/\\\]|\\end\{/g)?.length ?? 0);
      if ((line.match(/\$\$/g)?.length ?? 0) % 2 === 1) dollars = !dollars;
    }
    if (fenced || dollars || depth > 0) continue;
    found.push({ text: open, end });
    open = '';
    depth = 0;
  }
  if (open !== '') found.push({ text: open, end });
  return found;
}
