/** Opens a model folder: reads its manifest and checks it at the door. Knows files; runs nothing. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { LocalModelInfo } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { MANIFEST_FILE, MANIFEST_FORMAT, type ModelManifest } from '../protocol/manifest.ts';
import { cancelled } from '../protocol/streams.ts';

const IMPORT_AGAIN = 'Make it again with tah repair DIR, or import the model again.';
const READ_BYTES = 1 << 20;

const count = z.number().int().positive();
const index = z.number().int().nonnegative();
const flavour = z.enum(['cpu', 'dml', 'webgpu', 'cuda']);
/** Of a file in the folder itself: a manifest leads nowhere else. */
const fileName = z.string().regex(/^(?!\.{1,2}$)[^/\\\0]+$/);
const precision = z.enum(['fp32', 'int8']);

const MANIFEST = z.object({
  format: z.literal(MANIFEST_FORMAT),
  id: z.string(),
  name: z.string(),
  importer: z.string(),
  architecture: z.object({
    kind: z.enum(['qwen3', 'llama']),
    vocabSize: count,
    hiddenSize: count,
    layers: count,
    heads: count,
    kvHeads: count,
    headDim: count,
    contextLength: count,
    ropeInverseFrequencies: z.array(z.number()),
    ropeAttentionFactor: z.number(),
    parameters: count,
  }),
  tah: z
    .object({
      maxIter: count,
      inputTopK: count,
      lora: z.object({ rank: count, scale: z.number(), precision }),
      decider: z.object({ threshold: z.number(), topK: count, layers: z.array(index), precision }),
    })
    .nullable(),
  tokens: z.object({ bos: index.nullable(), eos: z.array(index), pad: index.nullable() }),
  generation: z.object({ temperature: z.number(), topK: z.number(), topP: z.number(), minP: z.number() }),
  quantization: z.object({ kind: z.enum(['fp32', 'int8', 'int4']), blockSize: count.nullable() }),
  graph: z.object({ file: fileName, flavour, cache: z.enum(['float32', 'int8']).exactOptional(), others: z.array(z.object({ flavour, file: fileName, mergeFile: fileName.exactOptional(), loops: z.boolean().exactOptional() })).exactOptional(), topK: count, probes: z.array(z.string()) }),
  hasTokenizer: z.boolean(),
  files: z.array(z.object({ path: fileName, bytes: index, sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

export interface ModelFolder {
  readonly manifest: ModelManifest;
  readonly info: LocalModelInfo;
  readonly graphFile: string;
}

/**
 * @throws TahError model.not-found, model.bad-manifest; model.corrupted where a file is missing or has another size
 *   than the manifest says (contents are checked by `verifyHashes`, which every load asks)
 */
export function openModelFolder(folder: string): ModelFolder {
  const dir = path.resolve(folder);
  const manifest = readManifest(dir);
  for (const file of manifest.files) {
    const bytes = fs.statSync(path.join(dir, file.path), { throwIfNoEntry: false })?.size;
    if (bytes !== file.bytes) throw corrupted(path.join(dir, file.path), bytes === undefined ? 'is missing' : `has ${bytes} bytes instead of ${file.bytes}`);
  }
  const unlisted = graphFiles(manifest).find((name) => !manifest.files.some((file) => file.path === name));
  if (unlisted !== undefined) throw corrupted(path.join(dir, MANIFEST_FILE), `does not list ${unlisted}`);
  return { manifest, info: modelInfo(dir, manifest), graphFile: path.join(dir, manifest.graph.file) };
}

/** Every graph that a provider may get. */
function graphFiles({ graph }: ModelManifest): readonly string[] {
  return [graph.file, ...(graph.others ?? []).flatMap(({ file, mergeFile }) => (mergeFile === undefined ? [file] : [file, mergeFile]))];
}

/** @throws TahError model.not-found, model.bad-manifest */
export function readManifest(dir: string): ModelManifest {
  const file = path.join(dir, MANIFEST_FILE);
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    const isCheckpoint = fs.existsSync(path.join(dir, 'config.json'));
    throw new TahError('model.not-found', isCheckpoint ? `${dir} is a checkpoint that has not been imported yet.` : `There is no model in ${dir} (no ${MANIFEST_FILE}).`, {
      file: dir,
      hint: isCheckpoint ? 'Import it: tah import CHECKPOINT --out DIR.' : 'Give the folder that an import has made.',
      cause: error,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw badManifest(file, 'is no JSON', error);
  }
  const parsed = MANIFEST.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw badManifest(file, issue === undefined ? 'is invalid' : `has a wrong ${issue.path.join('.') || 'content'}: ${issue.message}`, parsed.error);
  }
  return parsed.data;
}

function modelInfo(dir: string, manifest: ModelManifest): LocalModelInfo {
  const hash = createHash('sha256');
  for (const file of manifest.files) hash.update(`${file.path}:${file.sha256}\n`);
  return {
    path: dir,
    id: manifest.id,
    name: manifest.name,
    architecture: manifest.architecture.kind,
    parameters: manifest.architecture.parameters,
    quantization: manifest.quantization.kind,
    maxIter: manifest.tah?.maxIter ?? 1,
    threshold: manifest.tah?.decider.threshold ?? null,
    contextLength: manifest.architecture.contextLength,
    hash: hash.digest('hex'),
  };
}

/** What a file looked like when its contents were right, by path. A program that changes it changes one of these. */
const verified = new Map<string, string>();

/**
 * Reads the files of the folder, but for those that this process has found right and nobody has touched since.
 * @throws TahError model.corrupted naming the first file whose contents differ; cancelled
 */
export async function verifyUnlessKnown(folder: ModelFolder, signal?: AbortSignal): Promise<void> {
  for (const file of folder.manifest.files) {
    const full = path.join(folder.info.path, file.path);
    const looks = looksOf(full, file.sha256);
    if (looks !== null && verified.get(full) === looks) continue;
    await verifyFile(full, file.sha256, signal);
    if (looks !== null) verified.set(full, looks);
  }
}

/** Reads every file of the folder. @throws TahError model.corrupted naming the first file whose contents differ */
export async function verifyHashes(folder: ModelFolder): Promise<void> {
  for (const file of folder.manifest.files) await verifyFile(path.join(folder.info.path, file.path), file.sha256);
}

/** Null where it is gone. Nanoseconds: two changes within a millisecond are two. */
function looksOf(file: string, sha256: string): string | null {
  const stat = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : [sha256, stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ');
}

async function verifyFile(file: string, sha256: string, signal?: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of fs.createReadStream(file, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>) {
      if (signal?.aborted === true) throw cancelled();
      hash.update(chunk);
    }
  } catch (error) {
    if (error instanceof TahError) throw error;
    throw new TahError('model.corrupted', `${file} can't be read: ${error instanceof Error ? error.message : String(error)}.`, { file, hint: IMPORT_AGAIN, cause: error });
  }
  if (hash.digest('hex') !== sha256) throw corrupted(file, 'has changed since the import');
}

function corrupted(file: string, what: string): TahError {
  return new TahError('model.corrupted', `${file} ${what}.`, { file, hint: IMPORT_AGAIN });
}

function badManifest(file: string, what: string, cause: unknown): TahError {
  return new TahError('model.bad-manifest', `${file} ${what}.`, { file, hint: IMPORT_AGAIN, cause });
}
