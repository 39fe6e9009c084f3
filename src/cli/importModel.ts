/** `tah import CHECKPOINT --out DIR`, and what `tah repair` does when it has the checkpoint. */
import fs from 'node:fs';
import path from 'node:path';
import { loadTokenizer } from '../engine/text/tokenizer.ts';
import { downloadOf } from '../hub/importSource.ts';
import { importCheckpoint } from '../importer/importer.ts';
import type { Quantization } from '../protocol/manifest.ts';
import { percent } from './models.ts';
import type { Terminal } from './terminal.ts';

export interface ImportCommand {
  readonly checkpoint: string;
  readonly out: string;
  readonly quantization: Quantization;
  readonly replace: boolean;
  /** False: nothing in the folder says where the checkpoint was. */
  readonly record: boolean;
  readonly name?: string;
}

export async function importModel(command: ImportCommand, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const progress = terminal.progress();
  const started = performance.now();
  let bytes = 0;
  const { record, ...request } = command;
  try {
    const recorded = record ? { record: { download: await downloadOf(command.checkpoint) } } : {};
    for await (const event of importCheckpoint({ ...request, ...recorded }, { checkTokenizer: loadTokenizer }, signal)) {
      if (event.type === 'progress') progress.show(`Importing: ${percent(event.doneBytes, event.totalBytes)} of ${Math.ceil(event.totalBytes / 1e6)} MB`);
      else bytes = event.bytes;
    }
  } finally {
    progress.done();
  }
  const out = path.resolve(command.out);
  const seconds = (performance.now() - started) / 1000;
  const largestMemory = process.resourceUsage().maxRSS * 1024;
  if (terminal.json) {
    terminal.document({ out, bytes, quantization: command.quantization, seconds, largestMemory, files: fs.readdirSync(out).sort() });
  } else {
    terminal.print(`${out}: ${(bytes / 1e6).toFixed(1)} MB (${command.quantization}) in ${seconds.toFixed(1)} s, memory at most ${Math.ceil(largestMemory / 1e6)} MB`);
  }
}
