/**
 * What a checkpoint is once it has been read and believed: every value here has been checked against the files.
 * Knows no ONNX. Produced by openCheckpoint(); consumed by the builders.
 */

export type SafetensorsDtype = 'F32' | 'F16' | 'BF16';

export interface TensorInfo {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly file: string;
}

/** Tensors by name, read on demand so that a large checkpoint is never in memory whole. */
export interface TensorSource {
  readonly names: readonly string[];
  has(name: string): boolean;
  /** @throws TahError checkpoint.missing-tensor */
  info(name: string): TensorInfo;
  /** The whole tensor as float32, C order. @throws TahError checkpoint.not-finite where a value is NaN or infinite. */
  read(name: string): Float32Array;
  /** Rows [from, to) of a 2-D tensor as float32 [to - from, columns]. @throws as read */
  readRows(name: string, from: number, to: number): Float32Array;
}

export interface ModelConfig {
  readonly kind: 'qwen3' | 'llama';
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly rmsNormEps: number;
  readonly tiedEmbedding: boolean;
  /** Biases of q/k/v/o projections (Llama `attention_bias`) and of the MLP (Llama `mlp_bias`). */
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  /** RMSNorm on each head of q and k (Qwen3). */
  readonly qkNorm: boolean;
  readonly contextLength: number;
  /** float32 inv_freq [headDim / 2] as Hugging Face computes it, `rope_scaling` applied (default, linear, llama3, yarn). */
  readonly ropeInverseFrequencies: Float32Array;
  readonly ropeAttentionFactor: number;
}

export interface LoraConfig {
  readonly rank: number;
  /** alpha / r, or alpha / sqrt(r) with use_rslora. */
  readonly scale: number;
}

/** The seven linears of a block, by their Hugging Face names; `model.layers.{i}.` + this + `.weight` is the base weight. */
export const LINEARS = [
  'self_attn.q_proj',
  'self_attn.k_proj',
  'self_attn.v_proj',
  'self_attn.o_proj',
  'mlp.gate_proj',
  'mlp.up_proj',
  'mlp.down_proj',
] as const;
export type Linear = (typeof LINEARS)[number];

export interface LoraWeights {
  readonly config: LoraConfig;
  /** False where target_modules leave the linear out (in every block alike). */
  adapts(linear: Linear): boolean;
  /** A [rank, in] and B [out, rank], not scaled. @throws TahError checkpoint.not-finite, checkpoint.bad-lora */
  read(layer: number, linear: Linear): { readonly a: Float32Array; readonly b: Float32Array };
}

export interface DeciderConfig {
  /** As in the configuration: the reference uses min(topk, vocab). Already limited here. */
  readonly topK: number;
  readonly layers: readonly number[];
  readonly hiddenDims: readonly number[];
  readonly expansionFactor: number;
  readonly normalizeInput: boolean;
  /** float32, after the reference's rounding (bfloat16 unless kwargs name a dtype). */
  readonly threshold: number;
}

export interface DeciderWeights {
  readonly config: DeciderConfig;
  readonly names: readonly string[];
  /** State-dict entry as float32, rounded as the reference rounds it. @throws checkpoint.bad-decider */
  read(name: string): { readonly shape: readonly number[]; readonly data: Float32Array };
}

export interface Checkpoint {
  readonly dir: string;
  readonly name: string;
  readonly config: ModelConfig;
  readonly weights: TensorSource;
  /** Sum of the elements of the base model's tensors. */
  readonly parameters: number;
  readonly tah: {
    readonly maxIter: number;
    readonly inputTopK: number;
    readonly lora: LoraWeights;
    readonly decider: DeciderWeights;
  } | null;
  readonly tokens: { readonly bos: number | null; readonly eos: readonly number[]; readonly pad: number | null };
  readonly generation: { readonly temperature: number; readonly topK: number; readonly topP: number; readonly minP: number };
  /** Paths (relative to dir) of tokenizer files to copy; empty where the checkpoint has no tokenizer.json. */
  readonly tokenizerFiles: readonly string[];
  /** `subjects.json` where the checkpoint declares what it has learned; copied as it is. */
  readonly declarations: readonly string[];
  close(): void;
}

export interface OpenCheckpointOptions {
  /** Fields that replace those of tah_config.json, a dict field as a whole (golden `tah_config_override`). */
  readonly tahConfigOverride?: Readonly<Record<string, unknown>>;
}
