/**
 * iter_decider.bin: the decider's weights and the threshold that counts.
 * Knows MLPIterDecider's state dict (reference iter_decider.py) and how the reference rounds it on load. Class and
 * arguments come from tah_config.json; the file's own arguments are ignored, its class must be the same.
 */
import type { CheckpointFolder } from './checkpointFolder.ts';
import { firstNotFinite, roundThrough } from './floatFormats.ts';
import { isKind, type PickleDict } from './pickleValue.ts';
import { refuse, sameShape, show, showShape, type Origin } from './refusal.ts';
import { DECIDER_CLASS, TAH_CONFIG_FILE, type DeciderSettings } from './tahConfig.ts';
import { openTorchFile, type TorchFile, type TorchStorage, type TorchTensor, type TorchValue } from './torchPickle.ts';
import type { DeciderWeights, ModelConfig } from './types.ts';

export const DECIDER_FILE = 'iter_decider.bin';
const THRESHOLD = 'threshold';
/** The reference makes this layer without a dtype: it keeps the precision that it was saved with. */
const NEVER_ROUNDED = 'layer_norm_hidden_states.';

/** @throws TahError checkpoint.bad-decider, checkpoint.forbidden-pickle, checkpoint.not-finite (threshold), checkpoint.missing-file */
export function openDecider(folder: CheckpointFolder, settings: DeciderSettings, model: ModelConfig): DeciderWeights {
  const file = folder.open(DECIDER_FILE);
  const torch = openTorchFile(file);
  const tensors = stateDict(torch.value, file.origin);
  const expected = expectedTensors(settings, model);
  checkTensors(tensors, expected, file.origin, settings.threshold !== null);
  const read = (name: string): { readonly shape: readonly number[]; readonly data: Float32Array } => {
    const tensor = tensors.get(name);
    if (!tensor) refuse('checkpoint.bad-decider', file.origin, `tensor ${show(name)} is missing`, { subject: name });
    return { shape: tensor.shape, data: readRounded(torch, tensor, name, settings, file.origin) };
  };
  const [threshold = NaN] = settings.threshold === null ? read(THRESHOLD).data : roundThrough(Float32Array.of(settings.threshold), settings.format);
  if (!Number.isFinite(threshold)) {
    refuse('checkpoint.bad-decider', folder.origin(TAH_CONFIG_FILE), `the threshold ${settings.threshold ?? NaN} does not fit into ${settings.format}`, { subject: THRESHOLD });
  }
  const { topK, layers, hiddenDims, expansionFactor, normalizeInput } = settings;
  return {
    config: { topK, layers, hiddenDims, expansionFactor, normalizeInput, threshold },
    names: [...expected.keys()].filter((name) => tensors.has(name)),
    read,
  };
}

function stateDict(value: TorchValue, origin: Origin): ReadonlyMap<string, TorchTensor> {
  const no = (what: string, subject: string): never => refuse('checkpoint.bad-decider', origin, what, { subject });
  if (!isKind(value, 'dict')) return no('it holds no dict with class and state_dict', 'state_dict');
  const kind = value.entries.get('class');
  if (kind !== DECIDER_CLASS) no(`its class is ${typeof kind === 'string' ? show(kind) : 'missing'}; ${DECIDER_CLASS}, as in ${TAH_CONFIG_FILE}, is expected`, 'class');
  const state: TorchValue | undefined = value.entries.get('state_dict');
  if (!isKind(state, 'dict')) return no('it has no state_dict', 'state_dict');
  return tensorsOf(state, no);
}

function tensorsOf(state: PickleDict<TorchStorage | TorchTensor>, no: (what: string, subject: string) => never): ReadonlyMap<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  for (const [key, entry] of state.entries) {
    const tensor = isKind(entry, 'object') ? entry.object : undefined;
    if (typeof key !== 'string' || tensor?.what !== 'tensor') return no(`entry ${show(key)} of its state_dict is no tensor`, String(key));
    if (tensor.storage.type === 'int64') return no(`tensor ${show(key)} holds whole numbers; floating-point ones are expected`, key);
    tensors.set(key, tensor);
  }
  return tensors;
}

/** Name to shape, in the order of the computation. */
function expectedTensors(settings: DeciderSettings, model: ModelConfig): ReadonlyMap<string, readonly number[]> {
  const { topK, layers, hiddenDims, expansionFactor, normalizeInput } = settings;
  const tensors = new Map<string, readonly number[]>([[THRESHOLD, []]]);
  const linear = (name: string, into: number, out: number): void => {
    tensors.set(`${name}.weight`, [out, into]).set(`${name}.bias`, [out]);
  };
  const norm = (name: string, size: number): void => {
    tensors.set(`${name}.weight`, [size]).set(`${name}.bias`, [size]);
  };
  const { hiddenSize } = model;
  const first = hiddenDims[0] ?? 0;
  const last = hiddenDims.at(-1) ?? 0;
  if (normalizeInput) norm('layer_norm_hidden_states', hiddenSize * layers.length);
  linear('logits_projection', topK, hiddenSize);
  linear('combined_projection', hiddenSize * (layers.length + 1), first);
  linear('backbone.input_projection', first, first);
  hiddenDims.forEach((into, i) => {
    const block = `backbone.blocks.${i}`;
    const out = hiddenDims[i + 1] ?? last;
    norm(`${block}.layer_norm`, into);
    linear(`${block}.mlp.0`, into, into * expansionFactor);
    linear(`${block}.mlp.3`, into * expansionFactor, out);
    if (into !== out) linear(`${block}.dim_change`, into, out);
  });
  norm('backbone.output_layer.0', last);
  linear('backbone.output_layer.1', last, 1);
  return tensors;
}

function checkTensors(tensors: ReadonlyMap<string, TorchTensor>, expected: ReadonlyMap<string, readonly number[]>, origin: Origin, hasThreshold: boolean): void {
  const no = (what: string, subject: string): never => refuse('checkpoint.bad-decider', origin, what, { subject });
  for (const [name, shape] of expected) {
    const tensor = tensors.get(name);
    if (!tensor) {
      if (name === THRESHOLD && hasThreshold) continue;
      no(`tensor ${show(name)} of shape ${showShape(shape)} is missing from its state_dict`, name);
    } else if (!sameShape(tensor.shape, shape)) {
      no(`tensor ${show(name)} has shape ${showShape(tensor.shape)}, but ${TAH_CONFIG_FILE} and config.json ask for ${showShape(shape)}`, name);
    }
  }
  for (const name of tensors.keys()) {
    if (!expected.has(name)) no(`tensor ${show(name)} does not belong to the decider that ${TAH_CONFIG_FILE} describes`, name);
  }
}

function readRounded(torch: TorchFile, tensor: TorchTensor, name: string, settings: DeciderSettings, origin: Origin): Float32Array {
  const raw = torch.read(tensor);
  const data = firstNotFinite(raw) < 0 && !name.startsWith(NEVER_ROUNDED) ? roundThrough(raw, settings.format) : raw;
  const index = firstNotFinite(data);
  if (index >= 0) {
    refuse('checkpoint.not-finite', origin, `tensor ${show(name)} holds ${data[index] ?? NaN} at element ${index}; finite numbers are expected`, { subject: name });
  }
  return data;
}
