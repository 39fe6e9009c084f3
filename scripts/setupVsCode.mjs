/**
 * Gets a real VS Code for the end-to-end tests, and a browser to drive it.
 * First choice: the VS Code server that @vscode/test-electron downloads, where its host can be reached.
 * Else: code-server from npm, which is VS Code built as a server, with the Node that it needs, also from npm.
 * Idempotent: what is in .cache/vscode is used as it is. TAH_E2E_VSCODE=code-server (or =download) takes one way only.
 * Knows nothing of the extension.
 */
import { downloadAndUnzipVSCode } from '@vscode/test-electron';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneAtATime, run, timed, twice } from './processes.mjs';
import { findChromium, installSystemPackages } from './systemPackages.mjs';

/** The VS Code that both ways give: the tests know its workbench. */
const VSCODE_VERSION = '1.139.1';
const CODE_SERVER_VERSION = '4.139.1';
/** code-server 4.139 refuses any other major version. */
const NODE_VERSION = '24.21.0';
/** Counts up when the set-up below changes: an older cache is then built again. */
const SETUP_VERSION = '1';
const DOWNLOAD_PROBE_MS = 10_000;

const cache = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache', 'vscode');

/**
 * How to start a VS Code server: `command ...args`, and which options it takes.
 * @typedef {{ readonly kind: 'download' | 'code-server', readonly version: string, readonly command: string, readonly args: readonly string[] }} VsCode
 * @typedef {{ readonly vsCode: VsCode, readonly chromium: string }} TestSetup
 */

/** @param {string} path */
const exists = (path) => access(path).then(() => true, () => false);

/** @returns {Promise<boolean>} whether VS Code's download host answers */
async function downloadHostAnswers() {
  try {
    await fetch('https://update.code.visualstudio.com/api/releases/stable', { signal: AbortSignal.timeout(DOWNLOAD_PROBE_MS) });
    return true;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    console.log(`VS Code's download host can't be reached (${cause instanceof Error ? cause.message : String(cause)}).`);
    return false;
  }
}

/** @returns {Promise<VsCode>} */
async function downloadVsCode() {
  const executable = await twice('The download of VS Code', () =>
    timed(`Downloading VS Code ${VSCODE_VERSION} (server)`, () =>
      downloadAndUnzipVSCode({ version: VSCODE_VERSION, platform: `server-linux-${process.arch}-web`, cachePath: join(cache, 'download') }),
    ),
  );
  // What its start script calls: started without the script, a signal reaches the server itself.
  const home = dirname(dirname(executable));
  /** @type {VsCode} */
  const ready = { kind: 'download', version: VSCODE_VERSION, command: join(home, 'node'), args: [join(home, 'out', 'server-main.js')] };
  await run(ready.command, [...ready.args, '--version'], { timeoutMs: 60_000 });
  return ready;
}

/**
 * Installs one npm package into `folder` and gives the package's own folder. Install scripts don't run.
 * @param {string} folder
 * @param {string} name
 * @param {string} version
 */
export async function installFromNpm(folder, name, version) {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: { [name]: version } }));
  await twice(`The installation of ${name}`, () =>
    timed(`Installing ${name} ${version} from npm`, () => run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: folder })),
  );
  return join(folder, 'node_modules', name);
}

/** @returns {Promise<VsCode>} */
async function setUpCodeServer() {
  const folder = join(cache, `code-server-${CODE_SERVER_VERSION}`);
  const nodePackage = `node-linux-${process.arch}`;
  const nodeHome = join(folder, 'node', 'node_modules', nodePackage);
  const entry = join(folder, 'server', 'node_modules', 'code-server', 'out', 'node', 'entry.js');
  /** @type {VsCode} */
  const ready = { kind: 'code-server', version: VSCODE_VERSION, command: join(nodeHome, 'bin', 'node'), args: [entry] };
  const stamp = join(folder, 'ready');
  const wanted = JSON.stringify({ setup: SETUP_VERSION, codeServer: CODE_SERVER_VERSION, node: NODE_VERSION });
  if ((await exists(stamp)) && (await readFile(stamp, 'utf8')) === wanted) return ready;

  await rm(folder, { recursive: true, force: true });
  await installFromNpm(join(folder, 'node'), nodePackage, NODE_VERSION);
  const codeServer = await installFromNpm(join(folder, 'server'), 'code-server', CODE_SERVER_VERSION);
  const env = {
    PATH: [join(nodeHome, 'bin'), process.env['PATH'] ?? ''].join(delimiter),
    // Native modules are built against the headers that come with this Node: nothing else is downloaded.
    npm_config_nodedir: nodeHome,
  };
  await twice("The installation of VS Code's own modules", () =>
    timed("Building VS Code's native modules (about 90 s)", () =>
      run('npm', ['install', '--omit=dev', '--no-audit', '--no-fund'], { cwd: join(codeServer, 'lib', 'vscode'), env }),
    ),
  );
  await run(ready.command, [...ready.args, '--version'], { timeoutMs: 60_000 });
  await writeFile(`${stamp}.new`, wanted);
  await rename(`${stamp}.new`, stamp);
  return ready;
}

/** @returns {Promise<VsCode>} */
async function setUpVsCode() {
  const choice = process.env['TAH_E2E_VSCODE'] ?? 'auto';
  if (!['auto', 'download', 'code-server'].includes(choice)) {
    throw new Error(`TAH_E2E_VSCODE is "${choice}"; it can be auto, download or code-server.`);
  }
  if (choice === 'download') return await downloadVsCode();
  if (choice === 'auto' && (await downloadHostAnswers())) {
    try {
      return await downloadVsCode();
    } catch (error) {
      console.log(`The downloaded VS Code can't be used, taking code-server instead. ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  await installSystemPackages({ forBuild: true });
  return await setUpCodeServer();
}

/**
 * Everything that the end-to-end tests need beside the packaged extension.
 * @returns {Promise<TestSetup>}
 * @throws {Error} that says what is missing and how to install it
 */
export async function setUpTests() {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new Error(`The end-to-end tests run on Linux (x64 or arm64), not on ${process.platform}-${process.arch}.`);
  }
  await mkdir(cache, { recursive: true });
  return await oneAtATime(`think-at-hard:${cache}`, async () => {
    await installSystemPackages({ forBuild: false });
    const vsCode = await setUpVsCode();
    const chromium = await findChromium();
    if (chromium === null) throw new Error('No Chromium was found after the set-up; install one or name it in TAH_E2E_CHROMIUM.');
    return { vsCode, chromium };
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { vsCode, chromium } = await setUpTests();
  console.log(`VS Code ${vsCode.version} (${vsCode.kind}) and ${chromium} are ready.`);
}
