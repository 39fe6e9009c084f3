/** What a user may give that is no problem at all, or in another place or language: a huge selection, bytes, files that are on no disk, German. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { describe, expect, inject, it } from 'vitest';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { RunPanel } from './runPanel.ts';
import { useSession } from './session.ts';
import { until, Workbench } from './workbench.ts';

const MEGABYTES = 10;
const LINE = `${'Compute 17 * 23 + 4 and add it to what stood before. '.repeat(2)}\n`;
const WORK_MS = 240_000;
/** Not frozen, on a machine that does other things too. */
const REFUSED_MS = 30_000;

const session = useSession(async ({ scratch }) => {
  await writeFile(join(scratch, 'workspace', 'huge.md'), LINE.repeat(Math.ceil((MEGABYTES * 2 ** 20) / LINE.length)));
  await writeFile(join(scratch, 'workspace', 'data.bin'), Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 37) % 256)));
  // VS Code's own question before a file of this size is not what is tested.
  return { 'workbench.editorLargeFileConfirmation': 8 * MEGABYTES };
}, { companions: ['test/fixtures/memoryFiles'] });

const editor = (file: string, { page }: Workbench = session().workbench): Locator => page.locator(`.monaco-editor[data-uri$="/${file}"]`).first();

async function clearNotifications(): Promise<void> {
  await session().workbench.runCommand('Notifications: Clear All Notifications');
}

describe(`A selection of ${MEGABYTES} MB`, () => {
  it.each([
    ['Think-at-Hard: Solve…', /\d\d \d{3} \d{3} characters; at most 20 000/],
    ['Think-at-Hard: Compare Thinking Policies…', /\d\d \d{3} \d{3} characters; at most 20 000/],
    ['Think-at-Hard: Explain Formula', /too long to be one formula/],
    ['Think-at-Hard: Show Difficulty of Text', /this model reads \d+/],
  ])('is refused by %s with the limit, and the editor goes on', async (command, reason) => {
    const { workbench, screenshot } = session();
    await workbench.openFile('huge.md');
    await workbench.focusEditor('huge.md');
    await workbench.press('Control+A');
    const asked = performance.now();
    await workbench.runCommand(command);
    await workbench.notification(reason).first().waitFor({ timeout: WORK_MS });
    const refusedMs = performance.now() - asked;
    await workbench.focusEditor('huge.md');
    await workbench.press('Control+Home');
    const word = /: (\w+)/.exec(command)?.[1] ?? '';
    await workbench.page.keyboard.type(`${word} `);
    await editor('huge.md').locator('.view-line').filter({ hasText: word }).first().waitFor();
    const typedMs = performance.now() - asked - refusedMs;
    console.log(`${command}: refused after ${refusedMs.toFixed(0)} ms from the opening of the palette; typing took ${typedMs.toFixed(0)} ms`);
    await screenshot(`input-huge-${word}`);
    await clearNotifications();
    expect(refusedMs).toBeLessThan(REFUSED_MS);
    expect(typedMs).toBeLessThan(REFUSED_MS);
  });
});

describe('A file of bytes', () => {
  it('that is opened as text all the same is said to be no text', async () => {
    const { workbench, screenshot } = session();
    await workbench.page.locator('.explorer-folders-view .monaco-list-row').filter({ hasText: 'data.bin' }).dblclick();
    await workbench.page.locator('.monaco-editor-pane-placeholder .monaco-button, .monaco-editor-pane-placeholder a').filter({ hasText: 'Open Anyway' }).click();
    const textEditor = workbench.page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: 'Text Editor' });
    const asks = await until('the bytes as text, or the question in which editor', async () => ((await textEditor.first().isVisible()) ? true : (await editor('data.bin').isVisible()) ? false : null));
    if (asks) await textEditor.first().click();
    await editor('data.bin').waitFor();
    for (const command of ['Think-at-Hard: Solve…', 'Think-at-Hard: Compare Thinking Policies…', 'Think-at-Hard: Show Difficulty of Text']) {
      await workbench.focusEditor('data.bin');
      await workbench.press('Control+A');
      await workbench.runCommand(command);
      await workbench.notification(/binary data, not text/).first().waitFor({ timeout: WORK_MS });
      if (command.includes('Solve')) await screenshot('input-binary');
      await clearNotifications();
    }
  });
});

describe('A workspace that is on no disk', () => {
  it('has its problems solved, and answers go into its documents', async () => {
    const { server, screenshot } = session();
    const other = await Workbench.open(new URL('/?folder=memoryfiles%3A%2F', server.url).href, inject('setup').chromium);
    try {
      if (inject('setup').vsCode.kind === 'download') await other.trustFolder();
      const panel = new RunPanel(other);
      await other.page.locator('.explorer-folders-view .monaco-list-row').filter({ hasText: 'problem.md' }).dblclick();
      await other.selectLine('problem.md', 'Solve 3x');
      await other.runCommand('Think-at-Hard: Solve…');
      await panel.untilState('done', WORK_MS);
      expect(await (await panel.find(TEST_ID.answerBox)).getAttribute('data-answer')).toMatch(/5/);
      await panel.click(TEST_ID.insert);
      await other.focusEditor('problem.md');
      await other.saveChange('problem.md');
      expect(await editor('problem.md', other).locator('.view-lines').innerText()).toMatch(/boxed|x\s*=\s*5/);
    } finally {
      await other.screenshot(join(inject('artifacts'), 'input-virtual.png'));
      await other.close();
    }
    await screenshot('input-first-window');
  });
});

describe('VS Code in German', () => {
  it('has commands, panel and status in German', async () => {
    const { server } = session();
    const other = await Workbench.open(server.url, inject('setup').chromium, { language: 'de' });
    try {
      if (inject('setup').vsCode.kind === 'download') await other.trustFolder();
      const panel = new RunPanel(other);
      await other.openFile('problem.md');
      await other.selectLine('problem.md', 'Solve 3x');
      await other.runCommand('Think-at-Hard: Lösen…');
      await panel.untilState('done', WORK_MS);
      expect(await panel.text(TEST_ID.state)).toBe('Fertig');
      expect(await panel.text(TEST_ID.insert)).toContain('Einfügen');
      await until('the check', async () => ((await panel.text(TEST_ID.check)) === 'Bestätigt' ? true : null), WORK_MS);
      expect(await panel.text(TEST_ID.checkReason)).toContain('Beide Seiten sind gleich.');
      await other.cursorNearEnd('problem.md', 'Homework', 1);
      await other.runCommand('Think-at-Hard: Formel erklären');
      await other.notification('Hier ist keine Formel.').waitFor({ timeout: WORK_MS });
    } finally {
      await other.screenshot(join(inject('artifacts'), 'input-german.png'));
      await other.close();
    }
  });
});
