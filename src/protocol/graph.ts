/**
 * Names, dtypes and shapes of the ONNX graph of a model folder: the importer builds it, the engine feeds it.
 *
 * One run is one pass over `rows` rows; each row is (position, iterDepth) and rows may mix depths.
 *
 *   mix_ids           int64   [rows, mix]            token ids whose embedding rows are mixed
 *   mix_weights       float32 [rows, mix]            their weights (first pass: mix = 1, weight 1)
 *   rope_cos/rope_sin float32 [rows, headDim / 2]    by position, so that no provider computes an angle
 *   lora_gate         float32 [rows, 1]              1 where iterDepth > 0 (absent in a plain model)
 *   attention_bias    float32 [rows, past + rows]    0 where the row may attend, MASKED elsewhere
 *   past.{l}.key      float32 [kvHeads, past, headDim]   past >= 1; unused slots hold finite numbers and are masked
 *   past.{l}.value    float32 [kvHeads, past, headDim]
 *   head_rows         int64   [heads]                rows for which head, top-k and decider are computed, heads >= 1
 *   previous_logits   float32 [heads, vocab] or [1, 1]   sum of the earlier passes' logits; a zero where there are none
 *   logits_rows       int64   [m]                    indices into head_rows whose cumulative logits are returned, m >= 1
 *
 *   new.{l}.key/value float32 [kvHeads, rows, headDim]   the rows' own keys (after norm and RoPE) and values
 *   logits            float32 [m, vocab]             cumulative
 *   distribution      float32 [m, 2]                 of those logits: logSumExp and entropy (nats)
 *   top_values        float32 [heads, topK]          of the cumulative logits, descending
 *   top_ids           int64   [heads, topK]
 *   continue_probability float32 [heads]             absent in a plain model
 *
 * A graph whose cache is int8 (CacheKind) has these in the place of past.{l}.* and new.{l}.*; a number is its code times the
 * scale of its row, which is the row's largest magnitude / 127:
 *
 *   past.{l}.key      int8    [kvHeads, headDim, past]     a column a row: the layout that an integer product reads
 *   past.{l}.value    int8    [kvHeads, past, headDim]
 *   past.{l}.scale    float32 [2 · kvHeads, 1, past]       of keys, then of values
 *   new.{l}.rows      int8    [2 · kvHeads, rows, headDim] keys, then values
 *   new.{l}.scale     float32 [2 · kvHeads, 1, rows]
 *
 * A graph that loops has LOOP beside all that; its new.{l}.* have the rows of the loop after the run's own.
 *
 * A graph whose cache stays on the device (webgpu) has recent.{l}.* beside past.{l}.*, and grown.{l}.* (recent rows and
 * the run's own) in the place of new.{l}.*; its attention_bias is [rows, past + recent + rows]. Its second graph joins
 * them: past.{l}.*, recent.{l}.*, kept_rows int64 [kept] (indices into past + recent) → merged.{l}.*.
 */

export const GRAPH = {
  mixIds: 'mix_ids',
  mixWeights: 'mix_weights',
  ropeCos: 'rope_cos',
  ropeSin: 'rope_sin',
  loraGate: 'lora_gate',
  attentionBias: 'attention_bias',
  headRows: 'head_rows',
  previousLogits: 'previous_logits',
  logitsRows: 'logits_rows',
  logits: 'logits',
  distribution: 'distribution',
  topValues: 'top_values',
  topIds: 'top_ids',
  continueProbability: 'continue_probability',
  keptRows: 'kept_rows',
} as const;

export type KeyOrValue = 'key' | 'value';

export function pastName(layer: number, part: KeyOrValue): string {
  return `past.${layer}.${part}`;
}

export function newName(layer: number, part: KeyOrValue): string {
  return `new.${layer}.${part}`;
}

/** Scales of a layer's int8 rows: those of the cache, and the run's own. */
export function pastScaleName(layer: number): string {
  return `past.${layer}.scale`;
}

export function newScaleName(layer: number): string {
  return `new.${layer}.scale`;
}

export function newRowsName(layer: number): string {
  return `new.${layer}.rows`;
}

/**
 * A graph that loops (cuda) goes on after the run's own pass, one pass of one row at a time: it decides, mixes or draws
 * the next token, and feeds it, until a stop token, `last_position` or `trips`. Its inputs beside those of a run, of which
 * it continues the last row, and what it says of each pass, the run's own first (n = passes of the loop):
 */
export const LOOP = {
  /** int64 [] passes at most; 0: the graph is that of one run, and the other inputs are not read */
  trips: 'loop.trips',
  /** int64 [1] position of the run's row, and of the last row that may be fed */
  firstPosition: 'loop.first_position',
  lastPosition: 'loop.last_position',
  /** float32 [positions, headDim / 2] from firstPosition on */
  ropeCos: 'loop.rope_cos',
  ropeSin: 'loop.rope_sin',
  /** float32 [maxIter, past]: the past's part of attention_bias for a row of each iterDepth */
  pastBias: 'loop.past_bias',
  /** int64 [rows] iterDepth of the run's own rows */
  rowDepths: 'loop.row_depths',
  /** float32 [1] a row goes on iff its probability is greater */
  threshold: 'loop.threshold',
  /** int64 [n] */
  stopIds: 'loop.stop_ids',
  /** Sampling: float64 [1], int64 [1] (1 … topK of the graph), int64 [1] (1: greedy), float64 [1] = 1 - topP, float64 [1] */
  temperature: 'loop.temperature',
  topK: 'loop.top_k',
  ranks: 'loop.ranks',
  budget: 'loop.budget',
  minP: 'loop.min_p',
  /** int64 [2] low and high 32 bits */
  seed: 'loop.seed',

  /** Outputs: int64 [1 + n] the token drawn from the pass; it counts where goes_on (float32 [1 + n]) is 0 */
  chosen: 'loop.chosen',
  goesOn: 'loop.goes_on',
  /** float32 [1 + n] */
  probability: 'loop.probability',
  /** [1 + n, topK] */
  topValues: 'loop.top_values',
  topIds: 'loop.top_ids',
  /** float32 [1 + n, 3] of the cumulative logits: logSumExp, entropy, the logit of `chosen` */
  facts: 'loop.facts',
} as const;

/** Keys or values that a device keeps between runs: float32 [kvHeads, recent, headDim], recent >= 1, then with the run's own. */
export function recentName(layer: number, part: KeyOrValue): string {
  return `recent.${layer}.${part}`;
}

export function grownName(layer: number, part: KeyOrValue): string {
  return `grown.${layer}.${part}`;
}

/** Output of the graph that joins them to the past: float32 [kvHeads, kept, headDim]. */
export function mergedName(layer: number, part: KeyOrValue): string {
  return `merged.${layer}.${part}`;
}

/** Added to the score of a key that a query must not see: exp underflows to exactly 0 in float32. */
export const MASKED = -1e9;

/** Probe outputs (float32 [rows, hiddenSize]): input of the pass, then the output of each block; the last after the final norm. */
export function hiddenStateName(index: number): string {
  return `probe.hidden_states.${index}`;
}

/** Probe output (float32 [heads, vocab]): the logits of this pass alone. */
export const PROBE_RAW_LOGITS = 'probe.raw_logits';
