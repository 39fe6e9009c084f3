/**
 * Inverse frequencies of rotary embeddings, as Hugging Face transformers computes them: float32, an operation at a time.
 * Knows `rope_scaling` (transformers 4) and `rope_parameters` (5) of kind default, linear, llama3 and yarn; refuses others.
 * Source: transformers 4.52.4, modeling_rope_utils.
 */
import * as z from 'zod';
import { conform, given, isObject, real, truth, whole, type JsonObject, type Place } from './json.ts';
import { refuse, show } from './refusal.ts';

export interface Rope {
  /** float32 [headDim / 2] */
  readonly inverseFrequencies: Float32Array;
  /** Factor on cos and sin. */
  readonly attentionFactor: number;
}

const f = Math.fround;
const THETA = 10000;
const positive = (): z.ZodType<number> => real(1e-6, 1e12);

/** @throws TahError checkpoint.bad-config where the kind is unknown or a number is missing or impossible */
export function readRope(config: JsonObject, headDim: number, contextLength: number, place: Place): Rope {
  const { parameters, at, theta } = readSettings(config, place);
  const inside: Place = { ...place, at };
  const base = baseFrequencies(theta, headDim);
  const rope = scale(parameters, inside, base, { theta, headDim, contextLength, modern: at === 'rope_parameters' });
  if (!rope.inverseFrequencies.every(Number.isFinite) || !Number.isFinite(rope.attentionFactor)) {
    refuse(place.code, place.origin, `${at} leads to frequencies that are not finite`, { subject: at });
  }
  return rope;
}

interface Settings {
  readonly parameters: JsonObject;
  readonly at: 'rope_parameters' | 'rope_scaling';
  readonly theta: number;
}

function readSettings(config: JsonObject, place: Place): Settings {
  const { rope_parameters: modern, rope_scaling: classic } = config;
  if (given(modern) && given(classic)) refuse(place.code, place.origin, 'it has both rope_parameters and rope_scaling; one is expected', { subject: 'rope_scaling' });
  const at = !given(modern) ? 'rope_scaling' : 'rope_parameters';
  const parameters = modern ?? classic ?? {};
  if (!isObject(parameters)) refuse(place.code, place.origin, `${at} must be an object, but is ${show(parameters)}`, { subject: at });
  const schema = z.object({ rope_theta: real(1, 1e12).nullish() });
  const outer = conform(schema, config, place).rope_theta;
  const inner = conform(schema, parameters, { ...place, at }).rope_theta;
  if (given(outer) && given(inner) && outer !== inner) {
    refuse(place.code, place.origin, `rope_theta is ${outer}, but ${at}.rope_theta is ${inner}`, { subject: 'rope_theta' });
  }
  for (const partial of [config['partial_rotary_factor'], parameters['partial_rotary_factor']]) {
    if (given(partial) && partial !== 1) refuse(place.code, place.origin, `partial_rotary_factor is ${show(partial)}; only 1 is supported`, { subject: 'partial_rotary_factor' });
  }
  return { parameters, at, theta: inner ?? outer ?? THETA };
}

interface RopeContext {
  readonly theta: number;
  readonly headDim: number;
  readonly contextLength: number;
  readonly modern: boolean;
}

function scale(parameters: JsonObject, place: Place, base: Float32Array, context: RopeContext): Rope {
  const { rope_type: kind, type: older } = parameters;
  if (given(kind) && given(older) && kind !== older) {
    refuse(place.code, place.origin, `${place.at ?? ''}.rope_type is ${show(kind)}, but its type is ${show(older)}`, { subject: 'rope_type' });
  }
  const name = older ?? kind ?? 'default';
  switch (name) {
    case 'default':
      return { inverseFrequencies: base, attentionFactor: 1 };
    case 'linear': {
      const { factor } = conform(z.object({ factor: positive() }), parameters, place);
      return { inverseFrequencies: base.map((x) => x / f(factor)), attentionFactor: 1 };
    }
    case 'llama3':
      return { inverseFrequencies: llama3(base, parameters, place), attentionFactor: 1 };
    case 'yarn':
      return yarn(base, parameters, place, context);
    default:
      refuse(place.code, place.origin, `${place.at ?? ''}.rope_type is ${show(name)}; default, linear, llama3 and yarn are supported`, { subject: 'rope_type' });
  }
}

/** theta^(2i / headDim), float32 [headDim / 2] */
function positionFrequencies(theta: number, headDim: number): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, i) => f(theta) ** f((2 * i) / headDim));
}

function baseFrequencies(theta: number, headDim: number): Float32Array {
  return positionFrequencies(theta, headDim).map((x) => 1 / x);
}

function llama3(base: Float32Array, parameters: JsonObject, place: Place): Float32Array {
  const schema = z.object({ factor: positive(), low_freq_factor: positive(), high_freq_factor: positive(), original_max_position_embeddings: whole(1, 2 ** 31) });
  const settings = conform(schema, parameters, place);
  const [factor, low, high, original] = [f(settings.factor), f(settings.low_freq_factor), f(settings.high_freq_factor), settings.original_max_position_embeddings];
  if (high <= low) refuse(place.code, place.origin, `${place.at ?? ''}: high_freq_factor ${high} must be greater than low_freq_factor ${low}`, { subject: 'high_freq_factor' });
  const longest = f(original / settings.low_freq_factor);
  const shortest = f(original / settings.high_freq_factor);
  const range = f(settings.high_freq_factor - settings.low_freq_factor);
  return base.map((x) => {
    const wavelength = f(f(1 / x) * f(2 * Math.PI));
    const slowed = wavelength > longest ? f(x / factor) : x;
    if (wavelength < shortest || wavelength > longest) return slowed;
    const smooth = f(f(f(f(1 / wavelength) * original) - low) / range);
    return f(f(f(f(1 - smooth) * slowed) / factor) + f(smooth * slowed));
  });
}

/** 0 means the default too, as in the original. */
function orDefault(value: number | null | undefined, otherwise: number): number {
  return given(value) && value !== 0 ? value : otherwise;
}

function yarn(base: Float32Array, parameters: JsonObject, place: Place, context: RopeContext): Rope {
  const schema = z.object({
    factor: positive().nullish(),
    attention_factor: positive().nullish(),
    mscale: real(0, 1e6).nullish(),
    mscale_all_dim: real(0, 1e6).nullish(),
    beta_fast: real(0, 1e6).nullish(),
    beta_slow: real(0, 1e6).nullish(),
    original_max_position_embeddings: whole(1, 2 ** 31).optional(),
    truncate: truth().nullish(),
  });
  const settings = conform(schema, parameters, place);
  if (settings.truncate === false) refuse(place.code, place.origin, `${place.at ?? ''}.truncate is false; only true is supported`, { subject: 'truncate' });
  const { headDim, theta, contextLength } = context;
  const original = settings.original_max_position_embeddings ?? contextLength;
  // transformers 4 takes the ratio of the lengths wherever the original one is given, whatever `factor` says; 5 only without `factor`.
  const ratio = contextLength / original;
  const factor = context.modern ? (settings.factor ?? ratio) : settings.original_max_position_embeddings === undefined ? settings.factor : ratio;
  if (!given(factor)) refuse(place.code, place.origin, `${place.at ?? ''}.factor must be a number, but is missing`, { subject: 'factor' });
  const magnitude = (m: number): number => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1);
  const { mscale, mscale_all_dim: all } = settings;
  const attentionFactor = settings.attention_factor ?? (mscale && all ? magnitude(mscale) / magnitude(all) : magnitude(1));
  const correction = (rotations: number): number => (headDim * Math.log(original / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
  const low = Math.max(Math.floor(correction(orDefault(settings.beta_fast, 32))), 0);
  const high = Math.min(Math.ceil(correction(orDefault(settings.beta_slow, 1))), headDim - 1);
  const width = f(low === high ? 0.001 : high - low);
  const inverseFrequencies = positionFrequencies(theta, headDim).map((frequency, i) => {
    const ramp = Math.min(Math.max(f(f(i - low) / width), 0), 1);
    const keep = f(1 - ramp);
    const interpolated = f(1 / f(f(factor) * frequency));
    return f(f(interpolated * f(1 - keep)) + f((base[i] ?? NaN) * keep));
  });
  return { inverseFrequencies, attentionFactor };
}
