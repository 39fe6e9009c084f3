/** Asks for the access token of a hub and keeps it in VS Code's secret storage. Never shows or logs one. */

import * as vscode from 'vscode';
import { tokenFault } from '../../host/hubTokens.ts';
import type { Services } from '../../host/services.ts';

/** @param why what made it necessary, or null; true where one was given */
export async function askForToken(services: Services, hub: string, why: string | null): Promise<boolean> {
  const { host, protocol } = new URL(hub);
  const token = await vscode.window.showInputBox({
    title: vscode.l10n.t('Access token of {0}', host),
    prompt: why ?? (protocol === 'http:' ? vscode.l10n.t('It is sent over https only, or to this machine.') : vscode.l10n.t('It is kept in the secret storage and sent to {0} only.', host)),
    password: true,
    ignoreFocusOut: true,
    validateInput: (text) => (tokenFault(text) === 'characters' ? vscode.l10n.t('A token has no spaces and no special characters.') : null),
  });
  if (token === undefined || tokenFault(token) !== null) return false;
  await services.hubTokens.set(hub, token.trim());
  return true;
}
