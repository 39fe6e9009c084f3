/**
 * A checkpoint as a GGUF file with Q4_0 matrices, for llama.cpp: the same weights in its own format. Knows the format
 * (ggml/docs/gguf.md, version 3), the names of the Qwen3 architecture there, and ggml's block_q4_0. The vocabulary is
 * made up: token ids are all that is fed.
 */
import fs from 'node:fs';
import { openCheckpoint } from '../importer/checkpoint/openCheckpoint.ts';
import type { Checkpoint, TensorSource } from '../importer/checkpoint/types.ts';

const ALIGNMENT = 32;
const BLOCK = 32;
/** Bytes of a block_q4_0: a half-precision scale and 32 codes of 4 bits. */
const BLOCK_BYTES = 18;
const F32 = 0;
const Q4_0 = 2;
const TYPES = { uint32: 4, int32: 5, float32: 6, string: 8, array: 9 } as const;
/** Values that a slab holds at most. */
const SLAB = 4 << 20;

interface TensorEntry {
  readonly name: string;
  readonly source: string;
  readonly shape: readonly number[];
}

export function writeGguf(checkpointFolder: string, file: string): void {
  const checkpoint = openCheckpoint(checkpointFolder, {});
  const temporary = `${file}.part`;
  const fd = fs.openSync(temporary, 'w');
  try {
    const entries = tensorsOf(checkpoint);
    const head = header(checkpoint, entries);
    write(fd, head);
    write(fd, new Uint8Array(padding(head.length)));
    for (const entry of entries) writeTensor(fd, checkpoint.weights, entry);
  } finally {
    fs.closeSync(fd);
    checkpoint.close();
  }
  fs.renameSync(temporary, file);
}

function tensorsOf({ config, weights }: Checkpoint): TensorEntry[] {
  const entry = (name: string, source: string): TensorEntry => ({ name: `${name}.weight`, source: `${source}.weight`, shape: weights.info(`${source}.weight`).shape });
  const block = (layer: number): TensorEntry[] => BLOCK_NAMES.map(([name, source]) => entry(`blk.${layer}.${name}`, `model.layers.${layer}.${source}`));
  return [entry('token_embd', 'model.embed_tokens'), entry('output_norm', 'model.norm'), ...Array.from({ length: config.layers }, (_, layer) => block(layer)).flat()];
}

const BLOCK_NAMES = [
  ['attn_norm', 'input_layernorm'],
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['attn_output', 'self_attn.o_proj'],
  ['attn_q_norm', 'self_attn.q_norm'],
  ['attn_k_norm', 'self_attn.k_norm'],
  ['ffn_norm', 'post_attention_layernorm'],
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
] as const;

function header(checkpoint: Checkpoint, entries: readonly TensorEntry[]): Uint8Array {
  const { config } = checkpoint;
  const vocabulary = tokens(config.vocabSize);
  const facts: Uint8Array[] = [
    fact('general.architecture', TYPES.string, string('qwen3')),
    fact('general.name', TYPES.string, string(checkpoint.name)),
    fact('general.alignment', TYPES.uint32, uint32(ALIGNMENT)),
    ...Object.entries({
      block_count: config.layers,
      context_length: config.contextLength,
      embedding_length: config.hiddenSize,
      feed_forward_length: config.intermediateSize,
      'attention.head_count': config.heads,
      'attention.head_count_kv': config.kvHeads,
      'attention.key_length': config.headDim,
      'attention.value_length': config.headDim,
    }).map(([name, value]) => fact(`qwen3.${name}`, TYPES.uint32, uint32(value))),
    fact('qwen3.attention.layer_norm_rms_epsilon', TYPES.float32, float32(config.rmsNormEps)),
    fact('qwen3.rope.freq_base', TYPES.float32, float32(ropeBase(config))),
    fact('tokenizer.ggml.model', TYPES.string, string('gpt2')),
    fact('tokenizer.ggml.pre', TYPES.string, string('qwen2')),
    fact('tokenizer.ggml.tokens', TYPES.array, array(TYPES.string, vocabulary.map(string))),
    fact('tokenizer.ggml.token_type', TYPES.array, array(TYPES.int32, vocabulary.map(() => uint32(1)))),
    fact('tokenizer.ggml.merges', TYPES.array, array(TYPES.string, [string('a b')])),
    fact('tokenizer.ggml.eos_token_id', TYPES.uint32, uint32(checkpoint.tokens.eos[0] ?? 0)),
  ];
  let offset = 0;
  const infos = entries.map(({ name, shape }) => {
    const type = shape.length === 1 ? F32 : Q4_0;
    const info = Buffer.concat([string(name), uint32(shape.length), ...shape.toReversed().map(uint64), uint32(type), uint64(offset)]);
    offset += bytesOf(shape) + padding(bytesOf(shape));
    return info;
  });
  return Buffer.concat([Buffer.from('GGUF'), uint32(3), uint64(entries.length), uint64(facts.length), ...facts, ...infos]);
}

/** inv_freq[1] is base^(-2 / headDim), where no scaling is applied. */
function ropeBase({ ropeInverseFrequencies, headDim }: Checkpoint['config']): number {
  return Math.round((ropeInverseFrequencies[1] ?? 1) ** (-headDim / 2));
}

/** The 256 bytes as byte-level BPE writes them, then names that no text has. */
function tokens(count: number): string[] {
  let extra = 256;
  const isShown = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isShown(byte) ? byte : extra++));
  return [...bytes, 'ab', ...Array.from({ length: Math.max(0, count - 257) }, (_, i) => `<${i}>`)].slice(0, count);
}

function bytesOf(shape: readonly number[]): number {
  const elements = shape.reduce((a, b) => a * b, 1);
  return shape.length === 1 ? elements * 4 : (elements / BLOCK) * BLOCK_BYTES;
}

function writeTensor(fd: number, weights: TensorSource, { source, shape }: TensorEntry): void {
  const [rows = 1, columns] = shape;
  if (columns === undefined) {
    const data = weights.read(source);
    write(fd, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } else {
    const slab = Math.max(1, Math.floor(SLAB / columns));
    for (let from = 0; from < rows; from += slab) write(fd, quantized(weights.readRows(source, from, Math.min(rows, from + slab))));
  }
  write(fd, new Uint8Array(padding(bytesOf(shape))));
}

/** ggml's quantize_row_q4_0_ref: d = extreme / -8; code j in the low half of byte j, code j + 16 in its high half. */
export function quantized(data: Float32Array): Uint8Array {
  const blocks = data.length / BLOCK;
  const out = new Uint8Array(blocks * BLOCK_BYTES);
  const view = new DataView(out.buffer);
  for (let block = 0; block < blocks; block++) {
    const values = data.subarray(block * BLOCK, (block + 1) * BLOCK);
    let extreme = 0;
    for (const value of values) if (Math.abs(value) > Math.abs(extreme)) extreme = value;
    const inverse = extreme === 0 ? 0 : -8 / extreme;
    const at = block * BLOCK_BYTES;
    view.setUint16(at, half(extreme / -8), true);
    for (let i = 0; i < BLOCK / 2; i++) {
      const code = (value: number): number => Math.min(15, Math.floor(value * inverse + 8.5));
      out[at + 2 + i] = code(values[i] ?? 0) | (code(values[i + BLOCK / 2] ?? 0) << 4);
    }
  }
  return out;
}

const BITS = new Uint32Array(1);
const FLOAT = new Float32Array(BITS.buffer);

/** float32 to the bits of the nearest half, for magnitudes that a half holds as a normal number; smaller ones are 0. */
export function half(value: number): number {
  FLOAT[0] = value;
  const bits = BITS[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  // Half an even step is added before the cut: round to nearest, ties to even.
  const rounded = (bits & 0x7fffffff) + 0xfff + ((bits >>> 13) & 1);
  const exponent = (rounded >>> 23) - 127 + 15;
  if (exponent <= 0) return sign;
  if (exponent >= 31) throw new RangeError(`${value} is too large for a half`);
  return sign | (exponent << 10) | ((rounded >>> 13) & 0x3ff);
}

function padding(bytes: number): number {
  return (ALIGNMENT - (bytes % ALIGNMENT)) % ALIGNMENT;
}

function fact(key: string, type: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([string(key), uint32(type), value]);
}

function array(type: number, values: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([uint32(type), uint64(values.length), ...values]);
}

function string(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function float32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function write(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += fs.writeSync(fd, bytes, done);
}
