/**
 * Server-sent events as they arrive: the data of each. Knows the format (WHATWG HTML, 9.2.6), not what the data are.
 * An event may be split anywhere, inside a character too.
 */

const LONGEST_EVENT = 8 * 1024 * 1024;

/** @throws RangeError for an event that is too long; whatever the source throws */
export async function* eventData(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  for await (const part of bytes) {
    rest += decoder.decode(part, { stream: true });
    // A carriage return at the end may be the first half of a line break.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_EVENT) throw new RangeError('an event is too long');
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield data.join('\n');
        data = [];
      } else if (line.startsWith('data:')) {
        data.push(line.slice(line[5] === ' ' ? 6 : 5));
      }
    }
  }
  // Some servers leave out the last blank line.
  const last = rest.replace(/\r$/, '');
  if (last.startsWith('data:')) data.push(last.slice(last[5] === ' ' ? 6 : 5));
  if (data.length > 0) yield data.join('\n');
}
