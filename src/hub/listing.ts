/**
 * The files of a repository as the hub lists them, believed as little as any other bytes from outside: sizes are
 * sizes, hashes are hashes, names stay inside of the folder. Knows no layout of checkpoints.
 */
import { listFiles } from '@huggingface/hub';
import * as z from 'zod';
import { TahError } from '../protocol/errors.ts';
import type { HubConnection } from './connection.ts';
import { withRetries, type Waiting } from './retry.ts';
import { describeSource, type HubSource } from './source.ts';

export interface HubFile {
  /** Within the repository, with slashes. */
  readonly path: string;
  readonly size: number;
  /** Null where the hub gives none. `git-blob`: SHA-1 as git names a file's contents. */
  readonly hash: { readonly kind: 'sha256' | 'git-blob'; readonly value: string } | null;
}

const LARGEST_PAGE = 32 * 1024 * 1024;
const MOST_PAGES = 1000;
const MOST_FILES = 100_000;

const ENTRY = z.object({
  type: z.string(),
  path: z.string().min(1).max(1000),
  size: z.number().int().nonnegative().optional(),
  oid: z.string().optional(),
  lfs: z.object({ oid: z.string(), size: z.number().int().nonnegative() }).nullish(),
});

/** @throws TahError hub.*; cancelled */
export async function listRepository(connection: HubConnection, source: HubSource, signal: AbortSignal | undefined, onWait: (waiting: Waiting) => void): Promise<readonly HubFile[]> {
  return withRetries(connection.retries, signal, onWait, async () => {
    try {
      return await readAll(connection, source, signal);
    } catch (error) {
      // What the library throws over an answer that is no listing; those of the network have become ours by now.
      if (error instanceof SyntaxError || error instanceof TypeError) throw badListing(source, 'it is no list of files', error);
      throw error;
    }
  });
}

async function readAll(connection: HubConnection, source: HubSource, signal: AbortSignal | undefined): Promise<readonly HubFile[]> {
  const what = describeSource(source);
  let pages = 0;
  const ask = async (url: string | URL | Request): Promise<Response> => {
    if (++pages > MOST_PAGES) throw badListing(source, `it has more than ${MOST_PAGES} pages`);
    const { text, headers } = await connection.text({ url: url instanceof Request ? url.url : url.toString(), what, headers: { accept: 'application/json' }, signal }, LARGEST_PAGE);
    return new Response(text, { headers: { 'content-type': 'application/json', ...linkOf(headers) } });
  };
  const files = new Map<string, HubFile>();
  const options = { repo: { type: source.type ?? 'model', name: source.repository }, hubUrl: source.hub, revision: encodeURIComponent(source.revision), recursive: true, fetch: ask } as const;
  for await (const entry of listFiles(options)) {
    const file = readEntry(entry, source);
    if (file === null) continue;
    if (files.has(file.path)) throw badListing(source, `it names ${show(file.path)} twice`);
    if (files.size >= MOST_FILES) throw badListing(source, `it names more than ${MOST_FILES} files`);
    files.set(file.path, file);
  }
  return [...files.values()];
}

function linkOf(headers: Headers): Readonly<Record<string, string>> {
  const link = headers.get('link');
  return link === null ? {} : { link };
}

/** Null for a folder. */
function readEntry(raw: unknown, source: HubSource): HubFile | null {
  const parsed = ENTRY.safeParse(raw);
  if (!parsed.success) throw badListing(source, `one of its entries is not a file: ${parsed.error.issues[0]?.message ?? ''} (${parsed.error.issues[0]?.path.join('.') ?? ''})`);
  const { type, path, size, oid, lfs } = parsed.data;
  if (!staysInside(path)) {
    throw new TahError('hub.bad-path', `The list of files of ${describeSource(source)} names ${show(path)}, which leads out of the folder.`, { subject: path, hint: "Don't trust this repository." });
  }
  if (type !== 'file') return null;
  const bytes = lfs?.size ?? size;
  if (bytes === undefined || !Number.isSafeInteger(bytes)) throw badListing(source, `${show(path)} has no size`);
  return { path, size: bytes, hash: hashOf(lfs?.oid ?? null, oid ?? null) };
}

function hashOf(lfs: string | null, oid: string | null): HubFile['hash'] {
  const sha256 = lfs?.replace(/^sha256:/, '') ?? null;
  if (sha256 !== null && /^[0-9a-f]{64}$/i.test(sha256)) return { kind: 'sha256', value: sha256.toLowerCase() };
  // For a file in LFS the oid is that of its pointer, not of its contents.
  if (lfs === null && oid !== null && /^[0-9a-f]{40}$/i.test(oid)) return { kind: 'git-blob', value: oid.toLowerCase() };
  return null;
}

function staysInside(path: string): boolean {
  return !/[\\\p{Cc}]|^[A-Za-z]:/u.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function badListing(source: HubSource, why: string, cause?: unknown): TahError {
  return new TahError('hub.bad-answer', `${new URL(source.hub).host} gives no list of files of ${describeSource(source)} that can be used: ${why}.`, {
    subject: describeSource(source),
    hint: 'Check the address of the hub or mirror, and try again.',
    cause,
  });
}

function show(path: string): string {
  return JSON.stringify(path.length > 120 ? `${path.slice(0, 119)}…` : path);
}
