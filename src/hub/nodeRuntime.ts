/**
 * Fetches the official Node, when a user asks for it and never otherwise, and takes the program out of its archive. A
 * fetch that was left goes on where it was. Which builds there are is said by nodeBuilds.ts.
 */
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { bringFiles, checkSpace, type BringOptions } from './bringFiles.ts';
import { diskFailure } from './failures.ts';
import { lockFolder } from './folderLock.ts';
import { fetchedNode, nodeFolder, NPM_REGISTRY, programOf, type NodeBuild } from './nodeBuilds.ts';
import { writePinned } from './pinnedFile.ts';
import { cancelledDownload } from './retry.ts';
import { fileOfTar } from './tar.ts';

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
  try {
    const bytes = fileOfTar(unzipped(archive), program.path, program.size);
    await writePinned(bytes, program, { archive: path.basename(archive), what: 'program', target, mode: 0o755, signal });
  } catch (error) {
    if (signal.aborted) throw cancelledDownload();
    throw error;
  }
}

async function* unzipped(file: string): AsyncGenerator<Buffer, void> {
  const source = createReadStream(file);
  const bytes = createGunzip();
  // Whoever reads the bytes is told when the file can't be read.
  source.on('error', (error) => bytes.destroy(error)).pipe(bytes);
  try {
    yield* bytes as AsyncIterable<Buffer>;
  } finally {
    source.destroy();
  }
}
