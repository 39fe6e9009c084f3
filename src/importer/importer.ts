/**
 * Checkpoint in, model folder out. Knows the order of the work and that nothing half-made may stay: everything is
 * written to a temporary folder beside the target and renamed at the end. The numbers are the builders' business.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TahError } from '../protocol/errors.ts';
import type { ImporterApi, ImportEvent, ImportRequest } from '../protocol/importer.ts';
import type { CacheKind } from '../protocol/manifest.ts';
import { buildModelGraphs, MODEL_FILE, type ModelGraphs } from './builders/modelGraphs.ts';
import { schemeFor } from './builders/scheme.ts';
import { graphTopK } from './builders/step.ts';
import { WeightStore } from './builders/weights.ts';
import { openCheckpoint } from './checkpoint/openCheckpoint.ts';
import type { Checkpoint, OpenCheckpointOptions } from './checkpoint/types.ts';
import { describeModel, IMPORTER_VERSION, writeManifest, writeSource } from './describeModel.ts';
import { ExternalData } from './onnx/externalData.ts';
import { encodeModel } from './onnx/wire.ts';
import { checkSpace, diskError, prepareTarget, type Target } from './target.ts';

const WEIGHTS_FILE = 'model.onnx.data';

/** What only the project's own tools ask for. */
export interface ImportOptions extends OpenCheckpointOptions {
  /** Adds the outputs that `tah verify` compares: hidden states and the logits of each pass. */
  readonly probes?: boolean;
  /** Keys and values of the CPU's graph, where it is not the scheme's choice that is asked for. */
  readonly cache?: CacheKind;
  /** Throws where the tokenizer files of a folder can't be used; the engine's, whom this room does not know. */
  readonly checkTokenizer?: (dir: string) => unknown;
}

export function createImporter(options: ImportOptions = {}): ImporterApi {
  return { import: (request, signal) => importCheckpoint(request, options, signal) };
}

/**
 * @throws TahError checkpoint.* where the checkpoint is refused, import.* where the folder can't be written,
 *   cancelled when `signal` is aborted; in each case nothing is left behind
 */
export async function* importCheckpoint(request: ImportRequest, options: ImportOptions, signal?: AbortSignal): AsyncIterable<ImportEvent> {
  const checkpoint = openCheckpoint(path.resolve(request.checkpoint), options);
  try {
    if (checkpoint.tokenizerFiles.length > 0) options.checkTokenizer?.(checkpoint.dir);
    const target = prepareTarget(path.resolve(request.out), request.replace ?? false, checkpoint.dir);
    try {
      yield* writeModel(checkpoint, request, options, target, signal);
      const bytes = target.commit();
      yield { type: 'done', out: target.out, bytes };
    } catch (error) {
      throw diskError(error, target.out);
    } finally {
      target.discard();
    }
  } finally {
    checkpoint.close();
  }
}

async function* writeModel(
  checkpoint: Checkpoint,
  request: ImportRequest,
  options: ImportOptions,
  target: Target,
  signal?: AbortSignal,
): AsyncIterable<ImportEvent> {
  const fitting = schemeFor(request.quantization, checkpoint.config.hiddenSize);
  const scheme = { ...fitting, cache: options.cache ?? fitting.cache };
  const file = new ExternalData(path.join(target.folder, WEIGHTS_FILE), WEIGHTS_FILE);
  let graphs: ModelGraphs;
  try {
    const store = new WeightStore(file);
    graphs = buildModelGraphs(checkpoint, store, scheme, options.probes ?? false);
    checkSpace(target.folder, file.bytes);
    yield { type: 'progress', stage: 'weights', doneBytes: 0, totalBytes: file.bytes };
    for (const job of store.jobs) {
      const slabs = job()[Symbol.iterator]();
      while (slabs.next().done !== true) {
        // Cancel messages and progress get their turn between slabs.
        await nextTurn();
        if (signal?.aborted === true) throw new TahError('cancelled', 'The import was cancelled.');
        yield { type: 'progress', stage: 'weights', doneBytes: file.written, totalBytes: file.bytes };
      }
    }
  } finally {
    file.close();
  }
  for (const { name, graph } of graphs.files) fs.writeFileSync(path.join(target.folder, name), encodeModel(graph.finish(), { name: 'think-at-hard', version: IMPORTER_VERSION }));
  for (const name of [...checkpoint.tokenizerFiles, ...checkpoint.declarations]) fs.copyFileSync(path.join(checkpoint.dir, name), path.join(target.folder, name));
  yield { type: 'progress', stage: 'files', doneBytes: file.bytes, totalBytes: file.bytes };
  const described = describeModel(checkpoint, {
    scheme,
    topK: graphTopK(checkpoint),
    probes: graphs.probes,
    graphFile: MODEL_FILE,
    others: graphs.others,
    ...(request.name === undefined ? {} : { name: request.name }),
  });
  writeSource(target.folder, checkpoint.dir, request);
  await writeManifest(target.folder, described, signal);
}
