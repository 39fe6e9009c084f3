/** What VS Code's Chat gets of this extension: a provider of language models and a tool. */

import * as vscode from 'vscode';
import type { Services } from '../../host/services.ts';
import { registerProvider } from './provider.ts';
import { registerSolveTool } from './tool.ts';

export function registerChat(services: Services): vscode.Disposable {
  return vscode.Disposable.from(registerProvider(services), registerSolveTool(services));
}
