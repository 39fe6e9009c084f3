/**
 * OpenAI's rule for stop texts: what is sent never contains one, nor the beginning of one that then comes. So pieces
 * wait here while they could still become a stop text. A piece keeps what belongs to it. Pure.
 */

export interface Piece<T> {
  readonly text: string;
  readonly value: T;
}

export interface Released<T> extends Piece<T> {
  /** It is part of the stop text or comes after it: its text is empty. */
  readonly cut: boolean;
}

export class StopFilter<T> {
  #pending: Piece<T>[] = [];
  #stopped = false;

  constructor(private readonly stops: readonly string[]) {}

  /** Pieces that can be sent now, in order. */
  push(piece: Piece<T>): Released<T>[] {
    if (this.#stopped) return [{ ...piece, text: '', cut: true }];
    this.#pending.push(piece);
    const text = this.#pending.map((one) => one.text).join('');
    const at = this.#firstStop(text);
    if (at !== null) {
      this.#stopped = true;
      return this.#cutAt(at);
    }
    return this.#release(text.length - this.#heldBack(text));
  }

  /** What still waits, at the end of the text. */
  end(): Released<T>[] {
    return this.#release(Infinity);
  }

  #firstStop(text: string): number | null {
    const found = this.stops.map((stop) => text.indexOf(stop)).filter((index) => index >= 0);
    return found.length === 0 ? null : Math.min(...found);
  }

  /** Length of the longest end of `text` that is the beginning of a stop text. */
  #heldBack(text: string): number {
    let held = 0;
    for (const stop of this.stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > held; length--) {
        if (stop.startsWith(text.slice(text.length - length))) held = length;
      }
    }
    return held;
  }

  #release(length: number): Released<T>[] {
    const released: Released<T>[] = [];
    let end = 0;
    for (let piece = this.#pending[0]; piece !== undefined; piece = this.#pending[0]) {
      end += piece.text.length;
      if (end > length) break;
      released.push({ ...piece, cut: false });
      this.#pending.shift();
    }
    return released;
  }

  #cutAt(length: number): Released<T>[] {
    const pieces = this.#pending;
    this.#pending = [];
    let start = 0;
    return pieces.map((piece) => {
      const text = piece.text.slice(0, Math.max(0, length - start));
      const cut = start >= length;
      start += piece.text.length;
      return { value: piece.value, text, cut };
    });
  }
}
