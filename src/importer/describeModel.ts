/**
 * The manifest of a model folder: what the checkpoint says of itself, and the hash of every file that was written; and
 * the record of where the checkpoint was.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { TahError } from '../protocol/errors.ts';
import type { ImportRequest } from '../protocol/importer.ts';
import { MANIFEST_FILE, MANIFEST_FORMAT, SOURCE_FILE, SOURCE_FORMAT, type ModelManifest, type OtherGraph, type SourceManifest } from '../protocol/manifest.ts';
import type { Scheme } from './builders/scheme.ts';
import type { Checkpoint } from './checkpoint/types.ts';

/** Raised when an older model folder must be imported again to give the same numbers. */
export const IMPORTER_VERSION = '4';

export interface GraphDescription {
  readonly scheme: Scheme;
  readonly others: readonly OtherGraph[];
  readonly topK: number;
  readonly probes: readonly string[];
  readonly graphFile: string;
  readonly name?: string;
}

export function describeModel(checkpoint: Checkpoint, graph: GraphDescription): Omit<ModelManifest, 'files'> {
  const { config, tah } = checkpoint;
  const base = path.basename(checkpoint.dir);
  // models/NAME/checkpoint is called NAME.
  const id = base === 'checkpoint' ? path.basename(path.dirname(checkpoint.dir)) : base;
  return {
    format: MANIFEST_FORMAT,
    id,
    name: graph.name ?? id,
    importer: IMPORTER_VERSION,
    architecture: {
      kind: config.kind,
      vocabSize: config.vocabSize,
      hiddenSize: config.hiddenSize,
      layers: config.layers,
      heads: config.heads,
      kvHeads: config.kvHeads,
      headDim: config.headDim,
      contextLength: config.contextLength,
      ropeInverseFrequencies: [...config.ropeInverseFrequencies],
      ropeAttentionFactor: config.ropeAttentionFactor,
      parameters: checkpoint.parameters,
    },
    tah:
      tah === null
        ? null
        : {
            maxIter: tah.maxIter,
            inputTopK: tah.inputTopK,
            lora: { rank: tah.lora.config.rank, scale: tah.lora.config.scale, precision: 'fp32' },
            decider: { threshold: tah.decider.config.threshold, topK: tah.decider.config.topK, layers: tah.decider.config.layers, precision: graph.scheme.decider },
          },
    tokens: checkpoint.tokens,
    generation: checkpoint.generation,
    quantization: { kind: graph.scheme.quantization, blockSize: graph.scheme.blockSize },
    graph: { file: graph.graphFile, flavour: 'cpu', ...(graph.scheme.cache === 'float32' ? {} : { cache: graph.scheme.cache }), others: graph.others, topK: graph.topK, probes: graph.probes },
    hasTokenizer: checkpoint.tokenizerFiles.length > 0,
  };
}

/** Writes SOURCE_FILE where the request asks for it. */
export function writeSource(folder: string, checkpoint: string, { record, quantization, name }: ImportRequest): void {
  if (record === undefined) return;
  const source: SourceManifest = { format: SOURCE_FORMAT, checkpoint, download: record.download, quantization, name: name ?? null };
  fs.writeFileSync(path.join(folder, SOURCE_FILE), `${JSON.stringify(source, null, 2)}\n`);
}

/** Hashes every file of the folder and writes manifest.json last: a folder without one is no model. */
export async function writeManifest(folder: string, described: Omit<ModelManifest, 'files'>, signal?: AbortSignal): Promise<void> {
  const files: { path: string; bytes: number; sha256: string }[] = [];
  for (const name of fs.readdirSync(folder).sort()) {
    // The same weights are the same model, wherever they came from.
    if (name === SOURCE_FILE) continue;
    const file = path.join(folder, name);
    files.push({ path: name, bytes: fs.statSync(file).size, sha256: await sha256(file, signal) });
  }
  const manifest: ModelManifest = { ...described, files };
  fs.writeFileSync(path.join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function sha256(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of fs.createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    if (signal?.aborted === true) throw new TahError('cancelled', 'The import was cancelled.');
    hash.update(chunk);
  }
  return hash.digest('hex');
}
