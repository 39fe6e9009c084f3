/** The contract of the importer: a checkpoint folder in, a model folder out, with progress. */

import type { CheckpointDownload, Quantization } from './manifest.ts';

export interface ImportRequest {
  /** Checkpoint folder in the official layout (method.md, "Checkpoint layout"). */
  readonly checkpoint: string;
  /** Model folder to create; must not exist, or be an older import if `replace`. */
  readonly out: string;
  readonly quantization: Quantization;
  readonly replace?: boolean;
  readonly name?: string;
  /** Keeps SOURCE_FILE in the folder; left out: nothing says where the checkpoint was, as in a model that is passed on. */
  readonly record?: { readonly download: CheckpointDownload | null };
}

export type ImportEvent =
  | { readonly type: 'progress'; readonly stage: 'check' | 'weights' | 'files'; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly type: 'done'; readonly out: string; readonly bytes: number };

export interface ImporterApi {
  import(request: ImportRequest, signal?: AbortSignal): AsyncIterable<ImportEvent>;
}
