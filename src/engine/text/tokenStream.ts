/**
 * Text from tokens, one at a time.
 * Knows how bytes that arrive in pieces become whole characters; gets the bytes of a token from its maker.
 * Knows no vocabulary and no files.
 */

export interface TokenStream {
  /** The text that this token completes: whole code points only; '' until the last byte of a character is there. */
  push(id: number): string;
  /** What is left of a character that never became whole, as U+FFFD; '' where nothing is left. The stream is then new. */
  end(): string;
}

/**
 * The concatenation of all results, `end()` included, is the text of all bytes (lossy UTF-8, as the Rust tokenizers decode).
 * @param bytesOf bytes of a token; empty for what is not shown
 * @param strip how many spaces are taken from the start of the text (sentencepiece)
 */
export function createTokenStream(bytesOf: (id: number) => Uint8Array, strip: number): TokenStream {
  // ignoreBOM keeps a U+FEFF at the start, which is a character like any other here.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let spacesToStrip = strip;
  const stripped = (text: string): string => {
    if (spacesToStrip === 0 || text === '') return text;
    let start = 0;
    while (spacesToStrip > 0 && text[start] === ' ') {
      start++;
      spacesToStrip--;
    }
    if (start < text.length) spacesToStrip = 0;
    return text.slice(start);
  };
  return {
    push: (id) => stripped(decoder.decode(bytesOf(id), { stream: true })),
    end: () => {
      const rest = stripped(decoder.decode());
      spacesToStrip = strip;
      return rest;
    },
  };
}
