/**
 * The extension's settings as checked values. A value that a settings file got wrong is replaced by its default.
 * Imports no `vscode` at run time: it is given a configuration to read.
 */

import type { Endpoint } from '../endpoint/address.ts';
import { DEFAULT_HUB } from '../hub/source.ts';
import type { ProviderChoice, SamplingOptions, ThinkingPolicy } from '../protocol/engine.ts';
import type { Quantization } from '../protocol/manifest.ts';

export const SECTION = 'thinkAtHard';

export interface Settings {
  /** Id or folder of a model, or an endpoint's reference; null: the bundled one. */
  readonly model: string | null;
  readonly modelFolders: readonly string[];
  readonly endpoints: readonly Endpoint[];
  readonly policy: ThinkingPolicy;
  readonly maxTokens: number;
  /** Null: the model's own. */
  readonly temperature: number | null;
  readonly provider: ProviderChoice;
  /** Null: chosen by the extension. */
  readonly nodePath: string | null;
  /** Milliseconds; `NEVER_MS` is never. */
  readonly idleUnloadMs: number;
  /** Address of the hub or mirror that checkpoints come from; checked where it is used, so that a wrong one is told. */
  readonly hubUrl: string;
  /** Address of a mirror of PyPI's files, which the CUDA runtime comes from; null: PyPI. */
  readonly cudaMirror: string | null;
  /** Address of a mirror of the npm registry; null: the registry itself. */
  readonly nodeMirror: string | null;
  /** Offered first when a checkpoint is imported. */
  readonly quantization: Quantization;
}

/** The longest that a timer can wait: 24 days. */
export const NEVER_MS = 2 ** 31 - 1;

/** Where the values come from: a WorkspaceConfiguration of this section is one. */
export interface SettingsSource {
  get(key: string): unknown;
}

const QUANTIZATIONS: readonly Quantization[] = ['int4', 'int8', 'fp32'];
const PROVIDERS: readonly ProviderChoice[] = ['auto', 'cpu', 'cuda', 'dml', 'webgpu'];

export function readSettings(source: SettingsSource): Settings {
  const minutes = numberIn(source.get('idleUnloadMinutes'), 0, 24 * 60) ?? 10;
  return {
    model: text(source.get('model')),
    modelFolders: textList(source.get('modelFolders')),
    endpoints: endpointList(source.get('endpoints')),
    policy: readPolicy(source),
    maxTokens: Math.floor(numberIn(source.get('maxTokens'), 1, 131_072) ?? 2048),
    temperature: numberIn(source.get('temperature'), 0, 2),
    provider: PROVIDERS.find((provider) => provider === source.get('provider')) ?? 'auto',
    nodePath: text(source.get('nodePath')),
    idleUnloadMs: minutes === 0 ? NEVER_MS : minutes * 60_000,
    hubUrl: text(source.get('hubUrl')) ?? DEFAULT_HUB,
    cudaMirror: text(source.get('cudaMirror')),
    nodeMirror: text(source.get('nodeMirror')),
    quantization: QUANTIZATIONS.find((kind) => kind === source.get('quantization')) ?? 'int8',
  };
}

function readPolicy(source: SettingsSource): ThinkingPolicy {
  const kind = source.get('thinkingPolicy');
  if (kind === 'never' || kind === 'always') return { kind };
  const threshold = numberIn(source.get('threshold'), 0, 1);
  return threshold === null ? { kind: 'decider' } : { kind: 'decider', threshold };
}

/** The model's own sampling with the temperature replaced; seed 0, so that a run repeats. */
export function withTemperature(own: Omit<SamplingOptions, 'seed'>, temperature: number): SamplingOptions {
  return { ...own, temperature, seed: 0 };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

function textList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(text).filter((entry) => entry !== null) : [];
}

/** Entries that have all three parts; of two with the same name the first. */
function endpointList(value: unknown): readonly Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const entry of Array.isArray(value) ? (value as readonly unknown[]) : []) {
    if (typeof entry !== 'object' || entry === null) continue;
    const { name, url, model } = entry as Readonly<Record<string, unknown>>;
    const [is, at, of] = [text(name), text(url), text(model)];
    if (is !== null && at !== null && of !== null && !endpoints.some((one) => one.name === is)) endpoints.push({ name: is, url: at, model: of });
  }
  return endpoints;
}

function numberIn(value: unknown, least: number, most: number): number | null {
  return typeof value === 'number' && value >= least && value <= most ? value : null;
}
