/** `tah serve` as a user starts it: what it prints, that it answers, that it ends when it is told, and where its token comes from. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { importTinyModel, type TinyModel } from '../../fixtures/tinyModel.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
let dist: string;
let tiny: TinyModel;
const children: ChildProcess[] = [];

beforeAll(async () => {
  fs.mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  dist = fs.mkdtempSync(path.join(ROOT, '.cache/serve-test-'));
  await promisify(execFile)(process.execPath, ['esbuild.mjs', '--only', 'cli', '--quiet', '--outdir', dist], { cwd: ROOT });
  tiny = await importTinyModel();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => {
  fs.rmSync(dist, { recursive: true, force: true });
  tiny.remove();
});

interface Served {
  readonly child: ChildProcess;
  readonly hello: { readonly url: string; readonly port: number; readonly token: string | null; readonly models: readonly string[] };
  readonly exited: Promise<number | null>;
}

function launch(args: readonly string[], env: Record<string, string> = {}): { child: ChildProcess; output: () => string; errors: () => string; exited: Promise<number | null> } {
  const child = spawn(process.execPath, [path.join(dist, 'cli.cjs'), 'serve', '--model', tiny.dir, ...args], { cwd: dist, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return { child, output: () => output, errors: () => errors, exited: new Promise((resolve) => child.once('close', resolve)) };
}

async function serve(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Served> {
  const { child, output, exited } = launch(['--port', '0', '--json', ...args], env);
  while (!output().trimEnd().endsWith('}')) {
    if (child.exitCode !== null) throw new Error('it ended at its start');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { child, hello: JSON.parse(output()) as Served['hello'], exited };
}

const models = (url: string, token: string): Promise<Response> => fetch(`${url}/models`, { headers: { authorization: `Bearer ${token}` } });

describe('tah serve', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('answers with the token that it prints, and ends cleanly at %s in the midst of an answer', async (signal) => {
    const { child, hello, exited } = await serve();
    expect(hello.url).toBe(`http://127.0.0.1:${hello.port}/v1`);
    expect(hello.token?.length).toBeGreaterThanOrEqual(40);
    const answer = await fetch(`${hello.url}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hello.token ?? ''}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: hello.models[0], messages: [{ role: 'user', content: '1 + 1' }], stream: true, tah: true }),
    });
    expect(answer.status).toBe(200);
    child.kill(signal);
    await answer.text();
    expect(await exited).toBe(0);
  });

  it('takes its token from a file or the environment and then prints none', async () => {
    const file = path.join(dist, 'token.txt');
    fs.writeFileSync(file, 'token-of-a-file-0123\n');
    const byFile = await serve(['--token-file', file]);
    expect(byFile.hello.token).toBeNull();
    expect((await models(byFile.hello.url, 'token-of-a-file-0123')).status).toBe(200);
    const byVariable = await serve([], { TAH_SERVE_TOKEN: 'token-of-the-shell-01' });
    expect((await models(byVariable.hello.url, 'token-of-the-shell-01')).status).toBe(200);
    expect((await models(byVariable.hello.url, 'token-of-a-file-0123')).status).toBe(401);
  });

  it.each([
    [['--host', '0.0.0.0'], /unknown option/],
    [['--token-file', '/nowhere/token'], /token can't be read/],
    [['--port', '70000'], /no port 70000/],
    [['--model', '/nowhere'], /no model/i],
  ])('refuses %j', async (args, words) => {
    const { exited, errors } = launch(['--port', '0', ...args]);
    expect(await exited).toBe(1);
    expect(errors()).toMatch(words);
  });

  it('says which port is taken', async () => {
    const { hello } = await serve();
    const { exited, errors } = launch(['--port', String(hello.port)]);
    expect(await exited).toBe(1);
    expect(errors()).toContain(`Port ${hello.port} of 127.0.0.1 is in use`);
  });
});
