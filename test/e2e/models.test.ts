/**
 * Another model, as a user gets it: downloaded from a hub on loopback over a cut connection, imported, and used; and
 * what is said when a download is cancelled or wrong, a model's folder is gone, or something is to be reported.
 */
import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { HubServer } from '../fixtures/hubServer.ts';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const FILE = 'problem.md';
const REPOSITORY = 'demo/tah-math-small';
const WEIGHTS = 'model.safetensors';
const WORK_MS = 90_000;
const TOKEN = 'hf_PlantedToken0123456789';

let hub: HubServer;
/** Another hub: its downloads are kept apart. */
let mirror: HubServer;

const session = useSession(async () => {
  hub = await HubServer.start('models/tah-math-small/checkpoint', REPOSITORY);
  mirror = await HubServer.start('models/tah-math-small/checkpoint', REPOSITORY);
  return { 'thinkAtHard.hubUrl': hub.url };
});
afterAll(async () => {
  await hub.stop();
  await mirror.stop();
});

async function openModels(): Promise<void> {
  const { workbench } = session();
  await workbench.runCommand('Think-at-Hard: Select Model…');
  await workbench.page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: 'Import a checkpoint folder…' }).waitFor();
}

async function answerDialog(button: string): Promise<void> {
  const { page } = session().workbench;
  await page.locator('.monaco-dialog-box .monaco-button').filter({ hasText: new RegExp(`^${button}$`) }).click();
}

async function typeRepository(repository: string): Promise<void> {
  const { workbench } = session();
  await openModels();
  await workbench.choose('Download from the hub', 'Download from the hub');
  // The list goes away before the input comes: what is typed too early would go to the list.
  await workbench.page.locator('.quick-input-widget .quick-input-message').filter({ hasText: 'owner/name' }).waitFor();
  await workbench.page.locator('.quick-input-widget input[type="text"]').first().fill(repository);
  await workbench.press('Enter');
}

/** From the command to the question before the first byte. */
async function startDownload(repository: string): Promise<void> {
  await typeRepository(repository);
  await session().workbench.page.locator('.monaco-dialog-box').filter({ hasText: 'Download' }).waitFor();
}

async function pickPrecision(label: string): Promise<void> {
  const { workbench, screenshot } = session();
  await workbench.page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: 'four bytes a parameter' }).waitFor({ timeout: WORK_MS });
  await screenshot('models-precision');
  await workbench.choose('', label);
}

describe('Another model', () => {
  it('is offered with the ways to get one', async () => {
    const { workbench, screenshot } = session();
    await workbench.openFile(FILE);
    await openModels();
    const list = workbench.page.locator('.quick-input-widget .monaco-list-row');
    await screenshot('models-list');
    expect(await list.filter({ hasText: 'bundled' }).count()).toBe(1);
    expect(await list.filter({ hasText: 'TaH-plus-1.7B' }).count()).toBe(1);
    await workbench.choose('Provider', 'Provider: auto');
    await until('the providers are listed', async () => ((await list.count()) === 5 ? true : null));
    expect(await list.filter({ hasText: 'Processor' }).count()).toBe(1);
    await screenshot('models-provider');
    await workbench.press('Escape');
  });

  it('is downloaded over a cut connection, imported, and solves', async () => {
    const { workbench, panel, screenshot } = session();
    hub.plan(WEIGHTS, { kind: 'cut', after: 2_000_000 });
    await startDownload(REPOSITORY);
    await screenshot('models-confirm');
    await answerDialog('Download');
    await pickPrecision('fp32');
    await workbench.notification(/is ready/).waitFor({ timeout: WORK_MS });
    await screenshot('models-ready');
    expect(hub.askedFor(WEIGHTS)).toMatchObject([{ range: null }, { range: expect.stringMatching(/^bytes=\d+-$/) as string, status: 206 }]);

    await workbench.openFile(FILE);
    await workbench.selectLine(FILE, 'Solve 3x');
    await workbench.runCommand('Think-at-Hard: Solve…');
    await panel.untilState('done', WORK_MS);
    expect(await (await panel.find(TEST_ID.answerBox)).getAttribute('data-answer')).toMatch(/^(x = )?5$/);
    await workbench.statusBarItem(`${REPOSITORY} · cpu`).waitFor();
  });

  it('is named in the status bar, with the reason for its provider and its memory', async () => {
    const { workbench, screenshot } = session();
    await workbench.statusBarItem(REPOSITORY).hover();
    const hover = workbench.page.locator('.monaco-hover').filter({ hasText: 'Runs on cpu' }).first();
    await hover.waitFor();
    const text = (await hover.innerText()).replaceAll('\u00a0', ' ');
    await screenshot('models-status');
    for (const part of ['Engine running on', 'Memory:', 'with the model loaded', 'Unload']) expect(text).toContain(part);
    // A machine with a device that computes right, but slower, says that one.
    expect(text).toMatch(/Runs on cpu: (no other provider works here|no other provider is as fast here|the fastest)/);
    await workbench.press('Escape');
  });

  it('is unloaded, and the memory that is left is told', async () => {
    const { workbench } = session();
    await workbench.runCommand('Think-at-Hard: Unload Model');
    await workbench.statusBarItem(/was unloaded\. The engine uses [\d.]+ [MG]B/).waitFor();
  });
});

describe('A download', () => {
  it('that is cancelled stays in the list and goes on from there', async () => {
    const { workbench, screenshot } = session();
    mirror.plan(WEIGHTS, { kind: 'stall', after: 3_000_000 });
    await startDownload(`${mirror.url}/${REPOSITORY}`);
    await answerDialog('Download');
    const toast = workbench.notification(/Downloading/);
    await toast.filter({ hasText: /\d MB of \d+ MB|\d MB of [\d.]+ MB/ }).waitFor();
    await screenshot('models-downloading');
    await toast.hover();
    await toast.locator('.monaco-button').filter({ hasText: 'Cancel' }).click();
    await toast.waitFor({ state: 'hidden' });

    await openModels();
    const entry = workbench.page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: 'partly downloaded' });
    await entry.waitFor();
    await screenshot('models-partly');
    mirror.asked.length = 0;
    await entry.click();
    await pickPrecision('int4');
    await workbench.notification(/is ready/).first().waitFor({ timeout: WORK_MS });
    expect(mirror.askedFor(WEIGHTS)[0]?.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('with other contents than announced is refused, in words', async () => {
    const { workbench, screenshot } = session();
    const third = await HubServer.start('models/tah-math-small/checkpoint', REPOSITORY);
    third.plan('iter_decider.bin', { kind: 'corrupt' }, 9);
    await startDownload(`${third.url}/${REPOSITORY}`);
    await answerDialog('Download');
    await workbench.notification(/iter_decider\.bin.*hash is wrong/).waitFor();
    await screenshot('models-wrong-hash');
    await third.stop();
  });

  it('of a gated repository asks for a token, and goes on with it', async () => {
    const { workbench, screenshot } = session();
    const gated = await HubServer.start('models/tah-math-small/checkpoint', REPOSITORY);
    gated.token = TOKEN;
    await typeRepository(`${gated.url}/${REPOSITORY}`);
    const input = workbench.page.locator('.quick-input-widget input[type="password"]');
    await input.waitFor();
    await screenshot('models-token');
    await input.fill(TOKEN);
    await input.press('Enter');
    await workbench.page.locator('.monaco-dialog-box').filter({ hasText: 'Download' }).waitFor();
    await answerDialog('Cancel');
    expect(gated.asked.at(-1)).toMatchObject({ authorization: `Bearer ${TOKEN}`, status: 200 });
    await gated.stop();
    expect(await session().server.logs()).not.toContain(TOKEN);
  });
});

describe('What a user reports', () => {
  it('is a document without private text', async () => {
    const { workbench, server, screenshot } = session();
    await workbench.runCommand('Think-at-Hard: Diagnose…');
    const editor = workbench.page.locator('.monaco-editor[data-uri^="untitled:"]').first();
    await editor.waitFor({ timeout: WORK_MS });
    const text = await until('the report is shown', async () => {
      const shown = (await editor.locator('.view-lines').innerText()).replaceAll('\u00a0', ' ');
      return shown.includes('Think-at-Hard: diagnosis') ? shown : null;
    });
    await screenshot('models-diagnose');
    // The editor draws the lines in view only; the last ones come after the key has been taken.
    const end = await until('the end of the report is shown', async () => {
      await editor.locator('.view-lines').click();
      await workbench.press('Control+End');
      const shown = (await editor.locator('.view-lines').innerText()).replaceAll('\u00a0', ' ');
      // A long line is wrapped, at the slash too.
      return /Works: .* tokens\/s/.test(shown.replaceAll('\n', '')) ? shown : null;
    });
    for (const part of ['## Versions', '## System', '## Engine']) expect(text).toContain(part);
    for (const secret of [TOKEN, '3x + 5', join(homedir(), '/'), server.pathOf(''), process.cwd(), 'node_modules', '127.0.0.1']) expect(`${text}\n${end}`).not.toContain(secret);
  });
});

describe('A model whose folder is gone', () => {
  it('is told before the run, with a button to choose another', async () => {
    const { workbench, server, screenshot } = session();
    await rm(await server.findFolder(`demo--tah-math-small-int4`), { recursive: true });
    await workbench.openFile(FILE);
    await workbench.selectLine(FILE, 'Solve 3x');
    await workbench.runCommand('Think-at-Hard: Solve…');
    const toast = workbench.notification(/There is no model in/);
    await toast.waitFor();
    await screenshot('models-gone');
    await toast.hover();
    await toast.locator('.monaco-button').filter({ hasText: 'Select Model…' }).click();
    await workbench.page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: 'bundled' }).waitFor();
    await workbench.press('Escape');
  });
});
