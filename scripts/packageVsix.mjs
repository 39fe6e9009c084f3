/**
 * `npm run package [-- --target linux-x64 | --all] [--out FILE] [--out-dir FOLDER] [--pre-release]`: makes the VSIX of
 * this machine's platform, of one target or of all, the same bytes from the same commit.
 * What belongs in is gathered in <out-dir>/vsix/<target> by packageStage.mjs, and vsce packs from there what
 * .vscodeignore allows. `--prepare` fills ./dist the same way for this machine and packs nothing: a plain
 * `vsce package` calls it.
 */
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MAX_PACKAGE_BYTES, TARGETS, targetOf, targetOfMachine } from './packageContents.mjs';
import { addTarget, gatherShared, gatherStage, README, root } from './packageStage.mjs';
import { run, timed } from './processes.mjs';

/** The target of this machine. */
function thisTarget() {
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (/** @type {unknown} */ (process.report.getReport()));
  return targetOfMachine({ platform: process.platform, arch: process.arch, musl: report.header.glibcVersionRuntime === undefined });
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
 * @param {string} stage folder that is packed
 * @param {string} vsix file that is written
 * @param {boolean} preRelease
 */
async function pack(name, stage, vsix, preRelease) {
  const vsce = join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
  const args = [vsce, 'package', '--target', name, '--no-dependencies', '--allow-missing-repository', '--readme-path', README, '--out', vsix, ...(preRelease ? ['--pre-release'] : [])];
  await mkdir(dirname(vsix), { recursive: true });
  // A zip file's times are those of a clock on a wall: the zone is part of the bytes.
  const env = { SOURCE_DATE_EPOCH: await packageTime(), TZ: 'UTC' };
  await timed(`Packing ${name}`, () => run(process.execPath, args, { cwd: stage, env }));
  const { size } = await stat(vsix);
  console.log(`${relative(process.cwd(), vsix) || basename(vsix)}: ${(size / 1024 / 1024).toFixed(1)} MiB`);
  if (size > MAX_PACKAGE_BYTES) throw new Error(`The package ${basename(vsix)} is larger than ${MAX_PACKAGE_BYTES / 1024 / 1024} MiB.`);
}

/**
 * Makes a package for each target, from one set of bundles and imported models.
 * @param {readonly string[]} names targets
 * @param {{ readonly outDir: string, readonly out: string | undefined, readonly preRelease: boolean }} options `out`: the file, where there is one target
 */
async function packageAll(names, { outDir, out, preRelease }) {
  const targets = names.map((name) => ({ name, target: targetOf(name) }));
  const { name: extension } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const stages = join(outDir, 'vsix');
  const shared = join(stages, 'shared');
  const bundled = await gatherShared(shared);
  for (const { name, target } of targets) {
    const stage = join(stages, name);
    await gatherStage(stage, shared, target, bundled);
    await pack(name, stage, out ?? join(outDir, `${extension}-${name}.vsix`), preRelease);
  }
  await rm(shared, { recursive: true });
}

/** @param {string} name target of this machine */
async function prepare(name) {
  const target = targetOf(name);
  const dist = join(root, 'dist');
  await addTarget(dist, target, await gatherShared(dist));
}

try {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      all: { type: 'boolean', default: false },
      out: { type: 'string' },
      'out-dir': { type: 'string', default: join(root, 'artifacts') },
      'pre-release': { type: 'boolean', default: false },
      prepare: { type: 'boolean', default: false },
    },
  });
  if (values.all && (values.target !== undefined || values.out !== undefined)) throw new Error('With --all, --target and --out have no meaning; --out-dir names the folder.');
  const names = values.all ? Object.keys(TARGETS) : [values.target ?? thisTarget()];
  if (values.prepare) await prepare(thisTarget());
  else await packageAll(names, { outDir: resolve(values['out-dir']), out: values.out === undefined ? undefined : resolve(values.out), preRelease: values['pre-release'] });
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
