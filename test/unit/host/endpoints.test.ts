/** Which engine a request goes to, and that a key goes to no other server than the one it was given for. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/endpoint/address.ts';
import type { EngineClient } from '../../../src/host/engineClient.ts';
import { routeEngine } from '../../../src/host/engineRouter.ts';
import { EndpointKeys } from '../../../src/host/endpointKeys.ts';
import { ModelStore } from '../../../src/host/models.ts';
import { readSettings } from '../../../src/host/settings.ts';
import type { GenerateEvent } from '../../../src/protocol/engine.ts';
import { DONE, delta, startFakeServer, type FakeServer } from '../../fixtures/endpoint/fakeServer.ts';

const CHAT = { prompt: { kind: 'chat', messages: [{ role: 'user', content: 'hi' }] }, policy: { kind: 'decider' }, maxTokens: 5 } as const;

let server: FakeServer;
beforeEach(async () => {
  server = await startFakeServer();
  server.scripts = [{ kind: 'stream', parts: [delta('there', {}, { finish_reason: 'stop' }), DONE] }];
});
afterEach(() => server.close());

function local(): EngineClient & { asked: string[] } {
  const asked: string[] = [];
  const stream = async function* ({ model }: { model: string }): AsyncGenerator<GenerateEvent> {
    await Promise.resolve();
    asked.push(model);
    yield { type: 'loading', model };
  };
  const unused = (): Promise<never> => Promise.reject(new Error('not used here'));
  return {
    asked, generate: stream, measure: stream, state: { kind: 'stopped', why: 'unused' }, onDidChangeState: () => ({ dispose: () => undefined }), runtimes: () => [], addRuntime: () => undefined,
    import: () => { throw new Error('not used here'); }, load: unused, countTokens: () => Promise.resolve(3), status: unused, unload: unused, restart: unused, dispose: () => Promise.resolve(),
  };
}

async function read(events: AsyncIterable<GenerateEvent>): Promise<string> {
  let text = '';
  for await (const event of events) if (event.type === 'token') text += event.token.text;
  return text;
}

describe('the router', () => {
  const keys = (): Promise<string | null> => Promise.resolve('secret');
  const explain = (error: unknown): unknown => error;
  it('sends an endpoint its requests and everything else to the engine process', async () => {
    const engine = local();
    const router = routeEngine({ local: engine, endpoints: () => [{ name: 'desk', url: server.url, model: 'big' }], key: keys, explain });
    await read(router.generate({ ...CHAT, model: '/models/small' }));
    await read(router.measure({ model: '/models/small', text: 'a', policy: { kind: 'decider' } }));
    expect(engine.asked).toEqual(['/models/small', '/models/small']);
    expect(server.asked).toEqual([]);
    expect(await read(router.generate({ ...CHAT, model: 'endpoint:desk' }))).toBe('there');
    expect(server.asked.at(-1)?.key).toBe('Bearer secret');
    expect(engine.asked).toHaveLength(2);
    await expect(read(router.measure({ model: 'endpoint:desk', text: 'a', policy: { kind: 'decider' } }))).rejects.toMatchObject({ code: 'endpoint.cannot' });
    expect(await router.countTokens({ model: '/models/small', prompt: CHAT.prompt })).toBe(3);
  });

  it('sends nothing anywhere for a name that the settings do not have', async () => {
    const router = routeEngine({ local: local(), endpoints: () => [], key: keys, explain });
    await expect(read(router.generate({ ...CHAT, model: 'endpoint:gone' }))).rejects.toMatchObject({ code: 'endpoint.unknown' });
    expect(server.asked).toEqual([]);
  });
});

describe('keys', () => {
  it('belong to a name and a server', async () => {
    const stored = new Map<string, string>();
    const keys = new EndpointKeys({ get: (name) => Promise.resolve(stored.get(name)), store: (name, value) => { stored.set(name, value); return Promise.resolve(); }, delete: (name) => { stored.delete(name); return Promise.resolve(); } });
    const desk: Endpoint = { name: 'desk', url: 'https://desk.example/v1', model: 'big' };
    await keys.set(desk, 'secret');
    expect(await keys.get({ ...desk, url: 'https://desk.example/other', model: 'small' })).toBe('secret');
    for (const other of [{ ...desk, url: 'https://evil.example/v1' }, { ...desk, url: 'http://desk.example/v1' }, { ...desk, name: 'lap' }]) expect(await keys.get(other)).toBeNull();
    await keys.forget(desk);
    expect([await keys.get(desk), stored.size]).toEqual([null, 0]);
  });
});

describe('settings', () => {
  it('take whole entries only, and of two with one name the first', () => {
    const good = { name: 'desk', url: 'http://desk/v1', model: 'big' };
    const values: Record<string, unknown> = { endpoints: [good, { ...good, model: 'other' }, { name: 'x' }, null, 'y', { name: ' ', url: 'u', model: 'm' }] };
    expect(readSettings({ get: (key) => values[key] }).endpoints).toEqual([good]);
    expect(readSettings({ get: () => undefined }).endpoints).toEqual([]);
  });

  it('an endpoint can be chosen for a text, and not where weights are needed', async () => {
    const store = new ModelStore({ bundled: '/nowhere', imported: '/nowhere', folders: () => [] });
    expect(await store.choose('endpoint:desk')).toMatchObject({ path: 'endpoint:desk', name: 'desk', maxIter: null });
    await expect(store.resolve('endpoint:desk')).rejects.toMatchObject({ code: 'endpoint.cannot' });
  });
});
