/**
 * The panel of a run, found by the test ids of its contract: what it shows and what a person can do in it.
 * Knows no run and no engine.
 */
import type { Frame, Locator } from 'playwright-core';
import { TEST_ID } from '../../src/protocol/heatmap.ts';
import { until, type Workbench } from './workbench.ts';

type TestId = (typeof TEST_ID)[keyof typeof TEST_ID];

const selector = (id: TestId): string => `[data-testid="${id}"]`;

export class RunPanel {
  constructor(private readonly workbench: Workbench) {}

  /** The document of the panel. */
  async frame(): Promise<Frame> {
    return await this.workbench.webview(selector(TEST_ID.app));
  }

  /** An element of the panel. The panel's document is looked up each time: VS Code may have made a new one. */
  async find(id: TestId): Promise<Locator> {
    const frame = await this.workbench.webview(selector(TEST_ID.app));
    return frame.locator(selector(id));
  }

  async text(id: TestId): Promise<string> {
    return (await (await this.find(id)).first().innerText()).trim();
  }

  async click(id: TestId): Promise<void> {
    await (await this.find(id)).first().click();
  }

  /** `data-state` of the run that is shown. */
  async state(): Promise<string> {
    return (await (await this.find(TEST_ID.app)).getAttribute('data-state')) ?? '';
  }

  async untilState(wanted: string, timeoutMs: number): Promise<void> {
    let last = '';
    try {
      await until(`run is ${wanted}`, async () => ((last = await this.state()) === wanted ? true : null), timeoutMs);
    } catch (error) {
      throw new Error(`The run is "${last}" and did not become "${wanted}" within ${timeoutMs} ms.`, { cause: error });
    }
  }

  /** Waits for at least `count` tokens in the heatmap. */
  async untilTokens(count: number, timeoutMs: number): Promise<void> {
    await until(`${count} tokens`, async () => ((await (await this.find(TEST_ID.token)).count()) >= count ? true : null), timeoutMs);
  }

  /** Tokens that are drawn; with `secondPass`, those that had more than one pass. */
  async tokens(secondPass = false): Promise<Locator> {
    const frame = await this.workbench.webview(selector(TEST_ID.app));
    return frame.locator(secondPass ? `${selector(TEST_ID.token)}:not([data-iter="1"])` : selector(TEST_ID.token));
  }
}
