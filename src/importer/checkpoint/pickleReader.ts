/**
 * A cursor over the bytes of a pickle: numbers and texts, each only where all its bytes are there.
 * Knows the encodings of pickle's arguments. Knows no opcode.
 */
import { refuse, type Origin } from './refusal.ts';

export class PickleReader {
  private at = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    readonly origin: Origin,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.at === this.bytes.length;
  }

  damaged(what: string): never {
    refuse('checkpoint.bad-decider', this.origin, `its pickle ${what} (at byte ${this.at})`, { hint: 'The file is damaged; download it again.' });
  }

  /** Position after `count` more bytes, which must be there. */
  private advance(count: number): number {
    const start = this.at;
    if (count > this.bytes.length - start) this.damaged(`asks for ${count} bytes where ${this.bytes.length - start} are left`);
    this.at = start + count;
    return start;
  }

  byte(): number {
    return this.view.getUint8(this.advance(1));
  }

  uint16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  int32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  uint32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  uint64(): number {
    const value = this.view.getBigUint64(this.advance(8), true);
    // Any length beyond the input is refused; the exact number does not matter then.
    return Number(value);
  }

  float64(): number {
    return this.view.getFloat64(this.advance(8), false);
  }

  /** Two's complement, little-endian. */
  long(count: number): number {
    if (count > 8) this.damaged(`has a whole number of ${count} bytes`);
    const start = this.advance(count);
    let value = 0n;
    for (let i = 0; i < count; i++) value |= BigInt(this.bytes[start + i] ?? 0) << BigInt(8 * i);
    const exact = Number(BigInt.asIntN(8 * count, value));
    if (!Number.isSafeInteger(exact)) this.damaged('has a whole number beyond 2^53');
    return exact;
  }

  text(count: number): string {
    const start = this.advance(count);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.bytes.subarray(start, start + count));
    } catch {
      // The decoder has nothing to say but that it is not UTF-8.
      return this.damaged('has a text that is not UTF-8');
    }
  }

  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) this.damaged('has a line without end');
    const line = this.text(end - this.at);
    this.at = end + 1;
    return line;
  }
}
