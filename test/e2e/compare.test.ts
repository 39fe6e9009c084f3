/** One problem under three thinking policies: the way of a user from a selection to three checked answers side by side. */
import { readFile } from 'node:fs/promises';
import axe from 'axe-core';
import type { Frame, Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { COMPARISON_TEST_ID as ID } from '../../src/protocol/comparison.ts';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const FILE = 'problem.md';
const PROBLEM = 'Solve 3x + 5 = 20 for x';
const COMPARED_MS = 120_000;

const session = useSession(() => Promise.resolve({ 'workbench.colorTheme': 'Dark Modern' }));

const selector = (id: string, role?: string): string => `${role === undefined ? '' : `[data-role="${role}"] `}[data-testid="${id}"]`;

async function page(): Promise<Frame> {
  return await session().workbench.webview(selector(ID.comparison));
}

async function find(id: string, role?: string): Promise<Locator> {
  return (await page()).locator(selector(id, role));
}

async function untilOver(): Promise<void> {
  await until('the comparison is over', async () => ((await (await find(ID.comparison)).getAttribute('data-state')) === 'over' ? true : null), COMPARED_MS);
  await until('every answer is checked', async () => ((await (await find(ID.check)).and((await page()).locator('[data-check="pending"]')).count()) === 0 ? true : null));
}

/** What axe finds wrong on the page. */
async function violations(): Promise<string[]> {
  const frame = await page();
  await frame.evaluate(axe.source);
  const found: { violations: { id: string; nodes: { html: string }[] }[] } = await frame.evaluate('axe.run(document.body)');
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
}

describe('Compare with the bundled model', () => {
  it('solves the selected problem under each policy, one after the other, and checks every answer', async () => {
    const { workbench, screenshot } = session();
    await workbench.openFile(FILE);
    await workbench.selectLine(FILE, PROBLEM);
    await workbench.runCommand('Think-at-Hard: Compare Thinking Policies…');
    await (await find(ID.comparison)).waitFor();
    await untilOver();
    await screenshot('compare-dark');
    for (const role of ['never', 'decider', 'always']) {
      expect(await (await find(ID.check, role)).getAttribute('data-check')).toMatch(/^(verified|contradicted|unchecked)$/);
      expect(await (await find(ID.answer, role)).getAttribute('data-answer')).toMatch(/\d/);
      expect(await (await find(ID.flops, role)).getAttribute('title')).toContain('parameters');
      expect(await (await find(ID.time, role)).innerText()).toMatch(/^\d+\.\d\d s$/);
    }
    const passes = async (role: string): Promise<number> => Number(await (await find(ID.passes, role)).innerText());
    expect([await passes('never'), await passes('always')]).toEqual([1, 2]);
    expect(await passes('decider')).toBeGreaterThan(1);
    expect(await passes('decider')).toBeLessThan(2);
    expect(await (await find(ID.difference)).innerText()).toMatch(/first \d+ tokens are equal|texts are equal/);
    expect(await (await find(ID.step)).count()).toBeGreaterThan(1);
  });

  it('shows the tokens, second passes underlined', async () => {
    const { screenshot } = session();
    await (await find(ID.asTokens)).click();
    expect(await (await page()).locator('[data-role="always"] .token.sent').count()).toBeGreaterThan(5);
    expect(await (await page()).locator('[data-role="never"] .token.sent').count()).toBe(0);
    await screenshot('compare-tokens');
    await (await find(ID.rendered)).click();
  });

  it('has no accessibility violations and is readable in all kinds of themes', async () => {
    const { screenshot } = session();
    for (const [theme, name] of [['Light Modern', 'light'], ['Dark High Contrast', 'hc-dark'], ['Light High Contrast', 'hc-light'], ['Dark Modern', 'dark-again']] as const) {
      await session().workbench.chooseTheme(theme);
      expect(await violations()).toEqual([]);
      await screenshot(`compare-${name}`);
    }
  });

  it('stacks its columns where there is no room for them', async () => {
    const { workbench, screenshot } = session();
    await workbench.page.setViewportSize({ width: 620, height: 900 });
    const boxes = await Promise.all(['never', 'decider', 'always'].map(async (role) => (await find(ID.cell, role)).first().boundingBox()));
    expect(boxes.map((box) => box?.x)).toEqual([boxes[0]?.x, boxes[0]?.x, boxes[0]?.x]);
    await screenshot('compare-narrow');
    await workbench.page.setViewportSize({ width: 1440, height: 900 });
  });

  it('is still there after the window was reloaded', async () => {
    const { workbench, screenshot } = session();
    const answer = await (await find(ID.answer, 'decider')).getAttribute('data-answer');
    await workbench.page.reload();
    await workbench.page.locator('.monaco-workbench .part.statusbar').waitFor();
    await until('the comparison is back', async () => ((await (await find(ID.answer, 'decider').catch(() => null))?.getAttribute('data-answer')) === answer ? true : null), COMPARED_MS);
    expect(await (await find(ID.problem)).innerText()).toContain(PROBLEM);
    expect(await (await find(ID.step)).count()).toBeGreaterThan(1);
    await screenshot('compare-restored');
  });

  it('takes a typed problem', async () => {
    const { workbench, screenshot } = session();
    await workbench.runCommand('Think-at-Hard: Compare Thinking Policies…');
    await workbench.answerInput('Compute 487 * 36 + 1259');
    await until('the typed problem', async () => ((await (await find(ID.problem)).innerText()).includes('487') ? true : null));
    await untilOver();
    await (await find(ID.asTokens)).click();
    await screenshot('compare-typed');
  });

  it('compares again, and opens a run in the heatmap', async () => {
    const { panel, screenshot } = session();
    await (await find(ID.again)).click();
    await until('it runs', async () => ((await (await find(ID.comparison)).getAttribute('data-state')) === 'running' ? true : null));
    await untilOver();
    await (await find(ID.heatmap, 'always')).click();
    await panel.untilState('done', 30_000);
    expect(await panel.text(TEST_ID.policy)).toContain('always');
    await screenshot('compare-heatmap');
  });

  it('takes a problem in comments as Solve does, and the answer of any of its runs goes below it', async () => {
    const { panel, server, workbench, screenshot } = session();
    const file = 'problem.py';
    const before = await readFile(server.pathOf(file), 'utf8');
    await workbench.openFile(file);
    await workbench.selectLine(file, 'Solve 2x + 6');
    await workbench.press('Shift+ArrowDown');
    await workbench.press('Shift+End');
    await workbench.runCommand('Think-at-Hard: Compare Thinking Policies…');
    await until('the problem', async () => ((await (await find(ID.problem)).innerText()).includes('2x + 6') ? true : null));
    expect(await (await find(ID.problem)).innerText()).not.toContain('#');
    await untilOver();
    await (await find(ID.heatmap, 'always')).click();
    await until('the run', async () => ((await panel.text(TEST_ID.problem)).includes('2x + 6') ? true : null));
    await panel.click(TEST_ID.insert);
    await workbench.openFile(file);
    await workbench.saveChange(file);
    const after = await until('the answer', async () => {
      const text = await readFile(server.pathOf(file), 'utf8');
      return text === before ? null : text;
    });
    await screenshot('compare-inserted');
    const end = before.indexOf('for x') + 'for x'.length;
    expect([after.startsWith(before.slice(0, end)), after.endsWith(before.slice(end))]).toEqual([true, true]);
    expect(after.slice(end, after.length - (before.length - end)).trim().split('\n').every((line) => line.startsWith('#'))).toBe(true);
  });

  it('measures a given text under four policies, the oracle among them', async () => {
    const { workbench, screenshot } = session();
    await workbench.openFile('worked.md');
    await workbench.runCommand('Think-at-Hard: Show Difficulty of Text');
    await workbench.page.locator('.monaco-editor[data-uri$="/worked.md"] .codelens-decoration a').filter({ hasText: 'Compare policies' }).click({ timeout: COMPARED_MS });
    await until('the text', async () => (((await (await find(ID.problem)).getAttribute('title')) ?? '').includes('Worked solutions') ? true : null));
    await until('the comparison is over', async () => ((await (await find(ID.comparison)).getAttribute('data-state')) === 'over' ? true : null), COMPARED_MS);
    await screenshot('compare-oracle');
    // One step below the other, in the columns of their policies.
    const steps = await (await find(ID.step)).all();
    const lefts = new Set(await Promise.all(steps.slice(0, 4).map(async (step) => Math.round((await step.boundingBox())?.x ?? -1))));
    expect([steps.length > 2, lefts.size]).toEqual([true, 1]);
    const passes = await Promise.all(['never', 'decider', 'always', 'oracle'].map(async (role) => Number(await (await find(ID.passes, role)).innerText())));
    expect([passes[0], passes[2]]).toEqual([1, 2]);
    // The bundled model expects most of this text's tokens wrongly: the oracle sends them.
    expect(passes[3]).toBeGreaterThan(1);
    expect(passes[3]).toBeLessThan(2);
  });
});
