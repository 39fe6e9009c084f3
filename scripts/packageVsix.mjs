/**
 * `npm run package [-- --target linux-x64] [--out FILE]`: makes the VSIX of one platform, the same bytes from the same commit.
 * Production bundles, the bundled models imported by our own importer, the native files of the target and the notices
 * are gathered in artifacts/vsix/<target>, and vsce packs from there what .vscodeignore allows.
 * `--prepare` fills ./dist the same way for this machine and packs nothing: a plain `vsce package` calls it.
 */
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MAX_PACKAGE_BYTES, shippedManifest, shippedModules, targetOf, targetOfMachine } from './packageContents.mjs';
import { run, timed } from './processes.mjs';
import { thirdPartyNotices } from './thirdPartyNotices.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The page that an editor shows of the extension; README.md is for readers of the repository. */
const README = 'docs/extension.md';
/** Beside dist/ and package.json; missing ones are left out. */
const COPIED = ['media', 'l10n', 'CHANGELOG.md', 'LICENSE', '.vscodeignore'];

/** @param {unknown} error */
const isMissing = (error) => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/**
 * @param {string} path
 * @returns {Promise<string[]>} names in the folder, none when there is no such folder
 */
const namesIn = (path) => readdir(path).catch((error) => (isMissing(error) ? [] : Promise.reject(error)));

/** The target of this machine. */
function thisTarget() {
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (/** @type {unknown} */ (process.report.getReport()));
  return targetOfMachine({ platform: process.platform, arch: process.arch, musl: report.header.glibcVersionRuntime === undefined });
}

/**
 * Imports models/<id>/checkpoint into dist/models/<id>, quantised as models/<id>/import.json says (default: fp32).
 * @param {string} dist
 */
async function importModels(dist) {
  for (const id of await namesIn(join(root, 'models'))) {
    const source = join(root, 'models', id);
    if (!(await namesIn(source)).includes('checkpoint')) continue;
    const { quantization = 'fp32' } = await readFile(join(source, 'import.json'), 'utf8').then(JSON.parse, (error) => (isMissing(error) ? {} : Promise.reject(error)));
    const args = [join(dist, 'cli.cjs'), 'import', join(source, 'checkpoint'), '--out', join(dist, 'models', id), '--quantization', quantization];
    await timed(`Importing the bundled model ${id} (${quantization})`, () => run(process.execPath, args, { cwd: root }));
  }
}

/**
 * Copies the native engine into dist/node_modules, where the bundles' require() finds it.
 * @param {string} dist
 * @param {import('./packageContents.mjs').Target} target
 * @returns {Promise<string[]>} the copied files, relative to the root
 */
async function copyModules(dist, target) {
  const modules = join(root, 'node_modules');
  const copied = [];
  for (const { path, matching } of shippedModules(target)) {
    const files = matching === undefined ? [path] : (await readdir(join(modules, path), { recursive: true })).map((file) => join(path, file)).filter((file) => matching.test(file));
    for (const file of files) {
      await cp(join(modules, file), join(dist, 'node_modules', file));
      copied.push(join('node_modules', file).replaceAll('\\', '/'));
    }
  }
  return copied;
}

/**
 * Everything that the package has under dist/.
 * @param {string} dist
 * @param {import('./packageContents.mjs').Target} target
 */
async function fillDist(dist, target) {
  await rm(dist, { recursive: true, force: true });
  const metafile = join(dist, 'bundled.json');
  await timed('Bundling', () => run(process.execPath, ['esbuild.mjs', '--production', '--quiet', '--outdir', dist, '--metafile', metafile], { cwd: root }));
  await importModels(dist);
  /** @type {string[]} */
  const bundled = JSON.parse(await readFile(metafile, 'utf8'));
  const copied = await copyModules(dist, target);
  const notices = await thirdPartyNotices(root, [...bundled, ...copied, 'node_modules/@vscode/codicons/dist/codicon.ttf']);
  await writeFile(join(dist, 'THIRD_PARTY_NOTICES.txt'), notices);
  await rm(metafile);
}

/**
 * The time that all files of the package get: of the commit, so that the same commit gives the same bytes.
 * @returns {Promise<string>} seconds since 1970
 */
async function packageTime() {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined) return given;
  const commit = await run('git', ['log', '-1', '--format=%ct'], { cwd: root }).catch(() => '');
  // Outside a repository: the first time that a zip file can hold, 1980-01-01.
  return /^\d+$/.test(commit.trim()) ? commit.trim() : '315532800';
}

/**
 * @param {string} name target
 * @param {string | undefined} out
 * @returns {Promise<string>} path of the VSIX
 */
async function packageVsix(name, out) {
  const target = targetOf(name);
  const stage = join(root, 'artifacts', 'vsix', name);
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { recursive: true });
  await fillDist(join(stage, 'dist'), target);
  for (const file of await readdir(root)) {
    if (COPIED.includes(file) || /^package\.nls.*\.json$/.test(file)) await cp(join(root, file), join(stage, file), { recursive: true });
  }
  await cp(join(root, README), join(stage, README));
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  await writeFile(join(stage, 'package.json'), JSON.stringify(shippedManifest(manifest), null, 2));
  const vsix = out ?? join(root, 'artifacts', `${manifest.name}-${name}.vsix`);
  const vsce = join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
  const args = [vsce, 'package', '--target', name, '--no-dependencies', '--allow-missing-repository', '--readme-path', README, '--out', vsix];
  await timed('Packing', async () => run(process.execPath, args, { cwd: stage, env: { SOURCE_DATE_EPOCH: await packageTime() } }));
  const { size } = await stat(vsix);
  console.log(`${relative(process.cwd(), vsix) || basename(vsix)}: ${(size / 1024 / 1024).toFixed(1)} MiB`);
  if (size > MAX_PACKAGE_BYTES) throw new Error(`The package is larger than ${MAX_PACKAGE_BYTES / 1024 / 1024} MiB.`);
  return vsix;
}

const { values } = parseArgs({ options: { target: { type: 'string' }, out: { type: 'string' }, prepare: { type: 'boolean', default: false } } });
try {
  const name = values.target ?? thisTarget();
  if (values.prepare) await fillDist(join(root, 'dist'), targetOf(name));
  else await packageVsix(name, values.out);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
