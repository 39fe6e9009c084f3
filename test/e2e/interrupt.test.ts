/** A run that would go on for long: stopped by the user, its engine killed under it, and VS Code closed in the midst of it. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { makeEndlessModel } from './endlessModel.ts';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const FILE = 'problem.md';
const START_MS = 90_000;
/** The bound is one pass; this is what a person sees, browser and server included. */
const STOP_MS = 2_000;

const session = useSession(async ({ extension, scratch }) => ({
  'thinkAtHard.model': await makeEndlessModel(join(extension, 'dist', 'cli.cjs'), scratch),
  'thinkAtHard.maxTokens': 4096,
  'thinkAtHard.temperature': 0,
}));

async function startRun(): Promise<void> {
  const { workbench, panel } = session();
  await workbench.openFile(FILE);
  await workbench.selectLine(FILE, 'Solve 3x');
  await workbench.runCommand('Think-at-Hard: Solve…');
  await panel.untilState('running', START_MS);
  await panel.untilTokens(5, START_MS);
}

describe('A long run', () => {
  it('stops soon after Stop, keeps what it has, and lets the engine live', async () => {
    const { panel, server, screenshot } = session();
    await startRun();
    await panel.click(TEST_ID.stop);
    // From the press, which comes when the browser finds the button at rest.
    const pressed = performance.now();
    await panel.untilState('stopped', 10_000);
    const tookMs = performance.now() - pressed;
    await screenshot('run-stopped');
    console.log(`From Stop to a run that is shown as stopped: ${tookMs.toFixed(0)} ms`);
    expect(tookMs).toBeLessThan(STOP_MS);
    const shown = await (await panel.tokens()).count();
    expect(shown).toBeGreaterThanOrEqual(5);
    expect(await server.engineProcesses()).toHaveLength(1);
  });

  it('is stopped where it explains a formula, and the explanation keeps what it has', async () => {
    const { workbench, screenshot } = session();
    const thread = await workbench.explainFormula('formulas.md', 'Markdown formula', 1);
    await thread.getByText('Thinking…').waitFor({ timeout: START_MS });
    await thread.locator('.head [aria-label="Stop"]').click();
    await thread.getByText('Stopped').waitFor({ timeout: 10_000 });
    await screenshot('explanation-stopped');
    await thread.locator('.head [aria-label="Explain Again"]').waitFor();
    await thread.locator('.head [aria-label="Delete Explanation"]').click();
    await thread.waitFor({ state: 'hidden' });
  });

  it('says that the engine process ended when it is killed, keeps the run, and can solve again', async () => {
    const { panel, server, screenshot } = session();
    await startRun();
    const [engine] = await server.engineProcesses();
    if (engine === undefined) throw new Error('There is no engine process to kill.');
    process.kill(engine.pid, 'SIGKILL');
    await panel.untilState('failed', 10_000);
    await screenshot('run-engine-killed');
    expect(await panel.text(TEST_ID.error)).toMatch(/engine/i);
    expect(await (await panel.tokens()).count()).toBeGreaterThanOrEqual(5);

    await startRun();
    await screenshot('run-after-kill');
    const [next, ...others] = await server.engineProcesses();
    expect(others).toEqual([]);
    expect(next?.pid).not.toBe(engine.pid);
  });

  it('ends with VS Code: no engine process is left', async () => {
    const { panel, server, workbench } = session();
    expect(await panel.state()).toBe('running');
    expect(await server.engineProcesses()).toHaveLength(1);
    await workbench.close();
    await server.stop();
    await until('no engine process is left', async () => ((await server.engineProcesses()).length === 0 ? true : null), 5_000);
  });
});
