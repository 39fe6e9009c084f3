/** Streams and errors between host and engine process, with a real child process that plays a script. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TahError } from '../../../src/protocol/errors.ts';
import type { ImportEvent } from '../../../src/protocol/importer.ts';
import { buildFakeEngine, readAll, scripted, textOf, until } from '../../fixtures/engine/fakeEngine.ts';
import type { FakeEngine } from '../../fixtures/engine/fakeEngine.ts';

let fake: FakeEngine;
beforeAll(async () => { fake = await buildFakeEngine(); });
afterEach(() => fake.reset());
afterAll(() => fake.remove());

const count = (n: number): string => Array.from({ length: n }, (_, i) => `${i} `).join('');

describe('a stream', () => {
  it('brings every event once, in order, and ends after its end event', async () => {
    const { events, error } = await readAll(fake.client().generate(scripted({ tokens: 300 })));
    expect(error).toBeNull();
    expect(textOf(events)).toBe(count(300));
    expect([events[0]?.type, events[1]?.type, events.at(-1)?.type]).toEqual(['loading', 'start', 'end']);
  });

  it('brings tokens while the run goes on, not at its end', async () => {
    let firstAt = 0;
    const start = performance.now();
    const client = fake.client();
    await client.load('/models/fake');
    for await (const event of client.generate(scripted({ tokens: 20, intervalMs: 30 }))) {
      if (event.type === 'token' && firstAt === 0) firstAt = performance.now();
    }
    expect(performance.now() - firstAt).toBeGreaterThan(400);
    expect(firstAt).toBeGreaterThan(start);
  });

  it('measures over the same way', async () => {
    const request = { model: '/models/fake', text: JSON.stringify({ tokens: 3 }), policy: { kind: 'never' } } as const;
    expect(textOf((await readAll(fake.client().measure(request))).events)).toBe('0 1 2 ');
  });

  it('is not started before it is read', async () => {
    const client = fake.client();
    client.generate(scripted({ tokens: 1 }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.state).toEqual({ kind: 'stopped', why: 'unused' });
    expect(await fake.record()).toEqual([]);
  });

  it('carries 2000 tokens with 100 candidates each, unchanged, in a few seconds', async () => {
    const start = performance.now();
    const { events, error } = await readAll(fake.client().generate(scripted({ tokens: 2000, candidates: 100 })));
    expect(error).toBeNull();
    const tokens = events.flatMap((event) => (event.type === 'token' ? [event.token] : []));
    expect(tokens.map((token) => token.index)).toEqual(Array.from({ length: 2000 }, (_, i) => i));
    expect(tokens.at(-1)?.after[99]).toEqual({ id: 99, text: ' candidate 99', logprob: -99 / 7 });
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it('does not mix with another one, and they run one after the other', async () => {
    const client = fake.client();
    const [a, b] = await Promise.all([
      readAll(client.generate(scripted({ tokens: 40, intervalMs: 2, label: 'a' }))),
      readAll(client.generate(scripted({ tokens: 40, label: 'b' }))),
    ]);
    expect(textOf(a.events)).toBe(count(40).replace(/\d+ /g, 'a$&'));
    expect(textOf(b.events)).toBe(count(40).replace(/\d+ /g, 'b$&'));
    expect((await fake.record()).map((entry) => `${entry.event} ${entry.label ?? ''}`).slice(1)).toEqual(['start a', 'ended a', 'start b', 'ended b']);
  });

  it('is not disturbed by what the process prints to standard output', async () => {
    const print = `Content-Length: 5\r\n\r\n{"jsonrpc":"2.0"}\nhello from a library\n`;
    const { events, error } = await readAll(fake.client().generate(scripted({ tokens: 5, print })));
    expect(error).toBeNull();
    expect(textOf(events)).toBe(count(5));
    expect(fake.log).toContain('info: engine: hello from a library');
  });
});

describe('stopping', () => {
  const record = async (event: string): Promise<boolean> => (await fake.record()).some((entry) => entry.event === event);

  it('leaving the loop reaches the engine within one pass', async () => {
    for await (const event of fake.client().generate(scripted({ tokens: 100_000, intervalMs: 10 }))) {
      if (event.type === 'token' && event.token.index === 3) break;
    }
    expect(await until(() => record('left'), 2000, 'the engine was told to stop')).toBeLessThan(500);
    expect(await record('ended')).toBe(false);
  });

  it('leaving the loop stops an engine that never pauses', async () => {
    for await (const event of fake.client().generate(scripted({ tokens: 10_000_000, intervalMs: 0 }))) {
      if (event.type === 'token') break;
    }
    expect(await until(() => record('left'), 2000, 'the engine was told to stop')).toBeLessThan(1000);
  });

  it('aborting rejects the pending read with `cancelled` and reaches the engine', async () => {
    const abort = new AbortController();
    const reading = readAll(fake.client().generate(scripted({ tokens: 5, at: 2, then: 'hang' }), abort.signal));
    await until(() => record('start'), 5000, 'the run started');
    const start = performance.now();
    abort.abort();
    expect((await reading).error).toMatchObject({ code: 'cancelled' });
    expect(performance.now() - start).toBeLessThan(100);
    await until(() => record('aborted'), 1000, 'the signal fired in the engine');
  });

  it('a signal that is aborted already starts no process', async () => {
    const client = fake.client();
    const { error } = await readAll(client.generate(scripted({ tokens: 1 }), AbortSignal.abort()));
    expect(error).toMatchObject({ code: 'cancelled' });
    expect(client.state.kind).toBe('stopped');
  });

  it('aborting while the process starts is heard at once', async () => {
    const abort = new AbortController();
    const client = fake.client({ env: { FAKE_START: 'hang' } });
    const reading = readAll(client.generate(scripted({ tokens: 1 }), abort.signal));
    setTimeout(() => { abort.abort(); }, 100);
    const start = performance.now();
    expect((await reading).error).toMatchObject({ code: 'cancelled' });
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('a request that waits for its turn is given up without disturbing the order', async () => {
    const client = fake.client();
    const first = readAll(client.generate(scripted({ tokens: 30, intervalMs: 10, label: 'first' })));
    await until(() => record('start'), 5000, 'the first run started');
    const abort = new AbortController();
    const second = readAll(client.generate(scripted({ tokens: 5, label: 'second' }), abort.signal));
    const third = readAll(client.generate(scripted({ tokens: 5, label: 'third' })));
    setTimeout(() => { abort.abort(); }, 50);
    expect((await second).error).toMatchObject({ code: 'cancelled' });
    expect((await first).error).toBeNull();
    expect((await third).error).toBeNull();
    expect((await fake.record()).filter((entry) => entry.event === 'start').map((entry) => entry.label)).toEqual(['first', 'third']);
  });

  it('stops an import', async () => {
    let seen: ImportEvent | null = null;
    for await (const event of fake.client().import({ checkpoint: '/c', out: '/o', quantization: 'int4' })) {
      seen = event;
      if (event.type === 'progress' && event.doneBytes === 3) break;
    }
    expect(seen).toMatchObject({ type: 'progress', doneBytes: 3 });
    await until(() => record('import left'), 1000, 'the import was told to stop');
  });

  it('ends a process that does not stop, and the next request works', async () => {
    const client = fake.client({ cancelGraceMs: 300 });
    const abort = new AbortController();
    const reading = readAll(client.generate(scripted({ tokens: 5, intervalMs: 1, at: 2, then: 'block' }), abort.signal));
    await until(() => record('start'), 5000, 'the run started');
    await new Promise((resolve) => setTimeout(resolve, 100));
    abort.abort();
    expect((await reading).error).toMatchObject({ code: 'cancelled' });
    await until(() => client.state.kind === 'crashed', 3000, 'the hung process is ended');
    expect(client.state).toMatchObject({ reason: expect.stringContaining("didn't stop") as string, why: { kind: 'process-hung', args: ['0.3'] } });
    expect(textOf((await readAll(client.generate(scripted({ tokens: 3 })))).events)).toBe(count(3));
  });
});

describe('errors and calls', () => {
  it('an error arrives as the TahError it was, with code, hint and subject, after the events before it', async () => {
    const { events, error } = await readAll(fake.client().generate(scripted({ tokens: 5, at: 3, then: 'refuse' })));
    expect(textOf(events)).toBe(count(3));
    expect(error).toBeInstanceOf(TahError);
    expect(error).toMatchObject({ code: 'engine.context-too-long', message: 'The problem has 5000 tokens, the model takes 1024.', hint: 'Shorten it.', subject: 'prompt' });
  });

  it('a bug of the engine arrives as `internal`, its stack goes to the log, and the process lives on', async () => {
    const client = fake.client();
    const { error } = await readAll(client.generate(scripted({ tokens: 5, at: 3, then: 'throw' })));
    expect(error).toMatchObject({ code: 'internal', message: 'a bug of the engine' });
    await until(() => fake.log.some((line) => line.includes('fakeEngineChild')), 1000, 'the stack is in the log');
    expect(client.state.kind).toBe('ready');
  });

  it('load answers or says why not', async () => {
    const client = fake.client();
    expect((await client.load('/models/fake')).model.id).toBe('fake');
    await expect(client.load('/models/none')).rejects.toMatchObject({ code: 'model.not-found', file: '/models/none', hint: 'Import it.' });
  });

  it('status and unload start no process', async () => {
    const client = fake.client();
    await client.unload();
    expect(await client.status()).toEqual({ loaded: null, residentBytes: 0, runtime: 'not running' });
    expect(client.state.kind).toBe('stopped');
    await client.load('/models/fake');
    expect((await client.status()).runtime).toBe('fake');
  });

  it('status is answered while a run goes on', async () => {
    const client = fake.client();
    for await (const event of client.generate(scripted({ tokens: 1000, intervalMs: 5 }))) {
      if (event.type !== 'token') continue;
      expect((await client.status()).runtime).toBe('fake');
      break;
    }
  });
});
