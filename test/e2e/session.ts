/**
 * One VS Code with the packaged extension and one browser on it, for the tests of a file.
 * A failed test leaves a screenshot and the logs among the artefacts.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
import { RunPanel } from './runPanel.ts';
import { VsCodeServer, type VsCodeServerOptions } from './vsCodeServer.ts';
import { Workbench } from './workbench.ts';

export interface Session {
  readonly server: VsCodeServer;
  readonly workbench: Workbench;
  readonly panel: RunPanel;
  /** Keeps a picture of the workbench. */
  readonly screenshot: (name: string) => Promise<void>;
}

/** Starts a session before the tests of the calling file and ends it after them; call it once, at the top. */
export function useSession(settings: NonNullable<VsCodeServerOptions['settings']>, { restricted = false, companions = [], environment }: Pick<VsCodeServerOptions, 'restricted' | 'companions' | 'environment'> = {}): () => Session {
  let server: VsCodeServer | null = null;
  let session: Session | null = null;

  beforeAll(async () => {
    const { vsCode, chromium } = inject('setup');
    server = await VsCodeServer.start({ vsCode, vsix: inject('vsix'), workspace: 'test/fixtures/workspace', companions, settings, restricted, ...(environment === undefined ? {} : { environment }) });
    const workbench = await Workbench.open(server.url, chromium);
    // code-server is told not to ask; the downloaded VS Code always asks.
    if (vsCode.kind === 'download' && !restricted) await workbench.trustFolder();
    const screenshot = (name: string): Promise<void> => workbench.screenshot(join(inject('artifacts'), `${name}.png`));
    session = { server, workbench, panel: new RunPanel(workbench), screenshot };
  });

  beforeEach(({ task, onTestFailed }) => {
    onTestFailed(async () => {
      if (session === null) return;
      const name = `failed-${task.name.replace(/\W+/g, '-')}`;
      // A session that has ended has no picture; the log says so.
      const picture = await session.screenshot(name).then(
        () => '',
        (error: unknown) => `No screenshot: ${String(error)}\n`,
      );
      await writeFile(join(inject('artifacts'), `${name}.log`), picture + (await session.server.logs()));
    });
  });

  afterAll(async () => {
    await session?.workbench.close();
    await server?.stop();
  });

  return () => {
    if (session === null) throw new Error('The session is used before it is started.');
    return session;
  };
}
