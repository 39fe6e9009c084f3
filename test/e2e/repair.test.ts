/**
 * A damaged model in a real VS Code: refused by the name of its file, repaired from the notification or the panel of the
 * run out of what the import has recorded, and used again; from the list of models where the source is gone; and the
 * bundled one, which is not repaired but reinstalled.
 */
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { HubServer } from '../fixtures/hubServer.ts';
import { useSession } from './session.ts';

const FILE = 'problem.md';
const REPOSITORY = 'demo/tah-math-small';
const WEIGHTS = 'model.safetensors';
const WORK_MS = 90_000;

let hub: HubServer;
let extension = '';

const session = useSession(async (installed) => {
  ({ extension } = installed);
  hub = await HubServer.start('models/tah-math-small/checkpoint', REPOSITORY);
  return { 'thinkAtHard.hubUrl': hub.url };
});
afterAll(() => hub.stop());

const solve = (): Promise<void> => session().workbench.solveLine(FILE, 'Solve 3x');

/** The same length: only its contents tell. */
async function flipAByte(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const at = Math.floor((await handle.stat()).size / 2);
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
    await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  } finally {
    await handle.close();
  }
}

async function press(toast: Locator, button: string): Promise<void> {
  await toast.waitFor({ timeout: WORK_MS });
  await toast.hover();
  await toast.locator('.monaco-button').filter({ hasText: button }).click();
}

async function answerDialog(text: string, button: string): Promise<void> {
  const box = session().workbench.page.locator('.monaco-dialog-box').filter({ hasText: text });
  await box.waitFor({ timeout: WORK_MS });
  await box.locator('.monaco-button').filter({ hasText: new RegExp(`^${button}$`) }).click();
}

const modelFolder = (): Promise<string> => session().server.findFolder('demo--tah-math-small-fp32');
const rows = (): Locator => session().workbench.page.locator('.quick-input-widget .monaco-list-row');

describe('A model that was downloaded and imported', () => {
  it('is refused by the name of the file that has changed, and after Repair it solves again', async () => {
    const { workbench, panel, screenshot } = session();
    await workbench.openFile(FILE);
    await workbench.runCommand('Think-at-Hard: Select Model…');
    await rows().filter({ hasText: 'Import a checkpoint folder…' }).waitFor();
    await workbench.choose('Download from the hub', 'Download from the hub');
    await workbench.page.locator('.quick-input-widget .quick-input-message').filter({ hasText: 'owner/name' }).waitFor();
    await workbench.answerInput(REPOSITORY);
    await answerDialog('Download', 'Download');
    await rows().filter({ hasText: 'four bytes a parameter' }).click();
    await press(workbench.notification(/is ready/), 'Delete the Download');

    await flipAByte(join(await modelFolder(), 'model.onnx.data'));
    await solve();
    const toast = workbench.notification(/model\.onnx\.data has changed since the import/);
    await toast.waitFor({ timeout: WORK_MS });
    await screenshot('repair-refused');
    hub.asked.length = 0;
    await press(toast, 'Repair…');
    await answerDialog('Download', 'Download');
    await workbench.notification(/is repaired/).waitFor({ timeout: WORK_MS });
    await screenshot('repair-done');
    expect(hub.askedFor(WEIGHTS)).toMatchObject([{ range: null, status: 200 }]);

    await solve();
    await panel.untilState('done', WORK_MS);
    expect(await (await panel.find(TEST_ID.answerBox)).getAttribute('data-answer')).toMatch(/^(x = )?5$/);
  });

  it('needs no hub while its download is whole, and a file that is missing is told before the run', async () => {
    const { workbench } = session();
    await rm(join(await modelFolder(), 'model.onnx'));
    hub.asked.length = 0;
    await solve();
    await press(workbench.notification(/model\.onnx is missing/), 'Repair…');
    await expect.poll(async () => stat(join(await modelFolder(), 'model.onnx')).then((found) => found.isFile(), () => false), { timeout: WORK_MS }).toBe(true);
    expect(hub.asked).toEqual([]);
  });

  it('is repaired from the panel of the run that has failed on it, and the same run solves when it is tried again', async () => {
    const { workbench, panel, screenshot } = session();
    const weights = join(await modelFolder(), 'model.onnx.data');
    const whole = await readFile(weights);
    await flipAByte(weights);
    await solve();
    await panel.untilState('failed', WORK_MS);
    expect(await panel.text(TEST_ID.error)).toMatch(/model\.onnx\.data has changed since the import/);
    await screenshot('repair-panel');
    await panel.click(TEST_ID.repair);
    // Notifications of the repairs before may still be in view; the file is not there for a moment.
    await expect.poll(() => readFile(weights).then((bytes) => bytes.equals(whole), () => null), { timeout: WORK_MS }).toBe(true);
    await panel.click(TEST_ID.retry);
    await panel.untilState('done', WORK_MS);
    expect(await (await panel.find(TEST_ID.answerBox)).getAttribute('data-answer')).toMatch(/^(x = )?5$/);
    // VS Code gives a page its focus back some time after the palette has closed, and a list that is open by then closes.
    await workbench.focusEditor(FILE);
  });
});

describe('The list of models', () => {
  it('has what is no whole model, with its reason, and deletes it where nothing says what it was made from', async () => {
    const { workbench, screenshot } = session();
    const cut = join(dirname(await modelFolder()), 'left-behind');
    await mkdir(cut);
    await workbench.runCommand('Think-at-Hard: Select Model…');
    const row = rows().filter({ hasText: 'left-behind' });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/damaged[^]*no manifest\.json/);
    await screenshot('repair-list');
    await row.click();
    const box = workbench.page.locator('.monaco-dialog-box').filter({ hasText: 'Nothing says what it was made from' });
    await box.waitFor();
    await screenshot('repair-no-source');
    await answerDialog('left-behind', 'Delete the Model');
    await expect.poll(() => stat(cut).then(() => 'there', () => 'gone')).toBe('gone');
  });
});

describe('The bundled model', () => {
  it('that is damaged is named, with the way to have it again', async () => {
    const { workbench, screenshot } = session();
    await workbench.runCommand('Think-at-Hard: Select Model…');
    await rows().filter({ hasText: 'bundled' }).click();
    // The list closes only when the extension has heard of the choice, and a quick input opened before that closes with it.
    await workbench.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await rm(join(extension, 'dist/models/tah-math-small/tokenizer.json'));
    await solve();
    const toast = workbench.notification(/tokenizer\.json is missing.*reinstall Think-at-Hard/);
    await toast.waitFor({ timeout: WORK_MS });
    await screenshot('repair-bundled');
    expect(await toast.locator('.monaco-button').filter({ hasText: 'Repair…' }).count()).toBe(0);
  });
});
