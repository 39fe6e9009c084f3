/** The notices are made of the packages that were really bundled, and of their licence texts. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packageFolders, thirdPartyNotices } from '../../../scripts/thirdPartyNotices.mjs';

let root = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tah-notices-'));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function addPackage(name: string, files: Record<string, string>): Promise<string> {
  const folder = join(root, 'node_modules', name);
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  return `node_modules/${name}/index.js`;
}

it('finds the package of a file: scoped, nested, and none for our own files', () => {
  expect(packageFolders(['node_modules/@a/b/dist/x.js', 'node_modules/c/node_modules/d/y.js', 'node_modules/@a/b/z.js', 'src/extension.ts'])).toEqual([
    'node_modules/@a/b',
    'node_modules/c/node_modules/d',
  ]);
});

it('gives name, version, licence and every licence text', async () => {
  const file = await addPackage('a', {
    'package.json': JSON.stringify({ name: 'a', version: '1.2.3', license: 'Apache-2.0', repository: { url: 'https://example.org/a' } }),
    'LICENSE.md': 'the licence\r\nof a',
    NOTICE: 'the notice of a',
    'licensed.js': 'code',
  });
  const text = await thirdPartyNotices(root, [file, 'src/extension.ts']);
  expect(text).toContain('a 1.2.3\nLicence: Apache-2.0\nSource: https://example.org/a\n\nthe licence\nof a\n\nthe notice of a');
  expect(text).not.toContain('code');
});

it('takes a supplied text where the package has none, and fails where there is no text at all', async () => {
  const known = await addPackage('onnxruntime-node', { 'package.json': JSON.stringify({ name: 'onnxruntime-node', version: '1.0.0', license: 'MIT' }) });
  expect(await thirdPartyNotices(root, [known])).toContain('Copyright (c) Microsoft Corporation');
  const silent = await addPackage('silent', { 'package.json': JSON.stringify({ name: 'silent', version: '1.0.0', license: 'MIT' }) });
  await expect(thirdPartyNotices(root, [silent])).rejects.toThrow(/silent 1\.0\.0 \(MIT\) is shipped but carries no licence text/);
});
