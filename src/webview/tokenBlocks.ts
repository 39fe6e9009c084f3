/**
 * Cuts tokens into blocks, of which only those near the view are drawn: a block is a line of the text, or a part of a
 * long one. Append only. Pure.
 */

/** A longer line is cut: a block is drawn whole. */
export const BLOCK_TOKENS = 120;

export interface BlockToken {
  readonly text: string;
}

export type LineBreak = 'before' | 'after' | 'none';

/** A token ends with a new line, or holds one before its own text, which then starts the next line. */
export function lineBreakOf({ text }: BlockToken): LineBreak {
  if (!text.includes('\n')) return 'none';
  return text.endsWith('\n') ? 'after' : 'before';
}

export class TokenBlocks {
  /** First token of each block. */
  private readonly starts: number[] = [];
  private tokens = 0;
  private closed = true;

  get count(): number {
    return this.starts.length;
  }

  append(token: BlockToken): void {
    const lineBreak = lineBreakOf(token);
    const started = this.starts.at(-1);
    const full = started !== undefined && this.tokens - started >= BLOCK_TOKENS;
    if (this.closed || full || lineBreak === 'before') this.starts.push(this.tokens);
    this.tokens++;
    this.closed = lineBreak === 'after';
  }

  /** Tokens `from` … `to - 1` of a block. */
  range(block: number): { readonly from: number; readonly to: number } {
    return { from: this.starts[block] ?? this.tokens, to: this.starts[block + 1] ?? this.tokens };
  }

  blockOf(token: number): number {
    let low = 0;
    let high = Math.max(0, this.starts.length - 1);
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.starts[middle] ?? Infinity) <= token) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
