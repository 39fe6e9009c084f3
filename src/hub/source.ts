/**
 * What is downloaded: a repository of a hub at a revision, as a user names it. Checks addresses and names before any
 * of them becomes part of a URL or a path. Knows no network.
 */
import { TahError } from '../protocol/errors.ts';

export const DEFAULT_HUB = 'https://huggingface.co';
export const DEFAULT_REVISION = 'main';

export interface HubSource {
  /** Address of the hub or mirror, without a slash at its end. */
  readonly hub: string;
  /** `owner/name`. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** What the hub keeps it as; left out: a model. */
  readonly type?: 'model' | 'dataset';
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
const REVISION = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/;

/** @throws TahError input.bad-option */
export function parseHubUrl(text: string, option = 'thinkAtHard.hubUrl'): string {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
  const refuse = (why: string): TahError =>
    new TahError('input.bad-option', `${show(text)} is not the address of a hub: ${why}.`, { subject: option, hint: `An address like ${DEFAULT_HUB} is expected.` });
  if (url === null) throw refuse('it is no URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('it must begin with https:// or http://');
  if (url.username !== '' || url.password !== '') throw refuse('a user name or password does not belong into it');
  if (url.search !== '' || url.hash !== '') throw refuse('it must have no query and no fragment');
  // From the first slash of each row only: an address of nothing but slashes takes no longer than another one.
  return url.href.replace(/(?<!\/)\/+$/, '');
}

/**
 * `owner/name`, `owner/name@revision`, or the address of a repository's page. A page's address names its own hub,
 * unless it lies below `hub`.
 * @throws TahError input.empty, input.bad-option
 */
export function parseSource(text: string, hub: string, revision?: string): HubSource {
  const given = text.trim();
  if (given === '') throw new TahError('input.empty', 'There is no repository to download.', { hint: 'Give it as owner/name.' });
  const found = /^https?:\/\//i.test(given) ? fromAddress(given, hub) : fromName(given, hub);
  const source = { ...found, revision: revision ?? found.revision };
  const parts = source.repository.split('/');
  if (parts.length > 2 || !parts.every(isName)) {
    throw new TahError('input.bad-option', `${show(given)} is not the name of a repository.`, { subject: given, hint: 'Give it as owner/name, or as owner/name@revision.' });
  }
  if (!REVISION.test(source.revision) || /\.\.|\/\/|\/$|\.lock$/.test(source.revision)) {
    throw new TahError('input.bad-option', `${show(source.revision)} is not a revision.`, { subject: source.revision, hint: 'Give a branch, a tag or a commit.' });
  }
  return source;
}

function isName(part: string): boolean {
  return NAME.test(part) && !part.includes('..') && !part.endsWith('.');
}

function fromName(text: string, hub: string): HubSource {
  const at = text.indexOf('@');
  return at < 0 ? { hub, repository: text, revision: DEFAULT_REVISION } : { hub, repository: text.slice(0, at), revision: text.slice(at + 1) };
}

function fromAddress(text: string, hub: string): HubSource {
  const below = text.startsWith(`${hub}/`);
  const url = URL.canParse(text) ? new URL(text) : null;
  const base = below ? hub : parseHubUrl(url?.origin ?? text, 'repository');
  const path = below ? text.slice(hub.length + 1) : (url?.pathname ?? '');
  const [owner = '', name, kind, ...rest] = path.split(/[?#]/)[0]?.split('/').filter((part) => part !== '') ?? [];
  const repository = name === undefined ? owner : `${owner}/${name}`;
  if (kind === undefined) return { hub: base, repository, revision: DEFAULT_REVISION };
  // A revision with a slash in it is written as %2F in such an address.
  const revision = decoded(rest[0]);
  if (revision === null || !['tree', 'blob', 'resolve', 'commit'].includes(kind)) {
    throw new TahError('input.bad-option', `${show(text)} is not the address of a repository.`, { subject: text, hint: 'Give the address of its page, or owner/name.' });
  }
  return { hub: base, repository, revision };
}

/** Null where there is none, or a percent sign in it begins no byte of a text. */
function decoded(part: string | undefined): string | null {
  if (part === undefined) return null;
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

/** A user's text inside a message: short and without control characters. */
function show(text: string): string {
  const clean = text.replace(/\p{Cc}+/gu, ' ');
  return JSON.stringify(clean.length > 100 ? `${clean.slice(0, 99)}…` : clean);
}

/** `owner/name`, with the revision where it is not the usual one. */
export function describeSource({ repository, revision }: HubSource): string {
  return revision === DEFAULT_REVISION ? repository : `${repository}@${revision}`;
}

/** A folder name that tells repositories, revisions and hubs apart. */
export function folderNameOf({ hub, repository, revision }: HubSource): string {
  const host = hub === DEFAULT_HUB ? '' : `${new URL(hub).host}--`;
  const tail = revision === DEFAULT_REVISION ? '' : `--${revision}`;
  return `${host}${repository.replaceAll('/', '--')}${tail}`.replace(/[^A-Za-z0-9._-]+/g, '-');
}
