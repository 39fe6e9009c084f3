/**
 * The engine: keeps one model loaded and answers EngineApi with it. Knows no transport: the engine process and the
 * command line hold one each. Runs on the same model may overlap; another model is loaded, and the old one closed,
 * only when they have ended.
 */
import path from 'node:path';
import type { EngineApi, GenerateEvent, ProviderChoice } from '../protocol/engine.ts';
import { cancelled } from '../protocol/streams.ts';
import { generate, measure } from './generate.ts';
import { LoadedModel } from './loadedModel.ts';
import { chooseUntested, type ChooseProvider } from './providers/choose.ts';
import { SerialQueue, unlessAborted } from './serialQueue.ts';
import { TokenCounter } from './tokenCounter.ts';

/** @param choose who says which provider a model runs on; default: what is named, and the CPU for `auto` */
export function createEngine(choose: ChooseProvider = chooseUntested): EngineApi {
  return new Engine(choose);
}

class Engine implements EngineApi {
  private loaded: LoadedModel | null = null;
  /** Streams that run on the loaded model: it is closed only when they have ended. */
  private readonly uses = new Set<Promise<void>>();
  /** Loading and unloading take turns; a run waits here for its model only. */
  private readonly door = new SerialQueue();
  private readonly counter = new TokenCounter();

  constructor(private readonly choose: ChooseProvider) {}

  async *generate(request: Parameters<EngineApi['generate']>[0], signal?: AbortSignal): AsyncIterable<GenerateEvent> {
    yield* this.withModel(request.model, request.provider, signal, (model, loadMs) => generate(model, request, loadMs, signal));
  }

  async *measure(request: Parameters<EngineApi['measure']>[0], signal?: AbortSignal): AsyncIterable<GenerateEvent> {
    yield* this.withModel(request.model, request.provider, signal, (model, loadMs) => measure(model, request, loadMs, signal));
  }

  load(model: string, provider: ProviderChoice = 'auto'): ReturnType<EngineApi['load']> {
    return this.turn(undefined, async () => {
      const loaded = await this.open(model, provider);
      return { model: loaded.info, provider: loaded.session.provider };
    });
  }

  async countTokens(request: Parameters<EngineApi['countTokens']>[0]): Promise<number> {
    await Promise.resolve();
    return this.counter.count(request, this.loaded);
  }

  status(): ReturnType<EngineApi['status']> {
    const loaded = this.loaded === null ? null : { model: this.loaded.info, provider: this.loaded.session.provider };
    return Promise.resolve({ loaded, residentBytes: process.memoryUsage.rss(), runtime: `Node ${process.versions.node}` });
  }

  unload(): Promise<void> {
    this.counter.forget();
    return this.turn(undefined, () => this.close());
  }

  private async *withModel(
    folder: string,
    provider: ProviderChoice = 'auto',
    signal: AbortSignal | undefined,
    use: (model: LoadedModel, loadMs: number) => AsyncIterable<GenerateEvent>,
  ): AsyncIterable<GenerateEvent> {
    if (signal?.aborted === true) throw cancelled();
    if (!this.isLoaded(folder, provider)) yield { type: 'loading', model: folder };
    const started = performance.now();
    let end: () => void = () => undefined;
    const model = await this.turn(signal, async () => {
      const opened = await this.open(folder, provider, signal);
      const running = new Promise<void>((resolve) => (end = resolve));
      this.uses.add(running);
      void running.then(() => this.uses.delete(running));
      return opened;
    });
    try {
      yield* use(model, performance.now() - started);
    } finally {
      end();
    }
  }

  private isLoaded(folder: string, provider: ProviderChoice): boolean {
    return this.loaded?.info.path === path.resolve(folder) && this.loaded.choice === provider;
  }

  /** The model, loaded if need be; the one before is closed first, so that both are never in memory. */
  private async open(folder: string, provider: ProviderChoice, signal?: AbortSignal): Promise<LoadedModel> {
    if (this.loaded !== null && this.isLoaded(folder, provider)) return this.loaded;
    await this.close(signal);
    this.loaded = await LoadedModel.open(folder, provider, this.choose, signal);
    return this.loaded;
  }

  private async close(signal?: AbortSignal): Promise<void> {
    await unlessAborted(Promise.all(this.uses).then(() => undefined), signal);
    const { loaded } = this;
    this.loaded = null;
    await loaded?.close();
  }

  private async turn<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const leave = await this.door.enter(signal);
    try {
      return await work();
    } finally {
      leave();
    }
  }
}
