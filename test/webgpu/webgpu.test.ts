/**
 * WebGPU on a software device: the golden vectors of the reference implementation, a cache that never leaves the device,
 * the self-test, and a problem solved end to end with the bundled model.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { verify } from '../../src/cli/verify/verify.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { openModelFolder } from '../../src/engine/modelFolder.ts';
import { openModelSession } from '../../src/engine/modelSession.ts';
import { createChooser, chooseUntested } from '../../src/engine/providers/choose.ts';
import { ProviderRecord } from '../../src/engine/providers/record.ts';
import { Forward } from '../../src/engine/forward.ts';
import { importCheckpoint } from '../../src/importer/importer.ts';
import { GREEDY, type GenerateEvent, type Provider, type ProviderInfo } from '../../src/protocol/engine.ts';
import { grownName, mergedName } from '../../src/protocol/graph.ts';
import { buildProbe } from '../fixtures/testedModel.ts';
import { importTinyModel } from '../fixtures/tinyModel.ts';

const VECTORS = path.join(import.meta.dirname, '../golden/vectors');
const ROOT = path.join(import.meta.dirname, '../..');
const CHECKPOINT = path.join(ROOT, 'models/tah-math-small/checkpoint');
const driver = inject('vulkanDriver');
let folder: string;

beforeAll(() => {
  // Below the root, where the probe finds ONNX Runtime.
  fs.mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  folder = fs.mkdtempSync(path.join(ROOT, '.cache/webgpu-test-'));
  // Read by the Vulkan loader of this process when its first session opens, and by the probe that inherits it.
  if (driver !== null) process.env['VK_ICD_FILENAMES'] = driver;
});
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

async function bundledModel(): Promise<string> {
  const model = path.join(folder, 'model');
  for await (const event of importCheckpoint({ checkpoint: CHECKPOINT, out: model, quantization: 'fp32', replace: true }, {})) if (event.type === 'done') expect(event.out).toBe(model);
  return model;
}

describe.skipIf(driver === null)('WebGPU', () => {
  it('holds the golden vectors in every stage, within the tolerances of the CPU', async () => {
    const result = await verify(path.join(VECTORS, 'tiny-tied'), { quantization: 'fp32', provider: 'webgpu' });
    expect(result.stages.filter((stage) => !stage.ok)).toEqual([]);
    expect(result.cases).toBeGreaterThan(10);
  });

  it.each(['int8', 'int4'] as const)('computes with %s weights what the CPU computes with float activations', async (quantization) => {
    const tiny = await importTinyModel(quantization);
    const opened = openModelFolder(tiny.dir);
    const ids = [163, 28, 147, 181, 407, 176, 209];
    const logits: Float32Array[] = [];
    for (const provider of ['cpu', 'webgpu'] as const) {
      const session = await openModelSession(opened, { provider, reason: 'test', rejected: [] }, 'webgpu');
      const rows = await new Forward(session, opened.manifest).run({ ids, policy: { kind: 'always' }, track: 'all' });
      logits.push(...rows.flatMap((row) => row.finalLogits ?? []));
      await session.close();
    }
    expect(logits).toHaveLength(2 * ids.length);
    for (let row = 0; row < ids.length; row++) {
      const [cpu, gpu] = [logits[row], logits[row + ids.length]];
      expect(Math.max(...Array.from(cpu ?? [], (value, i) => Math.abs(value - (gpu?.[i] ?? NaN))))).toBeLessThan(5e-3);
    }
    tiny.remove();
  });

  it('keeps keys and values on the device: what a run returns of them is no array of the host', async () => {
    const tiny = await importTinyModel();
    const opened = openModelFolder(tiny.dir);
    const session = await openModelSession(opened, { provider: 'webgpu', reason: 'test', rejected: [] });
    const places: string[] = [];
    const forward = new Forward(session, opened.manifest, ({ outputs }) => {
      const { value } = outputs.device(grownName(0, 'key'));
      places.push(value.location);
      expect(() => value.data).toThrow();
    });
    await forward.run({ ids: [5, 6, 7], policy: { kind: 'always' }, track: 'last' });
    await forward.run({ ids: [8], policy: { kind: 'never' }, track: 'last' });
    expect(places).toEqual(['gpu-buffer', 'gpu-buffer', 'gpu-buffer']);
    const merged = await session.merge?.run({ ...forward.cache.feeds(), kept_rows: { dtype: 'int64', data: BigInt64Array.of(2n, 3n), dims: [2] } });
    expect(merged?.device(mergedName(1, 'value')).value.location).toBe('gpu-buffer');
    forward.release();
    await session.close();
    tiny.remove();
  });

  it('passes its self-test and solves a problem as the CPU does, token by token', async () => {
    const model = await bundledModel();
    const choose = createChooser({ probeEntry: await buildProbe(folder), selfTestFolder: () => Promise.resolve(model), record: new ProviderRecord(folder), timeoutMs: 600_000 });
    const solve = async (provider: Provider): Promise<{ text: string; counts: number[]; info: ProviderInfo | undefined }> => {
      const engine = createEngine(provider === 'cpu' ? chooseUntested : choose);
      const events: GenerateEvent[] = [];
      const prompt = { kind: 'chat', messages: [{ role: 'user', content: 'Solve 3x + 5 = 20 for x' }] } as const;
      for await (const event of engine.generate({ model, prompt, policy: { kind: 'decider' }, sampling: GREEDY, maxTokens: 120, provider })) events.push(event);
      await engine.unload();
      const tokens = events.flatMap((event) => (event.type === 'token' ? [event.token] : []));
      return { text: tokens.map(({ text }) => text).join(''), counts: tokens.map(({ iterCount }) => iterCount), info: events.flatMap((event) => (event.type === 'start' ? [event.provider] : []))[0] };
    };
    const [cpu, gpu] = [await solve('cpu'), await solve('webgpu')];
    expect(gpu.info).toMatchObject({ provider: 'webgpu', reason: expect.stringContaining('its self-test holds') as string });
    expect(gpu.text).toContain('\\boxed{x = 5}');
    expect([gpu.text, gpu.counts]).toEqual([cpu.text, cpu.counts]);
    expect(gpu.counts).toContain(2);
  });

  it('is given up by auto as soon as it is sure that the CPU is faster', async () => {
    const record = new ProviderRecord(fs.mkdtempSync(path.join(folder, 'cache-')));
    const model = await bundledModel();
    const choose = createChooser({ probeEntry: await buildProbe(folder), selfTestFolder: () => Promise.resolve(model), record });
    const info = await choose(model, 'auto');
    expect(info).toMatchObject({ provider: 'cpu', reason: 'no other provider is as fast here' });
    expect(info.rejected.find(({ provider }) => provider === 'webgpu')?.reason).toMatch(/^too slow: \d+ tokens in \d+\.\d s, where the CPU makes \d+/);
  });
});
