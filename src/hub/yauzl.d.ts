/** The part of yauzl 3.4.0 that is used here; the package brings no types of its own. */
declare module 'yauzl' {
  import type { Readable } from 'node:stream';

  export interface Entry {
    readonly fileName: string;
    readonly compressedSize: number;
    readonly uncompressedSize: number;
    isEncrypted(): boolean;
  }

  export interface ZipFile {
    /** Rejects over a broken list of files, and over a name that leads out of a folder. */
    eachEntry(): AsyncIterable<Entry>;
    /** Of the uncompressed bytes; fails where there are more or fewer than the entry says. */
    openReadStreamPromise(entry: Entry): Promise<Readable>;
    close(): void;
  }

  export interface OpenOptions {
    readonly autoClose?: boolean;
    readonly strictFileNames?: boolean;
  }

  export function openPromise(path: string, options?: OpenOptions): Promise<ZipFile>;
}
