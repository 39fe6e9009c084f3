/**
 * An endpoint that is no friend: one that refuses, breaks off or is gone; one whose model writes what must never be
 * anything but text; and one that is faster than the page. The server is a fake one on loopback.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { DONE, delta, startFakeServer, type FakeServer } from '../fixtures/endpoint/fakeServer.ts';
import { describeTimes, pageTimes } from './pageTimes.ts';
import { useSession } from './session.ts';
import { until } from './workbench.ts';

const FILE = 'problem.md';
const ANSWER_MS = 240_000;
const TOKENS = 20_000;
const TOKENS_A_PART = 20;
/** Not frozen, on a machine that does other things too; no measure of speed. */
const LONGEST_BLOCK_MS = 5_000;

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

const solve = (): Promise<void> => session().workbench.solveLine(FILE, 'Solve 3x');

async function untilRefused(reason: RegExp): Promise<void> {
  const { panel } = session();
  await until(`the reason ${reason.source}`, async () => {
    const frame = await panel.frame();
    const text = await frame.locator(`[data-testid="${TEST_ID.error}"]`).innerText({ timeout: 1000 }).catch(() => '');
    return reason.test(text) ? text : null;
  }, ANSWER_MS);
  expect(await panel.state()).toBe('failed');
}

/** Waits for the end of what the server writes: a fast one may have ended before its run is seen running. */
async function untilWritten(end: string): Promise<void> {
  await until(`the answer ends with "${end}"`, async () => {
    const text = await (await session().panel.find(TEST_ID.answerText)).textContent({ timeout: ANSWER_MS });
    return text?.trimEnd().endsWith(end) === true ? true : null;
  }, ANSWER_MS);
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

  it('in a line of 100 000 characters does not freeze the panel', async () => {
    const { panel, screenshot } = session();
    const word = `$x = 5$ ${'ab <img> **c** _d_ `e` '.repeat(60)}`;
    const line = word.repeat(Math.ceil(100_000 / word.length));
    const parts = Array.from({ length: 100 }, (_, i) => delta(line.slice(i * 1000, (i + 1) * 1000)));
    fake.scripts = [{ kind: 'stream', intervalMs: 20, parts: [...parts, delta(' so much for that.'), END, DONE] }];
    const times = await pageTimes(await panel.frame(), async () => {
      await solve();
      await untilWritten('so much for that.');
      await panel.untilState('done', ANSWER_MS);
    });
    console.log(describeTimes('A line of 100 000 characters', times));
    await screenshot('endpoint-long-line');
    expect(times.longestTask).toBeLessThan(LONGEST_BLOCK_MS);
    expect(await (await panel.find(TEST_ID.answerText)).locator('img').count()).toBe(0);
  });
});

describe('A server that is fast', () => {
  it(`streams ${TOKENS} tokens into the heatmap, and the page goes on meanwhile`, async () => {
    const { panel, screenshot } = session();
    const token = (i: number): string => {
      const text = i === TOKENS - 1 ? ' at last' : i % 30 === 29 ? '\n\n' : ` ${['we', 'add', '5', 'to', 'both', 'sides'][i % 6]}`;
      return delta(text, {}, { logprobs: { content: [{ token: text, logprob: -0.1, top_logprobs: [{ token: text, logprob: -0.1 }, { token: ' or', logprob: -2.5 }] }] } });
    };
    const parts = Array.from({ length: TOKENS / TOKENS_A_PART }, (_, part) => Array.from({ length: TOKENS_A_PART }, (_, i) => token(part * TOKENS_A_PART + i)).join(''));
    fake.scripts = [{ kind: 'stream', intervalMs: 5, parts: [...parts, END, DONE] }];
    const times = await pageTimes(await panel.frame(), async () => {
      await solve();
      await untilWritten('at last');
      await panel.untilState('done', ANSWER_MS);
    });
    console.log(describeTimes(`${TOKENS} tokens that stream`, times));
    await screenshot('endpoint-streamed');
    expect(await panel.text(TEST_ID.policy)).toContain('thinking policy not known');
    expect(await panel.text(TEST_ID.heatmapSummary)).toBe(`${TOKENS} tokens`);
    const tokens = await panel.tokens();
    expect(await tokens.first().getAttribute('aria-setsize')).toBe(String(TOKENS));
    expect(await tokens.count()).toBeLessThan(TOKENS / 4);
    expect(times.longestTask).toBeLessThan(LONGEST_BLOCK_MS);
    expect(times.framesASecond).toBeGreaterThan(1);
  });
});

describe('A server that is gone', () => {
  it('is named with the reason', async () => {
    await fake.close();
    await solve();
    await untilRefused(/server \(127\.0\.0\.1[:\d]*\) can't be reached: ECONNREFUSED/);
    await session().screenshot('endpoint-gone');
  });
});
