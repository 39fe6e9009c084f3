/**
 * Gathers what a package holds: production bundles and bundled models once, and for each target its native files and
 * notices beside them. Knows folders and nothing of archives; what may be in them is said by packageContents.mjs.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shippedManifest, shippedModules } from './packageContents.mjs';
import { run, timed } from './processes.mjs';
import { thirdPartyNotices } from './thirdPartyNotices.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The page that an editor shows of the extension; README.md is for readers of the repository. */
export const README = 'docs/extension.md';
/** Beside dist/ and package.json; missing ones are left out. */
const COPIED = ['media', 'l10n', 'CHANGELOG.md', 'LICENSE', '.vscodeignore'];

/** @param {unknown} error */
const isMissing = (error) => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/**
 * @param {string} path
 * @returns {Promise<string[]>} names in the folder, none when there is no such folder
 */
const namesIn = (path) => readdir(path).catch((error) => (isMissing(error) ? [] : Promise.reject(error)));

/**
 * Imports models/<id>/checkpoint into dist/models/<id>, quantised as models/<id>/import.json says (default: fp32).
 * @param {string} dist
 */
async function importModels(dist) {
  for (const id of await namesIn(join(root, 'models'))) {
    const source = join(root, 'models', id);
    if (!(await namesIn(source)).includes('checkpoint')) continue;
    const { quantization = 'fp32' } = await readFile(join(source, 'import.json'), 'utf8').then(JSON.parse, (error) => (isMissing(error) ? {} : Promise.reject(error)));
    const args = [join(dist, 'cli.cjs'), 'import', join(source, 'checkpoint'), '--out', join(dist, 'models', id), '--quantization', quantization, '--no-record'];
    await timed(`Importing the bundled model ${id} (${quantization})`, () => run(process.execPath, args, { cwd: root }));
  }
}

/**
 * What the packages of all targets have under dist/ alike: bundles and models.
 * @param {string} dist is made anew
 * @returns {Promise<readonly string[]>} the files that went into the bundles, relative to the root
 */
export async function gatherShared(dist) {
  await rm(dist, { recursive: true, force: true });
  const metafile = join(dist, 'bundled.json');
  await timed('Bundling', () => run(process.execPath, ['esbuild.mjs', '--production', '--quiet', '--outdir', dist, '--metafile', metafile], { cwd: root }));
  await importModels(dist);
  /** @type {string[]} */
  const bundled = JSON.parse(await readFile(metafile, 'utf8'));
  await rm(metafile);
  return bundled;
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
 * Adds to a dist/ with the shared part what is one target's own: its native files, and the notices of all.
 * @param {string} dist
 * @param {import('./packageContents.mjs').Target} target
 * @param {readonly string[]} bundled as `gatherShared` gives it
 */
export async function addTarget(dist, target, bundled) {
  const copied = await copyModules(dist, target);
  const notices = await thirdPartyNotices(root, [...bundled, ...copied, 'node_modules/@vscode/codicons/dist/codicon.ttf']);
  await writeFile(join(dist, 'THIRD_PARTY_NOTICES.txt'), notices);
}

/**
 * The folder that vsce packs: manifest, page, licence, changelog, media, texts, and dist/.
 * @param {string} stage is made anew
 * @param {string} shared a dist/ that `gatherShared` filled
 * @param {import('./packageContents.mjs').Target} target
 * @param {readonly string[]} bundled
 */
export async function gatherStage(stage, shared, target, bundled) {
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { recursive: true });
  await cp(shared, join(stage, 'dist'), { recursive: true });
  await addTarget(join(stage, 'dist'), target, bundled);
  for (const file of await readdir(root)) {
    if (COPIED.includes(file) || /^package\.nls.*\.json$/.test(file)) await cp(join(root, file), join(stage, file), { recursive: true });
  }
  await cp(join(root, README), join(stage, README));
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  await writeFile(join(stage, 'package.json'), JSON.stringify(shippedManifest(manifest), null, 2));
}
