/** Birth and death of the engine process: crashes, hangs, versions, idleness, the parent's end. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EngineClient, EngineState } from '../../../src/host/engineClient.ts';
import { buildFakeEngine, isAlive, isRunning, readAll, scripted, textOf, until } from '../../fixtures/engine/fakeEngine.ts';
import type { FakeEngine } from '../../fixtures/engine/fakeEngine.ts';
import type { Script } from '../../fixtures/engine/fakeEngineChild.ts';

let fake: FakeEngine;
beforeAll(async () => { fake = await buildFakeEngine(); });
afterEach(() => fake.reset());
afterAll(() => fake.remove());

const run = (client: EngineClient, script: Script) => readAll(client.generate(scripted(script)));

function pidOf(client: EngineClient): number {
  if (client.state.kind !== 'ready') throw new Error(`the engine is ${client.state.kind}`);
  return client.state.pid;
}

describe('a crash', () => {
  it('rejects the stream with exit code and last words, after the tokens before it; the next request works', async () => {
    const client = fake.client();
    const { events, error } = await run(client, { tokens: 9, intervalMs: 5, at: 4, then: 'exit' });
    expect(textOf(events)).toBe('0 1 2 3 ');
    expect(error).toMatchObject({ code: 'engine.crashed' });
    expect(String(error)).toContain('exit code 7');
    expect(String(error)).toContain('the fake engine gives up');
    expect(client.state.kind).toBe('crashed');
    expect((await run(client, { tokens: 2 })).error).toBeNull();
    expect(client.state.kind).toBe('ready');
  });

  it('names the signal that ended the process', async () => {
    const { error } = await run(fake.client(), { tokens: 2, at: 1, then: 'abort' });
    expect(error).toMatchObject({ code: 'engine.crashed' });
    expect(String(error)).toContain('signal SIGSEGV');
  });

  it('an uncaught error in the process ends it with code 2 and its message', async () => {
    const { error } = await run(fake.client(), { tokens: 2, at: 1, then: 'uncaught' });
    expect(String(error)).toContain('exit code 2');
    expect(String(error)).toContain('thrown where nobody catches');
  });

  it('rejects all open streams, waiting ones too', async () => {
    const client = fake.client();
    const all = await Promise.all([run(client, { tokens: 9, intervalMs: 20, at: 3, then: 'exit' }), run(client, { tokens: 1 }), run(client, { tokens: 1 })]);
    for (const { error } of all) expect(error).toMatchObject({ code: 'engine.crashed' });
  });

  it('killed from outside: the stream is rejected and the next request works', async () => {
    const client = fake.client();
    const reading = run(client, { tokens: 1000, intervalMs: 5 });
    await until(() => client.state.kind === 'ready', 5000, 'the process is ready');
    process.kill(pidOf(client), 'SIGKILL');
    expect((await reading).error).toMatchObject({ code: 'engine.crashed' });
    expect((await run(client, { tokens: 1 })).error).toBeNull();
  });

  it('between two requests goes unnoticed: the next one works even if it comes before the death is known', async () => {
    const client = fake.client();
    for (let attempt = 0; attempt < 5; attempt++) {
      expect((await run(client, { tokens: 1 })).error).toBeNull();
      process.kill(pidOf(client), 'SIGKILL');
      expect((await run(client, { tokens: 1 })).error).toBeNull();
    }
  });

  it('at any moment: the run ends or is rejected, the next one works, and no process is left', async () => {
    const client = fake.client({ backoff: { delaysMs: [0], limit: 100, windowMs: 60_000 } });
    for (let attempt = 0; attempt < 20; attempt++) {
      const reading = run(client, { tokens: 20, intervalMs: 1 });
      await new Promise((resolve) => setTimeout(resolve, attempt * 9));
      if (client.state.kind === 'ready') process.kill(client.state.pid, 'SIGKILL');
      const { error } = await reading;
      if (error !== null) expect(error).toMatchObject({ code: 'engine.crashed' });
    }
    expect((await run(client, { tokens: 1 })).error).toBeNull();
    await client.dispose();
    for (const { pid } of await fake.record()) expect(isAlive(pid)).toBe(false);
  });

  it('again and again: starts later each time, then refuses with a hint', async () => {
    const client = fake.client({ backoff: { delaysMs: [0, 150, 300], limit: 3, windowMs: 60_000 } });
    const times: number[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      const start = performance.now();
      expect((await run(client, { tokens: 1, at: 0, then: 'exit' })).error).toMatchObject({ code: 'engine.crashed' });
      times.push(performance.now() - start);
    }
    expect(times[1]).toBeGreaterThan(150);
    expect(times[2]).toBeGreaterThan(300);
    const { error } = await run(client, { tokens: 1 });
    expect(error).toMatchObject({ code: 'engine.not-starting' });
    expect(String(error)).toContain('3 times');
    expect(error).toHaveProperty('hint');
    expect((await fake.record()).filter((entry) => entry.event === 'process')).toHaveLength(3);
  });

  it('the limit is forgotten when the window has passed', async () => {
    const client = fake.client({ backoff: { delaysMs: [0], limit: 1, windowMs: 400 } });
    await run(client, { tokens: 1, at: 0, then: 'exit' });
    expect((await run(client, { tokens: 1 })).error).toMatchObject({ code: 'engine.not-starting' });
    await new Promise((resolve) => setTimeout(resolve, 450));
    expect((await run(client, { tokens: 1 })).error).toBeNull();
  });
});

describe('a process that does not start', () => {
  it('one that never answers is given up, and ended even if its event loop is blocked', async () => {
    for (const behaviour of ['hang', 'block']) {
      const client = fake.client({ handshakeMs: 400, env: { FAKE_START: behaviour } });
      const { error } = await run(client, { tokens: 1 });
      expect(error).toMatchObject({ code: 'engine.not-starting' });
      expect(String(error)).toContain("didn't answer within 0.4 s");
    }
    for (const { pid } of await fake.record()) expect(isAlive(pid)).toBe(false);
  });

  it('one that ends at once is reported with its last words', async () => {
    const { error } = await run(fake.client({ env: { FAKE_START: 'exit' } }), { tokens: 1 });
    expect(error).toMatchObject({ code: 'engine.not-starting' });
    expect(String(error)).toContain('no such library');
  });

  it('a program that is not there is reported, not thrown into the void', async () => {
    const client = fake.client({ runtimes: [{ kind: 'configured', execPath: '/nowhere/node', env: {} }] });
    const { error } = await run(client, { tokens: 1 });
    expect(error).toMatchObject({ code: 'engine.not-starting' });
    expect(String(error)).toContain('/nowhere/node');
  });

  it('a bundle that is not there is reported by its name, not by a stack', async () => {
    const { error } = await run(fake.client({ entry: '/nowhere/engineProcess.cjs' }), { tokens: 1 });
    expect(String(error)).toContain("Cannot find module '/nowhere/engineProcess.cjs'");
    expect(String(error)).not.toContain('node:internal');
  });

  it('one of another build is refused and says to reload', async () => {
    const { error } = await run(fake.client({ env: { FAKE_BUILD: 'older' } }), { tokens: 1 });
    expect(error).toMatchObject({ code: 'engine.not-starting', hint: expect.stringContaining('Reload') as string });
    expect(String(error)).toContain('build older');
  });
});

describe('the runtime', () => {
  const bad = { kind: 'electron', execPath: process.execPath, env: { FAKE_RUNTIME: 'bad' } } as const;
  const good = { kind: 'path', execPath: process.execPath, env: { FAKE_RUNTIME: 'good' } } as const;

  it('that dies in the handshake is left for the next, with its reason kept', async () => {
    const client = fake.client({ runtimes: [{ ...bad, env: { FAKE_START: 'exit' } }, good] });
    expect((await run(client, { tokens: 1 })).error).toBeNull();
    expect(client.runtimes()).toMatchObject([{ state: 'rejected', reason: expect.stringContaining('no such library') as string }, { state: 'proven' }]);
  });

  it('that dies at its first load is left for the next, and the request is asked again unseen', async () => {
    const client = fake.client({ runtimes: [bad, good] });
    const { events, error } = await run(client, { tokens: 2, loading: 'abort-unless-runtime' });
    expect(error).toBeNull();
    expect(textOf(events)).toBe('0 1 ');
    expect(client.runtimes()[0]).toMatchObject({ state: 'rejected', reason: expect.stringContaining('SIGSEGV') as string });
  });

  it('that has loaded a model is not blamed for a later crash', async () => {
    const client = fake.client({ runtimes: [bad, good] });
    expect((await run(client, { tokens: 2, at: 1, then: 'abort' })).error).toMatchObject({ code: 'engine.crashed' });
    expect(client.runtimes().map((entry) => entry.state)).toEqual(['proven', 'untried']);
  });

  it('none works: the error names every one and why', async () => {
    const client = fake.client({ runtimes: [{ ...bad, env: { FAKE_START: 'exit' } }, { kind: 'configured', execPath: '/nowhere/node', env: {} }] });
    const { error } = await run(client, { tokens: 1 });
    expect(String(error)).toContain("VS Code's own runtime");
    expect(String(error)).toContain('/nowhere/node');
  });
});

describe('the end', () => {
  it('dispose ends the process, a blocked one too, and open streams with `cancelled`', async () => {
    for (const then of ['hang', 'block'] as const) {
      const client = fake.client();
      const reading = run(client, { tokens: 2, intervalMs: 10, at: 1, then });
      await until(() => client.state.kind === 'ready', 5000, 'the process is ready');
      await new Promise((resolve) => setTimeout(resolve, 150));
      const pid = pidOf(client);
      const start = performance.now();
      await client.dispose();
      expect(isAlive(pid)).toBe(false);
      expect(performance.now() - start).toBeLessThan(2500);
      expect((await reading).error).toMatchObject({ code: 'cancelled' });
      expect((await run(client, { tokens: 1 })).error).toMatchObject({ code: 'cancelled' });
    }
  });

  it('dispose while the process starts leaves none behind', async () => {
    const client = fake.client({ env: { FAKE_START: 'hang' } });
    const reading = run(client, { tokens: 1 });
    await until(async () => (await fake.record()).length > 0, 5000, 'the process runs');
    await client.dispose();
    expect((await reading).error).toMatchObject({ code: 'cancelled' });
    for (const { pid } of await fake.record()) expect(isAlive(pid)).toBe(false);
  });

  it('restart: what runs is finished by the old process, the next request gets a new one with the environment of then', async () => {
    let asked = 0;
    const client = fake.client({ environment: () => Promise.resolve({ FAKE_START: ++asked === 1 ? '' : 'exit' }) });
    const reading = run(client, { tokens: 40, intervalMs: 20 });
    await until(() => client.state.kind === 'ready', 20_000, 'the process is ready');
    const pid = pidOf(client);
    await client.restart();
    expect((await run(client, { tokens: 1 })).error).toMatchObject({ code: 'engine.not-starting' });
    expect((await reading).error).toBeNull();
    await until(() => !isAlive(pid), 20_000, 'the old process is gone');
  });

  it('dispose lets an import clean up', async () => {
    const client = fake.client();
    const stream = client.import({ checkpoint: '/c', out: '/o', quantization: 'int4' })[Symbol.asyncIterator]();
    await stream.next();
    await client.dispose();
    expect((await fake.record()).map((entry) => entry.event)).toContain('import left');
  });

  it('an idle process ends and the next request starts another; one that works is left alone', async () => {
    const client = fake.client({ idleUnloadMs: 150 });
    const states: EngineState['kind'][] = [];
    client.onDidChangeState((state) => { states.push(state.kind); });
    expect((await run(client, { tokens: 10, intervalMs: 50 })).error).toBeNull();
    const pid = pidOf(client);
    await until(() => client.state.kind === 'stopped', 2000, 'it ends when idle');
    await until(() => !isAlive(pid), 2500, 'its process is gone');
    expect((await run(client, { tokens: 1 })).error).toBeNull();
    expect(states).toEqual(['starting', 'ready', 'stopped', 'starting', 'ready']);
  });

  it.each([undefined, { tokens: 9, at: 1, then: 'block' } as const])('the child is gone within 2 s of its parent\'s death by SIGKILL (%o)', async (script) => {
    const parent = spawn(process.execPath, [fake.parent, fake.entry], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, FAKE_RECORD: fake.recordFile, ...(script === undefined ? {} : { DOOMED_SCRIPT: JSON.stringify(script) }) },
    });
    const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
    const pid = Number((await lines.next()).value);
    // Blocked: give the watching thread the time to be there, as a real run does.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(await until(() => !isRunning(pid), 5000, 'the child is gone')).toBeLessThan(2000);
  });
});
