/**
 * One file of a repository, from the first byte or from where it was left, until its hash is right. Goes on with Range
 * and If-Range; what a server does instead of what it was asked is noticed and the bytes of two versions never mix.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { TahError } from '../protocol/errors.ts';
import type { HubConnection } from './connection.ts';
import { diskFailure } from './failures.ts';
import type { HubFile } from './listing.ts';
import { isWhole, PartFile, removeParts } from './partFile.ts';
import { cancelledDownload, TransientFailure, withRetries, type Waiting } from './retry.ts';

/** Where files come from: a repository of a hub, or an index of packages. */
export interface FilePlace {
  /** Address of the server; a token is for it and no other. */
  readonly hub: string;
  /** For messages, after "of". */
  readonly name: string;
  urlOf(path: string): string;
}

export interface FileEvents {
  /** How many of the file's bytes are there now; may fall where it starts over. */
  readonly onBytes: (bytes: number, source: 'network' | 'disk') => void;
  readonly onWait: (waiting: Waiting) => void;
  /** Throws where the folder has become another download's. */
  readonly beforeWrite: () => Promise<void>;
}

/** @throws TahError hub.*; cancelled, and what is there is kept */
export async function downloadFile(connection: HubConnection, place: FilePlace, file: HubFile, dir: string, events: FileEvents, signal: AbortSignal): Promise<void> {
  const target = path.join(dir, ...file.path.split('/'));
  try {
    await mkdir(path.dirname(target), { recursive: true });
    if (await isWhole(target, file, signal)) {
      await events.beforeWrite();
      await removeParts(target);
      events.onBytes(file.size, 'disk');
      return;
    }
    const part = await PartFile.open(target, file, (bytes) => { events.onBytes(bytes, 'disk'); }, signal);
    await new Transfer(connection, place, file, part, events, signal).run();
  } catch (error) {
    if (signal.aborted) throw cancelledDownload();
    throw diskFailure(error, target);
  }
}

class Transfer {
  /** A server that refuses the range once is asked for the whole file. */
  private rangeRefused = false;
  private furthest = 0;

  constructor(
    private readonly connection: HubConnection,
    private readonly place: FilePlace,
    private readonly file: HubFile,
    private readonly part: PartFile,
    private readonly events: FileEvents,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<void> {
    let committed = false;
    try {
      this.tell('disk');
      await this.fetchAll();
      if (!this.part.matches()) {
        const { resumed } = this.part;
        await this.clear();
        if (!resumed) throw this.wrongHash();
        // The old bytes may have been at fault: once more, from the first byte.
        await this.fetchAll();
        if (!this.part.matches()) {
          await this.clear();
          throw this.wrongHash();
        }
      }
      await this.events.beforeWrite();
      await this.part.commit();
      committed = true;
    } finally {
      if (!committed) await this.part.close();
    }
  }

  private async fetchAll(): Promise<void> {
    // An empty file has nothing to ask for.
    if (this.part.full) return;
    await withRetries(this.connection.retries, this.signal, this.events.onWait, async () => {
      try {
        await this.attempt();
      } catch (thrown) {
        if (!(thrown instanceof TransientFailure)) throw thrown;
        // A server that lets it start over again and again brings it nowhere.
        const gained = this.part.bytes > this.furthest;
        this.furthest = Math.max(this.furthest, this.part.bytes);
        throw new TransientFailure(thrown.error, { ...thrown.details, gained });
      }
    });
  }

  private async attempt(): Promise<void> {
    const { part, file } = this;
    await this.events.beforeWrite();
    // Nothing would notice that the rest is of another version.
    if (file.hash === null && !isStrong(part.etag)) await part.clear();
    const offset = part.bytes;
    const headers = { 'accept-encoding': 'identity', ...(offset === 0 ? {} : { range: `bytes=${offset}-`, ...(isStrong(part.etag) ? { 'if-range': part.etag } : {}) }) };
    const ask = { url: this.place.urlOf(file.path), what: this.what, headers, signal: this.signal, accept: [416] };
    await this.connection.ask(ask, async (response, chunks) => {
      await this.events.beforeWrite();
      await this.begin(response, offset);
      for await (const chunk of chunks) {
        if (part.bytes + chunk.length > file.size) {
          await this.clear();
          throw this.wrongLength(`sends more than the ${file.size} bytes that its list of files says`);
        }
        await this.events.beforeWrite();
        await part.append(chunk);
        this.tell('network');
      }
    });
    if (!part.full) {
      const cut = new TahError('hub.wrong-length', `${this.what} ended after ${part.bytes} of ${file.size} bytes.`, { subject: file.path, hint: 'Start it again: it goes on where it was. If it repeats, try a mirror.' });
      throw new TransientFailure(cut);
    }
  }

  /** Compares what the server says it sends with what was asked for, and makes the part ready for it. */
  private async begin(response: Response, offset: number): Promise<void> {
    const { part, file } = this;
    const etag = response.headers.get('etag');
    if (response.status === 416) {
      if (offset === 0 || this.rangeRefused) throw this.badAnswer(`refuses a part of ${this.what}`);
      this.rangeRefused = true;
      await this.startOver('the hub does not go on from there');
    }
    if (response.status === 206) {
      if (offset === 0) throw this.badAnswer(`sends a part of ${this.what} that nobody asked for`);
      const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
      const right = range !== null && Number(range[1]) === offset && (range[3] === '*' || Number(range[3]) === file.size);
      if (!right || etag !== part.etag) await this.startOver(right ? 'the file has changed on the hub' : 'the hub sends another part than was asked for');
      return;
    }
    // The whole file: the range was ignored, or the file has changed.
    if (offset > 0) await this.clear();
    const encoded = response.headers.get('content-encoding');
    const announced = response.headers.get('content-length');
    if (announced !== null && encoded === null && Number(announced) !== file.size) {
      throw this.wrongLength(`announces ${announced} bytes, but its list of files says ${file.size}`);
    }
    await part.remember(etag);
  }

  /** Forgets what is there and asks again at once, as one of the attempts. */
  private async startOver(why: string): Promise<never> {
    await this.clear();
    throw new TransientFailure(new TahError('hub.bad-answer', `${this.what} could not be continued: ${why}.`, { subject: this.file.path, hint: 'Start the download again, or try a mirror.' }), { retryAfterMs: 0 });
  }

  private async clear(): Promise<void> {
    await this.events.beforeWrite();
    await this.part.clear();
    this.tell('disk');
  }

  private tell(from: 'network' | 'disk'): void {
    this.events.onBytes(this.part.bytes, from);
  }

  private get what(): string {
    return `${this.file.path} of ${this.place.name}`;
  }

  private get host(): string {
    return new URL(this.place.hub).host;
  }

  private wrongHash(): TahError {
    const kind = this.file.hash?.kind === 'sha256' ? 'SHA-256' : 'git';
    return new TahError('hub.wrong-hash', `${this.what} has arrived with other contents than the hub's list of files says (its ${kind} hash is wrong); it was thrown away.`, {
      subject: this.file.path,
      hint: 'Download it again. If it repeats, a proxy or the mirror changes the file: use another one.',
    });
  }

  private wrongLength(why: string): TahError {
    return new TahError('hub.wrong-length', `${this.host} ${why} (${this.what}).`, { subject: this.file.path, hint: 'The repository may have just changed: start the download again, or try a mirror.' });
  }

  private badAnswer(why: string): TahError {
    return new TahError('hub.bad-answer', `${this.host} ${why}.`, { subject: this.file.path, hint: 'Try again, or try a mirror.' });
  }
}

/** A weak one must not be used with If-Range: the server would send everything. */
function isStrong(etag: string | null): etag is string {
  return etag?.startsWith('"') === true;
}
