/**
 * The one file that knows onnxruntime-node: opens a graph on a provider and runs it.
 * Feeds are bound without a copy; every output is copied by the runtime, so callers ask for no more than they need.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-node';
import type { Provider, ProviderChoice, ProviderInfo } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import type { CacheKind, GraphFlavour } from '../protocol/manifest.ts';
import { cudaFailure, cudaLibraries, missingForCuda } from './providers/cudaLibraries.ts';

/** A named array as the graph takes and gives it. int64 values are token ids and row numbers. */
export type Feed = HostFeed | DeviceFeed;

export type HostFeed =
  | { readonly dtype: 'float32'; readonly data: Float32Array; readonly dims: readonly number[] }
  | { readonly dtype: 'float64'; readonly data: Float64Array; readonly dims: readonly number[] }
  | { readonly dtype: 'int8'; readonly data: Int8Array; readonly dims: readonly number[] }
  | { readonly dtype: 'int64'; readonly data: BigInt64Array; readonly dims: readonly number[] };

/** An output of an earlier run that has stayed where it was computed. */
export interface DeviceFeed {
  readonly dtype: 'device';
  readonly tensor: DeviceTensor;
}

/** An output that stays on the provider's device where the provider can do that, else in memory. Whoever asks for it releases it. */
export interface DeviceTensor {
  readonly value: Ort.Tensor;
  release(): void;
}

export type Feeds = Readonly<Record<string, Feed>>;

export interface Outputs {
  /** @throws Error where the graph has no such float32 output (a fault of ours) */
  floats(name: string): Float32Array;
  integers(name: string): BigInt64Array;
  /** int8 codes */
  codes(name: string): Int8Array;
  has(name: string): boolean;
  /** An output of `onDevice`. */
  device(name: string): DeviceTensor;
}

/** Of a session on this machine: no endpoint. */
export interface LocalProviderInfo extends ProviderInfo {
  readonly provider: Provider;
  /** Whose graph is run; default: the provider's own. */
  readonly flavour?: GraphFlavour;
}

export interface Session {
  readonly provider: ProviderInfo;
  /** Where the cache stays on the device: the session of the graph that joins its rows. Closed with this one. */
  readonly merge: Session | null;
  /** Its graph can make several passes in one run (LOOP of protocol/graph.ts). */
  readonly loops: boolean;
  /** What its graph keeps between runs where the cache lies in memory. */
  readonly cache: CacheKind;
  run(feeds: Feeds): Promise<Outputs>;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** `auto` is the CPU here: who chooses between providers is providers/choose.ts, and gives its choice with its reason. */
  readonly provider: ProviderChoice | LocalProviderInfo;
  /** Threads of one run; 0 lets the runtime choose. */
  readonly threads?: number;
  /** Outputs that stay on the device between runs. */
  readonly onDevice?: readonly string[];
}

/** Providers whose tensors can stay on the device between runs. */
const KEEPS_TENSORS: readonly Provider[] = ['webgpu'];

/**
 * @throws TahError engine.provider-unavailable, model.corrupted, engine.out-of-memory
 */
export async function openSession(graphFile: string, options: SessionOptions): Promise<Session> {
  const ort = loadRuntime();
  const info = typeof options.provider === 'object' ? options.provider : plainInfo(options.provider);
  refuseUnknown(info.provider);
  const session = await createSession(ort, graphFile, { provider: info.provider, threads: options.threads ?? 0, onDevice: options.onDevice ?? [] });
  const tensors = tensorCache(ort);
  return {
    provider: info,
    merge: null,
    loops: false,
    cache: 'float32',
    async run(feeds) {
      const inputs: Record<string, Ort.Tensor> = {};
      for (const [name, feed] of Object.entries(feeds)) inputs[name] = tensors(feed);
      let outputs: Ort.InferenceSession.OnnxValueMapType;
      try {
        outputs = await session.run(inputs);
      } catch (error) {
        throw runError(error);
      }
      return {
        floats: (name) => outputOf(outputs, name, Float32Array),
        integers: (name) => outputOf(outputs, name, BigInt64Array),
        codes: (name) => outputOf(outputs, name, Int8Array),
        has: (name) => name in outputs,
        device: (name) => deviceTensor(outputs, name),
      };
    },
    close: () => session.release(),
  };
}

/**
 * The package of ONNX Runtime: the one beside the bundle, or the folder in TAH_RUNTIME_PACKAGE, which may hold another
 * build of the same version (with the CUDA provider's library beside its own, for one).
 */
function runtimePackage(): string {
  const given = process.env['TAH_RUNTIME_PACKAGE'];
  return given === undefined || given === '' ? 'onnxruntime-node' : given;
}

function loadRuntime(): typeof Ort {
  try {
    // Required at run time: it loads its native library by its own path.
    return createRequire(import.meta.url)(runtimePackage()) as typeof Ort;
  } catch (error) {
    throw new TahError('engine.provider-unavailable', `ONNX Runtime can't be loaded on ${process.platform}-${process.arch}: ${messageOf(error)}`, {
      hint: process.platform === 'linux' ? 'It needs glibc 2.28 or newer (Alpine and other musl systems are not supported).' : 'Install the extension made for this platform.',
      cause: error,
    });
  }
}

/** The main file of the package of ONNX Runtime. */
function runtimeMain(): string {
  return createRequire(import.meta.url).resolve(runtimePackage());
}

/** Of the package in use. @throws TahError engine.provider-unavailable */
export function runtimeVersion(): string {
  return loadRuntime().env.versions.node ?? 'of unknown version';
}

const PROVIDERS: readonly Provider[] = ['cpu', 'cuda', 'dml', 'webgpu', 'coreml'];

/** Providers that the runtime in use brings with it, whether or not the machine has a device for them. */
export function availableProviders(): readonly Provider[] {
  // It names some that it has no library for, and some that nobody can choose here (TensorRT, QNN, …).
  const bundled = loadRuntime().listSupportedBackends().filter((backend) => backend.bundled || (backend.name === 'cuda' && cudaLibraries(runtimeMain()).every((file) => fs.existsSync(file)))).map(({ name }) => name);
  return PROVIDERS.filter((name) => bundled.includes(name));
}

/** @throws TahError engine.provider-unavailable for a provider that the runtime in use doesn't know */
export function refuseUnknown(provider: Provider): void {
  const known = PROVIDERS.filter((name) => backendNames(loadRuntime()).includes(name));
  if (known.includes(provider)) return;
  throw new TahError('engine.provider-unavailable', `The provider "${provider}" is not in this build of ONNX Runtime (${process.platform}-${process.arch} has ${known.join(', ')}).`, {
    subject: provider,
    hint: 'Choose "auto" or one of those.',
  });
}

function plainInfo(choice: ProviderChoice): LocalProviderInfo {
  return { provider: choice === 'auto' ? 'cpu' : choice, reason: 'chosen by the caller', rejected: [] };
}

interface Creation {
  readonly provider: Provider;
  readonly threads: number;
  readonly onDevice: readonly string[];
}

async function createSession(ort: typeof Ort, graphFile: string, { provider, threads, onDevice }: Creation): Promise<Ort.InferenceSession> {
  const options: Ort.InferenceSession.SessionOptions = {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    // Errors are thrown; warnings of the runtime are about its own fallbacks.
    logSeverityLevel: 3,
    // Electron's allocator ends the process at the arena's large aligned blocks (electron#41513).
    enableCpuMemArena: process.versions['electron'] === undefined,
    ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
    ...(KEEPS_TENSORS.includes(provider) && onDevice.length > 0 ? { preferredOutputLocation: Object.fromEntries(onDevice.map((name) => [name, 'gpu-buffer' as const])) } : {}),
  };
  try {
    return await ort.InferenceSession.create(graphFile, options);
  } catch (error) {
    const message = withoutSource(messageOf(error));
    if (/bad_alloc|out of memory|allocat/i.test(message)) throw outOfMemory(error);
    if (provider !== 'cpu') {
      const why = (provider === 'cuda' ? missingForCuda(runtimeMain(), message) ?? cudaFailure(message) : null) ?? message;
      throw new TahError('engine.provider-unavailable', `The provider "${provider}" could not be started: ${why}`, { subject: provider, hint: 'Choose "auto" or "cpu".', cause: error });
    }
    throw new TahError('model.corrupted', `The graph can't be loaded: ${message}`, { file: graphFile, hint: 'Import the model again.', cause: error });
  }
}

/** One Tensor a feed, as long as the feed lives: the key-value cache feeds the same arrays at every run. */
function tensorCache(ort: typeof Ort): (feed: Feed) => Ort.Tensor {
  const tensors = new WeakMap<Feed, Ort.Tensor>();
  return (feed) => {
    if (feed.dtype === 'device') return feed.tensor.value;
    const known = tensors.get(feed);
    if (known !== undefined) return known;
    const tensor = tensorOf(ort, feed);
    tensors.set(feed, tensor);
    return tensor;
  };
}

function tensorOf(ort: typeof Ort, feed: HostFeed): Ort.Tensor {
  switch (feed.dtype) {
    case 'float32':
      return new ort.Tensor('float32', feed.data, feed.dims);
    case 'float64':
      return new ort.Tensor('float64', feed.data, feed.dims);
    case 'int8':
      return new ort.Tensor('int8', feed.data, feed.dims);
    case 'int64':
      return new ort.Tensor('int64', feed.data, feed.dims);
    default:
      return feed satisfies never;
  }
}

function deviceTensor(outputs: Ort.InferenceSession.OnnxValueMapType, name: string): DeviceTensor {
  const value = outputs[name];
  if (value === undefined) throw new Error(`the graph has no output ${name}`);
  return {
    value,
    release: () => { value.dispose(); },
  };
}

function outputOf<T extends Float32Array | BigInt64Array | Int8Array>(outputs: Ort.InferenceSession.OnnxValueMapType, name: string, type: abstract new (...args: never[]) => T): T {
  const data = outputs[name]?.data;
  if (!(data instanceof type)) throw new Error(`the graph has no output ${name} of type ${type.name}`);
  return data;
}

function runError(error: unknown): TahError {
  const message = messageOf(error);
  if (/bad_alloc|out of memory|failed to allocate/i.test(message)) return outOfMemory(error);
  return new TahError('engine.run-failed', `ONNX Runtime failed in a pass: ${message}`, { cause: error });
}

function outOfMemory(cause: unknown): TahError {
  return new TahError('engine.out-of-memory', 'There is not enough memory for this model.', { hint: 'Close other programs, or import the model with int4.', cause });
}

/** ONNX Runtime puts file, function and condition of its own source before the reason. */
function withoutSource(message: string): string {
  return message.replace(/^\S+:\d+ .*? was false\. /s, '').trim();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Providers that this build of ONNX Runtime has, whether or not the machine can run them. @throws engine.provider-unavailable */
export function listProviders(): readonly string[] {
  return backendNames(loadRuntime());
}

function backendNames(ort: typeof Ort): readonly string[] {
  return ort.listSupportedBackends().map((backend) => backend.name);
}
