/**
 * A VS Code server with the packaged extension, fresh folders and a copy of a workspace; it serves the workbench to a browser.
 * Knows how both kinds of VS Code of scripts/setupVsCode.mjs are started. Knows nothing of the workbench itself.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '../../scripts/processes.mjs';
import type { VsCode } from '../../scripts/setupVsCode.mjs';
import { findProcesses, type RunningProcess } from './processes.ts';

const START_MS = 180_000;
const STOP_MS = 15_000;

/** Quiet and equal at every start: no welcome page, no network. */
const SETTINGS = {
  'security.workspace.trust.enabled': false,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'update.mode': 'none',
  'chat.disableAIFeatures': false,
  'files.autoSave': 'off',
};

interface Folders {
  /** Holds the others; removed at the end. */
  readonly home: string;
  readonly data: string;
  readonly extensions: string;
  readonly workspace: string;
}

export interface Installed {
  /** The installed extension. */
  readonly extension: string;
  /** A folder for files of the test, removed with the server. */
  readonly scratch: string;
}

export interface VsCodeServerOptions {
  readonly vsCode: VsCode;
  readonly vsix: string;
  /** Copied, so that a test may change it. */
  readonly workspace: string;
  /** Folders of other extensions, which are packed and installed beside ours. */
  readonly companions?: readonly string[];
  /** Added to the user's settings. Asked when the package is installed. */
  readonly settings?: (installed: Installed) => Promise<Readonly<Record<string, unknown>>>;
  /** Beside the environment of the tests. Asked after the settings. */
  readonly environment?: () => Readonly<Record<string, string>>;
  /** The workspace is not trusted, and nobody is asked. */
  readonly restricted?: boolean;
}

const RESTRICTED_SETTINGS = { 'security.workspace.trust.enabled': true, 'security.workspace.trust.startupPrompt': 'never' };

function dataOptions({ kind }: VsCode, folders: Folders): readonly string[] {
  const data = kind === 'code-server' ? '--user-data-dir' : '--server-data-dir';
  return [data, folders.data, '--extensions-dir', folders.extensions];
}

function serveOptions({ kind }: VsCode, port: number, restricted: boolean): readonly string[] {
  if (kind === 'code-server') {
    return ['--auth', 'none', '--bind-addr', `127.0.0.1:${port}`, '--disable-telemetry', '--disable-update-check', ...(restricted ? [] : ['--disable-workspace-trust'])];
  }
  return ['--host', '127.0.0.1', '--port', String(port), '--without-connection-token', '--accept-server-license-terms', '--telemetry-level', 'off'];
}

async function installedExtension({ extensions }: Folders): Promise<string> {
  const name = (await readdir(extensions)).find((entry) => entry.startsWith('think-at-hard.think-at-hard-'));
  if (name === undefined) throw new Error(`The extension is not among ${extensions} after its installation.`);
  return join(extensions, name);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port was found.');
  return address.port;
}

export class VsCodeServer {
  readonly url: string;
  private log = '';
  private stopped = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly folders: Folders,
    port: number,
  ) {
    this.url = `http://127.0.0.1:${port}/?folder=${encodeURIComponent(folders.workspace)}`;
    process.once('exit', this.endWithTests);
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (this.log += text));
  }

  /** Ends the whole group of processes at once. */
  private readonly endWithTests = (): void => {
    if (this.child.pid !== undefined && this.child.exitCode === null) process.kill(-this.child.pid, 'SIGKILL');
  };

  /** Installs the package and serves; ready when it answers. Leaves nothing behind when that fails. */
  static async start({ vsCode, vsix, workspace, companions = [], settings, environment, restricted = false }: VsCodeServerOptions): Promise<VsCodeServer> {
    const home = await mkdtemp(join(tmpdir(), 'tah-e2e-'));
    try {
      const folders: Folders = { home, data: join(home, 'data'), extensions: join(home, 'extensions'), workspace: join(home, 'workspace') };
      await cp(workspace, folders.workspace, { recursive: true });
      const options = dataOptions(vsCode, folders);
      await run(vsCode.command, [...vsCode.args, ...options, '--install-extension', vsix], { timeoutMs: START_MS });
      for (const companion of companions) {
        const packed = join(home, `${basename(companion)}.vsix`);
        await run(process.execPath, [resolve('node_modules/@vscode/vsce/vsce'), 'package', '--no-dependencies', '--allow-missing-repository', '--skip-license', '--out', packed], { cwd: resolve(companion), timeoutMs: START_MS });
        await run(vsCode.command, [...vsCode.args, ...options, '--install-extension', packed], { timeoutMs: START_MS });
      }
      const installed = { extension: await installedExtension(folders), scratch: home };
      const allSettings = JSON.stringify({ ...SETTINGS, ...(restricted ? RESTRICTED_SETTINGS : {}), ...(await settings?.(installed)) });
      for (const settingsFolder of ['User', 'Machine', 'data/Machine']) {
        await mkdir(join(folders.data, settingsFolder), { recursive: true });
        await writeFile(join(folders.data, settingsFolder, 'settings.json'), allSettings);
      }
      const port = await freePort();
      // A group of its own: whatever is left of it can be ended as one.
      const child = spawn(vsCode.command, [...vsCode.args, ...serveOptions(vsCode, port, restricted), ...options], { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment?.() } });
      const server = new VsCodeServer(child, folders, port);
      await server.untilItAnswers();
      return server;
    } catch (error) {
      await rm(home, { recursive: true, force: true });
      throw error;
    }
  }

  /** Path of a file of the workspace. */
  pathOf(file: string): string {
    return join(this.folders.workspace, file);
  }

  /** The folder that the extension has made whose name ends like this. */
  async findFolder(nameEnd: string): Promise<string> {
    const found = (await readdir(this.folders.data, { recursive: true, withFileTypes: true })).find((entry) => entry.isDirectory() && entry.name.endsWith(nameEnd));
    if (found === undefined) throw new Error(`There is no folder *${nameEnd} among the data of VS Code.`);
    return join(found.parentPath, found.name);
  }

  /** The processes that the extension started from its own dist/. */
  async engineProcesses(): Promise<readonly RunningProcess[]> {
    return await findProcesses(this.folders.extensions, 'engineProcess.cjs');
  }

  /** What the server said and what the extension logged: for a failed test. */
  async logs(): Promise<string> {
    if (this.stopped) return `--- server, ended\n${this.log}`;
    const names = await readdir(this.folders.data, { recursive: true });
    const ours = names.filter((name) => /think-at-hard.*\.log$/i.test(name));
    const texts = await Promise.all(ours.map(async (name) => `--- ${name}\n${await readFile(join(this.folders.data, name), 'utf8')}`));
    return [`--- server\n${this.log}`, ...texts].join('\n');
  }

  /** Asks the server to end as a user would (SIGTERM), then removes its folders. Throws when it doesn't end. */
  async stop(): Promise<void> {
    const ended = this.child.exitCode !== null || this.child.signalCode !== null;
    const end = ended ? Promise.resolve(true) : new Promise<boolean>((resolve) => this.child.once('exit', () => { resolve(true); }));
    this.child.kill('SIGTERM');
    const inTime = await Promise.race([end, delay(STOP_MS, false)]);
    if (!inTime) {
      this.endWithTests();
      throw new Error(`VS Code did not end within ${STOP_MS} ms.\n${this.log}`);
    }
    process.off('exit', this.endWithTests);
    this.stopped = true;
    await rm(this.folders.home, { recursive: true, force: true, maxRetries: 5 });
  }

  private async untilItAnswers(): Promise<void> {
    const until = Date.now() + START_MS;
    while (Date.now() < until) {
      if (this.child.exitCode !== null) throw new Error(`VS Code ended at its start.\n${this.log}`);
      const answered = await fetch(this.url).then(
        (response) => response.ok,
        () => false,
      );
      if (answered) return;
      await delay(200);
    }
    await this.stop();
    throw new Error(`VS Code did not answer within ${START_MS} ms.\n${this.log}`);
  }
}
