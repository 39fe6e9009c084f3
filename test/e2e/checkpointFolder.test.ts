/**
 * A checkpoint folder of the user's own, imported by VS Code's dialog, with the engine killed in the midst of the import:
 * the reason is told, nothing half made is left, and the next import makes a model that solves.
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const FILE = 'problem.md';
const CHECKPOINT = 'models/tah-math-small/checkpoint';
const WORK_MS = 240_000;
/** A request that is younger when its process ends is asked again by itself. */
const OLD_MS = 2_000;

const session = useSession(() => Promise.resolve({}));

const solve = (): Promise<void> => session().workbench.solveLine(FILE, 'Solve 3x');

/** Looks often: the import of a small model is over in a second. */
async function untilWritten(folder: string): Promise<void> {
  const end = Date.now() + WORK_MS;
  while ((await readdir(folder)).length === 0) {
    if (Date.now() > end) throw new Error(`The import wrote nothing within ${WORK_MS} ms.`);
    await delay(5);
  }
}

describe('A checkpoint folder', () => {
  const importsOf = async (): Promise<string> => join(await session().server.findFolder('globalStorage'), 'think-at-hard.think-at-hard', 'models');
  const made = async (): Promise<string> => join(await importsOf(), 'checkpoint-int8');

  async function openModels(): Promise<Locator> {
    const { workbench } = session();
    await workbench.runCommand('Think-at-Hard: Select Model…');
    const rows = workbench.page.locator('.quick-input-widget .monaco-list-row');
    await rows.filter({ hasText: 'Import a checkpoint folder…' }).waitFor();
    return rows;
  }

  /** From the dialog of VS Code to the precision. */
  async function nameFolder(): Promise<void> {
    const { workbench } = session();
    const { page } = workbench;
    await page.locator('.quick-input-widget .quick-input-title').filter({ hasText: 'Checkpoint folder' }).waitFor();
    const input = page.locator('.quick-input-widget input[type="text"]').first();
    await until('the dialog proposes a folder', async () => ((await input.inputValue()) === '' ? null : true));
    // What the dialog proposes may still come over what was typed: typed again until it stays.
    await until('the dialog has the folder', async () => {
      if (!(await input.inputValue()).startsWith(resolve(CHECKPOINT))) await input.fill(resolve(CHECKPOINT));
      await delay(1_000);
      return (await input.inputValue()).startsWith(resolve(CHECKPOINT)) ? true : null;
    });
    await session().screenshot('folder-dialog');
    await page.locator('.quick-input-widget .monaco-button').filter({ hasText: 'Import' }).click();
    await page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: 'four bytes a parameter' }).waitFor();
    await workbench.choose('', 'int8');
  }

  async function importFolder(): Promise<void> {
    await openModels();
    await session().workbench.choose('Import a checkpoint', 'Import a checkpoint folder…');
    await nameFolder();
  }

  async function untilMade(): Promise<void> {
    await until('the model is made', async () => ((await stat(join(await made(), 'manifest.json')).catch(() => null)) === null ? null : true), WORK_MS);
    await session().workbench.notification('Importing').waitFor({ state: 'hidden' });
  }

  it('is imported again where the engine was killed in the midst of it, and nothing half made is left', async () => {
    const { workbench, server, panel, screenshot } = session();
    await solve();
    await panel.untilState('done', WORK_MS);
    const [engine] = await server.engineProcesses();
    if (engine === undefined) throw new Error('There is no engine process.');
    const folder = await importsOf();
    await mkdir(folder, { recursive: true });
    await importFolder();
    await untilWritten(folder);
    process.kill(engine.pid, 'SIGSTOP');
    expect(await stat(join(await made(), 'manifest.json')).catch(() => null)).toBeNull();
    await delay(OLD_MS);
    process.kill(engine.pid, 'SIGKILL');
    await workbench.notification(/engine process/i).first().waitFor({ timeout: WORK_MS });
    await screenshot('folder-killed');
    await workbench.runCommand('Notifications: Clear All Notifications');
    const rows = await openModels();
    expect(await rows.filter({ hasText: /broken|checkpoint/ }).filter({ hasNotText: 'Import a checkpoint' }).count()).toBe(0);
    await workbench.press('Escape');
    await importFolder();
    await untilMade();
    expect((await readdir(folder)).filter((name) => !name.startsWith('.'))).toEqual(['checkpoint-int8']);
    await solve();
    await workbench.statusBarItem('checkpoint · cpu').waitFor({ timeout: WORK_MS });
    await panel.untilState('done', WORK_MS);
    await screenshot('folder-solved');
  });
});
