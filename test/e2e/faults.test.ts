/** What can happen to a user while the model writes: a second window, an engine that is killed under another command, a model that is deleted. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { makeEndlessModel } from './endlessModel.ts';
import { RunPanel } from './runPanel.ts';
import { useSession } from './session.ts';
import { until, Workbench } from './workbench.ts';

const FILE = 'problem.md';
const START_MS = 90_000;

let model = '';
const session = useSession(async ({ extension, scratch }) => {
  model = await makeEndlessModel(join(extension, 'dist', 'cli.cjs'), scratch);
  return { 'thinkAtHard.model': model, 'thinkAtHard.maxTokens': 4096, 'thinkAtHard.temperature': 0 };
});

async function startRun(workbench: Workbench, panel: RunPanel): Promise<void> {
  await workbench.openFile(FILE);
  await workbench.selectLine(FILE, 'Solve 3x');
  await workbench.runCommand('Think-at-Hard: Solve…');
  await panel.untilState('running', START_MS);
  await panel.untilTokens(5, START_MS);
}

async function stopRun(panel: RunPanel): Promise<void> {
  await panel.click(TEST_ID.stop);
  await panel.untilState('stopped', START_MS);
}

async function killEngines(): Promise<void> {
  const { server } = session();
  const engines = await server.engineProcesses();
  expect(engines.length).toBeGreaterThan(0);
  for (const { pid } of engines) process.kill(pid, 'SIGKILL');
}

describe('A second window', () => {
  it('solves beside the first, each with an engine of its own that ends with its window', async () => {
    const { server, workbench, panel } = session();
    const other = await Workbench.open(server.url, inject('setup').chromium);
    try {
      if (inject('setup').vsCode.kind === 'download') await other.trustFolder();
      const otherPanel = new RunPanel(other);
      await startRun(workbench, panel);
      await startRun(other, otherPanel);
      expect(await server.engineProcesses()).toHaveLength(2);
      await stopRun(otherPanel);
      // What happens in one window is nothing to the other.
      expect(await panel.state()).toBe('running');
    } finally {
      await other.close();
    }
    await stopRun(panel);
    await startRun(workbench, panel);
    await stopRun(panel);
  });
});

describe('An engine that is killed', () => {
  it('under an explanation is told in its thread, and what computer algebra said stays', async () => {
    const { workbench, server, screenshot } = session();
    const thread = await workbench.explainFormula('formulas.md', 'Markdown formula', 2);
    await thread.getByText('All real solutions').waitFor({ timeout: START_MS });
    await until('the model writes', async () => ((await server.engineProcesses()).length > 0 ? true : null), START_MS);
    await killEngines();
    await thread.getByText(/engine process/i).first().waitFor({ timeout: START_MS });
    expect(await thread.innerText()).toContain('All real solutions');
    await screenshot('faults-explanation-killed');
  });
});

describe('A model that is deleted', () => {
  it('while it writes goes on writing; afterwards its folder is named, and another model can be chosen', async () => {
    const { workbench, panel, screenshot } = session();
    await startRun(workbench, panel);
    await rm(model, { recursive: true });
    const before = await (await panel.tokens()).count();
    await panel.untilTokens(before + 5, START_MS);
    await stopRun(panel);
    await killEngines();
    await workbench.openFile(FILE);
    await workbench.selectLine(FILE, 'Solve 3x');
    await workbench.runCommand('Think-at-Hard: Solve…');
    await workbench.notification(model).first().waitFor({ timeout: START_MS });
    await screenshot('faults-model-deleted');
    await workbench.runCommand('Think-at-Hard: Select Model…');
    await workbench.choose('tah-math-small', 'tah-math-small');
    await workbench.openFile(FILE);
    await workbench.selectLine(FILE, 'Solve 3x');
    await workbench.runCommand('Think-at-Hard: Solve…');
    await panel.untilState('done', START_MS);
  });
});
