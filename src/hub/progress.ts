/**
 * How far a download of several files is: bytes, speed of the last seconds, and the time that is left at that speed.
 * Speed counts what the network brought, never what was on the disk already.
 */

export interface DownloadProgress {
  /** `unpacking`: all bytes are there and what they are packed in is opened. */
  readonly stage: 'listing' | 'downloading' | 'waiting' | 'unpacking';
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Null until it can be told. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** While `waiting`: what went wrong before the next attempt, and how long until then. */
  readonly waiting: { readonly reason: string; readonly ms: number } | null;
}

const WINDOW_MS = 10_000;
/** A speed of less time than this is noise. */
const SHORTEST_MS = 500;
const EMIT_MS = 200;

export class ProgressMeter {
  readonly #files = new Map<string, number>();
  readonly #total: number;
  readonly #emit: (progress: DownloadProgress) => void;
  readonly #now: () => number;
  /** (time, bytes from the network until then), of the last seconds. */
  #samples: { readonly at: number; readonly bytes: number }[] = [];
  #received = 0;
  #last = -Infinity;
  #waitUntil = -Infinity;

  constructor(total: number, emit: (progress: DownloadProgress) => void, now: () => number = () => performance.now()) {
    this.#total = total;
    this.#emit = emit;
    this.#now = now;
  }

  /** `bytes` of the file are there now. */
  set(file: string, bytes: number, from: 'network' | 'disk'): void {
    const before = this.#files.get(file) ?? 0;
    this.#files.set(file, bytes);
    if (from === 'network') this.#sample(Math.max(0, bytes - before));
    if (this.#now() - this.#last >= EMIT_MS) this.tell();
  }

  /** One of the files waits for its next try. */
  waiting(reason: string, ms: number): void {
    this.#waitUntil = this.#now() + ms;
    this.tell({ reason, ms });
  }

  /** Time has passed. What is waited for stays told. */
  tick(): void {
    if (this.#now() > this.#waitUntil) this.tell();
  }

  tell(waiting: DownloadProgress['waiting'] = null): void {
    this.#last = this.#now();
    const doneBytes = this.doneBytes;
    const bytesPerSecond = this.#speed();
    const secondsLeft = bytesPerSecond === null || bytesPerSecond === 0 ? null : (this.#total - doneBytes) / bytesPerSecond;
    this.#emit({ stage: waiting === null ? 'downloading' : 'waiting', doneBytes, totalBytes: this.#total, bytesPerSecond, secondsLeft, waiting });
  }

  get doneBytes(): number {
    return [...this.#files.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Bytes that came over the network. */
  get received(): number {
    return this.#received;
  }

  #sample(bytes: number): void {
    const at = this.#now();
    if (this.#samples.length === 0) this.#samples.push({ at, bytes: this.#received });
    this.#received += bytes;
    this.#samples.push({ at, bytes: this.#received });
    // The one before the window stays: it is where the window begins.
    while ((this.#samples[1]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
  }

  #speed(): number | null {
    const [first] = this.#samples;
    if (first === undefined) return null;
    const ms = this.#now() - first.at;
    return ms < SHORTEST_MS ? null : (1000 * (this.#received - first.bytes)) / ms;
  }
}

/** `1.2 GB`, `34 MB`, `5 kB`: powers of ten, as disks and networks are sold. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return bytes >= 1e3 ? `${Math.ceil(bytes / 1e3)} kB` : `${bytes} B`;
}

/** `2 h 5 min`, `3 min 20 s`, `8 s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole} s`;
}
