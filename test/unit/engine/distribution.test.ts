/** What a graph says of its logits is what a plain sum over them gives; what is no number is an error and no token. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checked, distributionOf } from '../../../src/engine/distribution.ts';
import { Forward } from '../../../src/engine/forward.ts';
import { LoadedModel } from '../../../src/engine/loadedModel.ts';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

let folder: TinyModel;
let model: LoadedModel;
beforeAll(async () => {
  folder = await importTinyModel();
  model = await LoadedModel.open(folder.dir, 'cpu');
});
afterAll(async () => {
  await model.close();
  folder.remove();
});

it('a row that is tracked has the sums of its first and of its last logits', async () => {
  const forward = new Forward(model.session, model.manifest);
  const ids = Array.from({ length: 40 }, (_, i) => 5 + ((i * 31) % 400));
  const rows = await forward.run({ ids, policy: { kind: 'depths', iterCounts: ids.map((_, i) => 1 + (i % 2)) }, track: 'all' });
  expect(rows.filter(({ iterCount }) => iterCount > 1).length).toBe(20);
  for (const { firstLogits, finalLogits, firstDistribution, finalDistribution, iterCount } of rows) {
    if (firstLogits === null || finalLogits === null) throw new Error('not tracked');
    for (const [logits, said] of [[firstLogits, firstDistribution], [finalLogits, finalDistribution]] as const) {
      const expected = distributionOf(logits);
      expect(said?.logSumExp).toBeCloseTo(expected.logSumExp, 4);
      expect(said?.entropy).toBeCloseTo(expected.entropy, 4);
    }
    expect(firstDistribution === finalDistribution).toBe(iterCount === 1);
  }
});

it('of a row in a chunk of which only the last one is tracked, the last one has them', async () => {
  const forward = new Forward(model.session, model.manifest);
  const rows = await forward.run({ ids: [5, 6, 7], policy: { kind: 'never' }, track: 'last' });
  expect(rows.map(({ finalDistribution }) => finalDistribution !== null)).toEqual([false, false, true]);
  expect(rows[2]?.finalDistribution?.logSumExp).toBeCloseTo(distributionOf(rows[2]?.finalLogits ?? new Float32Array()).logSumExp, 4);
});

it.each([[NaN, 1], [Infinity, 1], [-Infinity, 1], [3, NaN]])('sums of %d and %d are refused', (logSumExp, entropy) => {
  expect(() => checked({ logSumExp, entropy })).toThrow(expect.objectContaining({ code: 'engine.run-failed' }) as Error);
});

it('an entropy that float32 made negative is none', () => {
  expect(checked({ logSumExp: 3, entropy: -1e-7 })).toEqual({ logSumExp: 3, entropy: 0 });
});
