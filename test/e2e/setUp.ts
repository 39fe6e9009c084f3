/**
 * Before the first end-to-end test: a real VS Code, a browser and the packaged extension are there.
 * The package is the one that `npm run package` made, or the file named in TAH_E2E_VSIX.
 */
import { mkdir, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { setUpTests, type TestSetup } from '../../scripts/setupVsCode.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    readonly setup: TestSetup;
    readonly vsix: string;
    readonly artifacts: string;
  }
}

export async function setup(project: TestProject): Promise<void> {
  const vsix = resolve(process.env['TAH_E2E_VSIX'] ?? `artifacts/think-at-hard-linux-${process.arch}.vsix`);
  const file = await stat(vsix).catch(() => null);
  if (file === null) throw new Error(`There is no package ${vsix}. Make it with "npm run package".`);
  const artifacts = resolve('artifacts', 'e2e');
  await rm(artifacts, { recursive: true, force: true });
  await mkdir(artifacts, { recursive: true });
  project.provide('setup', await setUpTests());
  project.provide('vsix', vsix);
  project.provide('artifacts', artifacts);
}
