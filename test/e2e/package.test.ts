/** The finished VSIX, unpacked: that it holds what it needs and nothing else. */
import { stat } from 'node:fs/promises';
import { inject, expect, it } from 'vitest';
import { MAX_PACKAGE_BYTES, packageFaults, targetOf } from '../../scripts/packageContents.mjs';
import { namesInZip } from './zipNames.ts';

const target = targetOf(`linux-${process.arch}`);

it('holds files of the allow-list, the native files of its target, and a model', async () => {
  const names = await namesInZip(inject('vsix'));
  expect(names.length).toBeGreaterThan(20);
  expect(packageFaults(names, target)).toEqual([]);
});

it('is no larger than a user is asked to download', async () => {
  expect((await stat(inject('vsix'))).size).toBeLessThanOrEqual(MAX_PACKAGE_BYTES);
});
