/**
 * A model that never comes to an end and is slow enough to be stopped or killed while it writes: the golden checkpoint
 * `tiny-tied` as a plain model, its layers many times over, its end token made impossible. What it writes is noise.
 */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../scripts/processes.mjs';

const SOURCE = 'test/golden/vectors/tiny-tied/ckpt';
const SOURCE_LAYERS = 4;
const LAYERS = 64;
const CONTEXT = 8192;
/** Ids from here on are special tokens of the tokenizer. */
const FIRST_SPECIAL = 500;
/** Makes the best token win by far, so that sampling is as good as greedy. */
const SHARPEN = 40;

interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Writes the checkpoint to `folder`/checkpoint, imports it with the packaged command line, gives the model folder. */
export async function makeEndlessModel(cli: string, folder: string): Promise<string> {
  const checkpoint = join(folder, 'checkpoint');
  await mkdir(checkpoint, { recursive: true });
  for (const file of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json', 'chat_template.jinja']) await cp(join(SOURCE, file), join(checkpoint, file));
  const config = JSON.parse(await readFile(join(SOURCE, 'config.json'), 'utf8')) as Record<string, unknown>;
  await writeFile(join(checkpoint, 'config.json'), JSON.stringify({ ...config, num_hidden_layers: LAYERS, max_position_embeddings: CONTEXT }));
  await writeFile(join(checkpoint, 'model.safetensors'), endlessWeights(await readFile(join(SOURCE, 'model.safetensors'))));
  const model = join(folder, 'endless');
  await run(process.execPath, [cli, 'import', checkpoint, '--out', model, '--quantization', 'fp32']);
  return model;
}

/** The safetensors file (F32) with layers 0 … 3 repeated, a sharpened head, and special tokens out of reach. */
function endlessWeights(file: Buffer): Buffer {
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<string, Tensor>;
  const written: Record<string, Tensor> = {};
  const parts: Buffer[] = [];
  let at = 0;
  const add = (name: string, { dtype, shape }: Tensor, bytes: Buffer): void => {
    written[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    parts.push(bytes);
    at += bytes.length;
  };
  for (const [name, tensor] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [start, end] = tensor.data_offsets;
    const bytes = Buffer.from(file.subarray(8 + headerLength + start, 8 + headerLength + end));
    const layer = /^model\.layers\.(\d+)\.(.*)$/.exec(name);
    if (layer === null) {
      if (name === 'model.embed_tokens.weight') bytes.fill(0, FIRST_SPECIAL * (tensor.shape[1] ?? 0) * 4);
      if (name === 'model.norm.weight') for (let i = 0; i < bytes.length; i += 4) bytes.writeFloatLE(bytes.readFloatLE(i) * SHARPEN, i);
      add(name, tensor, bytes);
    } else {
      for (let copy = Number(layer[1]); copy < LAYERS; copy += SOURCE_LAYERS) add(`model.layers.${copy}.${layer[2] ?? ''}`, tensor, bytes);
    }
  }
  const json = Buffer.from(JSON.stringify(written));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}
