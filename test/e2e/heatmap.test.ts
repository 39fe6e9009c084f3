/** The heatmap of a run in a real VS Code: details, threshold, search, exports, branches, run files, four themes, reload. */
import { readFile, stat } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { THEMES, violations } from './accessibility.ts';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const FILE = 'problem.md';
const PROBLEM = 'Solve 3x + 5 = 20 for x';
const ANSWER_MS = 120_000;
const RUN_FILE = 'saved.tahrun.json';

const session = useSession(() => Promise.resolve({ 'thinkAtHard.temperature': 0 }));

async function untilFile(name: string): Promise<Buffer> {
  const path = session().server.pathOf(name);
  await until(`${name} is on disk`, async () => ((await stat(path).catch(() => null))?.size ?? 0) > 0 || null);
  return await readFile(path);
}

/** Chooses a format in the export menu and names the file in VS Code's dialog. */
async function exportAs(format: string, name: string): Promise<Buffer> {
  const { panel, server, workbench } = session();
  await panel.click(TEST_ID.export);
  await (await panel.frame()).locator(`.menu [data-item="${format}"]`).click();
  await workbench.answerFileDialog(server.pathOf(name));
  return await untilFile(name);
}

async function openScores(): Promise<void> {
  const scores = await session().panel.find(TEST_ID.scores);
  if ((await scores.getAttribute('open')) === null) await scores.locator('summary').click();
}

async function setThreshold(value: string): Promise<void> {
  await (await session().panel.find(TEST_ID.threshold)).fill(value);
}

describe('The heatmap of a run', () => {
  it('explains a hard token: passes, score, candidates before and after, its place in the text', async () => {
    const { panel, workbench, screenshot } = session();
    await workbench.openFile(FILE);
    await workbench.selectLine(FILE, PROBLEM);
    await workbench.runCommand('Think-at-Hard: Solve…');
    await panel.untilState('done', ANSWER_MS);
    await panel.click(TEST_ID.nextHard);
    await (await panel.find(TEST_ID.candidatesAfter)).waitFor();
    expect(await panel.text(TEST_ID.thought)).toMatch(/^▴?\s*(kept|changed|changed the pick)$/);
    expect(await panel.text(TEST_ID.details)).toContain('Score');
    expect(await (await panel.find(TEST_ID.place)).locator('mark').count()).toBe(1);
    await screenshot('heatmap-details');
  });

  it('is one tab stop, and the arrow keys move', async () => {
    const { panel, workbench } = session();
    const frame = await panel.frame();
    expect(await frame.locator('[role="option"][tabindex="0"]').count()).toBe(1);
    const chosen = frame.locator('[role="option"][aria-selected="true"]');
    const before = Number(await chosen.getAttribute('data-index'));
    await chosen.focus();
    await workbench.press('ArrowRight');
    expect(Number(await chosen.getAttribute('data-index'))).toBe(before + 1);
    await workbench.press('End');
    expect(await chosen.getAttribute('aria-posinset')).toBe(await chosen.getAttribute('aria-setsize'));
    await workbench.press('Home');
    expect(await chosen.getAttribute('data-index')).toBe('0');
    await workbench.press('n');
    expect(await chosen.getAttribute('data-iter')).toBe('2');
  });

  it('finds text over the borders of tokens', async () => {
    const { panel } = session();
    await (await panel.find(TEST_ID.search)).fill('3X');
    expect(await panel.text(TEST_ID.searchCount)).toMatch(/^\d+ found$/);
    await panel.click(TEST_ID.nextMatch);
    expect(await panel.text(TEST_ID.searchCount)).toMatch(/^\d+ of \d+$/);
    expect(await (await panel.frame()).locator('.token.match').count()).toBeGreaterThan(0);
    await (await panel.find(TEST_ID.search)).fill('no such text');
    expect(await panel.text(TEST_ID.searchCount)).toBe('No results');
    await (await panel.find(TEST_ID.search)).fill('');
  });

  it('replays another threshold at once, and says what would be sent, never what would have been said', async () => {
    const { panel, screenshot } = session();
    await openScores();
    await setThreshold('0');
    const text = await panel.text(TEST_ID.replay);
    const size = Number(await (await panel.frame()).locator('[role="option"]').first().getAttribute('aria-setsize'));
    expect(text).toContain(`${size} of ${size} tokens would be sent (100 %)`);
    expect(text).toContain('The text could first differ at token');
    expect(await (await panel.frame()).locator('[role="option"].would').count()).toBeGreaterThan(0);
    expect(await (await panel.find(TEST_ID.costTable)).innerText()).toContain('always twice');
    await screenshot('heatmap-threshold');
    await setThreshold('1');
    expect(await panel.text(TEST_ID.replay)).toContain(`0 of ${size} tokens would be sent`);
    await panel.click(TEST_ID.resetThreshold);
    await until('no token is marked', async () => ((await (await panel.frame()).locator('[role="option"]:is(.would, .would-not)').count()) === 0 ? true : null));
  });

  it.each(THEMES)('has nothing to stumble over in %s', async (theme) => {
    const { panel, screenshot } = session();
    await session().workbench.chooseTheme(theme);
    await openScores();
    await setThreshold('0.2');
    const frame = await panel.frame();
    const kind = theme.includes('High Contrast') ? 'vscode-high-contrast' : theme.includes('Light') ? 'vscode-light' : 'vscode-dark';
    await frame.locator(`body.${kind}`).waitFor();
    await screenshot(`heatmap-${theme.replaceAll(' ', '-').toLowerCase()}`);
    expect(await violations(frame)).toEqual([]);
    await panel.click(TEST_ID.resetThreshold);
  });

  it('exports a table, a picture and a page that are whole', async () => {
    const csv = (await exportAs('csv', 'out.csv')).toString('utf8');
    expect(csv.split('\r\n').length).toBeGreaterThan(10);
    expect(csv).toContain('token,position,id,text,passes,score');
    const png = await exportAs('png', 'out.png');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.length).toBeGreaterThan(5000);
    const html = (await exportAs('html', 'out.html')).toString('utf8');
    expect(html).toContain(PROBLEM);
    expect(html).not.toMatch(/<script/i);
    expect((await exportAs('svg', 'out.svg')).toString('utf8')).toMatch(/^<svg [\s\S]*<\/svg>$/);
  });

  it('opens its run file by a double click, without anything that needs an engine', async () => {
    const { panel, workbench, screenshot } = session();
    const size = await (await panel.frame()).locator('[role="option"]').first().getAttribute('aria-setsize');
    await exportAs('json', RUN_FILE);
    await workbench.openFile(FILE);
    await workbench.press('Control+Shift+E');
    await workbench.page.locator('.explorer-folders-view .monaco-list-row').filter({ hasText: RUN_FILE }).dblclick();
    const frame = await until('the page of the file', async () => {
      for (const one of workbench.page.frames()) {
        const isFile = await one.locator(`[data-testid="${TEST_ID.again}"]`).isHidden().catch(() => false);
        if (isFile && (await one.locator(`[data-testid="${TEST_ID.app}"] [role="option"]`).count().catch(() => 0)) > 0) return one;
      }
      return null;
    });
    expect(await frame.locator('[role="option"]').first().getAttribute('aria-setsize')).toBe(size);
    await frame.locator(`[data-testid="${TEST_ID.nextHard}"]`).click();
    await frame.locator(`[data-testid="${TEST_ID.candidatesAfter}"]`).waitFor();
    expect(await frame.locator(`[data-testid="${TEST_ID.skipPass}"]`).count()).toBe(0);
    await screenshot('heatmap-run-file');
    await workbench.press('Control+1');
    await workbench.runCommand('View: Close Editor');
  });

  it('regenerates without a second pass, shows both branches and their difference', async () => {
    const { panel, screenshot, workbench } = session();
    // Notifications of the exports lie over the panel.
    await workbench.runCommand('Notifications: Clear All Notifications');
    await panel.click(TEST_ID.nextHard);
    await panel.click(TEST_ID.skipPass);
    const relatives = await panel.find(TEST_ID.relative);
    await until('two runs of one family', async () => ((await relatives.count()) === 2 ? true : null), ANSWER_MS);
    await panel.untilState('done', ANSWER_MS);
    expect(await relatives.nth(1).innerText()).toContain('second pass skipped');
    expect(await relatives.nth(1).getAttribute('aria-current')).toBe('true');
    await screenshot('heatmap-branch');
    await panel.click(TEST_ID.compare);
    await (await panel.find(TEST_ID.diff)).waitFor();
    await screenshot('heatmap-difference');
    expect(await violations(await panel.frame())).toEqual([]);
    await panel.click(TEST_ID.closeDiff);
  });

  it('regenerates with a second pass forced, with another token, and from where another threshold first matters', async () => {
    const { panel, screenshot } = session();
    const current = async (): Promise<string> => (await panel.find(TEST_ID.relative)).and((await panel.frame()).locator('[aria-current="true"]')).innerText();
    const branch = async (button: (typeof TEST_ID)['forcePass' | 'take' | 'regenerate'], what: RegExp): Promise<void> => {
      await panel.click(button);
      await until(`a branch: ${String(what)}`, async () => (what.test(await current().catch(() => '')) ? true : null), ANSWER_MS);
      await panel.untilState('done', ANSWER_MS);
    };
    const choose = async (selector: string): Promise<void> => (await panel.frame()).locator(`[role="option"]${selector}`).first().click();
    await choose('[data-iter="1"]');
    await branch(TEST_ID.forcePass, /second pass forced/);
    await choose('[data-index="2"]');
    await branch(TEST_ID.take, /token 3: “/);
    await openScores();
    await setThreshold('0');
    await branch(TEST_ID.regenerate, /threshold 0/);
    await screenshot('heatmap-branches');
    expect(await (await panel.find(TEST_ID.relative)).count()).toBeGreaterThanOrEqual(4);
  });

  it('is there again after the window was reloaded, with its run and the token that was chosen', async () => {
    const { panel, workbench, screenshot } = session();
    const problem = await panel.text(TEST_ID.problem);
    const chosen = async (): Promise<string | null> => (await panel.frame()).locator('[role="option"][aria-selected="true"]').getAttribute('data-index');
    await (await panel.frame()).locator('[role="option"][data-index="3"]').click();
    await until('the token is chosen', async () => ((await chosen()) === '3' ? true : null));
    // As a user does it: VS Code then writes down what its pages keep, which a reload of the browser can forestall.
    const reloaded = workbench.page.waitForEvent('domcontentloaded');
    await workbench.runCommand('Developer: Reload Window');
    await reloaded;
    await workbench.page.locator('.monaco-workbench .part.statusbar').waitFor();
    await panel.untilState('done', 60_000);
    expect(await panel.text(TEST_ID.problem)).toBe(problem);
    expect(await chosen()).toBe('3');
    await screenshot('heatmap-restored');
  });
});
