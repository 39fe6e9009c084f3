/**
 * `manifest.json` of a model folder: what the importer writes and the engine reads.
 * Knows every number that inference needs beside the weights. Versioned by `format`.
 */

export const MANIFEST_FILE = 'manifest.json';
export const MANIFEST_FORMAT = 'tah-model/1';

/** What a model folder was made from, beside its manifest and in none of its hashes: it says where, not what. */
export const SOURCE_FILE = 'source.json';
export const SOURCE_FORMAT = 'tah-source/1';

/** What a provider must answer to be right, in a checkpoint and its model folder: the engine's providers/selfTest.ts. */
export const SELF_TEST_FILE = 'selftest.json';

export type Quantization = 'fp32' | 'int8' | 'int4';

export interface DeciderManifest {
  /** A position continues iff float32 probability > threshold. Already rounded as the reference rounds it. */
  readonly threshold: number;
  /** Top values of the cumulative logits that the decider reads, after min(topk, vocab). */
  readonly topK: number;
  readonly layers: readonly number[];
  readonly precision: 'fp32' | 'int8';
}

export interface ModelManifest {
  readonly format: typeof MANIFEST_FORMAT;
  readonly id: string;
  readonly name: string;
  /** Version of the importer that wrote the folder: an older one is imported again. */
  readonly importer: string;
  readonly architecture: {
    readonly kind: 'qwen3' | 'llama';
    readonly vocabSize: number;
    readonly hiddenSize: number;
    readonly layers: number;
    readonly heads: number;
    readonly kvHeads: number;
    readonly headDim: number;
    readonly contextLength: number;
    /** float32 inverse frequencies of RoPE [headDim / 2], scaling applied (Hugging Face `inv_freq`). */
    readonly ropeInverseFrequencies: readonly number[];
    /** Factor on cos and sin (1 except for some rope scalings). */
    readonly ropeAttentionFactor: number;
    readonly parameters: number;
  };
  readonly tah: {
    readonly maxIter: number;
    /** k of the soft embedding mix that feeds deeper passes, after min(topk, vocab). */
    readonly inputTopK: number;
    readonly lora: { readonly rank: number; readonly scale: number; readonly precision: 'fp32' | 'int8' };
    readonly decider: DeciderManifest;
  } | null;
  readonly tokens: {
    readonly bos: number | null;
    readonly eos: readonly number[];
    readonly pad: number | null;
  };
  readonly generation: {
    readonly temperature: number;
    readonly topK: number;
    readonly topP: number;
    readonly minP: number;
  };
  readonly quantization: { readonly kind: Quantization; readonly blockSize: number | null };
  readonly graph: {
    readonly file: string;
    /** Provider family that the graph's operators were chosen for. */
    readonly flavour: GraphFlavour;
    /** Its keys and values between runs (graph.ts); float32 where it says nothing. Those of `others` are float32. */
    readonly cache?: CacheKind;
    /** Graphs for other providers, over the same weights. */
    readonly others?: readonly OtherGraph[];
    /** Entries of `top_values` / `top_ids`: max of the decider's and the mix's k, at least 24, at most the vocabulary. */
    readonly topK: number;
    /** Names of extra outputs (importer option `probes`), for `tah verify`. */
    readonly probes: readonly string[];
  };
  /** Tokenizer files are in the folder (tokenizer.json, tokenizer_config.json). */
  readonly hasTokenizer: boolean;
  /** Every other file of the folder but SOURCE_FILE. */
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

/** SOURCE_FILE: by it a damaged model is made again. The quantisation is all that an import lets one choose. */
export interface SourceManifest {
  readonly format: typeof SOURCE_FORMAT;
  /** The checkpoint's folder, absolute, on the machine that imported it. */
  readonly checkpoint: string;
  /** The repository that the checkpoint was downloaded from; null: the folder was the user's own. */
  readonly download: CheckpointDownload | null;
  readonly quantization: Quantization;
  /** The name that the import was given; null: the checkpoint's. */
  readonly name: string | null;
}

export interface CheckpointDownload {
  /** Address of the hub or mirror; holds no token. */
  readonly hub: string;
  readonly repository: string;
  readonly revision: string;
}

export interface OtherGraph {
  readonly flavour: GraphFlavour;
  readonly file: string;
  /** The graph that joins recent rows to the past, where the cache stays on the device. */
  readonly mergeFile?: string;
  /** It can make several passes in one run (LOOP of graph.ts). */
  readonly loops?: boolean;
}

export type CacheKind = 'float32' | 'int8';

export type GraphFlavour = 'cpu' | 'dml' | 'webgpu' | 'cuda';
