/**
 * Keys and values at 8 bits: near those at float32 under the same weights, and the same numbers of a row whether it is
 * run with few others (integer products) or with many (float32 products of the same codes).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Forward, type RowResult } from '../../../src/engine/forward.ts';
import { LoadedModel } from '../../../src/engine/loadedModel.ts';
import type { ThinkingPolicy } from '../../../src/protocol/engine.ts';
import { importGolden, importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

const POLICIES: readonly ThinkingPolicy[] = [{ kind: 'never' }, { kind: 'always' }, { kind: 'depths', iterCounts: Array.from({ length: 200 }, (_, i) => 1 + (i % 3 === 0 ? 1 : 0)) }];
/** More than a block of the cache, so that it grows in between. */
const IDS = Array.from({ length: 150 }, (_, i) => 20 + ((i * 37) % 250));

describe.each(['tiny-tied', 'tiny-llama'])('%s', (name) => {
  const folders: TinyModel[] = [];
  let int8: LoadedModel;
  let float32: LoadedModel;
  beforeAll(async () => {
    folders.push(await importGolden(`${name}, int8 cache`), await importGolden(name));
    [int8, float32] = (await Promise.all(folders.map(({ dir }) => LoadedModel.open(dir, 'cpu')))) as [LoadedModel, LoadedModel];
  });
  afterAll(async () => {
    await int8.close();
    await float32.close();
    for (const folder of folders) folder.remove();
  });

  async function rows(model: LoadedModel, policy: ThinkingPolicy, chunk: number): Promise<RowResult[]> {
    const forward = new Forward(model.session, model.manifest);
    const all: RowResult[] = [];
    for (let from = 0; from < IDS.length; from += chunk) all.push(...(await forward.run({ ids: IDS.slice(from, from + chunk), policy, track: 'all' })));
    return all;
  }

  it.each([1, 2, 4])('a row says the same in a run of %i rows as in a long one, after the same rows', async (count) => {
    for (const start of [3, 90, 140]) {
      const last = async (length: number): Promise<RowResult | undefined> => {
        const forward = new Forward(int8.session, int8.manifest);
        await forward.run({ ids: IDS.slice(0, start), policy: { kind: 'always' }, track: 'last' });
        return (await forward.run({ ids: IDS.slice(start, start + length), policy: { kind: 'never' }, track: 'all' }))[0];
      };
      const [few, many] = [await last(count), await last(count + 6)];
      if (few === undefined || many === undefined) throw new Error('no row');
      // Sums in another order, 15 bits of a query and of a weight; a wrong scale or row gives more than a tenth of the spread.
      expect(largestDifference([few], [many])).toBeLessThan(5e-3 * spread([many]));
    }
  });

  it.each(POLICIES)('is near what float32 keys and values give, one by one and many at once ($kind)', async (policy) => {
    const exact = await rows(float32, policy, 40);
    for (const chunk of [1, 3, 40]) {
      const rounded = await rows(int8, policy, chunk);
      expect(rounded.map(({ iterCount }) => iterCount)).toEqual(exact.map(({ iterCount }) => iterCount));
      expect(largestDifference(rounded, exact)).toBeGreaterThan(0);
      expect(meanDifference(rounded, exact)).toBeLessThan(0.04 * spread(exact));
    }
  });

  it('takes about a quarter of the memory', async () => {
    const sizes: number[] = [];
    for (const model of [int8, float32]) {
      const forward = new Forward(model.session, model.manifest);
      await forward.run({ ids: IDS, policy: { kind: 'always' }, track: 'last' });
      sizes.push(forward.cache.bytes);
    }
    const { headDim } = int8.manifest.architecture;
    expect((sizes[0] ?? 0) / (sizes[1] ?? 1)).toBeCloseTo((headDim + 4) / (4 * headDim), 6);
  });
});

it.each(['int4', 'int8'] as const)('an import at %s keeps keys and values at 8 bits, and says so', async (quantization) => {
  const folder = await importTinyModel(quantization);
  const model = await LoadedModel.open(folder.dir, 'cpu');
  expect(model.manifest.graph.cache).toBe('int8');
  expect(model.session.cache).toBe('int8');
  await model.close();
  folder.remove();
});

it('an import at fp32 keeps them as they are', async () => {
  const folder = await importTinyModel('fp32');
  const model = await LoadedModel.open(folder.dir, 'cpu');
  expect([model.manifest.graph.cache, model.session.cache]).toEqual([undefined, 'float32']);
  await model.close();
  folder.remove();
});

function differences(a: readonly RowResult[], b: readonly RowResult[]): number[] {
  return a.flatMap((row, i) => Array.from(row.finalLogits ?? [NaN], (value, v) => Math.abs(value - (b[i]?.finalLogits?.[v] ?? NaN))));
}

function largestDifference(a: readonly RowResult[], b: readonly RowResult[]): number {
  return differences(a, b).reduce((most, value) => (value > most || Number.isNaN(value) ? value : most), 0);
}

function meanDifference(a: readonly RowResult[], b: readonly RowResult[]): number {
  const all = differences(a, b);
  return all.reduce((sum, value) => sum + value, 0) / all.length;
}

/** Standard deviation of the logits. */
function spread(rows: readonly RowResult[]): number {
  const all = rows.flatMap((row) => Array.from(row.finalLogits ?? []));
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  return Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length);
}
