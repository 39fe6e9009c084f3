/** The cache that stays on a device, run on the CPU: it must give what the host's cache gives, over merges and rewinds. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceCache } from '../../../src/engine/deviceCache.ts';
import { Forward, type RowResult } from '../../../src/engine/forward.ts';
import { openModelFolder, type ModelFolder } from '../../../src/engine/modelFolder.ts';
import { openModelSession } from '../../../src/engine/modelSession.ts';
import type { Session } from '../../../src/engine/session.ts';
import type { ThinkingPolicy } from '../../../src/protocol/engine.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

let tiny: TinyModel;
let folder: ModelFolder;
let host: Session;
let device: Session;
const CPU = { provider: 'cpu', reason: 'test', rejected: [] } as const;

beforeAll(async () => {
  tiny = await importTinyModel();
  folder = openModelFolder(tiny.dir);
  host = await openModelSession(folder, CPU);
  device = await openModelSession(folder, CPU, 'webgpu');
});
afterAll(async () => {
  await host.close();
  await device.close();
  tiny.remove();
});

const id = (index: number): number => 20 + ((index * 37) % 450);

function forwards(): { onHost: Forward; onDevice: Forward } {
  const [onHost, onDevice] = [new Forward(host, folder.manifest), new Forward(device, folder.manifest)];
  expect(onDevice.cache).toBeInstanceOf(DeviceCache);
  expect(onHost.cache).not.toBeInstanceOf(DeviceCache);
  return { onHost, onDevice };
}

function expectSame(ours: readonly RowResult[], theirs: readonly RowResult[]): void {
  expect(ours.map(({ position, iterCount }) => [position, iterCount])).toEqual(theirs.map(({ position, iterCount }) => [position, iterCount]));
  const [mine, other] = [ours.at(-1)?.finalLogits ?? [], theirs.at(-1)?.finalLogits ?? []];
  expect(mine.length).toBeGreaterThan(0);
  expect(Math.max(...Array.from(mine, (value, i) => Math.abs(value - (other[i] ?? NaN))))).toBeLessThan(5e-4);
}

describe('a cache on the device', () => {
  it.each([{ kind: 'decider' }, { kind: 'always' }, { kind: 'never' }] satisfies ThinkingPolicy[])('gives the numbers of the host\'s over a prompt and 150 tokens: $kind', async (policy) => {
    const { onHost, onDevice } = forwards();
    const prompt = Array.from({ length: 140 }, (_, i) => id(i));
    expectSame(await onDevice.run({ ids: prompt, policy, track: 'last' }), await onHost.run({ ids: prompt, policy, track: 'last' }));
    for (let i = 0; i < 150; i++) {
      const request = { ids: [id(i * 3)], policy, track: 'last' } as const;
      expectSame(await onDevice.run(request), await onHost.run(request));
    }
    expect(onDevice.cache.length).toBe(onHost.cache.length);
    for (const depth of [0, 1]) expect(onDevice.cache.positionsAt(depth)).toEqual(onHost.cache.positionsAt(depth));
  });

  it('forgets what a rewind forgets, before a merge and after it', async () => {
    const { onHost, onDevice } = forwards();
    for (const position of [100, 30, 200, 0]) {
      for (const forward of [onHost, onDevice]) forward.rewind(position);
      const from = onHost.position;
      for (let done = 0; done < 230 - from; done += 46) {
        const ids = Array.from({ length: Math.min(46, 230 - from - done) }, (_, i) => id(position + done + i));
        const request = { ids, policy: { kind: 'decider' }, track: 'last' } as const;
        expectSame(await onDevice.run(request), await onHost.run(request));
      }
      expect(onDevice.cache.length).toBe(onHost.cache.length);
    }
  });

  it('is empty and usable after it has given its memory back', async () => {
    const { onDevice } = forwards();
    const request = { ids: [5, 6, 7], policy: { kind: 'always' }, track: 'last' } as const;
    const first = await onDevice.run(request);
    onDevice.release();
    expect([onDevice.position, onDevice.cache.length]).toEqual([0, 0]);
    expectSame(await onDevice.run(request), first);
  });
});
