// The sound golden checkpoints: what is read from them equals what the reference used.
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { linearShape } from '../../../../src/importer/checkpoint/architecture.ts';
import { openCheckpoint } from '../../../../src/importer/checkpoint/openCheckpoint.ts';
import { LINEARS, type Checkpoint, type DeciderWeights } from '../../../../src/importer/checkpoint/types.ts';
import { GoodCopy, readAll, VECTORS } from './goodCopy.ts';

interface Case {
  readonly id: string;
  readonly kind: string;
  readonly policy: string;
  readonly tah_config_override: Readonly<Record<string, unknown>> | null;
  readonly effective_threshold: number | null;
  readonly input_ids?: readonly number[];
  readonly decider?: readonly { readonly prob: readonly number[] }[];
}
interface Golden {
  readonly model: { readonly kind: string; readonly hidden_size: number; readonly max_iter: number; readonly input_topk: number; readonly lora_scaling: number };
  readonly layout: Readonly<Record<string, unknown>>;
  readonly cases: readonly Case[];
  readonly tensors: Readonly<Record<string, { readonly offset: number; readonly shape: readonly number[] }>>;
}
type Layout = Readonly<Record<string, readonly [string, readonly number[]]>>;

const opened: Checkpoint[] = [];
afterAll(() => {
  for (const checkpoint of opened) checkpoint.close();
});

function open(name: string, override: Case['tah_config_override'] = null): Checkpoint {
  const checkpoint = openCheckpoint(path.join(VECTORS, name, 'ckpt'), override ? { tahConfigOverride: override } : {});
  opened.push(checkpoint);
  return checkpoint;
}

function golden(name: string): Golden {
  return JSON.parse(fs.readFileSync(path.join(VECTORS, name, 'golden.json'), 'utf8')) as Golden;
}

function goldenTensor(name: string, data: Golden, key: string): { readonly shape: readonly number[]; readonly values: Float32Array } {
  const entry = data.tensors[key];
  if (!entry) throw new Error(`no golden tensor ${key}`);
  const bytes = fs.readFileSync(path.join(VECTORS, name, 'golden.bin'));
  const elements = entry.shape.reduce((a, b) => a * b, 1);
  return { shape: entry.shape, values: new Float32Array(bytes.buffer.slice(bytes.byteOffset + entry.offset, bytes.byteOffset + entry.offset + elements * 4)) };
}

function tahOf(checkpoint: Checkpoint): NonNullable<Checkpoint['tah']> {
  if (!checkpoint.tah) throw new Error('a Think-at-Hard checkpoint was expected');
  return checkpoint.tah;
}

describe.each(['tiny-tied', 'tiny-untied', 'tiny-llama'])('%s', (name) => {
  const data = golden(name);

  it('has the tensors, dtypes and shapes that the reference wrote', () => {
    const { weights, parameters } = open(name);
    const written = Object.entries(data.layout).filter(([file]) => file.startsWith('model')).map(([, tensors]) => tensors as Layout);
    const all = Object.assign({}, ...written) as Layout;
    expect([...weights.names].sort()).toEqual(Object.keys(all).sort());
    for (const [tensor, [dtype, shape]] of Object.entries(all)) expect(weights.info(tensor)).toMatchObject({ dtype, shape });
    expect(parameters).toBe(Object.values(all).reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0));
  });

  it('iterates as the reference does: passes, mix, LoRA scale', () => {
    const checkpoint = open(name);
    const { maxIter, inputTopK, lora } = tahOf(checkpoint);
    expect({ maxIter, inputTopK, scale: lora.config.scale, kind: checkpoint.config.kind, hidden: checkpoint.config.hiddenSize }).toEqual({
      maxIter: data.model.max_iter,
      inputTopK: data.model.input_topk,
      scale: data.model.lora_scaling,
      kind: data.model.kind,
      hidden: data.model.hidden_size,
    });
  });

  it('has LoRA pairs of the right sizes for every linear', () => {
    const { config, tah } = open(name);
    for (const linear of LINEARS) {
      const [out, into] = linearShape(config, linear);
      const pair = tah?.lora.read(config.layers - 1, linear);
      expect([linear, pair?.a.length, pair?.b.length]).toEqual([linear, (tah?.lora.config.rank ?? 0) * into, out * (tah?.lora.config.rank ?? 0)]);
    }
  });

  it('has the decider entries of the state dict, with their shapes', () => {
    const { decider } = tahOf(open(name));
    const { state_dict: state } = data.layout['iter_decider.bin'] as { readonly state_dict: Layout };
    expect([...decider.names].sort()).toEqual(Object.keys(state).sort());
    for (const [key, [, shape]] of Object.entries(state)) expect(decider.read(key).shape).toEqual(shape);
  });

  it('compares with the threshold that the reference compared with, in every case', () => {
    const cases = data.cases.filter((entry) => entry.effective_threshold !== null);
    expect(cases.length).toBeGreaterThan(5);
    for (const entry of cases) {
      expect([entry.id, tahOf(open(name, entry.tah_config_override)).decider.config.threshold]).toEqual([entry.id, entry.effective_threshold]);
    }
  });

  it('has a decider that gives the reference’s probabilities on the reference’s hidden states', () => {
    const stored = 'fwd/stored/p7';
    const hidden = goldenTensor(name, data, `${stored}/depth1.hidden_states`);
    const logits = goldenTensor(name, data, `${stored}/depth1.raw_logits`);
    // The first pass does not depend on the policy, so the stored case's hidden states serve for all.
    const cases = data.cases.filter((entry) => entry.kind === 'forward' && entry.input_ids?.length === 7 && /^(stored|kwargs-)/.test(entry.policy));
    expect(cases.length).toBeGreaterThan(0);
    for (const entry of cases) {
      const { decider } = tahOf(open(name, entry.tah_config_override));
      entry.decider?.[0]?.prob.forEach((expected, row) => {
        expect(Math.abs(probability(decider, hidden, logits, row) - expected)).toBeLessThan(1e-5);
      });
    }
  });

  it('lets the oracle policy open it by override, with the model’s own number of passes', () => {
    expect(tahOf(open(name, { eval_iter_decider: 'IterLabelDecider' })).maxIter).toBe(data.model.max_iter);
  });
});

type Rows = ReturnType<typeof goldenTensor>;

/** MLPIterDecider in double precision, for one row. */
function probability(weights: DeciderWeights, hidden: Rows, logits: Rows, row: number): number {
  const { layers, topK, normalizeInput, hiddenDims } = weights.config;
  const [, count = 0, size = 0] = hidden.shape;
  const [, vocab = 0] = logits.shape;
  const affine = (key: string, x: readonly number[]): number[] => {
    const { data } = weights.read(`${key}.weight`);
    return [...weights.read(`${key}.bias`).data].map((bias, o) => x.reduce((sum, value, i) => sum + value * (data[o * x.length + i] ?? NaN), bias));
  };
  const norm = (key: string, x: readonly number[]): number[] => {
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
    const { data } = weights.read(`${key}.weight`);
    const bias = weights.read(`${key}.bias`).data;
    return x.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * (data[i] ?? NaN) + (bias[i] ?? NaN));
  };
  let states = layers.flatMap((layer) => [...hidden.values.subarray((row * count + layer) * size, (row * count + layer + 1) * size)]);
  let top = [...logits.values.subarray(row * vocab, (row + 1) * vocab)].sort((a, b) => b - a).slice(0, topK);
  if (normalizeInput) {
    states = norm('layer_norm_hidden_states', states);
    const total = top.reduce((sum, value) => sum + Math.exp(value), 0);
    top = top.map((value) => Math.exp(value) / total);
  }
  let x = affine('backbone.input_projection', affine('combined_projection', [...states, ...affine('logits_projection', top)]));
  hiddenDims.forEach((_, i) => {
    const block = `backbone.blocks.${i}`;
    const inner = affine(`${block}.mlp.0`, norm(`${block}.layer_norm`, x)).map((value) => 0.5 * value * (1 + erf(value / Math.SQRT2)));
    const kept = weights.names.includes(`${block}.dim_change.weight`) ? affine(`${block}.dim_change`, x) : x;
    x = affine(`${block}.mlp.3`, inner).map((value, j) => value + (kept[j] ?? NaN));
  });
  const [logit = NaN] = affine('backbone.output_layer.1', norm('backbone.output_layer.0', x));
  return 1 / (1 + Math.exp(-logit));
}

/** Maclaurin series; exact enough for |x| < 5. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

describe('a plain model', () => {
  it('opens without any of the Think-at-Hard files, and without generation_config.json', () => {
    const copy = new GoodCopy().remove('lora', 'iter_decider.bin', 'tah_config.json', 'generation_config.json');
    const checkpoint = openCheckpoint(copy.dir);
    checkpoint.close();
    copy.discard();
    expect(checkpoint.tah).toBeNull();
    expect(checkpoint.tokens).toEqual({ bos: 61, eos: [62], pad: 63 });
    expect(checkpoint.generation).toEqual({ temperature: 0.6, topK: 20, topP: 0.95, minP: 0 });
    expect(checkpoint.tokenizerFiles).toEqual([]);
  });
});

describe('reading', () => {
  it('gives the same rows in slabs as in one piece, in bfloat16 too', () => {
    for (const name of ['tiny-tied', 'tiny-untied']) {
      const { weights } = open(name);
      const tensor = 'model.layers.0.mlp.up_proj.weight';
      const [rows = 0, columns = 0] = weights.info(tensor).shape;
      const whole = weights.read(tensor);
      expect([...weights.readRows(tensor, 0, 5), ...weights.readRows(tensor, 5, rows)]).toEqual([...whole]);
      expect(weights.readRows(tensor, 7, 7)).toHaveLength(0);
      expect(whole).toHaveLength(rows * columns);
    }
  });

  it('says which tensor is missing when an unknown one is asked for', () => {
    expect(() => open('tiny-tied').weights.read('model.nothing')).toThrow('tensor "model.nothing" is missing');
  });

  it('names the tokenizer files that are there', () => {
    expect(open('tiny-tied').tokenizerFiles).toEqual(['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'chat_template.jinja']);
  });

  it.runIf(process.platform === 'linux')('leaves no file open after close or refusal', () => {
    const copy = new GoodCopy().edit('tah_config.json', (config) => (config['adapter'] = 'ia3'));
    const count = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = count();
    openCheckpoint(path.join(VECTORS, 'tiny-tied', 'ckpt')).close();
    expect(() => {
      readAll(copy.dir);
    }).toThrow('ia3');
    copy.discard();
    expect(count()).toBe(before);
  });
});
