/** A download where the hub is reached through VS Code's proxy setting alone. */
import { afterAll, expect, it } from 'vitest';
import { ForwardProxy } from '../fixtures/forwardProxy.ts';
import { HubServer } from '../fixtures/hubServer.ts';
import { useSession } from './session.ts';

const REPOSITORY = 'demo/tah-math-small';
/** No name server knows it. */
const HOST = 'hub.behind-a-proxy.invalid';
const WORK_MS = 90_000;

let hub: HubServer;
let proxy: ForwardProxy;

const session = useSession(async () => {
  hub = await HubServer.start('models/tah-math-small/checkpoint', REPOSITORY);
  proxy = await ForwardProxy.start(HOST, hub.url);
  return { 'thinkAtHard.hubUrl': `http://${HOST}`, 'http.proxy': proxy.url, 'http.proxySupport': 'override' };
});
afterAll(async () => {
  await hub.stop();
  await proxy.stop();
});

it('goes through the proxy of the settings', async () => {
  const { workbench, screenshot } = session();
  const { page } = workbench;
  await workbench.openFile('problem.md');
  await workbench.runCommand('Think-at-Hard: Select Model…');
  await workbench.choose('Download from the hub', 'Download from the hub');
  await page.locator('.quick-input-widget .quick-input-message').filter({ hasText: 'owner/name' }).waitFor();
  await workbench.answerInput(REPOSITORY);
  await page.locator('.monaco-dialog-box .monaco-button').filter({ hasText: /^Download$/ }).click({ timeout: WORK_MS });
  await workbench.choose('', 'fp32');
  await workbench.notification(/is ready/).waitFor({ timeout: WORK_MS });
  await screenshot('proxy-downloaded');
  // VS Code asks for its own hosts too. The list of files and the weights at least are ours.
  expect(proxy.asked.filter((host) => host === HOST).length).toBeGreaterThan(0);
  expect(hub.asked.length).toBeGreaterThan(5);
});
