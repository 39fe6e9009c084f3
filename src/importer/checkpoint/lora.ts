/**
 * The LoRA adapter: lora/adapter_config.json and lora/adapter_model.safetensors in PEFT's layout.
 * Checks that exactly the tensors that the configuration means are there, A [r, in] and B [out, r]. Scales nothing.
 */
import { linearShape } from './architecture.ts';
import type { CheckpointFolder } from './checkpointFolder.ts';
import { readJsonObject, type JsonObject } from './json.ts';
import { readLoraSettings } from './loraConfig.ts';
import { refuse, sameShape, show, showShape } from './refusal.ts';
import { readSafetensors } from './safetensors.ts';
import { TAH_CONFIG_FILE } from './tahConfig.ts';
import { tensorSource } from './tensorSource.ts';
import { LINEARS, type Linear, type LoraWeights, type ModelConfig } from './types.ts';

export const LORA_CONFIG_FILE = 'lora/adapter_config.json';
export const LORA_WEIGHTS_FILE = 'lora/adapter_model.safetensors';

/** @throws TahError checkpoint.bad-lora, checkpoint.bad-json, checkpoint.bad-safetensors, checkpoint.missing-file */
export function openLora(folder: CheckpointFolder, kwargs: JsonObject, model: ModelConfig): LoraWeights {
  const code = 'checkpoint.bad-lora';
  const { config, targets } = readLoraSettings(
    kwargs,
    { origin: folder.origin(TAH_CONFIG_FILE), code, at: 'adapter_kwargs' },
    readJsonObject(folder, LORA_CONFIG_FILE),
    { origin: folder.origin(LORA_CONFIG_FILE), code },
    model.layers,
  );
  const file = folder.open(LORA_WEIGHTS_FILE);
  const entries = readSafetensors(file);
  const expected = expectedTensors(model, config.rank, targets);
  for (const [name, shape] of expected) {
    const entry = entries.get(name);
    if (!entry) refuse(code, file.origin, `tensor ${show(name)} of shape ${showShape(shape)} is missing`, { subject: name });
    if (!sameShape(entry.shape, shape)) {
      refuse(code, file.origin, `tensor ${show(name)} has shape ${showShape(entry.shape)}, but rank ${config.rank} and config.json ask for ${showShape(shape)}`, { subject: name });
    }
  }
  for (const name of entries.keys()) {
    if (!expected.has(name)) refuse(code, file.origin, `tensor ${show(name)} does not belong to the adapter that ${LORA_CONFIG_FILE} describes`, { subject: name });
  }
  const source = tensorSource(entries, [...expected.keys()], file.origin);
  return {
    config,
    adapts: (linear) => targets.has(linear),
    read: (layer, linear) => ({ a: source.read(tensorName(layer, linear, 'A')), b: source.read(tensorName(layer, linear, 'B')) }),
  };
}

function tensorName(layer: number, linear: Linear, half: 'A' | 'B'): string {
  return `base_model.model.model.layers.${layer}.${linear}.lora_${half}.weight`;
}

function expectedTensors(model: ModelConfig, rank: number, targets: ReadonlySet<Linear>): ReadonlyMap<string, readonly number[]> {
  const tensors = new Map<string, readonly number[]>();
  for (let layer = 0; layer < model.layers; layer++) {
    for (const linear of LINEARS.filter((name) => targets.has(name))) {
      const [out, into] = linearShape(model, linear);
      tensors.set(tensorName(layer, linear, 'A'), [rank, into]);
      tensors.set(tensorName(layer, linear, 'B'), [out, rank]);
    }
  }
  return tensors;
}
