/** Chat and endpoints in a real VS Code: another extension uses our models and our tool; other servers are our engine. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../src/engine/engine.ts';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { DONE, delta, startFakeServer, type FakeServer } from '../fixtures/endpoint/fakeServer.ts';
import { makeEndlessModel } from './endlessModel.ts';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const FILE = 'problem.md';
const PROBLEM = 'Solve 3x + 5 = 20 for x';
const KEY = 'key-of-the-serve-test-01';
const ANSWER_MS = 90_000;
/** A pass of the endless model takes some tens of milliseconds; this is what another extension sees. */
const STOP_MS = 2_000;

let fake: FakeServer;
let serve: ChildProcess;
let modelFolder = '';

const session = useSession(async ({ extension, scratch }) => {
  modelFolder = join(extension, 'dist', 'models', 'tah-math-small');
  const cli = join(extension, 'dist', 'cli.cjs');
  fake = await startFakeServer();
  fake.scripts = [{ kind: 'stream', intervalMs: 40, parts: [delta(''), ...['First subtract 5. ', 'Then divide by 3. ', '$x = \\boxed{5}$'].map((text) => delta(text)), delta(null, {}, { finish_reason: 'stop' }), DONE] }];
  const served = await startServe(cli);
  return {
    'thinkAtHard.modelFolders': [await makeEndlessModel(cli, scratch)],
    'thinkAtHard.endpoints': [{ name: 'big server', url: fake.url, model: 'big' }, { name: 'other machine', url: served, model: 'tah-math-small' }],
  };
}, { companions: ['test/fixtures/chatDriver'] });

afterAll(async () => {
  serve.kill('SIGKILL');
  await fake.close();
});

async function startServe(cli: string): Promise<string> {
  serve = spawn(process.execPath, [cli, 'serve', '--model', modelFolder, '--port', '0', '--json'], { env: { ...process.env, TAH_SERVE_TOKEN: KEY }, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  serve.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  return await until('tah serve is there', () => Promise.resolve(output.trimEnd().endsWith('}') ? (JSON.parse(output) as { url: string }).url : null));
}

/** What the other extension found out. */
async function drive<T>(title: string, name: string): Promise<T> {
  const { workbench, server } = session();
  await workbench.runCommand(`Chat Driver: ${title}`);
  const result = await until(`the answer of ${title}`, async () => {
    // The first use of a provider by an extension is the user's to allow.
    const allow = workbench.page.locator('.monaco-dialog-box .monaco-button').filter({ hasText: /^Allow$/ });
    if (await allow.isVisible()) await allow.click();
    return await readFile(server.pathOf(`chat-${name}.json`), 'utf8').then((text) => JSON.parse(text) as { value?: T; error?: string }, () => null).catch((error: unknown) => {
      // It is still being written.
      if (error instanceof SyntaxError) return null;
      throw error;
    });
  }, ANSWER_MS);
  if (result.value === undefined) throw new Error(result.error ?? 'no value');
  return result.value;
}

async function solveLine(): Promise<void> {
  const { workbench } = session();
  await workbench.openFile(FILE);
  await workbench.selectLine(FILE, PROBLEM);
  await workbench.runCommand('Think-at-Hard: Solve…');
}

async function chooseEndpoint(name: string): Promise<string> {
  const { workbench } = session();
  await workbench.runCommand('Think-at-Hard: Use an Endpoint…');
  await workbench.choose('', name);
  const dialog = workbench.page.locator('.monaco-dialog-box');
  await dialog.waitFor();
  const said = await dialog.innerText();
  await dialog.locator('.monaco-button').filter({ hasText: 'Use It' }).click();
  await workbench.statusBarItem(`sends to ${name}`).waitFor();
  return said;
}

describe('language models', () => {
  it('are listed with their limits, and no engine starts for that', async () => {
    // The palette has the commands of extensions once a file is open.
    await session().workbench.openFile(FILE);
    const models = await drive<{ id: string; maxInputTokens: number }[]>('Models', 'models');
    const ids = models.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['tah-math-small', 'endpoint:big server']));
    // The endless model; the other machine's server is not listed before it has its key.
    expect(ids).toHaveLength(3);
    for (const { maxInputTokens } of models) expect(maxInputTokens).toBeGreaterThan(100);
    expect(await session().server.engineProcesses()).toEqual([]);
  });

  it('count tokens as the model does', async () => {
    const engine = createEngine();
    const count = (prompt: Parameters<typeof engine.countTokens>[0]['prompt']): Promise<number> => engine.countTokens({ model: modelFolder, prompt });
    expect(await drive('Count', 'count')).toEqual({
      text: await count({ kind: 'text', text: PROBLEM }),
      message: await count({ kind: 'chat', messages: [{ role: 'user', content: PROBLEM }] }),
    });
  });

  it('stream their answer', async () => {
    const { text, parts, spreadMs } = await drive<{ text: string; parts: number; spreadMs: number }>('Ask', 'ask');
    expect(text).toContain('\\boxed{');
    expect(parts).toBeGreaterThan(5);
    expect(spreadMs).toBeGreaterThan(0);
  });

  it('stop, and are free again', async () => {
    const { parts, afterStopMs } = await drive<{ parts: number; afterStopMs: number }>('Ask and Stop', 'stop');
    expect(parts).toBeLessThan(50);
    expect(afterStopMs).toBeLessThan(STOP_MS);
  });

  it('say that they call no tools', async () => {
    await expect(drive('Ask with Tools Required', 'tools')).rejects.toThrow(/calls no tools/);
  });
});

describe('the tool', () => {
  it('is there for everyone, and gives a checked answer', async () => {
    const { listed, text } = await drive<{ listed: boolean; text: string }>('Use the Tool', 'tool');
    expect(listed).toBe(true);
    expect(text).toMatch(/^Answer: (x = )?5\nCheck: verified by computer algebra/);
  });
});

describe('an endpoint as the engine', () => {
  it('is chosen after a plain word on where the text goes, and solves', async () => {
    const { panel, screenshot } = session();
    expect(await chooseEndpoint('big server')).toMatch(/will be sent to 127\.0\.0\.1/);
    await solveLine();
    await panel.untilState('done', ANSWER_MS);
    await screenshot('endpoint-done');
    expect(fake.asked.at(-1)?.body).toMatchObject({ model: 'big', messages: [{ content: PROBLEM }] });
    expect(await (await panel.find(TEST_ID.answerBox)).getAttribute('data-answer')).toBe('5');
    await session().workbench.statusBarItem(/big · at 127\.0\.0\.1/).waitFor();
  });

  it('of another machine\'s tah serve gives the whole heatmap, once it has its key', async () => {
    const { panel, workbench, screenshot } = session();
    await chooseEndpoint('other machine');
    await solveLine();
    await panel.untilState('failed', ANSWER_MS);
    expect(await panel.text(TEST_ID.error)).toMatch(/key/i);
    await workbench.runCommand('Think-at-Hard: Set Endpoint Key…');
    await workbench.choose('', 'other machine');
    const password = workbench.page.locator('.quick-input-widget input[type="password"]');
    await password.fill(KEY);
    await password.press('Enter');
    await workbench.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await solveLine();
    await panel.untilState('done', ANSWER_MS);
    await panel.untilTokens(5, ANSWER_MS);
    await screenshot('endpoint-tah-serve');
    expect(await (await panel.tokens()).first().getAttribute('data-iter')).toMatch(/^[12]$/);
  });
});
