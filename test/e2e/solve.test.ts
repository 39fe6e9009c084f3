/** The bundled model solves a selected problem: the way of a user from the palette to the answer in the document. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const FILE = 'problem.md';
const PROBLEM = 'Solve 3x + 5 = 20 for x';
/** Loads the engine and the model too. */
const ANSWER_MS = 90_000;

const session = useSession(() => Promise.resolve({}));

async function solveSelectedLine(): Promise<void> {
  const { workbench } = session();
  await workbench.openFile(FILE);
  await workbench.selectLine(FILE, PROBLEM);
  await workbench.runCommand('Think-at-Hard: Solve…');
}

/** Saves and gives the file once its text is as wanted. */
async function untilSaved(wanted: (text: string) => boolean): Promise<string> {
  const { server, workbench } = session();
  await workbench.focusEditor(FILE);
  await workbench.saveChange(FILE);
  return await until('the saved document is as expected', async () => {
    const text = await readFile(server.pathOf(FILE), 'utf8');
    return wanted(text) ? text : null;
  });
}

describe('Solve with the bundled model', () => {
  it('starts no engine before it is used', async () => {
    expect(await session().server.engineProcesses()).toEqual([]);
  });

  it('shows the streamed answer of the selected problem, and that it was checked', async () => {
    const { panel, screenshot } = session();
    await solveSelectedLine();
    await panel.untilState('done', ANSWER_MS);
    await screenshot('solve-done');
    expect(await panel.text(TEST_ID.problem)).toContain(PROBLEM);
    // Rendered, never raw TeX: the steps are pictures with their TeX as text alternative.
    const steps = (await panel.find(TEST_ID.answerText)).locator('[role="img"]');
    expect(await steps.count()).toBeGreaterThan(1);
    expect(await panel.text(TEST_ID.answerText)).not.toContain('$');
    expect(await (await panel.find(TEST_ID.answerBox)).getAttribute('data-answer')).toMatch(/^(x = )?5$/);
    await until('the answer is checked', async () => ((await (await panel.find(TEST_ID.check)).getAttribute('data-check')) === 'pending' ? null : true));
    expect(await (await panel.find(TEST_ID.check)).getAttribute('data-check')).toBe('verified');
  });

  it('marks tokens that got a second pass', async () => {
    const { panel } = session();
    expect(await (await panel.tokens()).count()).toBeGreaterThan(10);
    expect(await (await panel.tokens(true)).count()).toBeGreaterThan(0);
  });

  it('tells of a hard token, once it has the focus, what came before and after the second pass', async () => {
    const { panel, screenshot } = session();
    await (await panel.tokens(true)).first().click();
    await (await panel.find(TEST_ID.candidatesBefore)).waitFor();
    await (await panel.find(TEST_ID.candidatesAfter)).waitFor();
    expect(await panel.text(TEST_ID.details)).not.toBe('');
    await screenshot('solve-details');
  });

  it('inserts the answer below the problem, and one undo takes it away', async () => {
    const { panel, server, workbench, screenshot } = session();
    const before = await readFile(server.pathOf(FILE), 'utf8');
    await panel.click(TEST_ID.insert);
    const after = await untilSaved((text) => text !== before);
    await screenshot('solve-inserted');
    // The selection of the problem has not grown over the answer.
    expect(await workbench.page.locator('[id="status.editor.selection"]').innerText()).toContain(`(${PROBLEM.length} selected)`);
    const end = before.indexOf(PROBLEM) + PROBLEM.length;
    expect(after.startsWith(before.slice(0, end))).toBe(true);
    expect(after.endsWith(before.slice(end))).toBe(true);
    expect(after.slice(end, after.length - (before.length - end))).toMatch(/5/);
    await workbench.focusEditor(FILE);
    await workbench.press('Control+Z');
    await untilSaved((text) => text === before);
  });

  it('solves again after its idle engine process was killed', async () => {
    const { panel, server } = session();
    const [engine] = await server.engineProcesses();
    if (engine === undefined) throw new Error('There is no engine process to kill.');
    process.kill(engine.pid, 'SIGKILL');
    await until('the killed engine is gone', async () => ((await server.engineProcesses()).some(({ pid }) => pid === engine.pid) ? null : true));
    await solveSelectedLine();
    await until('a new run', async () => ((await server.engineProcesses()).length > 0 ? true : null));
    await panel.untilState('done', ANSWER_MS);
    expect((await server.engineProcesses()).map(({ pid }) => pid)).not.toContain(engine.pid);
  });

  it('leaves no engine process behind when VS Code ends', async () => {
    const { server, workbench } = session();
    expect(await server.engineProcesses()).toHaveLength(1);
    await workbench.close();
    await server.stop();
    await until('no engine process is left', async () => ((await server.engineProcesses()).length === 0 ? true : null), 5_000);
  });
});
