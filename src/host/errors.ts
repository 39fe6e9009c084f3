/**
 * Shows a failure to the user: what is wrong, what to do, and the log. The log gets the stack of what is our fault;
 * problems and answers never go to it.
 */

import * as vscode from 'vscode';
import { TahError } from '../protocol/errors.ts';

export function logError(log: vscode.LogOutputChannel, thrown: unknown): TahError {
  const error = TahError.from(thrown);
  if (error.code === 'cancelled') return error;
  const where = [error.code, error.file, error.subject].filter((part) => part !== undefined).join(', ');
  if (error.isUserFault) log.warn(`${error.message} (${where})`);
  else log.error(`${error.message} (${where})\n${(error.cause instanceof Error ? error.cause : error).stack ?? ''}`);
  return error;
}

/** What the user stopped is no failure and shows nothing. */
export async function showError(log: vscode.LogOutputChannel, thrown: unknown): Promise<void> {
  const error = logError(log, thrown);
  if (error.code === 'cancelled') return;
  const text = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  const showLog = vscode.l10n.t('Show Log');
  if ((await vscode.window.showErrorMessage(text, showLog)) === showLog) log.show();
}

/** Registers a command whose failures are shown. */
export function registerCommand(log: vscode.LogOutputChannel, name: string, action: (...args: readonly unknown[]) => Promise<void> | void): vscode.Disposable {
  return vscode.commands.registerCommand(name, async (...args: readonly unknown[]) => {
    try {
      await action(...args);
    } catch (error) {
      // Not awaited: the command ends now, not when the message is closed.
      void showError(log, error);
    }
  });
}
