/**
 * The engine process is killed under each command that needs it (Solve, Explain and the import are in other files): the reason is
 * told, nothing is lost, and the next command works. The device is told before the first token.
 */
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { COMPARISON_TEST_ID } from '../../src/protocol/comparison.ts';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const FILE = 'problem.md';
const WORK_MS = 240_000;
/** A request that is younger when its process ends is asked again by itself. */
const OLD_MS = 2_000;
const ENDED = /engine process/i;

const session = useSession(() => Promise.resolve({}), { companions: ['test/fixtures/chatDriver'] });

/** Holds the engine that is there, lets `work` ask it for something, and kills it. */
async function killUnder(work: () => Promise<void>): Promise<void> {
  const [engine, ...others] = await session().server.engineProcesses();
  if (engine === undefined || others.length > 0) throw new Error(`There is not one engine process: ${others.length} others.`);
  process.kill(engine.pid, 'SIGSTOP');
  try {
    await work();
    await delay(OLD_MS);
  } finally {
    process.kill(engine.pid, 'SIGKILL');
  }
}

async function untilToldAndClear(picture: string): Promise<void> {
  const { workbench, screenshot } = session();
  await workbench.notification(ENDED).first().waitFor({ timeout: WORK_MS });
  await screenshot(picture);
  await workbench.runCommand('Notifications: Clear All Notifications');
}

async function solve(): Promise<void> {
  const { workbench } = session();
  await workbench.openFile(FILE);
  await workbench.selectLine(FILE, 'Solve 3x');
  await workbench.runCommand('Think-at-Hard: Solve…');
}

describe('An engine that is killed', () => {
  /** What another extension got from our model. */
  async function asked(): Promise<{ readonly value?: { readonly text: string }; readonly error?: string }> {
    const { workbench, server } = session();
    const text = await until('the answer to the other extension', async () => {
      const allow = workbench.page.locator('.monaco-dialog-box .monaco-button').filter({ hasText: /^Allow$/ });
      if (await allow.isVisible()) await allow.click();
      return await readFile(server.pathOf('chat-ask.json'), 'utf8').catch(() => null);
    }, WORK_MS);
    await rm(server.pathOf('chat-ask.json'));
    return JSON.parse(text) as Awaited<ReturnType<typeof asked>>;
  }

  it('under a chat is told to whoever asked, and the next question is answered', async () => {
    const { workbench } = session();
    await workbench.openFile(FILE);
    await workbench.runCommand('Chat Driver: Ask');
    expect((await asked()).value?.text).toContain('\\boxed{');
    await killUnder(() => workbench.runCommand('Chat Driver: Ask'));
    expect((await asked()).error).toMatch(ENDED);
    await workbench.runCommand('Chat Driver: Ask');
    expect((await asked()).value?.text).toContain('\\boxed{');
  });

  it('under Compare is told in its column, what was not begun is skipped, and it compares again', async () => {
    const { workbench, screenshot } = session();
    const selector = (id: string, role?: string): string => `${role === undefined ? '' : `[data-role="${role}"] `}[data-testid="${id}"]`;
    const find = async (id: string, role?: string): Promise<Locator> => (await workbench.webview(selector(COMPARISON_TEST_ID.comparison))).locator(selector(id, role));
    const untilState = (state: string): Promise<boolean> => until(`the comparison is ${state}`, async () => ((await (await find(COMPARISON_TEST_ID.comparison)).getAttribute('data-state')) === state ? true : null), WORK_MS);
    await killUnder(async () => {
      await workbench.openFile(FILE);
      await workbench.selectLine(FILE, 'Solve 3x');
      await workbench.runCommand('Think-at-Hard: Compare Thinking Policies…');
      await untilState('running');
    });
    await untilState('over');
    await screenshot('killed-compare');
    expect(await (await find(COMPARISON_TEST_ID.error)).first().innerText()).toMatch(ENDED);
    await (await find(COMPARISON_TEST_ID.again)).click();
    await untilState('running');
    await untilState('over');
    for (const role of ['never', 'decider', 'always']) expect(await (await find(COMPARISON_TEST_ID.answer, role)).getAttribute('data-answer')).toMatch(/\d/);
  });

  it('under Difficulty is told, and the text is measured at the next try', async () => {
    const { workbench } = session();
    await killUnder(async () => {
      await workbench.openFile('worked.md');
      await workbench.runCommand('Think-at-Hard: Show Difficulty of Text');
      await workbench.notification('Measuring difficulty').waitFor();
    });
    await untilToldAndClear('killed-difficulty');
    await workbench.runCommand('Think-at-Hard: Show Difficulty of Text');
    await workbench.notification(/tokens, \d+ sent to a second pass/).waitFor({ timeout: WORK_MS });
    await workbench.runCommand('Think-at-Hard: Clear Difficulty');
    await workbench.runCommand('Notifications: Clear All Notifications');
  });

  it('under Diagnose leaves a report all the same', async () => {
    const { workbench, screenshot } = session();
    await killUnder(async () => {
      await workbench.runCommand('Think-at-Hard: Diagnose…');
      await workbench.notification('Diagnose: a short run').waitFor();
    });
    const editor = workbench.page.locator('.monaco-editor[data-uri^="untitled:"]').first();
    await editor.waitFor({ timeout: WORK_MS });
    await until('the report', async () => ((await editor.locator('.view-lines').innerText()).replaceAll('\u00a0', ' ').includes('Think-at-Hard: diagnosis') ? true : null));
    await screenshot('killed-diagnose');
  });
});

describe('The device that it runs on', () => {
  it('is shown with the reason for it, and for each that is not used, before any token or with the first', async () => {
    const { panel, screenshot } = session();
    // A run before it has the panel opened, in which the next one is watched.
    await solve();
    await panel.untilState('done', WORK_MS);
    const frame = await panel.frame();
    await frame.evaluate(`(() => {
      const of = (id) => [...document.querySelectorAll('[data-testid="' + id + '"]')];
      window.tahSeen = { looks: 0, tokensAlone: 0 };
      new MutationObserver(() => {
        if (of('${TEST_ID.app}')[0]?.dataset.state !== 'running') return;
        window.tahSeen.looks++;
        if (of('${TEST_ID.token}').length > 0 && of('${TEST_ID.provider}').length === 0) window.tahSeen.tokensAlone++;
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
    })()`);
    await solve();
    const seen = await until('the run was watched', async () => {
      const { looks, tokensAlone } = await frame.evaluate<{ looks: number; tokensAlone: number }>('tahSeen');
      return looks > 0 && (await panel.state()) === 'done' ? { looks, tokensAlone } : null;
    }, WORK_MS);
    await screenshot('killed-device');
    expect(seen.tokensAlone).toBe(0);
    const device = await (await panel.find(TEST_ID.provider)).textContent();
    expect(device).toMatch(/^cpu.*(no other provider works here|the fastest)/s);
    expect(device).toMatch(/webgpu: \S/);
  });
});
