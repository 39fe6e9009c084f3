/** How a graph is built for a provider and a quantisation: every choice that facts about ONNX Runtime dictate, in one place. */
import { TahError } from '../../protocol/errors.ts';
import type { CacheKind, GraphFlavour, Quantization } from '../../protocol/manifest.ts';
import type { Bits } from './quantize.ts';

export interface Scheme {
  readonly quantization: Quantization;
  readonly bits: Bits | null;
  /** Columns that share a scale; null for fp32. */
  readonly blockSize: number | null;
  /** MatMulNBits `accuracy_level`: 4 multiplies 8-bit activations, 0 keeps them float32. */
  readonly accuracyLevel: 0 | 4;
  /**
   * Of the decider's matrices. It is asked at every token, and 8 bits are a quarter of what is read for that; its
   * decisions are compared with float32's by `npm run bench`.
   */
  readonly decider: 'fp32' | 'int8';
  /**
   * Of the keys and values of the CPU's graph. int8 rows are a quarter of the bytes that a token reads of a long context;
   * they are rounded once, as they are made, so that a row is the same however it was run.
   */
  readonly cache: CacheKind;
  /** `if` skips the LoRA branch of a run without deep rows; `gate` always computes it (DirectML has no `If` kernel). */
  readonly lora: 'if' | 'gate';
  /** How rows of a quantised embedding are read: by one operator, or by plain ones (DirectML has no GatherBlockQuantized). */
  readonly lookup: 'gather-quantized' | 'plain';
}

/** Narrowest block that ONNX Runtime's kernels know. */
const SMALLEST_BLOCK = 16;

/**
 * The weights' scheme, which is the CPU's. @param hiddenSize columns of the embedding, which must be whole blocks
 * @throws TahError checkpoint.unsupported-architecture where no block size fits
 */
export function schemeFor(quantization: Quantization, hiddenSize: number): Scheme {
  const [lora, lookup] = ['if', 'gather-quantized'] as const;
  if (quantization === 'fp32') return { quantization, bits: null, blockSize: null, accuracyLevel: 0, decider: 'fp32', cache: 'float32', lora, lookup };
  // 128 decodes fastest on CPU; the other providers' kernels know it too.
  let blockSize = quantization === 'int4' ? 128 : 32;
  while (hiddenSize % blockSize !== 0) blockSize /= 2;
  if (blockSize < SMALLEST_BLOCK) {
    throw new TahError('checkpoint.unsupported-architecture', `A hidden size of ${hiddenSize} can't be quantised: it is no multiple of ${SMALLEST_BLOCK}.`, {
      subject: 'hidden_size',
      hint: 'Import it with fp32.',
    });
  }
  return { quantization, bits: quantization === 'int4' ? 4 : 8, blockSize, accuracyLevel: 4, decider: 'int8', cache: 'int8', lora, lookup };
}

/** How another provider's graph reads the weights of `scheme`. */
export function schemeOf(flavour: GraphFlavour, scheme: Scheme): Scheme {
  if (flavour === 'cpu') return scheme;
  return { ...scheme, accuracyLevel: 0, ...(flavour === 'dml' ? { lora: 'gate', lookup: 'plain' } : {}) };
}
