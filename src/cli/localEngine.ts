/** The engine of the command line, in its own process, with the provider chosen by self-tests of the bundled model. */
import path from 'node:path';
import { createEngine } from '../engine/engine.ts';
import { createChooser, type ChooseProvider } from '../engine/providers/choose.ts';
import { cacheFolder, ProviderRecord } from '../engine/providers/record.ts';
import type { EngineApi } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { resolveModel } from './models.ts';
import type { Terminal } from './terminal.ts';

export function localEngine(terminal: Terminal): EngineApi {
  return createEngine(providerChooser(terminal));
}

export function providerRecord(): ProviderRecord {
  return new ProviderRecord(cacheFolder());
}

export function providerChooser(terminal: Terminal): ChooseProvider {
  return createChooser({
    probeEntry: path.join(import.meta.dirname, 'providerProbe.cjs'),
    selfTestFolder: () => resolveModel(undefined, terminal).catch(absent),
    record: providerRecord(),
  });
}

/** An installation without the bundled model has no self-test. */
function absent(error: unknown): null {
  if (error instanceof TahError && error.code === 'model.not-found') return null;
  throw error;
}
