/** Asks axe-core about a document: what a person without sight, mouse or colour would stumble over. Knows no page. */
import { readFile } from 'node:fs/promises';
import type { Frame } from 'playwright-core';

/** The kinds of theme, each by one that comes with VS Code. */
export const THEMES = ['Dark Modern', 'Light Modern', 'Dark High Contrast', 'Light High Contrast'] as const;

const RUN = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, help, nodes }) =>
  id + ': ' + help + ' ' + nodes.map((node) => node.html.slice(0, 200) + ' ' + (node.any[0]?.message ?? '')).slice(0, 3).join(' | ')))`;

/** One line for each rule that is broken. */
export async function violations(frame: Frame): Promise<readonly string[]> {
  // Through the debugger, which a page's policy does not bind.
  await frame.evaluate(await readFile('node_modules/axe-core/axe.min.js', 'utf8'));
  const found: string[] = await frame.evaluate(RUN);
  return found;
}
