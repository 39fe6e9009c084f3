/** How comments are written in the languages of programs, and how they are taken off a problem. Pure; knows language ids. */

/** Line comments by language id. Two parts: a comment that must be closed. */
const COMMENTS: Readonly<Record<string, readonly [string, string?]>> = {
  python: ['#'], shellscript: ['#'], r: ['#'], julia: ['#'], ruby: ['#'], perl: ['#'], yaml: ['#'], toml: ['#'], dockerfile: ['#'], makefile: ['#'], powershell: ['#'], elixir: ['#'], coffeescript: ['#'],
  javascript: ['//'], javascriptreact: ['//'], typescript: ['//'], typescriptreact: ['//'], c: ['//'], cpp: ['//'], csharp: ['//'], java: ['//'], go: ['//'], rust: ['//'], swift: ['//'], kotlin: ['//'], scala: ['//'], php: ['//'], dart: ['//'], jsonc: ['//'], typst: ['//'], fsharp: ['//'],
  sql: ['--'], lua: ['--'], haskell: ['--'], ada: ['--'], vhdl: ['--'],
  matlab: ['%'], octave: ['%'], erlang: ['%'], prolog: ['%'],
  clojure: [';'], lisp: [';'], scheme: [';'], ini: [';'],
  html: ['<!--', '-->'], xml: ['<!--', '-->'], css: ['/*', '*/'], ocaml: ['(*', '*)'], wolfram: ['(*', '*)'],
};

/** What a comment begins with, and what closes it where something must; null where the language has none, or is not known. */
export function commentMarks(languageId: string): readonly [string, string?] | null {
  return (Object.hasOwn(COMMENTS, languageId) ? COMMENTS[languageId] : undefined) ?? null;
}

/** What starts a comment up to the end of its line; null where the language has none, or is not known. */
export function lineComment(languageId: string): string | null {
  const [open, close] = commentMarks(languageId) ?? [];
  return open === undefined || close !== undefined ? null : open;
}

/** The text of lines that are all comments, without what makes them so; any other text as it is. */
export function uncommented(text: string, languageId: string): string {
  const marker = lineComment(languageId);
  const lines = text.split(/\r?\n/);
  if (marker === null || !lines.every((line) => line.trim() === '' || line.trimStart().startsWith(marker))) return text;
  return lines.map((line) => line.trimStart().slice(marker.length).replace(/^ /, '')).join('\n');
}
