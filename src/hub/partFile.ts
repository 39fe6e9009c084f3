/**
 * A file that is on its way: `name.part` with the bytes so far and `name.part.json` with what they are part of. The
 * hash is kept as bytes are added, and computed from the disk once when a download goes on.
 * Knows no network.
 */
import { createHash, type Hash } from 'node:crypto';
import { open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import * as z from 'zod';
import type { HubFile } from './listing.ts';

const STATE = z.object({ size: z.number(), hash: z.string().nullable(), etag: z.string().nullable() });
const READ_BYTES = 1024 * 1024;

export class PartFile {
  /** Of the answer that the bytes came with; null: unknown. */
  etag: string | null = null;
  /** Some of the bytes are of an earlier answer. */
  resumed = false;
  #bytes = 0;
  #hash: Hash | null;

  private constructor(
    readonly path: string,
    private readonly file: HubFile,
    private readonly handle: FileHandle,
  ) {
    this.#hash = newHash(file);
  }

  /** What is there of `file` at `path`, or nothing yet. `onRead` hears how many bytes have been read again. */
  static async open(path: string, file: HubFile, onRead: (bytes: number) => void, signal: AbortSignal | undefined): Promise<PartFile> {
    const state = await readState(statePath(path));
    const handle = await open(partPath(path), 'a+');
    const part = new PartFile(path, file, handle);
    try {
      const { size } = await handle.stat();
      const ours = state?.size === file.size && state.hash === (file.hash?.value ?? null);
      if (size === 0 || !ours || size > file.size) await part.clear();
      else {
        part.etag = state.etag;
        part.resumed = true;
        await part.readBack(onRead, signal);
      }
      return part;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A byte more would be too many. */
  get full(): boolean {
    return this.#bytes >= this.file.size;
  }

  async append(chunk: Uint8Array): Promise<void> {
    let done = 0;
    while (done < chunk.length) done += (await this.handle.write(chunk, done)).bytesWritten;
    this.#bytes += chunk.length;
    this.#hash?.update(chunk);
  }

  /** Forgets every byte. */
  async clear(): Promise<void> {
    await this.handle.truncate(0);
    this.#bytes = 0;
    this.#hash = newHash(this.file);
    this.etag = null;
    this.resumed = false;
  }

  /** Notes what the bytes are of, before they come. */
  async remember(etag: string | null): Promise<void> {
    this.etag = etag;
    await writeFile(statePath(this.path), JSON.stringify({ size: this.file.size, hash: this.file.hash?.value ?? null, etag }));
  }

  /** True where the hub's hash says that these are the right bytes, or where it gave none. Call once, when full. */
  matches(): boolean {
    return this.#hash === null || this.#hash.digest('hex') === this.file.hash?.value;
  }

  /** Puts the file in its place. */
  async commit(): Promise<void> {
    await this.handle.sync();
    await this.handle.close();
    await rename(partPath(this.path), this.path);
    await rm(statePath(this.path), { force: true });
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async readBack(onRead: (bytes: number) => void, signal: AbortSignal | undefined): Promise<void> {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await this.handle.read(buffer, 0, READ_BYTES, this.#bytes);
      if (bytesRead === 0) return;
      this.#hash?.update(buffer.subarray(0, bytesRead));
      this.#bytes += bytesRead;
      onRead(this.#bytes);
    }
  }
}

/** Removes what is beside a file that is whole: a download may have been killed just after the file got its name. */
export async function removeParts(path: string): Promise<void> {
  for (const name of [partPath(path), statePath(path)]) await rm(name, { force: true });
}

/** True where `path` holds exactly the file: its size and, where the hub gave one, its hash. */
export async function isWhole(path: string, file: HubFile, signal: AbortSignal | undefined): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile() || found.size !== file.size) return false;
  const hash = newHash(file);
  if (hash === null) return true;
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (let at = 0; at < file.size; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, at);
      if (bytesRead === 0) return false;
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return hash.digest('hex') === file.hash?.value;
}

/** Bytes of the file that are on the disk in either form; for the question whether there is space for the rest. */
export async function bytesOnDisk(path: string, file: HubFile): Promise<number> {
  const sizes = await Promise.all([path, partPath(path)].map((name) => stat(name).then(({ size }) => size, () => 0)));
  return Math.min(file.size, Math.max(...sizes));
}

function partPath(path: string): string {
  return `${path}.part`;
}

function statePath(path: string): string {
  return `${path}.part.json`;
}

/** Null where it is missing or damaged: the bytes beside it are then worth nothing. */
async function readState(path: string): Promise<z.infer<typeof STATE> | null> {
  try {
    return STATE.safeParse(JSON.parse(await readFile(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}

function newHash({ hash, size }: HubFile): Hash | null {
  if (hash === null) return null;
  // Git hashes a blob with its length in front.
  return hash.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}
