/**
 * The doors of Solve and what becomes of an answer: LaTeX and notebook cells, insert, replace, one undo, branches, a
 * saved run file, the history across a reload of the window, and input that cannot be solved.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { readRunFile } from '../../src/host/runFile.ts';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const ANSWER_MS = 90_000;
const LATEX = 'paper.tex';
const MARKDOWN = 'problem.md';
const NOTEBOOK = 'sheet.ipynb';
const MARKDOWN_PROBLEM = 'Solve 3x + 5 = 20 for x';
const SAVED = 'solve-3x-5-20-for-x.tahrun.json';

const session = useSession(() => Promise.resolve({ 'files.readonlyInclude': { '**/locked.md': true } }));

/** Waits until the panel shows the run of this problem, ended. */
async function untilSolved(problem: string): Promise<void> {
  const { panel } = session();
  await until(`the panel shows "${problem}"`, async () => ((await panel.text(TEST_ID.problem)).includes(problem) ? true : null), ANSWER_MS);
  await panel.untilState('done', ANSWER_MS);
}

const solveLine = (file: string, problem: string): Promise<void> => session().workbench.solveLine(file, problem);

/** Saves the editor that has the focus, and gives the file once its text is as wanted. */
async function untilSaved(file: string, wanted: (text: string) => boolean): Promise<string> {
  const { server, workbench } = session();
  await workbench.saveChange(file);
  return await until(`${file} is as expected`, async () => {
    const text = await readFile(server.pathOf(file), 'utf8');
    return wanted(text) ? text : null;
  });
}

/** Rows of the open quick pick, as text. */
async function rows(): Promise<readonly string[]> {
  return await session().workbench.page.locator('.quick-input-widget .monaco-list-row').allInnerTexts();
}

/** Text of the first cell of a kind in a saved notebook. */
function cellIn(text: string, kind: 'code' | 'markdown'): string {
  const { cells } = JSON.parse(text) as { cells: readonly { cell_type: string; source: string | readonly string[] }[] };
  return [cells.find((cell) => cell.cell_type === kind)?.source ?? ''].flat().join('');
}

describe('a LaTeX document', () => {
  const problem = 'Solve 2x + 3 = 11 for x';

  it('gets the answer as LaTeX below the problem', async () => {
    const { workbench, screenshot, server } = session();
    const before = await readFile(server.pathOf(LATEX), 'utf8');
    await solveLine(LATEX, problem);
    await untilSolved(problem);
    await workbench.runCommand('Think-at-Hard: Insert Answer');
    await workbench.focusEditor(LATEX);
    const after = await untilSaved(LATEX, (text) => text !== before);
    await screenshot('doors-latex');
    const inserted = after.slice(before.indexOf(problem) + problem.length, after.length - (before.length - before.indexOf(problem) - problem.length));
    expect(inserted).toContain('4');
    expect(inserted).not.toContain('**');
    expect(after.indexOf(inserted)).toBeLessThan(after.indexOf('\\end{document}'));
  });
});

describe('a Markdown document', () => {
  it('has the problem replaced by the answer, and one undo brings it back', async () => {
    const { workbench, screenshot, server } = session();
    const before = await readFile(server.pathOf(MARKDOWN), 'utf8');
    await solveLine(MARKDOWN, MARKDOWN_PROBLEM);
    await untilSolved(MARKDOWN_PROBLEM);
    await workbench.runCommand('Think-at-Hard: Replace Problem with Answer');
    await workbench.focusEditor(MARKDOWN);
    const after = await untilSaved(MARKDOWN, (text) => text !== before);
    await screenshot('doors-replaced');
    const [head = '', tail = ''] = before.split(MARKDOWN_PROBLEM);
    expect([after.startsWith(head), after.endsWith(tail), after.includes('5')]).toEqual([true, true, true]);
    expect(after.slice(head.length, after.length - tail.length).split('\n').length).toBeGreaterThan(1);
    await workbench.press('Control+Z');
    await untilSaved(MARKDOWN, (text) => text === before);
  });

  it('that is read-only is left as it is, and the user is told', async () => {
    const { workbench, screenshot, server } = session();
    const problem = 'Solve x + 4 = 9 for x';
    await solveLine('locked.md', problem);
    await untilSolved(problem);
    await workbench.runCommand('Think-at-Hard: Insert Answer');
    await workbench.notification('cannot be edited').waitFor();
    await screenshot('doors-read-only');
    expect(await readFile(server.pathOf('locked.md'), 'utf8')).toContain(problem);
    await workbench.runCommand('Notifications: Clear All Notifications');
  });

  it('gives nothing to solve where only white space is selected', async () => {
    const { workbench } = session();
    await workbench.openFile(MARKDOWN);
    await workbench.press('Control+Home');
    await workbench.press('End');
    await workbench.press('Shift+ArrowDown');
    await workbench.runCommand('Think-at-Hard: Solve…');
    await workbench.notification('only white space').waitFor();
    await workbench.runCommand('Notifications: Clear All Notifications');
  });
});

describe('a Python program', () => {
  const file = 'problem.py';
  const problem = 'Solve 6x = 42 for x';

  it('gets the answer as text within a docstring, by the menu of the editor; it is copied as it is inserted', async () => {
    const { workbench, screenshot, server } = session();
    const before = await readFile(server.pathOf(file), 'utf8');
    await workbench.openFile(file);
    await workbench.selectLine(file, problem);
    await workbench.page.locator('.monaco-editor[data-uri$="/problem.py"] .view-line').filter({ hasText: problem }).first().click({ button: 'right', position: { x: 90, y: 8 } });
    const entry = workbench.page.locator('.monaco-menu .action-label').filter({ hasText: /^Solve…$/ });
    await entry.waitFor();
    await screenshot('doors-context-menu');
    await entry.click();
    await untilSolved(problem);
    await workbench.runCommand('Think-at-Hard: Copy Answer');
    const copied = await until('the clipboard has the answer', async () => {
      const text = await workbench.page.evaluate<string>('navigator.clipboard.readText()');
      return text.includes('boxed') ? text : null;
    }, 15_000);
    await workbench.runCommand('Think-at-Hard: Insert Answer');
    const after = await untilSaved(file, (text) => text !== before);
    await screenshot('doors-docstring');
    const end = before.indexOf(problem) + problem.length;
    expect([after.startsWith(before.slice(0, end)), after.endsWith(before.slice(end))]).toEqual([true, true]);
    const lines = after.slice(end, after.length - (before.length - end)).trim().split('\n').map((line) => line.trim());
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.filter((line) => line.startsWith('#'))).toEqual([]);
    // Python reads one backslash where two are written.
    expect(lines.join('\n')).toContain('\\\\boxed');
    expect(copied.split('\n').map((line) => line.trim())).toEqual(lines);
    await workbench.press('Control+Z');
    await untilSaved(file, (text) => text === before);
  });
});

describe('a typed problem', () => {
  it('is asked for where nothing is selected, and its answer goes below the cursor', async () => {
    const { workbench, screenshot, server } = session();
    const before = await readFile(server.pathOf(MARKDOWN), 'utf8');
    await workbench.openFile(MARKDOWN);
    await workbench.selectLine(MARKDOWN, 'A notebook costs');
    await workbench.press('End');
    await workbench.runCommand('Think-at-Hard: Solve…');
    await screenshot('doors-typed');
    await workbench.answerInput('Compute 12 * 11 + 3');
    await untilSolved('Compute 12 * 11 + 3');
    await workbench.focusEditor(MARKDOWN);
    await workbench.press('Control+Home');
    await workbench.runCommand('Think-at-Hard: Insert Answer');
    const after = await untilSaved(MARKDOWN, (text) => text !== before);
    expect(after.startsWith(before.trimEnd())).toBe(true);
    expect(after.slice(before.trimEnd().length)).toContain('135');
    await workbench.focusEditor(MARKDOWN);
    await workbench.press('Control+Z');
    await untilSaved(MARKDOWN, (text) => text === before);
  });
});

describe('a run', () => {
  beforeAll(async () => {
    await solveLine(MARKDOWN, MARKDOWN_PROBLEM);
    await untilSolved(MARKDOWN_PROBLEM);
  });

  it('is saved as a file that a reader takes', async () => {
    const { workbench, screenshot, server } = session();
    await workbench.runCommand('Think-at-Hard: Save Run…');
    await until('the dialog names the file', async () => ((await workbench.page.locator('.quick-input-widget input[type="text"]').first().inputValue()).endsWith(SAVED) ? true : null));
    await screenshot('doors-save');
    await workbench.press('Enter');
    await workbench.notification('was saved as').waitFor();
    const run = readRunFile(await readFile(server.pathOf(SAVED)), SAVED);
    expect(run).toMatchObject({ problem: MARKDOWN_PROBLEM, state: 'done', check: { state: 'verified' }, branch: null });
    expect(run.tokens.length).toBeGreaterThan(10);
    await workbench.runCommand('Notifications: Clear All Notifications');
  });

  it('is written again from one of its tokens, by the palette alone', async () => {
    const { workbench, panel, screenshot } = session();
    await workbench.runCommand('Think-at-Hard: Regenerate from Here…');
    await workbench.choose('#2', '#2');
    await until('the changes are offered', async () => ((await rows()).some((row) => row.includes('second pass')) ? true : null));
    await screenshot('doors-regenerate');
    await workbench.choose('second pass', 'second pass');
    await panel.untilState('done', ANSWER_MS);
    await workbench.runCommand('Think-at-Hard: Show History…');
    await until('the branch is in the history', async () => ((await rows()).some((row) => row.includes('from token 2: second pass')) ? true : null), ANSWER_MS);
    await screenshot('doors-history');
    await workbench.press('Escape');
  });

  it('is shown again after the window was reloaded, and its history is there', async () => {
    const { workbench, panel, screenshot } = session();
    await workbench.page.reload();
    await workbench.page.locator('.monaco-workbench .part.statusbar').waitFor();
    await untilSolved(MARKDOWN_PROBLEM);
    expect(await (await panel.tokens()).count()).toBeGreaterThan(10);
    await screenshot('doors-reloaded');
    await workbench.runCommand('Think-at-Hard: Show History…');
    await until('the history has the runs', async () => ((await rows()).length >= 4 ? true : null));
    await workbench.choose('2x + 3', 'Solve 2x + 3 = 11 for x');
    await untilSolved('Solve 2x + 3 = 11 for x');
    await screenshot('doors-history-opened');
  });

  it('of the window before is inserted below its problem, whatever is in view and wherever that has moved', async () => {
    const { workbench, screenshot, server } = session();
    const before = await readFile(server.pathOf(MARKDOWN), 'utf8');
    const problem = 'Solve 2x + 3 = 11 for x';
    // As another program changes it while no window is open.
    const moved = (await readFile(server.pathOf(LATEX), 'utf8')).replace('\\begin{document}', '% A new line\n\\begin{document}');
    await writeFile(server.pathOf(LATEX), moved);
    await workbench.openFile(MARKDOWN);
    await workbench.runCommand('Think-at-Hard: Insert Answer');
    await workbench.openFile(LATEX);
    const after = await untilSaved(LATEX, (text) => text !== moved);
    await screenshot('doors-restored-insert');
    const end = moved.indexOf(problem) + problem.length;
    expect([after.startsWith(moved.slice(0, end)), after.endsWith(moved.slice(end)), after.length > moved.length]).toEqual([true, true, true]);
    expect(await readFile(server.pathOf(MARKDOWN), 'utf8')).toBe(before);
  });

  it('whose problem is gone says so, and offers the cursor', async () => {
    const { workbench, screenshot, server } = session();
    await workbench.openFile(LATEX);
    await workbench.press('Control+A');
    await workbench.press('Delete');
    await untilSaved(LATEX, (text) => text === '');
    await workbench.openFile(MARKDOWN);
    await workbench.press('Control+End');
    const before = await readFile(server.pathOf(MARKDOWN), 'utf8');
    await workbench.runCommand('Think-at-Hard: Replace Problem with Answer');
    const dialog = workbench.page.locator('.monaco-dialog-box').filter({ hasText: `The problem is no longer in ${LATEX}.` });
    await dialog.waitFor();
    await screenshot('doors-problem-gone');
    await dialog.getByText('Insert at the Cursor').click();
    const after = await untilSaved(MARKDOWN, (text) => text !== before);
    expect(after.startsWith(before.trimEnd())).toBe(true);
    expect(after.slice(before.trimEnd().length)).toContain('4');
    await workbench.press('Control+Z');
    await untilSaved(MARKDOWN, (text) => text === before);
  });

  it('of the window before is branched from, its model found by its hash', async () => {
    const { workbench, panel, server } = session();
    expect(await server.engineProcesses()).toEqual([]);
    await workbench.runCommand('Think-at-Hard: Regenerate from Here…');
    await workbench.choose('#1', '#1 ');
    await until('the changes are offered', async () => ((await rows()).some((row) => row.includes('threshold')) ? true : null));
    await workbench.choose('second pass', 'second pass');
    await until('the engine was started', async () => ((await server.engineProcesses()).length === 1 ? true : null), ANSWER_MS);
    await panel.untilState('done', ANSWER_MS);
  });
});

describe('a notebook', () => {
  it('has a code cell solved that holds a problem in comments, and gets the answer as comments', async () => {
    const { workbench, screenshot } = session();
    await workbench.press('Control+1');
    await workbench.press('Control+P');
    await workbench.choose(NOTEBOOK, NOTEBOOK);
    await workbench.page.locator('.notebookOverlay .monaco-editor .view-line').filter({ hasText: '4x + 1' }).first().click();
    await workbench.runCommand('Think-at-Hard: Solve…');
    await untilSolved('Solve 4x + 1 = 13 for x');
    expect(await session().panel.text(TEST_ID.problem)).not.toContain('#');
    await workbench.runCommand('Think-at-Hard: Insert Answer');
    await workbench.page.locator('.notebookOverlay .monaco-editor .view-line').filter({ hasText: '4x + 1' }).first().click();
    const text = await untilSaved(NOTEBOOK, (saved) => cellIn(saved, 'code').includes('boxed'));
    await screenshot('doors-notebook');
    const lines = cellIn(text, 'code').split('\n');
    expect(lines[0]).toBe('# Solve 4x + 1 = 13 for x');
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.every((line) => line.startsWith('#'))).toBe(true);
  });

  it('has a Markdown cell solved, and gets the answer as Markdown in it', async () => {
    const { workbench, screenshot } = session();
    // Saving may still be redrawing the notebook, and what is pressed meanwhile goes astray.
    const more = workbench.page.locator('.markdown-cell-row.focused .cell-title-toolbar [aria-label*="More"]').first();
    await until('the Markdown cell has the focus', async () => {
      await workbench.press('Escape');
      await workbench.press('ArrowUp');
      return (await more.isVisible()) ? true : null;
    });
    await more.click();
    await workbench.chooseInMenu('Solve…');
    await untilSolved('Solve 5x = 35 for x');
    await workbench.runCommand('Think-at-Hard: Insert Answer');
    const text = await untilSaved(NOTEBOOK, (saved) => cellIn(saved, 'markdown').includes('boxed'));
    await screenshot('doors-notebook-markdown');
    expect(cellIn(text, 'markdown')).toMatch(/^Solve 5x = 35 for x\n\n\S/);
  });
});
