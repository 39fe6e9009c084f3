/** Text as it is written within the quotes of a Python string: it must not end the string, nor mean something else there. Pure. */

export interface PythonQuotes {
  readonly quote: string;
  /** A backslash is itself. */
  readonly raw: boolean;
  /** Braces hold values. */
  readonly formatted: boolean;
}

/** @param text a line, or a part of one */
export function inPythonString(text: string, { quote, raw, formatted }: PythonQuotes): string {
  const written = formatted ? text.replace(/[{}]/g, '$&$&') : text;
  const mark = quote.charAt(0);
  // Of three quotes, one or two in the text are harmless unless the closing ones follow.
  const closing = new RegExp(quote.length === 1 ? `${mark}+` : `${mark}{3,}|${mark}+$`, 'g');
  if (!raw) return written.replaceAll('\\', '\\\\').replace(closing, (marks) => `\\${mark}`.repeat(marks.length));
  // A raw string has no way to write its own quote: the other one stands for it.
  const quoted = written.replace(closing, (marks) => (mark === '"' ? "'" : '"').repeat(marks.length));
  return /(?<!\\)(?:\\\\)*\\$/.test(quoted) ? `${quoted} ` : quoted;
}
