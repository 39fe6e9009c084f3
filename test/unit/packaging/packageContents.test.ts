/** What may and must be in a package, by names alone. The end-to-end tests check the finished VSIX with the same rules. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageFaults, shippedManifest, shippedModules, TARGETS, targetOf, targetOfMachine } from '../../../scripts/packageContents.mjs';
import { builtFor } from '../../fixtures/nativeFile.ts';

const native = 'extension/dist/node_modules/onnxruntime-node/bin/napi-v6';

/** The file list of a right package for linux-x64. */
const right = [
  '[Content_Types].xml',
  'extension.vsixmanifest',
  'extension/package.json',
  'extension/package.nls.json',
  'extension/package.nls.zh-cn.json',
  'extension/readme.md',
  'extension/LICENSE.txt',
  'extension/media/icon.png',
  'extension/dist/extension.cjs',
  'extension/dist/pieces/download-AB12CD34.cjs',
  'extension/dist/engineProcess.cjs',
  'extension/dist/providerProbe.cjs',
  'extension/dist/checkWorker.cjs',
  'extension/dist/mathWorker.cjs',
  'extension/dist/mathmaps/base.json',
  'extension/dist/mathmaps/en.json',
  'extension/dist/webview.js',
  'extension/dist/comparison.js',
  'extension/dist/THIRD_PARTY_NOTICES.txt',
  'extension/dist/models/tah-small/manifest.json',
  'extension/dist/models/tah-small/model.onnx',
  'extension/dist/node_modules/onnxruntime-node/package.json',
  'extension/dist/node_modules/onnxruntime-node/dist/index.js',
  `${native}/linux/x64/onnxruntime_binding.node`,
  `${native}/linux/x64/libonnxruntime.so.1`,
  'extension/dist/node_modules/onnxruntime-common/dist/cjs/index.js',
];

describe('packageFaults', () => {
  const target = targetOf('linux-x64');

  it('finds nothing wrong with a right package', () => {
    expect(packageFaults(right, target)).toEqual([]);
  });

  it.each([
    'extension/src/extension.ts',
    'extension/dist/extension.cjs.map',
    'extension/node_modules/zod/index.js',
    'extension/.npmrc',
    'extension/training/train.py',
    'extension/dist/models/../../secret',
    'extension/models/tah-small/checkpoint/model.safetensors',
  ])('refuses %s, which no user needs', (file) => {
    expect(packageFaults([...right, file], target)).toEqual([`${file} doesn't belong into the package.`]);
  });

  it("refuses another platform's native file", () => {
    const other = `${native}/win32/x64/onnxruntime.dll`;
    expect(packageFaults([...right, other], target)).toEqual([`${other} is for another target.`]);
  });

  it.each(['extension/dist/engineProcess.cjs', `${native}/linux/x64/libonnxruntime.so.1`])('misses %s', (file) => {
    expect(packageFaults(right.filter((name) => name !== file), target)).toEqual([`${file} is missing.`]);
  });

  it('refuses a model that says where it was built', () => {
    const record = 'extension/dist/models/tah-math-small/source.json';
    expect(packageFaults([...right, record], target)).toEqual([`${record} says where the model was built.`]);
  });

  it('misses the bundled model', () => {
    expect(packageFaults(right.filter((name) => !name.includes('/models/')), target)).toEqual(['No bundled model is in the package.']);
  });
});

describe('targets', () => {
  it.each([
    ['alpine-x64', /musl/],
    ['darwin-x64', /Intel/],
    ['linux-armhf', /32-bit/],
    ['toString', /no such target/],
  ])('refuses %s with a sentence that says why and what can be made', (name, why) => {
    expect(() => targetOf(name)).toThrow(why);
    expect(() => targetOf(name)).toThrow(/linux-x64/);
  });

  it('takes a machine with musl for Alpine and any other by platform and processor', () => {
    expect(targetOfMachine({ platform: 'linux', arch: 'x64', musl: true })).toBe('alpine-x64');
    expect(targetOfMachine({ platform: 'linux', arch: 'x64', musl: false })).toBe('linux-x64');
    expect(targetOfMachine({ platform: 'win32', arch: 'arm64', musl: true })).toBe('win32-arm64');
  });

  it.each(Object.keys(TARGETS))('ships native files of %s only', (name) => {
    const [platform, arch] = name.split('-');
    const binaries = shippedModules(targetOf(name)).filter(({ path }) => path.includes('/bin/'));
    expect(binaries.length).toBeGreaterThan(1);
    for (const { path } of binaries) expect(path).toContain(`/${platform ?? ''}/${arch ?? ''}/`);
  });
});

describe('the binaries of ONNX Runtime', () => {
  const modules = join(import.meta.dirname, '../../../node_modules');

  it('are there for our targets and no others: a new one should become a target', async () => {
    const bin = join(modules, 'onnxruntime-node/bin/napi-v6');
    const platforms = await readdir(bin);
    const found = await Promise.all(platforms.map(async (platform) => (await readdir(join(bin, platform))).map((arch) => `${platform}-${arch}`)));
    expect(found.flat().sort()).toEqual(Object.keys(TARGETS).sort());
  });

  it.each(Object.keys(TARGETS))('of %s are for that system and processor, and the binding asks for the library that is shipped', async (name) => {
    const files = shippedModules(targetOf(name)).filter(({ path }) => path.includes('/bin/'));
    const binding = await readFile(join(modules, files.find(({ path }) => path.endsWith('.node'))?.path ?? ''));
    for (const { path } of files) {
      const bytes = await readFile(join(modules, path));
      expect([path, builtFor(bytes)]).toEqual([path, name]);
      if (/onnxruntime\.(dll|so|1\.dylib)/.test(path)) expect(binding.includes(path.slice(path.lastIndexOf('/') + 1))).toBe(true);
    }
  });

  it('are all that a package names: every shipped path is installed', () => {
    for (const target of Object.values(TARGETS)) for (const { path } of shippedModules(target)) expect([path, existsSync(join(modules, path))]).toEqual([path, true]);
  });
});

it('ships a manifest without scripts and dependencies, everything else unchanged', () => {
  const manifest = { name: 'x', main: './dist/extension.cjs', contributes: { commands: [] }, scripts: {}, dependencies: {}, devDependencies: {}, private: true };
  expect(shippedManifest(manifest)).toEqual({ name: 'x', main: './dist/extension.cjs', contributes: { commands: [] } });
});
