/** The session of a model folder: which of its graphs a provider gets, where its cache lies, and how many threads. */
import path from 'node:path';
import { grownName, mergedName, type KeyOrValue } from '../protocol/graph.ts';
import type { Provider } from '../protocol/engine.ts';
import type { GraphFlavour, ModelManifest } from '../protocol/manifest.ts';
import type { ModelFolder } from './modelFolder.ts';
import { openSession, type LocalProviderInfo, type Session } from './session.ts';

/** Parameters below which a pass is so short that handing it to several threads costs more than it saves. */
const SMALL_MODEL = 16e6;

const FLAVOURS: Readonly<Record<Provider, GraphFlavour>> = { cpu: 'cpu', cuda: 'cuda', dml: 'dml', webgpu: 'webgpu', coreml: 'cpu' };

/**
 * @param flavour default: the one that is made for the provider; the CPU's where the folder has no other
 * @throws TahError engine.provider-unavailable, model.corrupted, engine.out-of-memory
 */
export async function openModelSession(folder: ModelFolder, provider: LocalProviderInfo, flavour = provider.flavour ?? FLAVOURS[provider.provider]): Promise<Session> {
  const { info, manifest, graphFile } = folder;
  const threads = info.parameters < SMALL_MODEL ? 1 : 0;
  const other = manifest.graph.others?.find((graph) => graph.flavour === flavour);
  if (other === undefined) return { ...(await openSession(graphFile, { provider, threads })), cache: manifest.graph.cache ?? 'float32' };
  const beside = (name: string): string => path.join(path.dirname(graphFile), name);
  if (other.mergeFile === undefined) return { ...(await openSession(beside(other.file), { provider, threads })), loops: other.loops ?? false };
  const merge = await openSession(beside(other.mergeFile), { provider, threads, onDevice: cacheNames(manifest, mergedName) });
  try {
    const step = await openSession(beside(other.file), { provider, threads, onDevice: cacheNames(manifest, grownName) });
    return {
      ...step,
      merge,
      close: async () => {
        await step.close();
        await merge.close();
      },
    };
  } catch (error) {
    await merge.close();
    throw error;
  }
}

function cacheNames({ architecture }: ModelManifest, name: (layer: number, part: KeyOrValue) => string): string[] {
  return Array.from({ length: architecture.layers }, (_, layer) => [name(layer, 'key'), name(layer, 'value')]).flat();
}
