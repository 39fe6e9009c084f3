/**
 * What is fetched only when a user asks for it, from servers on loopback: the official Node, where no program of the
 * machine can run the engine, and the CUDA runtime, as far as a machine without a card goes: what is asked, refused,
 * cancelled and failed.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeArchive } from '../../scripts/setupNodes.mjs';
import { CUDA_TABLE } from '../../src/hub/cudaTable.ts';
import { NODE_BUILDS } from '../../src/hub/nodeBuilds.ts';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { FileServer, type Answer } from '../fixtures/fileServer.ts';
import { useSession } from './session.ts';

const FILE = 'problem.md';
const WORK_MS = 90_000;
const BUILD = NODE_BUILDS[`linux-${process.arch}`];
/** Enough that there is something to go on from. */
const SENT = 2_000_000;

let registry: FileServer;
let index: FileServer;
/** What the index of CUDA's files answers. */
let indexFails = false;
/** A driver by its name: enough for the offer. */
let driver = '';

const session = useSession(
  async ({ extension, scratch }) => {
    const archive = await nodeArchive(BUILD?.version ?? '');
    registry = await FileServer.start((path): Answer => (basename(path) === basename(archive) ? { kind: 'file', path: archive } : { kind: 'status', status: 404 }));
    const size = (path: string): number => CUDA_TABLE.wheels.find((wheel) => path.endsWith(`/${wheel.path}`))?.size ?? 0;
    index = await FileServer.start((path): Answer => (indexFails || size(path) === 0 ? { kind: 'status', status: 404 } : { kind: 'stall', size: size(path), after: Math.min(SENT, size(path) >> 1) }));
    driver = join(scratch, 'driver');
    await mkdir(driver);
    await writeFile(join(driver, 'libcuda.so.1'), '');
    await onlyUnderFetchedNode(join(extension, 'dist/engineProcess.cjs'));
    return { 'thinkAtHard.nodeMirror': registry.url, 'thinkAtHard.cudaMirror': index.url };
  },
  { environment: () => ({ LD_LIBRARY_PATH: driver }) },
);
afterAll(async () => {
  await registry.stop();
  await index.stop();
});

/** As on a machine where every program that is there dies of the engine: it ends unless the fetched Node runs it. */
async function onlyUnderFetchedNode(entry: string): Promise<void> {
  const real = entry.replace(/\.cjs$/, 'Real.cjs');
  await rename(entry, real);
  await writeFile(entry, `if (!process.execPath.includes('node-runtime')) process.kill(process.pid, 'SIGTRAP');\nrequire('./${basename(real)}');\n`);
}

async function press(toast: Locator, button: string): Promise<void> {
  await toast.waitFor({ timeout: WORK_MS });
  await toast.hover();
  await toast.locator('.monaco-button').filter({ hasText: button }).click();
}

/** The open dialog that has this text, its text. */
async function dialog(text: string): Promise<string> {
  const box = session().workbench.page.locator('.monaco-dialog-box').filter({ hasText: text });
  await box.waitFor({ timeout: WORK_MS });
  return (await box.innerText()).replaceAll('\u00a0', ' ');
}

async function answerDialog(button: string): Promise<void> {
  const box = session().workbench.page.locator('.monaco-dialog-box');
  await box.locator('.monaco-button').filter({ hasText: new RegExp(`^${button}$`) }).click();
  await box.waitFor({ state: 'hidden' });
}

async function cudaRow(text: string): Promise<Locator> {
  const { workbench } = session();
  await workbench.runCommand('Think-at-Hard: Select Model…');
  const list = workbench.page.locator('.quick-input-widget .monaco-list-row');
  await list.filter({ hasText: 'Import a checkpoint folder…' }).waitFor();
  // The list draws the rows in view only.
  await workbench.page.locator('.quick-input-widget input[type="text"]').first().fill('CUDA');
  const row = list.filter({ hasText: text });
  await row.waitFor();
  return row;
}

describe.skipIf(BUILD === undefined)('Where no program can run the engine', () => {
  it('the official Node is offered with its size and source, fetched, and solves', async () => {
    const { workbench, panel, screenshot } = session();
    await workbench.openFile(FILE);
    await workbench.selectLine(FILE, 'Solve 3x');
    await workbench.runCommand('Think-at-Hard: Solve…');
    await press(workbench.notification('Get Node for the Engine…'), 'Get Node for the Engine…');
    const asked = await dialog('for the engine?');
    await screenshot('fetches-node-asked');
    expect(asked).toContain(`Download Node ${BUILD?.version ?? ''}`);
    expect(asked).toMatch(new RegExp(`5\\d(\\.\\d)? MB, from ${new URL(registry.url).host}`));
    expect(registry.asked).toEqual([]);
    await answerDialog('Download');
    await workbench.notification(/The engine can use Node/).waitFor({ timeout: WORK_MS });
    await screenshot('fetches-node-there');
    expect(registry.asked).toHaveLength(1);

    await workbench.selectLine(FILE, 'Solve 3x');
    await workbench.runCommand('Think-at-Hard: Solve…');
    await panel.untilState('done', WORK_MS);
    expect(await (await panel.find(TEST_ID.answerBox)).getAttribute('data-answer')).toMatch(/^(x = )?5$/);
    expect(await readFile((await session().server.findFolder('node-runtime')) + `/${BUILD?.version ?? ''}/node`).then(({ length }) => length)).toBe(BUILD?.program.size);
  });
});

describe.skipIf(process.arch !== 'x64')('The CUDA runtime', () => {
  it('is offered with its sizes, and nothing is asked for where that is refused', async () => {
    const { screenshot } = session();
    const row = await cudaRow('Fetch the CUDA runtime');
    await screenshot('fetches-cuda-row');
    expect(await row.innerText()).toMatch(/\d(\.\d+)? GB/);
    await row.click();
    const asked = await dialog('Fetch the CUDA runtime?');
    await screenshot('fetches-cuda-asked');
    for (const { what } of CUDA_TABLE.wheels) expect(asked).toContain(what);
    expect(asked).toContain(new URL(index.url).host);
    await answerDialog('Cancel');
    expect(index.asked).toEqual([]);
  });

  it('is cancelled under way, keeps what has come, and goes on from the list', async () => {
    const { workbench, screenshot } = session();
    await (await cudaRow('Fetch the CUDA runtime')).click();
    await dialog('Fetch the CUDA runtime?');
    await answerDialog('Download');
    const toast = workbench.notification(/Fetching the CUDA runtime/);
    await toast.filter({ hasText: /MB of/ }).waitFor({ timeout: WORK_MS });
    await screenshot('fetches-cuda-under-way');
    await press(toast, 'Cancel');
    await toast.waitFor({ state: 'hidden' });
    const row = await cudaRow('Go on fetching the CUDA runtime');
    await screenshot('fetches-cuda-left');
    expect((await row.innerText()).replaceAll('\u00a0', ' ')).toMatch(/[1-9][\d.]* [kM]B of/);
  });

  it('that the mirror does not have is told in words', async () => {
    const { workbench, screenshot } = session();
    indexFails = true;
    await workbench.press('Escape');
    await (await cudaRow('Go on fetching the CUDA runtime')).click();
    await dialog('Fetch the CUDA runtime?');
    await answerDialog('Download');
    await workbench.notification(new URL(index.url).host).filter({ hasText: /\.whl/ }).waitFor({ timeout: WORK_MS });
    await screenshot('fetches-cuda-failed');
  });
});
