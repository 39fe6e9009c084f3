/**
 * Gets the Nodes that VS Code ships, for the tests that run the engine under them: npm carries each as a package.
 * Idempotent: what is in .cache/nodes is used as it is. Linux only, as the end-to-end tests are.
 */
import { access, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneAtATime, run } from './processes.mjs';
import { installFromNpm } from './setupVsCode.mjs';

const cache = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache', 'nodes');

/**
 * VS Code's version, and the Node inside it. The oldest is the one of `engines.vscode` in package.json (Electron
 * 37.7.0), the newest the one that the end-to-end tests drive.
 * @type {readonly { readonly vsCode: string, readonly node: string }[]}
 */
export const VSCODE_NODES = [
  { vsCode: '1.106', node: '22.20.0' },
  { vsCode: '1.139', node: '24.21.0' },
];

/**
 * @param {string} version of Node
 * @returns {Promise<string>} path of the program
 * @throws {Error} when it can't be installed or is another version
 */
export async function nodeProgram(version) {
  const folder = join(cache, version);
  const program = join(folder, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  await mkdir(cache, { recursive: true });
  await oneAtATime(`think-at-hard:${folder}`, async () => {
    if (!(await access(program).then(() => true, () => false))) await installFromNpm(folder, `node-linux-${process.arch}`, version);
  });
  const said = (await run(program, ['--version'])).trim();
  if (said !== `v${version}`) throw new Error(`${program} says that it is ${said}, not v${version}.`);
  return program;
}

/**
 * The package of a Node as npm's registry has it, for the tests that serve it from loopback.
 * @param {string} version of Node
 * @returns {Promise<string>} path of the archive
 */
export async function nodeArchive(version) {
  const name = `node-linux-${process.arch}-${version}.tgz`;
  const archive = join(cache, name);
  await mkdir(cache, { recursive: true });
  await oneAtATime(`think-at-hard:${archive}`, async () => {
    if (await access(archive).then(() => true, () => false)) return;
    const aside = join(cache, 'packed');
    await mkdir(aside, { recursive: true });
    await run('npm', ['pack', `node-linux-${process.arch}@${version}`, '--silent', '--pack-destination', aside]);
    await rename(join(aside, name), archive);
  });
  return archive;
}
