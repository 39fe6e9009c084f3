/**
 * The files of a checkpoint folder, opened once and read at given positions.
 * Knows that a file may not lie outside the folder (but for the hub's cache, whose snapshots link to its blobs), must
 * be a regular file, and that a read may bring fewer bytes than asked. Knows no format.
 */
import fs from 'node:fs';
import path from 'node:path';
import { refuse, type Origin } from './refusal.ts';

/** One read asks the system for at most this much. */
const LARGEST_READ = 1 << 30;

export interface CheckpointFile {
  readonly origin: Origin;
  /** Bytes of the file when it was opened. */
  readonly size: number;
  /** Fills `target` from `position`. @throws TahError checkpoint.unreadable where the file ends early or the disk fails */
  readInto(position: number, target: Uint8Array): void;
}

export class CheckpointFolder {
  readonly dir: string;
  private readonly real: string;
  private readonly handles: number[] = [];

  /** @throws TahError checkpoint.missing-file, checkpoint.unreadable */
  constructor(dir: string) {
    this.dir = path.resolve(dir);
    const origin = { name: this.dir, path: this.dir };
    const stat = statOrNull(this.dir, origin);
    if (stat === null) {
      refuse('checkpoint.missing-file', origin, 'there is no such folder', { hint: 'Name the folder that holds config.json.' });
    }
    if (!stat.isDirectory()) {
      refuse('checkpoint.unreadable', origin, 'a checkpoint is a folder, and this is not one', { hint: 'Name the folder that holds config.json.' });
    }
    this.real = fs.realpathSync(this.dir);
  }

  origin(name: string): Origin {
    return { name, path: path.join(this.dir, ...name.split('/')) };
  }

  /** True where anything has that name, a broken link included. */
  has(name: string): boolean {
    return fs.lstatSync(this.origin(name).path, { throwIfNoEntry: false }) !== undefined;
  }

  /** @throws TahError checkpoint.missing-file, checkpoint.unreadable, checkpoint.bad-path */
  open(name: string): CheckpointFile {
    const origin = this.origin(name);
    this.check(origin);
    try {
      const handle = fs.openSync(origin.path, 'r');
      this.handles.push(handle);
      return new OpenFile(origin, handle, fs.fstatSync(handle).size);
    } catch (error) {
      refuse('checkpoint.unreadable', origin, 'the file cannot be opened', { cause: error, hint: 'Check its permissions.' });
    }
  }

  /**
   * That the file may be read; opens nothing, so that a pipe or device can't make us wait.
   * @throws TahError as open
   */
  check(origin: Origin): void {
    const stat = statOrNull(origin.path, origin);
    if (stat === null) {
      refuse('checkpoint.missing-file', origin, 'the file is missing', { hint: 'Download the checkpoint again, all its files.' });
    }
    if (!stat.isFile()) refuse('checkpoint.unreadable', origin, 'a regular file is expected, and this is not one');
    const real = fs.realpathSync(origin.path);
    if (!this.homes().some((home) => real.startsWith(home + path.sep))) {
      refuse('checkpoint.bad-path', origin, 'it is a link to a file outside the checkpoint folder', {
        hint: 'Copy the file itself into the folder.',
      });
    }
  }

  close(): void {
    for (const handle of this.handles.splice(0)) fs.closeSync(handle);
  }

  /** The folder itself and, where it is `…/snapshots/<revision>` of a hub cache, the `blobs` that its links point to. */
  private homes(): readonly string[] {
    const snapshots = path.dirname(this.real);
    return path.basename(snapshots) === 'snapshots' ? [this.real, path.join(path.dirname(snapshots), 'blobs')] : [this.real];
  }
}

class OpenFile implements CheckpointFile {
  constructor(
    readonly origin: Origin,
    private readonly handle: number,
    readonly size: number,
  ) {}

  readInto(position: number, target: Uint8Array): void {
    let done = 0;
    while (done < target.length) {
      const read = this.readOnce(position + done, target, done);
      if (read === 0) refuse('checkpoint.unreadable', this.origin, `the file ends at byte ${position + done}, before the data that it should hold`);
      done += read;
    }
  }

  private readOnce(position: number, target: Uint8Array, at: number): number {
    try {
      return fs.readSync(this.handle, target, at, Math.min(target.length - at, LARGEST_READ), position);
    } catch (error) {
      refuse('checkpoint.unreadable', this.origin, `the file cannot be read at byte ${position}`, { cause: error });
    }
  }
}

function statOrNull(file: string, origin: Origin): fs.Stats | null {
  try {
    return fs.statSync(file, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    refuse('checkpoint.unreadable', origin, 'it cannot be looked up', { cause: error });
  }
}
