/**
 * The bytes that a token stands for, and how they are shown when they are no whole characters.
 * Knows two kinds of vocabulary: byte-level BPE (Qwen, Llama 3: every byte has a printable stand-in) and sentencepiece with
 * byte fallback (Llama 2: a blank for the space, `<0xNN>` for a byte). Knows no files and keeps no state.
 */

export type Alphabet =
  | { readonly kind: 'byte-level' }
  /** `space` stands for ' '; `strip` spaces are taken from the start of a text. */
  | { readonly kind: 'byte-fallback'; readonly space: string; readonly strip: number };

const utf8 = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** GPT-2's alphabet: printable Latin-1 stands for itself, the other 68 bytes for U+0100 onwards. */
const BYTE_OF = ((): ReadonlyMap<string, number> => {
  const table = new Map<string, number>();
  let stand = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    table.set(String.fromCharCode(printable ? byte : stand++), byte);
  }
  return table;
})();

/**
 * Bytes of a token of the model's own vocabulary (added tokens are plain UTF-8, see tokenizer.ts).
 * As in the Rust decoder, a byte-level token with a character outside the alphabet stands for its own UTF-8.
 */
export function tokenBytes(token: string, alphabet: Alphabet): Uint8Array {
  switch (alphabet.kind) {
    case 'byte-level': {
      const bytes: number[] = [];
      for (const character of token) {
        const byte = BYTE_OF.get(character);
        if (byte === undefined) return utf8.encode(token);
        bytes.push(byte);
      }
      return Uint8Array.from(bytes);
    }
    case 'byte-fallback': {
      const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
      if (hex !== undefined) return Uint8Array.of(Number.parseInt(hex, 16));
      return utf8.encode(token.replaceAll(alphabet.space, ' '));
    }
    default:
      return alphabet satisfies never;
  }
}

/** The bytes as text; each byte that belongs to no whole character as `<0xNN>`. */
export function showBytes(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes[i] ?? 0);
    const character = decodeStrictly(bytes.subarray(i, i + length));
    text += character ?? hexByte(bytes[i] ?? 0);
    i += character === null ? 1 : length;
  }
  return text;
}

function hexByte(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** Bytes of the UTF-8 sequence that starts with `lead`; 1 for what starts none. */
function sequenceLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}

function decodeStrictly(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch (error) {
    // A TypeError is how TextDecoder says "no UTF-8".
    if (error instanceof TypeError) return null;
    throw error;
  }
}
