/** The session of a model folder: which of its graphs a provider gets, and how many threads. */
import type { ModelFolder } from './modelFolder.ts';
import { openSession, type LocalProviderInfo, type Session } from './session.ts';

/** Parameters below which a pass is so short that handing it to several threads costs more than it saves. */
const SMALL_MODEL = 16e6;

/** @throws TahError engine.provider-unavailable, model.corrupted, engine.out-of-memory */
export function openModelSession({ info, graphFile }: ModelFolder, provider: LocalProviderInfo): Promise<Session> {
  return openSession(graphFile, { provider, threads: info.parameters < SMALL_MODEL ? 1 : 0 });
}
