/** A formula in a document: hover, explanation under it, other themes; what is no formula, and what is too long. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

/** The worker loads MathJax and the speech rules; the engine loads its model. */
const FIRST_MS = 120_000;
const ANSWER_MS = 120_000;
const IMAGE = 'img[src^="data:image/svg+xml"]';

const session = useSession(() => Promise.resolve({ 'workbench.colorTheme': 'Dark Modern', 'comments.openView': 'never', 'thinkAtHard.formulaLens': true }));

/** Puts the cursor behind `text` in `file` and asks for the hover there. */
async function hoverAt(file: string, text: string, back: number): Promise<void> {
  const { workbench } = session();
  await workbench.openFile(file);
  await workbench.cursorNearEnd(file, text, back);
  await workbench.runCommand('Show or Focus Hover');
}

function hover(): ReturnType<ReturnType<typeof session>['workbench']['page']['locator']> {
  return session().workbench.page.locator('.monaco-hover').filter({ has: session().workbench.page.locator(IMAGE), visible: true }).last();
}

/** Asks again until it is there: the extension is activated by the first document of its languages. */
async function untilHover(file: string, text: string, back: number): Promise<void> {
  await until(`a hover over the formula of ${file}`, async () => {
    await hoverAt(file, text, back);
    return await hover().waitFor({ timeout: 20_000 }).then(() => true, () => null);
  }, FIRST_MS);
}

/** Saves the file, and gives its text once that is as wanted. */
async function untilSaved(file: string, wanted: (text: string) => boolean): Promise<string> {
  const { server, workbench } = session();
  await workbench.focusEditor(file);
  await workbench.saveChange(file);
  return await until(`${file} is as expected`, async () => {
    const text = await readFile(server.pathOf(file), 'utf8');
    return wanted(text) ? text : null;
  });
}

async function svgOf(locator: ReturnType<typeof hover>): Promise<string> {
  const source = (await locator.locator(IMAGE).first().getAttribute('src')) ?? '';
  return Buffer.from(source.slice(source.indexOf(',') + 1), 'base64').toString('utf8');
}

describe('the hover over a formula', () => {
  it.each([['formulas.md', 'Markdown formula', 3], ['formulas.tex', 'LaTeX formula', 3], ['formulas.py', 'Python formula', 3]])('in %s shows it as an image with its words, and the links', async (file, line, back) => {
    await untilHover(file, line, back);
    await session().screenshot(`explain-hover-${file}`);
    expect(await svgOf(hover())).toContain('color="#d4d4d4"');
    expect((await hover().locator(IMAGE).getAttribute('alt')) ?? '').not.toBe('');
    expect(await hover().locator('a').allInnerTexts()).toEqual(expect.arrayContaining(['Explain', 'Solve', 'Difficulty']));
    await session().workbench.press('Escape');
  });

  it('is not there over a price', async () => {
    await hoverAt('formulas.md', 'It costs', 15);
    await session().workbench.page.waitForTimeout(3000);
    expect(await hover().count()).toBe(0);
    await session().workbench.press('Escape');
  });

  it('of broken TeX says what is wrong, in words', async () => {
    await hoverAt('formulas.md', 'A broken one', 3);
    const words = session().workbench.page.locator('.monaco-hover').filter({ hasText: 'This is not valid TeX' }).last();
    await words.waitFor({ timeout: FIRST_MS });
    await session().screenshot('explain-hover-broken');
    await session().workbench.press('Escape');
  });

  it('of 10 000 characters gives text, and the editor goes on meanwhile', async () => {
    const { workbench } = session();
    await workbench.openFile('long.md');
    await workbench.selectLine('long.md', 'A long one');
    await workbench.press('End');
    await workbench.press('ArrowDown');
    await workbench.press('Home');
    for (let i = 0; i < 3; i += 1) await workbench.press('ArrowRight');
    await workbench.runCommand('Show or Focus Hover');
    await workbench.page.locator('.monaco-hover').filter({ hasText: 'too long to be drawn' }).last().waitFor({ timeout: FIRST_MS });
    await workbench.press('Escape');
  });
});

describe('the links of the hover', () => {
  const formula = '$x^2 - 5x + 6 = 0$';

  it('solve the formula, and its answer goes below the formula wherever the cursor is, or in its place', async () => {
    const { panel, server, workbench, screenshot } = session();
    const before = await readFile(server.pathOf('formulas.md'), 'utf8');
    await untilHover('formulas.md', 'Markdown formula', 3);
    await hover().locator('a', { hasText: 'Solve' }).click();
    await until('the formula is solved', async () => ((await panel.text(TEST_ID.problem)).includes('5x') ? true : null), ANSWER_MS);
    await panel.untilState('done', ANSWER_MS);
    await workbench.focusEditor('formulas.md');
    await workbench.press('Control+End');
    await workbench.runCommand('Think-at-Hard: Insert Answer');
    const [head = '', tail = ''] = before.split(`${formula}\n`);
    const inserted = await untilSaved('formulas.md', (text) => text !== before);
    await screenshot('explain-solved');
    expect(inserted.startsWith(`${head}${formula}\n`)).toBe(true);
    expect(inserted.endsWith(tail)).toBe(true);
    expect(inserted.length).toBeGreaterThan(before.length + 20);
    await workbench.focusEditor('formulas.md');
    await workbench.press('Control+Z');
    await untilSaved('formulas.md', (text) => text === before);
    await workbench.runCommand('Think-at-Hard: Replace Problem with Answer');
    const replaced = await untilSaved('formulas.md', (text) => text !== before);
    expect(replaced.startsWith(head)).toBe(true);
    expect(replaced.endsWith(`\n${tail}`)).toBe(true);
    expect(replaced.slice(head.length, replaced.length - tail.length - 1)).toMatch(/^\$x\b[^$\n]*[23][^$\n]*\$$/);
    await workbench.focusEditor('formulas.md');
    await workbench.press('Control+Z');
    await untilSaved('formulas.md', (text) => text === before);
  });

  it('measure the difficulty of the formula alone', async () => {
    const { workbench, screenshot } = session();
    await untilHover('formulas.md', 'Markdown formula', 3);
    await hover().locator('a', { hasText: 'Difficulty' }).click();
    await workbench.notification(/(?<!\d)1\d tokens, \d+ sent to a second pass/).waitFor({ timeout: ANSWER_MS });
    await screenshot('explain-difficulty');
    await workbench.runCommand('Notifications: Clear All Notifications');
    await workbench.runCommand('Think-at-Hard: Clear Difficulty');
  });
});

const thread = (): ReturnType<typeof hover> => session().workbench.page.locator('.review-widget').last();

describe('an explanation', () => {

  it('opens under the formula by the link of its hover: words, algebra, a plot, and the checked steps of the model', async () => {
    await untilHover('formulas.md', 'Markdown formula', 3);
    await hover().locator('a', { hasText: 'Explain' }).click();
    await thread().waitFor({ timeout: FIRST_MS });
    await thread().getByText('All real solutions').waitFor({ timeout: FIRST_MS });
    await until('words', async () => ((await thread().innerText()).includes('x squared') ? true : null), FIRST_MS);
    await thread().getByText(/Verified by computer algebra|Contradicted by computer algebra|Could not be checked|Stopped/).first().waitFor({ timeout: ANSWER_MS });
    await session().workbench.press('Escape');
    await session().screenshot('explain-thread');
    const text = await thread().innerText();
    expect(text).toContain('Speech Rule Engine');
    expect(text).toContain('Compute Engine');
    expect(text).toContain('Asked: Solve x^2 - 5x + 6 = 0 for x');
    expect(text).toContain('Verified by computer algebra');
    // The formula, the solutions, the plot, and the formulas of the steps.
    expect(await thread().locator(IMAGE).count()).toBeGreaterThan(5);
    expect(await thread().locator('a[href^="command:"], a[data-href^="command:"], script, iframe').count()).toBe(0);
  });

  it('is drawn again in another theme, and deleted', async () => {
    await session().workbench.runCommand('Preferences: Toggle between Light/Dark Themes');
    await until('the formula in the colour of the light theme', async () => ((await svgOf(thread())).includes('color="#1f1f1f"') ? true : null), FIRST_MS);
    await session().screenshot('explain-thread-light');
    await session().workbench.runCommand('Preferences: Toggle between Light/Dark Themes');
    await thread().locator('.head [aria-label="Delete Explanation"]').click();
    await session().workbench.page.locator('.review-widget').waitFor({ state: 'hidden' });
  });

  it('says of a formula beyond the bundled model that it was not asked, and offers a larger one', async () => {
    const { workbench } = session();
    await workbench.explainFormula('formulas.tex', 'An integral', 2);
    await thread().getByText('has not learned this kind of problem').waitFor({ timeout: FIRST_MS });
    await thread().getByText('Select a larger model').waitFor();
    await session().screenshot('explain-not-asked');
  });
});

describe('the other doors', () => {
  const action = (title: string): ReturnType<typeof hover> => session().workbench.page.locator('.action-widget .monaco-list-row').filter({ hasText: title });

  it('are lenses above a formula that has its lines for itself; an explanation is made again, and deleted', async () => {
    const { workbench, screenshot } = session();
    await workbench.openFile('formulas.md');
    const lens = workbench.page.locator('.monaco-editor[data-uri$="/formulas.md"] .codelens-decoration').filter({ hasText: 'Difficulty' }).first();
    await lens.waitFor();
    await until('the links of the lens', async () => ((await lens.locator('a').allInnerTexts()).join() === 'Explain,Solve,Difficulty' ? true : null));
    await lens.locator('a', { hasText: 'Explain' }).click();
    const shown = workbench.page.locator('.review-widget').filter({ hasText: 'x^2 = 9' }).last();
    await shown.getByText(/computer algebra:|Could not be checked/).first().waitFor({ timeout: ANSWER_MS });
    await screenshot('explain-lens');
    const button = (label: string): ReturnType<typeof hover> => shown.locator(`.head [aria-label="${label}"]`);
    await button('Explain Again').click();
    // The one of before is gone with its thread: the new one has nothing yet.
    await shown.getByText(/computer algebra:|Could not be checked/).first().waitFor({ state: 'hidden', timeout: 15_000 });
    await shown.getByText(/computer algebra:|Could not be checked/).first().waitFor({ timeout: ANSWER_MS });
    await button('Delete Explanation').click();
    await shown.waitFor({ state: 'hidden' });
  });

  it('are the code actions at a formula: explain, solve, difficulty', async () => {
    const { workbench, screenshot } = session();
    await workbench.cursorNearEnd('formulas.md', 'Markdown formula', 1);
    await workbench.press('Control+.');
    await action('Explain this formula').waitFor();
    expect([await action('Solve this formula').count(), await action('Difficulty of this formula').count()]).toEqual([1, 1]);
    await screenshot('explain-action');
    await action('Difficulty of this formula').click();
    await workbench.notification(/tokens, \d+ sent to a second pass/).waitFor({ timeout: ANSWER_MS });
    await workbench.runCommand('Notifications: Clear All Notifications');
    await workbench.runCommand('Think-at-Hard: Clear Difficulty');
  });
});

describe('a notebook', () => {
  const overlay = (): ReturnType<typeof hover> => session().workbench.page.locator('.notebookOverlay').first();

  async function openNotebook(): Promise<void> {
    const { workbench } = session();
    await workbench.press('Control+1');
    await workbench.press('Control+P');
    await workbench.choose('sheet.ipynb', 'sheet.ipynb');
    await overlay().locator('.monaco-editor .view-line').filter({ hasText: 'The sum' }).first().waitFor();
  }

  /** The text of the page that is in view and has the explanation. */
  async function pageText(): Promise<string> {
    for (const frame of session().workbench.page.frames()) {
      const text = await frame.locator('main.explanation').innerText({ timeout: 500 }).catch(() => '');
      if (!text.includes('Speech Rule Engine')) continue;
      // A formula that is not drawn is a picture without a size.
      const drawn = await frame.evaluate<boolean>("[...document.images].every((image) => image.complete && image.naturalWidth > 0) && document.images.length > 1");
      if (drawn && await (await (frame.parentFrame() ?? frame).frameElement()).isVisible()) return text;
    }
    return '';
  }

  async function untilExplained(words: string): Promise<string> {
    return await until(`the explanation says "${words}"`, async () => {
      const text = await pageText().catch(() => '');
      return text.includes(words) && /computer algebra:|Could not be checked|has not learned/.test(text) ? text : null;
    }, ANSWER_MS);
  }

  it('has the formula of a code cell explained beside it', async () => {
    const { workbench, screenshot } = session();
    await openNotebook();
    await overlay().locator('.monaco-editor .view-line').filter({ hasText: 'The sum' }).first().click();
    await workbench.press('Escape');
    await workbench.runCommand('Think-at-Hard: Explain Formula');
    const text = await untilExplained('one half plus one third');
    await screenshot('explain-code-cell');
    expect(text).toContain('Compute Engine');
    expect(text).toContain('Asked: Calculate');
  });

  it('has the formula of a rendered Markdown cell explained, by the menu of the cell', async () => {
    const { workbench, screenshot } = session();
    await overlay().locator('.monaco-editor .view-line').filter({ hasText: 'The sum' }).first().click();
    await workbench.press('Escape');
    await workbench.press('ArrowUp');
    await workbench.page.locator('.markdown-cell-row.focused .cell-title-toolbar [aria-label*="More"]').first().click();
    await workbench.chooseInMenu('Explain Formula');
    const text = await untilExplained('x squared minus 3 x plus 2 equals 0');
    await screenshot('explain-markdown-cell');
    expect(text).toContain('All real solutions');
  });
});
