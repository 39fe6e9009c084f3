/**
 * An endpoint that is no friend: one that refuses or breaks off, and one whose model writes what must never be anything
 * but text. The server is a fake one on loopback.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { DONE, delta, startFakeServer, type FakeServer } from '../fixtures/endpoint/fakeServer.ts';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const FILE = 'problem.md';
const ANSWER_MS = 240_000;

const END = delta(null, {}, { finish_reason: 'stop' });

let fake: FakeServer;
const session = useSession(async () => {
  fake = await startFakeServer();
  return {
    'thinkAtHard.endpoints': [{ name: 'server', url: fake.url, model: 'big' }],
    'thinkAtHard.model': 'endpoint:server',
    'thinkAtHard.maxTokens': 65_536,
    'comments.openView': 'never',
  };
});
afterAll(async () => { await fake.close(); });

async function solve(): Promise<void> {
  const { workbench } = session();
  await workbench.openFile(FILE);
  await workbench.selectLine(FILE, 'Solve 3x');
  await workbench.runCommand('Think-at-Hard: Solve…');
}

async function untilRefused(reason: RegExp): Promise<void> {
  const { panel } = session();
  await until(`the reason ${reason.source}`, async () => {
    const frame = await panel.frame();
    const text = await frame.locator(`[data-testid="${TEST_ID.error}"]`).innerText({ timeout: 1000 }).catch(() => '');
    return reason.test(text) ? text : null;
  }, ANSWER_MS);
  expect(await panel.state()).toBe('failed');
}

describe('A server that refuses', () => {
  it.each([
    ['the key', 401, { message: 'No such key', code: 'invalid_api_key' }, /refuses the API key[\s\S]*No such key[\s\S]*Set Endpoint Key/],
    ['the model', 404, { message: 'The model `big` does not exist.', code: 'model_not_found' }, /has no model "big"[\s\S]*does not exist/],
  ])('%s is quoted with its reason', async (_, status, error, reason) => {
    fake.scripts = [{ kind: 'answer', status, body: JSON.stringify({ error }) }];
    await solve();
    await untilRefused(reason);
    await session().screenshot(`endpoint-refused-${status}`);
  });

  it('to go on in the midst of an answer is told, and what has come is kept', async () => {
    const { panel, screenshot } = session();
    fake.scripts = [{ kind: 'stream', intervalMs: 100, parts: [delta('First subtract '), delta('5 from both sides')], then: 'destroy' }];
    await solve();
    await untilRefused(/server \(127\.0\.0\.1[:\d]*\)[\s\S]*(broken|cut off|can't be reached)/);
    expect(await panel.text(TEST_ID.answerText)).toContain('First subtract 5 from both sides');
    await screenshot('endpoint-cut');
  });
});

describe('A model that writes hostile text', () => {
  const leak = (): string => fake.url.replace('/v1', '/leak.png');
  const attack = 'window.tahAttacked=1';
  const hostile = (): readonly string[] => [
    `<img src="x" onerror="${attack}">`, `<script>${attack}</script>`, `<svg onload="${attack}"></svg>`, `<iframe srcdoc="<script>parent.${attack}</script>"></iframe>`,
    '[run](command:workbench.action.terminal.new)', '<a href="command:workbench.action.terminal.new">run</a>', `[x](javascript:${attack})`, `![i](${leak()})`, `<${leak()}>`,
    `$\\href{javascript:${attack}}{x}$`, `$\\text{<img src=x onerror=${attack}>}$`, '</div></body><style>*{display:none}</style>', `**bold <img src=x onerror=${attack}>**`,
  ];

  /** No text of it has become more than text, in any document of the window. */
  async function expectHarmless(): Promise<void> {
    const { workbench } = session();
    for (const frame of workbench.page.frames()) {
      const attacked = await frame.evaluate<boolean>("'tahAttacked' in window").catch(() => false);
      expect(attacked).toBe(false);
    }
    expect(fake.asked.map(({ path }) => path)).not.toContain('/leak.png');
    expect(await workbench.page.locator('.terminal-wrapper').count()).toBe(0);
  }

  it('has it shown as the text it is, in the answer and in the heatmap', async () => {
    const { panel, screenshot } = session();
    fake.scripts = [{ kind: 'stream', parts: [...hostile().map((text) => delta(`${text}\n\n`)), delta(`So $x = \\boxed{5<img src=x onerror=${attack}>}$`), END, DONE] }];
    await solve();
    await panel.untilState('done', ANSWER_MS);
    const frame = await panel.frame();
    await until('the whole answer', async () => ((await panel.text(TEST_ID.answerText)).includes('bold <img src=x') ? true : null));
    const text = await panel.text(TEST_ID.answerText);
    for (const part of [`<img src="x" onerror="${attack}">`, '[run](command:workbench.action.terminal.new)', `[x](javascript:${attack})`, leak()]) expect(text).toContain(part);
    expect(await frame.locator('body :is(img, iframe, style, a)').count()).toBe(0);
    expect(await frame.locator('body script:not([nonce])').count()).toBe(0);
    await screenshot('endpoint-hostile');
    await expectHarmless();
  });

  it('has it shown as the text it is in the thread of an explanation', async () => {
    const { workbench, screenshot } = session();
    const thread = await workbench.explainFormula('formulas.md', 'Markdown formula', 2);
    await thread.getByText(/computer algebra:|Could not be checked/).first().waitFor({ timeout: ANSWER_MS });
    const text = await thread.innerText();
    for (const part of [`<img src="x" onerror="${attack}">`, '[run](command:workbench.action.terminal.new)', `[x](javascript:${attack})`]) expect(text).toContain(part);
    expect(await thread.locator('img:not([src^="data:image/svg+xml;base64,"]), script, iframe, .body a').count()).toBe(0);
    await screenshot('endpoint-hostile-thread');
    await expectHarmless();
    await thread.locator('.head [aria-label="Delete Explanation"]').click();
  });
});
