/**
 * What LoRA a model has, said twice: in tah_config.json `adapter_kwargs`, which the reference obeys, and in
 * lora/adapter_config.json, which it ignores. Both are read and must agree. Knows PEFT 0.15's settings; reads no tensors.
 */
import * as z from 'zod';
import { conform, given, objectOf, real, truth, whole, type JsonObject, type Place } from './json.ts';
import { refuse, show } from './refusal.ts';
import { LINEARS, type Linear, type LoraConfig } from './types.ts';

export interface LoraSettings {
  readonly config: LoraConfig;
  readonly targets: ReadonlySet<Linear>;
}

/** Settings that change nothing at inference. */
const WITHOUT_EFFECT = new Set([
  ...['lora_dropout', 'base_grad', 'adapter_grad', 'task_type', 'inference_mode', 'peft_type', 'peft_version', 'revision', 'auto_mapping'],
  ...['base_model_name_or_path', 'megatron_core', 'loftq_config', 'corda_config', 'eva_config', 'qalora_group_size', 'layers_pattern'],
]);

const schema = objectOf({
  // PEFT's own defaults.
  r: whole(1, 65536).default(8),
  lora_alpha: real(0, 1e9).default(8),
  use_rslora: truth().default(false),
  bias: z.literal('none', { error: 'must be "none"' }).default('none'),
  init_lora_weights: z.union([z.boolean(), z.literal('gaussian')], { error: 'must be true, false or "gaussian"' }).optional(),
  target_modules: z.union([z.string(), z.array(z.string())], { error: 'must be "all-linear" or an array of names' }).nullish(),
});
type Settings = z.infer<typeof schema>;

/**
 * @param ours adapter_kwargs of tah_config.json @param theirs lora/adapter_config.json @param layers blocks of the model
 * @throws TahError checkpoint.bad-lora where one asks for what we can't compute, or the two disagree
 */
export function readLoraSettings(ours: JsonObject, oursPlace: Place, theirs: JsonObject, theirsPlace: Place, layers: number): LoraSettings {
  if (given(theirs['peft_type']) && theirs['peft_type'] !== 'LORA') {
    refuse(theirsPlace.code, theirsPlace.origin, `peft_type is ${show(theirs['peft_type'])}; "LORA" is expected`, { subject: 'peft_type' });
  }
  const a = readSettings(ours, oursPlace);
  const b = readSettings(theirs, theirsPlace);
  const conflict = (key: string, one: unknown, other: unknown): never =>
    refuse('checkpoint.bad-lora', theirsPlace.origin, `${key} is ${show(other)}, but ${oursPlace.origin.name} adapter_kwargs says ${show(one)}; the two must agree`, {
      subject: key,
      hint: 'Find out which one the adapter was trained with, and correct the other file.',
    });
  for (const key of ['r', 'lora_alpha', 'use_rslora'] as const) {
    if (a[key] !== b[key]) conflict(key, a[key], b[key]);
  }
  const oursTargets = readTargets(a, layers, oursPlace);
  const theirsTargets = readTargets(b, layers, theirsPlace);
  const targets = oursTargets ?? theirsTargets;
  if (targets === null) refuse(theirsPlace.code, theirsPlace.origin, 'target_modules is missing here and in tah_config.json', { subject: 'target_modules' });
  if (oursTargets && theirsTargets && !sameSet(oursTargets, theirsTargets)) conflict('target_modules', a.target_modules, b.target_modules);
  const scale = a.lora_alpha / (a.use_rslora ? Math.sqrt(a.r) : a.r);
  return { config: { rank: a.r, scale }, targets };
}

function readSettings(raw: JsonObject, place: Place): Settings {
  for (const [key, value] of Object.entries(raw)) {
    if (Object.hasOwn(schema.shape, key) || WITHOUT_EFFECT.has(key) || isNeutral(value)) continue;
    refuse(place.code, place.origin, `${keyAt(place, key)} is ${show(value)}, which is not supported`, { subject: key });
  }
  return conform(schema, raw, place);
}

function keyAt(place: Place, key: string): string {
  return place.at === undefined ? key : `${place.at}.${key}`;
}

/** PEFT writes every setting it knows; those that are off are null, false or empty. */
function isNeutral(value: unknown): boolean {
  return value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);
}

/**
 * The linears that the names mean, by PEFT's rule that a name matches a module's path or the end of it; null where none
 * are given. PEFT writes either short names or the full path of each, `model.layers.0.self_attn.q_proj`.
 */
function readTargets(settings: Settings, layers: number, place: Place): ReadonlySet<Linear> | null {
  const named = settings.target_modules;
  if (!given(named)) return null;
  if (named === 'all-linear') return new Set(LINEARS);
  const no = (what: string): never => refuse(place.code, place.origin, `${keyAt(place, 'target_modules')} ${what}`, { subject: 'target_modules' });
  if (typeof named === 'string' || named.length === 0) {
    return no(`is ${show(named)}; "all-linear" or names of a block's linears (such as "q_proj") are expected`);
  }
  const names = new Set(named);
  const used = new Set<string>();
  const targets = new Set<Linear>();
  for (const linear of LINEARS) {
    let blocks = 0;
    for (let layer = 0; layer < layers; layer++) {
      const matching = pathEnds(`model.layers.${layer}.${linear}`).filter((end) => names.has(end));
      for (const end of matching) used.add(end);
      if (matching.length > 0) blocks++;
    }
    if (blocks > 0 && blocks < layers) no(`names ${linear} in ${blocks} of ${layers} blocks; all or none are supported`);
    if (blocks > 0) targets.add(linear);
  }
  const unknown = named.find((name) => !used.has(name));
  if (unknown !== undefined) no(`has ${show(unknown)}; "all-linear" or names of a block's linears (such as "q_proj") are expected`);
  return targets;
}

/** `a.b.c`, `b.c`, `c` */
function pathEnds(name: string): readonly string[] {
  const steps = name.split('.');
  return steps.map((_, i) => steps.slice(i).join('.'));
}

function sameSet(a: ReadonlySet<unknown>, b: ReadonlySet<unknown>): boolean {
  return a.size === b.size && [...a].every((item) => b.has(item));
}
