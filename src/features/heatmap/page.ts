/** The HTML of the run panel. Pure. */

import { scriptPage } from '../../host/webviewPage.ts';
import type { ScriptPage } from '../../host/webviewPage.ts';

export function runPage(parts: ScriptPage): string {
  // The page's own drawing, on its way to a PNG.
  return scriptPage(parts, ['img-src blob:']);
}
