/**
 * The file of weights beside a graph: places are reserved first and filled in any order, so that a tensor can be
 * streamed row by row. Knows bytes and alignment; knows no tensor's meaning. Whoever creates one closes it.
 */
import fs from 'node:fs';
import type { TensorData } from './wire.ts';

/** ONNX Runtime maps external tensors from the file; 4 KiB keeps each on its own page. */
const ALIGNMENT = 4096;
/** Smaller tensors don't earn a page of their own. */
const SMALL = 1024;
const SMALL_ALIGNMENT = 64;

export class ExternalData {
  private readonly fd: number;
  private end = 0;
  private writtenBytes = 0;

  /** @param file path to create @param name the name by which the graph refers to it */
  constructor(
    file: string,
    private readonly name: string,
  ) {
    this.fd = fs.openSync(file, 'wx');
  }

  get bytes(): number {
    return this.end;
  }

  get written(): number {
    return this.writtenBytes;
  }

  reserve(bytes: number): TensorData['data'] & { offset: number } {
    const alignment = bytes < SMALL ? SMALL_ALIGNMENT : ALIGNMENT;
    const offset = Math.ceil(this.end / alignment) * alignment;
    this.end = offset + bytes;
    return { file: this.name, offset, bytes };
  }

  writeAt(offset: number, data: Uint8Array): void {
    let done = 0;
    while (done < data.byteLength) done += fs.writeSync(this.fd, data, done, data.byteLength - done, offset + done);
    this.writtenBytes += data.byteLength;
  }

  /** Everything is on disk when this returns. */
  close(): void {
    try {
      fs.ftruncateSync(this.fd, this.end);
      fs.fsyncSync(this.fd);
    } finally {
      fs.closeSync(this.fd);
    }
  }
}
