/**
 * Takes what is private out of a text before it leaves the machine by a user's paste: home folder, user and host name,
 * access tokens, absolute paths. Pure; what is private is passed in.
 */

export interface Private {
  readonly home: string;
  readonly userName: string;
  readonly hostName: string;
  /** Replaced wherever they occur: tokens, folders of the settings. */
  readonly secrets?: readonly string[];
}

/** Names that say nothing of a person, and words that a report needs. */
const COMMON_NAMES: ReadonlySet<string> = new Set(['root', 'user', 'admin', 'node', 'vscode', 'runner', 'ubuntu', 'home', 'codespace', 'localhost', 'electron', 'linux', 'windows', 'darwin', 'cpu', 'model', 'engine']);

/** A function that replaces everything private. */
export function privacyFilter({ home, userName, hostName, secrets = [] }: Private): (text: string) => string {
  const steps: ((text: string) => string)[] = [];
  for (const secret of secrets.filter((entry) => entry.trim().length > 3)) steps.push((text) => text.replaceAll(secret, '<private>'));
  steps.push((text) => text.replace(/\b(hf|sk|gh[pousr]|api)_[A-Za-z0-9]{8,}\b/g, '<token>'));
  steps.push((text) => text.replace(/\b[Bb]earer\s+\S+/g, 'Bearer <token>'));
  if (home.length > 1) {
    const escaped = escape(home).replaceAll('/', '[\\\\/]').replaceAll('\\\\', '[\\\\/]');
    steps.push((text) => text.replace(new RegExp(escaped, 'gi'), '~'));
  }
  steps.push(withoutPaths);
  for (const [name, word] of [[userName, '<user>'], [hostName, '<host>']] as const) {
    if (name.length < 2 || COMMON_NAMES.has(name.toLowerCase())) continue;
    steps.push((text) => text.replace(new RegExp(`(?<![\\p{L}\\p{N}])${escape(name)}(?![\\p{L}\\p{N}])`, 'giu'), word));
  }
  return (text) => steps.reduce((result, step) => step(result), text);
}

/** Absolute paths, and those below the home folder, become their last part: folders have people's and projects' names. */
function withoutPaths(text: string): string {
  return text
    .replace(/(?<![\w/:.])(?:~|[A-Za-z]:)?(?:[\\/][^\s\\/:"'<>|()[\],;]+)+[\\/]([^\s\\/:"'<>|()[\],;]+)/g, '…/$1')
    .replace(/file:\/\/\S+/g, '<file>');
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
