/**
 * A run of 20 000 tokens, from a run file: it opens, scrolls and searches. The numbers are printed; the bounds mean
 * "not frozen" on a machine that does other things too, and are no measure of speed.
 */
import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { writeRunFile } from '../../src/host/runFile.ts';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { longRun } from './longRun.ts';
import { useSession } from './session.ts';

const TOKENS = 20_000;
const FILE = 'long.tahrun.json';

const session = useSession(() => Promise.resolve({}));

/** Milliseconds between the arrival of the run and the frame that shows it. Runs in the browser. */
const SHOWN = `performance.getEntriesByName('thinkAtHard.shown')[0].startTime - performance.getEntriesByName('thinkAtHard.snapshot')[0].startTime`;

/** Scrolls through a part of the list, a page each frame, and gives the times between frames. Runs in the browser. */
const SCROLL = `async (list) => {
  const times = [];
  const next = () => new Promise((resolve) => requestAnimationFrame(resolve));
  await next();
  for (let i = 0, last = performance.now(); i < 120; i++) {
    list.scrollTop += 240;
    await next();
    times.push(performance.now() - last);
    last = performance.now();
  }
  return times.sort((a, b) => a - b);
}`;

it('opens, scrolls to any place and is searched without freezing', async () => {
  const { panel, server, workbench, screenshot } = session();
  await writeFile(server.pathOf(FILE), writeRunFile(longRun(TOKENS)));
  await workbench.press('Control+P');
  const asked = performance.now();
  await workbench.choose(FILE, FILE);
  await panel.untilTokens(50, 60_000);
  const openMs = performance.now() - asked;
  const frame = await panel.frame();
  await frame.waitForFunction(`performance.getEntriesByName('thinkAtHard.shown').length > 0`);
  const shownMs: number = await frame.evaluate(SHOWN);
  // A text is evaluated as an expression: it has to call its function.
  const times: number[] = await frame.evaluate(`(${SCROLL})(document.querySelector('[data-testid="${TEST_ID.heatmap}"]'))`);
  const inDocument = await (await panel.tokens()).count();
  const median = times[60] ?? Infinity;
  console.log(`20 000 tokens: ${openMs.toFixed(0)} ms from choosing the file to its tokens, ${shownMs.toFixed(0)} ms of it in the page; scrolling: median frame ${median.toFixed(1)} ms, slowest of twenty ${(times[113] ?? Infinity).toFixed(1)} ms; ${inDocument} cells in the document`);
  expect(shownMs).toBeLessThan(10_000);
  expect(median).toBeLessThan(500);
  expect(inDocument).toBeLessThan(TOKENS / 4);

  await (await panel.tokens()).first().focus();
  await workbench.press('End');
  const last = frame.locator('[role="option"][aria-selected="true"]');
  expect(await last.getAttribute('aria-posinset')).toBe(String(TOKENS));
  await last.waitFor({ state: 'visible' });
  await (await panel.find(TEST_ID.search)).fill('needle');
  expect(await panel.text(TEST_ID.searchCount)).toBe('1 found');
  await panel.click(TEST_ID.nextMatch);
  expect(await frame.locator('.token.match-current').first().isVisible()).toBe(true);
  await screenshot('heatmap-large');
});
