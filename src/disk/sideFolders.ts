/**
 * The folders beside a model folder while an import works: `model.partial-<pid>-<host>-<random>` is the new one on its
 * way, `model.replaced-…` the older one until the new one is in its place. Process id and host say whose they are, so
 * that what a killed import left is told from what a living one needs. Knows names only.
 */
import { randomBytes } from 'node:crypto';
import { isAlive, thisHost } from './owner.ts';

export interface SideFolder {
  /** Name of the model folder that it belongs to. */
  readonly model: string;
  readonly kind: 'partial' | 'replaced';
  readonly pid: number;
  /** Null: an older version's, which said none. */
  readonly host: string | null;
}

const NAME = /^(.+)\.(partial|replaced)-(\d+)-(?:([0-9a-f]{8})-)?[0-9a-f]+$/;

/** A name that no other import has, this process's. */
export function sideFolderName(kind: SideFolder['kind'], model: string): string {
  return `${model}.${kind}-${process.pid}-${thisHost()}-${randomBytes(4).toString('hex')}`;
}

/** Null for every other name. */
export function readSideFolder(name: string): SideFolder | null {
  const [, model, kind, pid, host] = NAME.exec(name) ?? [];
  if (model === undefined || pid === undefined || (kind !== 'partial' && kind !== 'replaced')) return null;
  return { model, kind, pid: Number(pid), host: host ?? null };
}

/**
 * What is to be done with what is left of an import: nothing while its process may live, here or on another machine.
 * @param there whether the model folder itself is there: an older one that was on its way out comes back where it is not
 */
export function fateOf(side: SideFolder, there: boolean): 'leave' | 'remove' | 'restore' {
  if ((side.host !== null && side.host !== thisHost()) || isAlive(side.pid)) return 'leave';
  return side.kind === 'replaced' && !there ? 'restore' : 'remove';
}
