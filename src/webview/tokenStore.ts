/**
 * The tokens of the run that is shown: a row for each, and the whole event for those that were streamed or asked for.
 * Knows where each token's text lies in the whole text. Pure; asks for missing events through `want`.
 */

import type { TokenEvent } from '../protocol/engine.ts';
import { tokenRow } from '../protocol/tokenRow.ts';
import type { TokenRow } from '../protocol/tokenRow.ts';

/** Neighbours are asked for together: whoever looks at one token moves on to the next. */
const PAGE = 64;

export class TokenStore {
  readonly rows: TokenRow[] = [];
  private readonly events = new Map<number, TokenEvent>();
  private readonly starts: number[] = [];
  private readonly asked = new Set<number>();
  private parts: string[] = [];
  private length = 0;

  /** @param want called with a range of tokens, each page once */
  constructor(private readonly want: (from: number, to: number) => void) {}

  addRows(rows: readonly TokenRow[]): void {
    for (const row of rows) {
      this.rows.push(row);
      this.starts.push(this.length);
      this.parts.push(row.text);
      this.length += row.text.length;
    }
  }

  /** Streamed tokens: they follow the ones that are there. */
  addTokens(tokens: readonly TokenEvent[]): void {
    tokens.forEach((token, i) => this.events.set(this.rows.length + i, token));
    this.addRows(tokens.map(tokenRow));
  }

  /** Tokens that were asked for. */
  fill(tokens: readonly TokenEvent[]): void {
    for (const token of tokens) if (token.index < this.rows.length) this.events.set(token.index, token);
  }

  /** The whole event; null while it is on its way. */
  event(index: number): TokenEvent | null {
    const event = this.events.get(index);
    if (event !== undefined) return event;
    const page = Math.floor(index / PAGE);
    if (index >= 0 && index < this.rows.length && !this.asked.has(page)) {
      this.asked.add(page);
      this.want(page * PAGE, Math.min(this.rows.length, (page + 1) * PAGE));
    }
    return null;
  }

  text(): string {
    if (this.parts.length > 1) this.parts = [this.parts.join('')];
    return this.parts[0] ?? '';
  }

  /** Offset of the token's text in the whole text. */
  startOf(index: number): number {
    return this.starts[index] ?? this.length;
  }

  endOf(index: number): number {
    return this.startOf(index) + (this.rows[index]?.text.length ?? 0);
  }

  /** The token whose text holds the character at `offset`; the last one for an offset behind the text; null where there is none. */
  indexAt(offset: number): number | null {
    let low = 0;
    let high = this.starts.length - 1;
    if (high < 0 || offset < 0) return null;
    // The last token that starts at or before the offset: of several that start there, only the last has a text.
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.startOf(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
