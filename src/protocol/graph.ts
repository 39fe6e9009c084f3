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
 *   top_values        float32 [heads, topK]          of the cumulative logits, descending
 *   top_ids           int64   [heads, topK]
 *   continue_probability float32 [heads]             absent in a plain model
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
