/** The finished packages, unpacked: each holds what its target needs and nothing else, and is made the same way twice. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { MAX_PACKAGE_BYTES, packageFaults, TARGETS, targetOf } from '../../scripts/packageContents.mjs';
import { run } from '../../scripts/processes.mjs';
import { builtFor } from '../fixtures/nativeFile.ts';
import { namesInZip, openZip, type Zip } from './zip.ts';

const here = `linux-${process.arch}`;
const names = Object.keys(TARGETS);
/** All packages are built in one go, and one of them again; on a busy machine that takes minutes. */
const LONG_MS = 20 * 60_000;

let folder = '';
const vsix = (target: string, from = 'all'): string => join(folder, from, `think-at-hard-${target}.vsix`);

const isNative = (name: string): boolean => name.includes('/bin/napi-v6/');

/** sha256 of each file. */
function hashes(zip: Zip, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, createHash('sha256').update(zip.read(name)).digest('hex')]));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tah-packages-'));
  const script = join('scripts', 'packageVsix.mjs');
  await run(process.execPath, [script, '--all', '--out-dir', join(folder, 'all')]);
  // A clock and a folder of its own: neither may be in the bytes.
  await run(process.execPath, [script, '--target', here, '--out-dir', join(folder, 'again')], { env: { TZ: 'Asia/Kolkata' } });
}, LONG_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

it('the package under test holds files of the allow-list, the native files of its target, and a model, and is small enough', async () => {
  expect(packageFaults(await namesInZip(inject('vsix')), targetOf(here))).toEqual([]);
  expect((await stat(inject('vsix'))).size).toBeLessThanOrEqual(MAX_PACKAGE_BYTES);
});

describe.each(names)('the package for %s', (target) => {
  it('holds files of the allow-list only, its native files, a model, licence, changelog, notices and icon', async () => {
    const files = await namesInZip(vsix(target));
    expect(packageFaults(files, targetOf(target))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['extension/LICENSE.txt', 'extension/changelog.md', 'extension/readme.md', 'extension/media/icon.png']));
  });

  it('is for that target and no other: its manifest says so, and so does each native file', async () => {
    const zip = await openZip(vsix(target));
    expect(zip.read('extension.vsixmanifest').toString('utf8')).toContain(`TargetPlatform="${target}"`);
    const native = zip.names.filter(isNative);
    expect(native).toHaveLength(targetOf(target).native.length);
    for (const name of native) expect([name, builtFor(zip.read(name))]).toEqual([name, target]);
  });

  it('is no larger than a user is asked to download', async () => {
    const { size } = await stat(vsix(target));
    console.log(`${target}: ${(size / 1024 / 1024).toFixed(1)} MiB`);
    expect(size).toBeLessThanOrEqual(MAX_PACKAGE_BYTES);
  });

  it('has the notices of all that it ships, and no path of the machine that made it', async () => {
    const zip = await openZip(vsix(target));
    const notices = zip.read('extension/dist/THIRD_PARTY_NOTICES.txt').toString('utf8');
    for (const name of ['onnxruntime-node', 'onnxruntime-common', 'vscode-jsonrpc', '@mathjax/src', 'mathjs']) expect(notices).toContain(`\n${name} `);
    for (const name of zip.names.filter((file) => /\.(cjs|js|json|css|md|txt|vsixmanifest)$/.test(file))) {
      expect(zip.read(name).includes(process.cwd()), name).toBe(false);
    }
  });
});

it('all packages hold the same bundles and models: only native files and their manifest differ', async () => {
  const shared = async (target: string): Promise<Readonly<Record<string, string>>> => {
    const zip = await openZip(vsix(target));
    return hashes(zip, zip.names.filter((name) => !isNative(name) && name !== 'extension.vsixmanifest' && name !== '[Content_Types].xml'));
  };
  const first = await shared(names[0] ?? '');
  for (const target of names.slice(1)) expect(await shared(target)).toEqual(first);
});

it('the same commit gives the same bytes', async () => {
  const [one, two] = [await readFile(vsix(here)), await readFile(vsix(here, 'again'))];
  if (one.equals(two)) return;
  const [first, second] = [await openZip(vsix(here)), await openZip(vsix(here, 'again'))];
  expect(hashes(second, second.names), 'the files differ').toEqual(hashes(first, first.names));
  expect.unreachable('the files are the same, their archives differ');
});

it('a target without binaries is refused with the reason, and leaves no file', async () => {
  const out = join(folder, 'refused');
  await expect(run(process.execPath, [join('scripts', 'packageVsix.mjs'), '--target', 'alpine-x64', '--out-dir', out])).rejects.toThrow(/ONNX Runtime has no binaries for Alpine Linux \(musl\)/);
  expect(existsSync(out)).toBe(false);
});

it('a pre-release says so in its manifest', async () => {
  const out = join(folder, 'pre.vsix');
  await run(process.execPath, [join('scripts', 'packageVsix.mjs'), '--target', here, '--pre-release', '--out', out, '--out-dir', join(folder, 'pre')]);
  expect((await openZip(out)).read('extension.vsixmanifest').toString('utf8')).toMatch(/Id="Microsoft\.VisualStudio\.Code\.PreRelease" Value="true"/);
}, LONG_MS);
