/**
 * One engine for whoever asks: a model folder goes to the engine process, an endpoint's name to that endpoint. So no
 * feature needs to know which it is. The endpoint's code is loaded at its first use. Imports no `vscode`.
 */

import type { Endpoint } from '../endpoint/address.ts';
import { endpointName } from '../protocol/engine.ts';
import type { CountRequest, EngineApi, EngineStatus, GenerateEvent, GenerateRequest, MeasureRequest, ModelInfo, ProviderChoice, ProviderInfo } from '../protocol/engine.ts';
import { phrase, TahError } from '../protocol/errors.ts';
import type { ImportEvent, ImportRequest } from '../protocol/importer.ts';
import type { EngineClient } from './engineClient.ts';
import type { EngineState } from './engineSupervisor.ts';
import type { Runtime, RuntimeReport } from './engineRuntime.ts';

export interface RouterOptions {
  readonly local: EngineClient;
  /** As the settings have them now. */
  readonly endpoints: () => readonly Endpoint[];
  readonly key: (endpoint: Endpoint) => Promise<string | null>;
  /** What the engine process says of a model's files, in the words of whoever knows whose they are. */
  readonly explain: (error: unknown) => unknown;
}

export function routeEngine(options: RouterOptions): EngineClient {
  return new Router(options);
}

/** @throws TahError endpoint.unknown */
export function findEndpoint(endpoints: readonly Endpoint[], name: string): Endpoint {
  const endpoint = endpoints.find((one) => one.name === name);
  if (endpoint !== undefined) return endpoint;
  throw new TahError('endpoint.unknown', phrase('The settings have no endpoint named "{0}".', name), { subject: name, hint: phrase('Check the setting thinkAtHard.endpoints, or choose another model with Think-at-Hard: Select Model….') });
}

class Router implements EngineClient {
  private readonly local: EngineClient;

  constructor(private readonly options: RouterOptions) {
    this.local = options.local;
  }

  get state(): EngineState {
    return this.local.state;
  }

  onDidChangeState(listener: (state: EngineState) => void): { dispose(): void } {
    return this.local.onDidChangeState(listener);
  }

  runtimes(): readonly RuntimeReport[] {
    return this.local.runtimes();
  }

  addRuntime(runtime: Runtime): void {
    this.local.addRuntime(runtime);
  }

  async *generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent, void> {
    yield* this.explained((await this.engineOf(request.model)).generate(request, signal));
  }

  async *measure(request: MeasureRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent, void> {
    yield* this.explained((await this.engineOf(request.model)).measure(request, signal));
  }

  import(request: ImportRequest, signal?: AbortSignal): AsyncIterable<ImportEvent> {
    return this.local.import(request, signal);
  }

  async load(model: string, provider?: ProviderChoice): Promise<{ readonly model: ModelInfo; readonly provider: ProviderInfo }> {
    try {
      return await (await this.engineOf(model)).load(model, provider);
    } catch (error) {
      throw this.options.explain(error);
    }
  }

  async countTokens(request: CountRequest): Promise<number> {
    return (await this.engineOf(request.model)).countTokens(request);
  }

  status(): Promise<EngineStatus> {
    return this.local.status();
  }

  unload(): Promise<void> {
    return this.local.unload();
  }

  restart(): Promise<void> {
    return this.local.restart();
  }

  dispose(): Promise<void> {
    return this.local.dispose();
  }

  private async *explained<Event>(events: AsyncIterable<Event>): AsyncGenerator<Event, void> {
    try {
      yield* events;
    } catch (error) {
      throw this.options.explain(error);
    }
  }

  private async engineOf(model: string): Promise<EngineApi> {
    const name = endpointName(model);
    if (name === null) return this.local;
    const endpoint = findEndpoint(this.options.endpoints(), name);
    const { createEndpointEngine } = await import('../endpoint/endpointEngine.ts');
    return createEndpointEngine({ endpoint, key: () => this.options.key(endpoint) });
  }
}
