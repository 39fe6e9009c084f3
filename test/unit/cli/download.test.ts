/** `tah download` as a user starts it, from a hub on loopback: the way to a model folder, a proxy, a token, Ctrl+C. */
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HubServer } from '../../fixtures/hubServer.ts';
import { TINY_CHECKPOINT } from '../../fixtures/tinyModel.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
let dist: string;
let hub: HubServer;

beforeAll(async () => {
  fs.mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  dist = fs.mkdtempSync(path.join(ROOT, '.cache/cli-download-'));
  await promisify(execFile)(process.execPath, ['esbuild.mjs', '--only', 'cli', '--quiet', '--outdir', dist], { cwd: ROOT });
  hub = await HubServer.start(TINY_CHECKPOINT);
});
afterEach(() => {
  hub.reset();
  fs.rmSync(path.join(dist, 'ckpt'), { recursive: true, force: true });
});
afterAll(async () => {
  await hub.stop();
  fs.rmSync(dist, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function tah(args: readonly string[], options: { env?: Readonly<Record<string, string>>; started?: (child: ReturnType<typeof spawn>) => void } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(dist, 'cli.cjs'), ...args], { cwd: dist, env: { PATH: process.env['PATH'], ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('error', reject).on('close', (code) => { resolve({ code, stdout, stderr }); });
    options.started?.(child);
  });
}

const download = (...more: string[]): string[] => ['download', 'owner/tiny', '--out', 'ckpt', '--mirror', hub.url, ...more];

describe('tah download', () => {
  it('brings a checkpoint that tah import takes', async () => {
    hub.plan('model.safetensors', { kind: 'cut', after: 300_000 });
    const { code, stdout } = await tah(download());
    expect(code).toBe(0);
    expect(stdout).toMatch(/owner\/tiny, 12 files, 1\.2 MB \(1\.2 MB received\), hashes checked/);
    const imported = await tah(['import', 'ckpt', '--out', 'model', '--json']);
    expect(imported.code).toBe(0);
  });

  it('--json is one document', async () => {
    const { stdout } = await tah(download('--json'));
    expect(JSON.parse(stdout)).toMatchObject({ repository: 'owner/tiny', revision: 'main', hub: hub.url });
  });

  it('takes the token from the environment, and says it nowhere', async () => {
    hub.token = 'hf_planted';
    const without = await tah(download());
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('private, gated')]);
    const empty = await tah(download('--token-env', 'NO_SUCH_TOKEN'));
    expect(empty.stderr).toContain('NO_SUCH_TOKEN');
    const { code, stdout, stderr } = await tah(download('--token-env', 'HUB_TOKEN', '--verbose'), { env: { HUB_TOKEN: 'hf_planted' } });
    expect([code, `${stdout}${stderr}`.includes('hf_planted')]).toEqual([0, false]);
  });

  it('goes through the proxy of the environment', async () => {
    const seen: string[] = [];
    const proxy = createServer((_, response) => response.writeHead(400).end());
    proxy.on('connect', (request, socket, head: Buffer) => {
      seen.push(request.url ?? '');
      const upstream = connect(hub.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.write(head);
        upstream.pipe(socket);
        socket.pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const { code } = await tah(['download', 'owner/tiny', '--out', 'ckpt', '--mirror', 'http://hub.invalid'], { env: { HTTP_PROXY: url } });
    proxy.closeAllConnections();
    proxy.close();
    expect([code, seen[0]]).toEqual([0, 'hub.invalid:80']);
  });

  it('Ctrl+C ends it with code 130 and keeps what is there', async () => {
    hub.plan('model.safetensors', { kind: 'stall', after: 400_000 });
    const part = path.join(dist, 'ckpt', 'model.safetensors.part');
    const { code } = await tah(download(), {
      started: (child) => {
        const timer = setInterval(() => {
          if (!fs.existsSync(part) || fs.statSync(part).size < 400_000) return;
          clearInterval(timer);
          child.kill('SIGINT');
        }, 20);
      },
    });
    expect([code, fs.statSync(part).size]).toEqual([130, 400_000]);
  });

  it.each([
    ['a repository that is none', ['download', 'a/b/c', '--out', 'x'], /not the name of a repository/],
    ['an address that is none', ['download', 'a/b', '--out', 'x', '--mirror', 'mirror'], /not the address of a hub/],
    ['no folder', ['download', 'a/b'], /--out/],
  ])('%s: one clear line, exit code 1', async (_, args, message) => {
    const { code, stderr } = await tah(args);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });
});
