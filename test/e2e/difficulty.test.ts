/** Difficulty of a user's own text: marks in the editor and its ruler, what a hover says, edits, long files, and one command that clears all. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const FILE = 'worked.md';
const MEASURED_MS = 90_000;
const SHOW = 'Think-at-Hard: Show Difficulty of Text';

const session = useSession(() => Promise.resolve({ 'workbench.colorTheme': 'Dark Modern' }));

function editor(file: string): Locator {
  return session().workbench.page.locator(`.monaco-editor[data-uri$="/${file}"]`).first();
}

interface Marks {
  readonly filled: string[];
  readonly underlined: string[];
}

/** Marked pieces of text: those that have a fill, and those that are underlined twice. Runs in the browser. */
const MARKS = `(lines) => ({
  filled: [...lines.parentElement.querySelectorAll('.view-overlays .cdr[class*="ced-"]')].map((node) => node.className),
  underlined: [...lines.querySelectorAll('span[class*="ced-"]')].filter((node) => getComputedStyle(node).textDecorationStyle === 'double').map((node) => node.textContent),
})`;

/** How many pixels of the overview ruler have the colour of its marks. Runs in the browser. */
const RULER = `(canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let drawn = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i] > 150 && data[i + 1] > 110 && data[i + 2] < 90 && data[i + 3] > 60) drawn++;
  return drawn;
}`;

/** Runs a function of the browser on the first element that matches within the editor of the file. */
async function inEditor<T>(file: string, within: string, script: string): Promise<T> {
  await editor(file).locator(within).first().waitFor({ state: 'attached' });
  const found: T = await session().workbench.page.evaluate(`(${script})(document.querySelector('.monaco-editor[data-uri$="/${file}"] ${within}'))`);
  return found;
}

async function marks(file: string): Promise<Marks> {
  return await inEditor<Marks>(file, '.view-lines', MARKS);
}

async function rulerPixels(file: string): Promise<number> {
  return await inEditor<number>(file, 'canvas.decorationsOverviewRuler', RULER);
}

interface ShownToken {
  readonly index: number;
  readonly text: string;
  /** Of its first character in the file, from 1. */
  readonly line: number;
  readonly column: number;
}

/** The token of the heatmap that begins a word which the file has once. */
async function tokenOf(word: string): Promise<ShownToken> {
  const { panel, server } = session();
  const file = await readFile(server.pathOf(FILE), 'utf8');
  for (const option of await (await panel.frame()).locator('[role="option"]').all()) {
    const text = (await option.textContent()) ?? '';
    if (text === '' || !word.startsWith(text) || text.length < 2) continue;
    const before = file.slice(0, file.indexOf(word));
    return { index: Number(await option.getAttribute('data-index')), text, line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') };
  }
  throw new Error(`No token begins "${word}".`);
}

/** What the status bar says of the selection. */
async function cursor(): Promise<string> {
  return await session().workbench.page.locator('[id="status.editor.selection"]').innerText();
}

describe('Difficulty of a Markdown file', () => {
  it('marks the tokens in the text and in the overview ruler, and says how the decider did', async () => {
    const { workbench, screenshot } = session();
    await workbench.openFile(FILE);
    expect(await marks(FILE)).toEqual({ filled: [], underlined: [] });
    await workbench.runCommand(SHOW);
    const notice = workbench.notification(/tokens, \d+ sent to a second pass/);
    await notice.waitFor({ timeout: MEASURED_MS });
    expect(await notice.innerText()).toMatch(/hard: \d+ sent, \d+ missed · easy: \d+ sent, \d+ skipped/);
    await until('marks', async () => ((await marks(FILE)).filled.length > 0 ? true : null));
    const { underlined } = await marks(FILE);
    expect(underlined.length).toBeGreaterThan(0);
    expect(await rulerPixels(FILE)).toBeGreaterThan(0);
    await editor(FILE).locator('.codelens-decoration').filter({ hasText: 'sent to a second pass' }).first().waitFor();
    await screenshot('difficulty-dark');
  });

  it('has the table of decider against self-oracle', async () => {
    const { workbench, screenshot } = session();
    await workbench.runCommand('Think-at-Hard: Show Decider Against Oracle');
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.filter({ hasText: 'Decider against self-oracle' }).waitFor();
    expect(await dialog.innerText()).toMatch(/recall[\s\S]*precision/);
    await screenshot('difficulty-table');
    await workbench.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  });

  it('tells at a token what the decider and both passes said', async () => {
    const { workbench, screenshot } = session();
    await editor(FILE).locator('.view-line').filter({ hasText: '17 * 23 = 391' }).click();
    await workbench.press('End');
    await workbench.press('ArrowLeft');
    await workbench.runCommand('Show or Focus Hover');
    const hover = workbench.page.locator('.monaco-hover:not(.hidden)').filter({ hasText: 'threshold' });
    await hover.first().waitFor();
    expect(await hover.first().locator('table tr').count()).toBeGreaterThan(2);
    await screenshot('difficulty-hover');
    await workbench.press('Escape');
  });

  it('is told apart in all kinds of themes', async () => {
    const { screenshot } = session();
    for (const [theme, name] of [['Light Modern', 'light'], ['Dark High Contrast', 'hc-dark'], ['Light High Contrast', 'hc-light'], ['Dark Modern', 'dark-again']] as const) {
      await session().workbench.chooseTheme(theme);
      expect((await marks(FILE)).underlined.length).toBeGreaterThan(0);
      await screenshot(`difficulty-${name}`);
    }
  });

  it('opens the tokens in the heatmap', async () => {
    const { workbench, panel, screenshot } = session();
    await editor(FILE).locator('.codelens-decoration a').filter({ hasText: 'sent to a second pass' }).first().click();
    await panel.untilState('done', 30_000);
    expect(await (await panel.tokens()).count()).toBeGreaterThan(20);
    await screenshot('difficulty-heatmap');
    await workbench.focusEditor(FILE);
  });

  it('has a token that is chosen in the heatmap selected in the text', async () => {
    const { panel, screenshot, workbench } = session();
    const { index, text, line, column } = await tokenOf('Solve');
    await (await panel.frame()).locator(`[role="option"][data-index="${index}"]`).click();
    await workbench.focusEditor(FILE);
    await until('the token is selected', async () => ((await cursor()).includes(`Ln ${line}, Col ${column + text.length} (${text.length} selected)`) ? true : null), 15_000);
    await screenshot('difficulty-token-to-text');
  });

  it('has the token of the place in the text chosen in the heatmap, also where the text has moved', async () => {
    const { panel, screenshot, workbench } = session();
    const chosen = async (): Promise<string | null> => (await panel.frame()).locator('[role="option"][aria-selected="true"]').getAttribute('data-index');
    const { index, text } = await tokenOf('Solve');
    await editor(FILE).locator('.view-line').filter({ hasText: '# Worked solutions' }).click();
    await workbench.press('Control+Home');
    await workbench.press('Enter');
    await editor(FILE).locator('.view-line').filter({ hasText: text.trim() }).click();
    await workbench.press('Home');
    await workbench.press('ArrowRight');
    await until('the token is chosen', async () => ((await chosen()) === String(index) ? true : null), 15_000);
    // The user's own cursor stays where it is: what is typed next must not go into a selection.
    await workbench.page.waitForTimeout(500);
    expect(await cursor()).not.toContain('selected');
    await screenshot('difficulty-text-to-token');
    await workbench.press('Control+Z');
  });

  it('moves with the text and leaves what was changed', async () => {
    const { workbench } = session();
    const before = (await marks(FILE)).underlined;
    await editor(FILE).locator('.view-line').filter({ hasText: '# Worked solutions' }).click();
    await workbench.press('Control+Home');
    await workbench.page.keyboard.type('New first line');
    await workbench.press('Enter');
    await until('the same marks one line lower', async () => (JSON.stringify((await marks(FILE)).underlined) === JSON.stringify(before) ? true : null));
    await workbench.selectLine(FILE, '17 * 23 = 391');
    await workbench.page.keyboard.type('gone');
    await until('fewer marks', async () => ((await marks(FILE)).underlined.length < before.length ? true : null));
    expect((await marks(FILE)).underlined.join('')).not.toContain('gone');
  });

  it('is cleared everywhere by one command', async () => {
    const { workbench } = session();
    await workbench.runCommand('Think-at-Hard: Clear Difficulty');
    await until('no marks', async () => ((await marks(FILE)).underlined.length === 0 ? true : null));
    expect(await marks(FILE)).toEqual({ filled: [], underlined: [] });
    expect(await rulerPixels(FILE)).toBe(0);
  });

  it('of a file that is longer than the model reads is refused with the limit, and the part in view is offered', async () => {
    const { server, workbench, screenshot } = session();
    await writeFile(server.pathOf('long.md'), Array.from({ length: 2000 }, (_, i) => `Compute ${i} + ${i * 7} = ${i * 8}\n`).join(''));
    // It is new: the list of files may not have it yet, the explorer has.
    await workbench.page.locator('.explorer-folders-view .monaco-list-row').filter({ hasText: 'long.md' }).dblclick();
    await editor('long.md').waitFor();
    await workbench.runCommand(SHOW);
    const refusal = workbench.notification(/this model reads \d+ at most|this model reads \d+ tokens at most/);
    await refusal.waitFor({ timeout: MEASURED_MS });
    await screenshot('difficulty-too-long');
    await refusal.getByText('Measure the Part in View').click();
    await until('marks of the part in view', async () => ((await marks('long.md')).underlined.length > 0 ? true : null), MEASURED_MS);
    await screenshot('difficulty-in-view');
  });
});
