/**
 * The engine: keeps one model loaded and answers EngineApi with it. Knows no transport: the engine process and the
 * command line hold one each.
 */
import path from 'node:path';
import type { EngineApi, GenerateEvent, ProviderChoice } from '../protocol/engine.ts';
import { TahError } from '../protocol/errors.ts';
import { generate, measure } from './generate.ts';
import { LoadedModel } from './loadedModel.ts';

export function createEngine(): EngineApi {
  return new Engine();
}

class Engine implements EngineApi {
  private loaded: LoadedModel | null = null;
  private loading: Promise<unknown> = Promise.resolve();

  async *generate(request: Parameters<EngineApi['generate']>[0], signal?: AbortSignal): AsyncIterable<GenerateEvent> {
    yield* this.withModel(request.model, request.provider, signal, (model, loadMs) => generate(model, request, loadMs, signal));
  }

  async *measure(request: Parameters<EngineApi['measure']>[0], signal?: AbortSignal): AsyncIterable<GenerateEvent> {
    yield* this.withModel(request.model, request.provider, signal, (model, loadMs) => measure(model, request, loadMs, signal));
  }

  async load(model: string, provider: ProviderChoice = 'auto'): ReturnType<EngineApi['load']> {
    const loaded = await this.open(model, provider);
    return { model: loaded.info, provider: loaded.session.provider };
  }

  status(): ReturnType<EngineApi['status']> {
    const loaded = this.loaded === null ? null : { model: this.loaded.info, provider: this.loaded.session.provider };
    return Promise.resolve({ loaded, residentBytes: process.memoryUsage.rss(), runtime: `Node ${process.versions.node}` });
  }

  async unload(): Promise<void> {
    await this.serial(async () => {
      await this.loaded?.close();
      this.loaded = null;
    });
  }

  private async *withModel(
    folder: string,
    provider: ProviderChoice = 'auto',
    signal: AbortSignal | undefined,
    use: (model: LoadedModel, loadMs: number) => AsyncIterable<GenerateEvent>,
  ): AsyncIterable<GenerateEvent> {
    if (signal?.aborted === true) throw new TahError('cancelled', 'Stopped.');
    if (!this.isLoaded(folder, provider)) yield { type: 'loading', model: folder };
    const started = performance.now();
    const model = await this.open(folder, provider);
    yield* use(model, performance.now() - started);
  }

  private isLoaded(folder: string, provider: ProviderChoice): boolean {
    return this.loaded?.info.path === path.resolve(folder) && this.loaded.choice === provider;
  }

  /** The model, loaded if need be; the one before is closed first, so that both are never in memory. */
  private open(folder: string, provider: ProviderChoice): Promise<LoadedModel> {
    return this.serial(async () => {
      if (this.loaded !== null && this.isLoaded(folder, provider)) return this.loaded;
      await this.loaded?.close();
      this.loaded = null;
      this.loaded = await LoadedModel.open(folder, provider);
      return this.loaded;
    });
  }

  private serial<T>(work: () => Promise<T>): Promise<T> {
    const result = this.loading.then(work);
    // The next one waits for this one, however it ended; its own caller hears of a failure.
    this.loading = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
