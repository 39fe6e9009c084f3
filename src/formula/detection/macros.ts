/**
 * The author's own commands: `\newcommand`, `\renewcommand`, `\providecommand`, `\DeclareMathOperator` and simple
 * `\def`s of a document, and their expansion in a formula. Expansion is by text with a limit, so that a command
 * that calls itself ends in an error. Knows no rendering: what draws, speaks and calculates gets the same plain TeX.
 */

export interface Macro {
  readonly argumentCount: number;
  /** Value of the first argument where it is left out. */
  readonly optional: string | null;
  readonly body: string;
}
export type Macros = ReadonlyMap<string, Macro>;

export class MacroError extends Error {
  override readonly name = 'MacroError';
}

const DEFINITION = /\\(?:(?:re)?newcommand|providecommand|DeclareMathOperator|def)(?![a-zA-Z])\*?/g;
const MOST_MACROS = 1000;
const LONGEST_BODY = 2000;
/** Expansions in one formula, and characters of the result. */
const MOST_EXPANSIONS = 2000;
const LONGEST_RESULT = 40_000;

/** Definitions of a LaTeX or Markdown text, comments left out. */
export function readMacros(source: string): Macros {
  const macros = new Map<string, Macro>();
  const next = new RegExp(DEFINITION.source, 'g');
  let seen = 0;
  for (let match = next.exec(source); match !== null && seen < MOST_MACROS; match = next.exec(source)) {
    seen += 1;
    const before = source.slice(Math.max(0, match.index - 500), match.index);
    if (/(?:^|[^\\])%/.test(before.slice(before.lastIndexOf('\n') + 1))) continue;
    const definition = readDefinition(source, match.index, match[0]);
    if (definition !== null) macros.set(definition.name, definition.macro);
  }
  return macros;
}

interface Definition {
  readonly name: string;
  readonly macro: Macro;
  readonly end: number;
}

function readDefinition(source: string, start: number, command: string): Definition | null {
  const near = source.slice(start, start + LONGEST_BODY + 400);
  const head = /^\s*(?:\{\s*\\([a-zA-Z]+|[^a-zA-Z\s])\s*\}|\\([a-zA-Z]+|[^a-zA-Z\s]))\s*/.exec(near.slice(command.length));
  const name = head?.[1] ?? head?.[2];
  if (head === null || name === undefined) return null;
  let at = command.length + head[0].length;
  let argumentCount = 0;
  let optional: string | null = null;
  if (command.startsWith('\\def')) {
    const parameters = /^(?:#\d)*/.exec(near.slice(at))?.[0] ?? '';
    argumentCount = parameters.length / 2;
    at += parameters.length;
  } else {
    const count = /^\[(\d)\]\s*/.exec(near.slice(at));
    at += count?.[0].length ?? 0;
    argumentCount = Number(count?.[1] ?? 0);
    const defaulted = /^\[([^\]]*)\]\s*/.exec(near.slice(at));
    at += defaulted?.[0].length ?? 0;
    optional = defaulted?.[1] ?? null;
  }
  const body = readGroup(near, at);
  if (body === null) return null;
  const operator = command.startsWith('\\DeclareMathOperator');
  const text = operator ? `\\operatorname${command.endsWith('*') ? '*' : ''}{${body.text}}` : body.text;
  return { name, macro: { argumentCount, optional, body: text }, end: start + body.end };
}

/** The group in braces that starts at `at`. */
function readGroup(text: string, at: number): { readonly text: string; readonly end: number } | null {
  if (text.charAt(at) !== '{') return null;
  let depth = 0;
  for (let i = at; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === '\\') i += 1;
    else if (char === '{') depth += 1;
    else if (char === '}') depth -= 1;
    if (depth === 0) return { text: text.slice(at + 1, i), end: i + 1 };
  }
  return null;
}

/** The formula without commands of the author's own. @throws MacroError where a command has no end, or lacks an argument */
export function expandMacros(tex: string, macros: Macros): string {
  if (macros.size === 0 && !DEFINITION.test(tex)) return tex;
  DEFINITION.lastIndex = 0;
  const own = readMacros(tex);
  const all = own.size === 0 ? macros : new Map([...macros, ...own]);
  return expand(own.size === 0 ? tex : withoutDefinitions(tex), all);
}

function withoutDefinitions(tex: string): string {
  let result = '';
  let at = 0;
  const next = new RegExp(DEFINITION.source, 'g');
  for (let match = next.exec(tex); match !== null; match = next.exec(tex)) {
    const definition = readDefinition(tex, match.index, match[0]);
    if (definition === null) continue;
    result += tex.slice(at, match.index);
    at = definition.end;
    next.lastIndex = at;
  }
  return result + tex.slice(at);
}

function expand(tex: string, macros: Macros): string {
  let text = tex;
  let count = 0;
  const command = /\\(?:([a-zA-Z]+)|([^a-zA-Z]))/g;
  for (let match = command.exec(text); match !== null; match = command.exec(text)) {
    const name = match[1] ?? match[2] ?? '';
    const macro = macros.get(name);
    if (macro === undefined) continue;
    count += 1;
    if (count > MOST_EXPANSIONS || text.length > LONGEST_RESULT) throw new MacroError(`\\${name} calls itself without an end`);
    const { values, end } = readArguments(text, match.index + match[0].length, macro, name);
    const body = macro.body.replace(/#(\d)/g, (_all, digit: string) => values[Number(digit) - 1] ?? '');
    // A command at the end of the body must not run into the letter behind it.
    const apart = /\\[a-zA-Z]+$/.test(body) && /^[a-zA-Z]/.test(text.slice(end, end + 1)) ? ' ' : '';
    text = `${text.slice(0, match.index)}${body}${apart}${text.slice(end)}`;
    command.lastIndex = match.index;
  }
  return text;
}

function readArguments(text: string, from: number, macro: Macro, name: string): { readonly values: readonly string[]; readonly end: number } {
  const values: string[] = [];
  let at = from;
  if (macro.optional !== null) {
    const given = /^\s*\[([^\]]*)\]/.exec(text.slice(at));
    values.push(given?.[1] ?? macro.optional);
    at += given?.[0].length ?? 0;
  }
  while (values.length < macro.argumentCount) {
    at += /^\s*/.exec(text.slice(at))?.[0].length ?? 0;
    const group = readGroup(text, at);
    const token = group === null ? /^(?:\\[a-zA-Z]+|\\[^a-zA-Z]|[^{}\\])/.exec(text.slice(at)) : null;
    if (group === null && token === null) throw new MacroError(`\\${name} needs ${macro.argumentCount} arguments`);
    values.push(group?.text ?? token?.[0] ?? '');
    at = group?.end ?? at + (token?.[0].length ?? 0);
  }
  return { values, end: at };
}
