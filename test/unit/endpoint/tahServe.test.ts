/** Another machine's `tah serve` as the engine: the run is the one that an engine here would give, to the last number. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEndpointEngine } from '../../../src/endpoint/endpointEngine.ts';
import { createEngine } from '../../../src/engine/engine.ts';
import { openModelFolder } from '../../../src/engine/modelFolder.ts';
import type { EngineApi, GenerateEvent, GenerateRequest, ThinkingPolicy } from '../../../src/protocol/engine.ts';
import { missingData } from '../../../src/protocol/run.ts';
import { startServer, type RunningServer } from '../../../src/serve/server.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

const TOKEN = 'a-token-of-this-test';
let tiny: TinyModel;
let server: RunningServer;
let remote: EngineApi;
const local = createEngine();

beforeAll(async () => {
  tiny = await importTinyModel();
  const { info } = openModelFolder(tiny.dir);
  server = await startServer({ engine: local, models: [{ id: info.id, info, created: 1 }], token: TOKEN, port: 0, policy: { kind: 'decider' }, provider: 'auto', queue: 4, log: () => undefined });
  remote = createEndpointEngine({ endpoint: { name: 'desk', url: server.url, model: info.id }, key: () => Promise.resolve(TOKEN) });
});
afterAll(async () => {
  await server.close();
  await local.unload();
  tiny.remove();
});

async function run(engine: EngineApi, request: Partial<GenerateRequest>): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  const whole = { model: tiny.dir, prompt: { kind: 'chat', messages: [{ role: 'user', content: '1 + 1' }] }, policy: { kind: 'decider' }, sampling: { temperature: 0.8, seed: 4 }, maxTokens: 16, ...request } satisfies GenerateRequest;
  for await (const event of engine.generate(whole)) events.push(event);
  return events;
}

/** Without what differs by nature: times, where it ran. */
function comparable(events: readonly GenerateEvent[]): unknown {
  return events.flatMap((event): unknown[] => {
    if (event.type === 'token') return [{ ...event.token, elapsedMs: 0 }];
    if (event.type === 'start') return [{ prompt: event.prompt, policy: event.policy, sampling: event.sampling, model: { ...event.model, path: '', endpoint: undefined } }];
    return event.type === 'end' ? [[event.reason, event.stats.passes, event.stats.tokens, event.stats.promptTokens]] : [];
  });
}

describe('tah serve as the engine', () => {
  it.each<ThinkingPolicy>([{ kind: 'decider' }, { kind: 'decider', threshold: 0.2 }, { kind: 'never' }, { kind: 'always' }, { kind: 'depths', iterCounts: [null, 2, 1, null, 2] }])('gives the very run for the policy %j', async (policy) => {
    const here = await run(local, { policy });
    const there = await run(remote, { policy });
    expect(comparable(there)).toEqual(comparable(here));
    const start = there.find((event) => event.type === 'start');
    expect(start?.type === 'start' ? missingData(start) : null).toEqual([]);
    expect(start).toMatchObject({ model: { endpoint: { name: 'desk', sends: 'tah' }, maxIter: 2 }, provider: { provider: 'endpoint' } });
  });

  it('goes on from forced tokens and stops at a text, which stays in the run', async () => {
    const [here, there] = [await run(local, { forced: [40, 41], topCandidates: 3 }), await run(remote, { forced: [40, 41], topCandidates: 3 })];
    expect(comparable(there)).toEqual(comparable(here));
    const text = here.map((event) => (event.type === 'token' ? event.token.text : '')).join('');
    const stop = [text.slice(3, 5)];
    expect(comparable(await run(remote, { forced: [40, 41], topCandidates: 3, stop }))).toEqual(comparable(await run(local, { forced: [40, 41], topCandidates: 3, stop })));
  });

  it('counts tokens', async () => {
    const prompt = { kind: 'chat', messages: [{ role: 'user', content: 'one two' }] } as const;
    expect(await remote.countTokens({ model: 'endpoint:desk', prompt })).toBe(await local.countTokens({ model: tiny.dir, prompt }));
  });
});
