/**
 * Which runtimes have died in earlier sessions, and of what, so that a window does not start with a crash each time.
 * A program that has changed since (an update of VS Code, another Node in its place) is tried again.
 * Knows what is kept, not where: the state of the extension.
 */

import { statSync } from 'node:fs';
import type { Runtime } from './engineRuntime.ts';

/** By execPath: of what it died, and which program it was then. */
export type SavedReasons = Readonly<Record<string, { readonly program: string; readonly reason: string }>>;

/** The reasons that still hold, by execPath. What was saved by another version and can't be read counts as nothing. */
export function reasonsThatHold(saved: unknown, runtimes: readonly Runtime[], identify = programIdentity): Readonly<Record<string, string>> {
  if (typeof saved !== 'object' || saved === null) return {};
  const entries = new Map<string, unknown>(Object.entries(saved));
  return Object.fromEntries(
    runtimes.flatMap(({ execPath }) => {
      const entry = entries.get(execPath);
      return isEntry(entry) && entry.program === identify(execPath) ? [[execPath, entry.reason]] : [];
    }),
  );
}

function isEntry(entry: unknown): entry is SavedReasons[string] {
  return typeof entry === 'object' && entry !== null && 'program' in entry && 'reason' in entry && typeof entry.reason === 'string';
}

/** @param reasons by execPath */
export function reasonsToSave(reasons: Readonly<Record<string, string>>, identify = programIdentity): SavedReasons {
  return Object.fromEntries(Object.entries(reasons).map(([execPath, reason]) => [execPath, { program: identify(execPath), reason }]));
}

/** Changes with the program. */
export function programIdentity(execPath: string): string {
  const found = statSync(execPath, { throwIfNoEntry: false });
  return found === undefined ? 'missing' : `${found.size} bytes, ${found.mtimeMs}`;
}
