/**
 * Main of the extension host: builds the services, registers the features, closes both. Runs when a command is first
 * used or a panel is restored, never at start-up.
 */

import type * as vscode from 'vscode';
import { registerChat } from './features/chat/chat.ts';
import { registerCompare } from './features/compare/compare.ts';
import { registerDifficulty } from './features/difficulty/difficulty.ts';
import { registerEndpoints } from './features/endpoints/endpoints.ts';
import { registerExplainMath } from './features/explainMath/explainMath.ts';
import { registerModels } from './features/models/register.ts';
import { registerRunPanel } from './features/heatmap/panel.ts';
import { registerHistory } from './features/history/history.ts';
import { registerSolve } from './features/solve/solve.ts';
import { createServices } from './host/services.ts';
import type { Services } from './host/services.ts';

let services: Services | null = null;

export function activate(context: vscode.ExtensionContext): void {
  const start = performance.now();
  services = createServices(context);
  context.subscriptions.push(
    registerSolve(services),
    registerRunPanel(services),
    registerModels(services),
    registerHistory(services),
    registerDifficulty(services),
    registerCompare(services),
    registerEndpoints(services),
    registerChat(services),
    registerExplainMath(services),
  );
  services.log.info(`Activated in ${(performance.now() - start).toFixed(1)} ms, the loading of the code not counted.`);
}

/** The engine process is gone when this resolves. */
export async function deactivate(): Promise<void> {
  await services?.dispose();
  services = null;
}
