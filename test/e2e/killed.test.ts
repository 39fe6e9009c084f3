/** The engine process is killed under a chat (Solve and Explain are in other files): the reason is told, and the next question is answered. */
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
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
});
