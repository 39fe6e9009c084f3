/**
 * Fetches the official Node, when a user asks for it and never otherwise, and takes the program out of its archive. A
 * fetch that was left goes on where it was. Which builds there are is said by nodeBuilds.ts.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { bringFiles, checkSpace, type BringOptions } from './bringFiles.ts';
import { diskFailure } from './failures.ts';
import { lockFolder } from './folderLock.ts';
import { fetchedNode, nodeFolder, NPM_REGISTRY, programOf, type NodeBuild } from './nodeBuilds.ts';
import { cancelledDownload } from './retry.ts';
import { fileOfTar } from './tar.ts';
import { TahError } from '../protocol/errors.ts';

export interface NodeFetchOptions extends BringOptions {
  /** Address of the registry or of a mirror. */
  readonly base?: string;
}

/**
 * Brings the program to its place below `storage` and returns its path; one that is there is not fetched again.
 * @throws TahError hub.*; cancelled, and what has come is kept
 */
export async function fetchNode(storage: string, build: NodeBuild, options: NodeFetchOptions): Promise<string> {
  const there = fetchedNode(storage, build);
  if (there !== null) return there;
  const root = nodeFolder(storage);
  const program = programOf(storage, build);
  const archive = `${build.package}-${build.version}.tgz`;
  const base = options.base ?? NPM_REGISTRY;
  const file = { path: archive, size: build.archive.size, hash: { kind: 'sha256', value: build.archive.sha256 } } as const;
  try {
    await mkdir(path.dirname(program), { recursive: true });
    const lock = await lockFolder(root);
    try {
      await checkSpace([file], root, options.freeBytes, build.program.size);
      const place = { hub: base, name: `Node ${build.version}`, urlOf: (name: string) => `${base}/${build.package}/-/${name}` };
      const onFile = (_: unknown, signal: AbortSignal): Promise<void> => unpack(path.join(root, archive), build, program, signal);
      await bringFiles({ place, files: [file], lock, onFile }, root, options);
      await rm(path.join(root, archive), { force: true });
      return program;
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw diskFailure(error, root);
  }
}

async function unpack(archive: string, { program }: NodeBuild, target: string, signal: AbortSignal): Promise<void> {
  const partial = `${target}.tmp`;
  const hash = createHash('sha256');
  const hashed = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    await pipeline(createReadStream(archive), createGunzip(), (source: AsyncIterable<Buffer>) => fileOfTar(source, program.path, program.size), hashed, createWriteStream(partial, { mode: 0o755 }), { signal });
    if (hash.digest('hex') !== program.sha256) throw new TahError('hub.wrong-hash', `${program.path} in ${path.basename(archive)} is not the program that it should be: its hash is another.`, { subject: program.path, hint: 'Fetch it again; if it repeats, use another mirror.' });
    await rename(partial, target);
  } catch (error) {
    if (signal.aborted) throw cancelledDownload();
    throw error;
  } finally {
    await rm(partial, { force: true });
  }
}
