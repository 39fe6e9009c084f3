/**
 * Shows a failure to the user: what is wrong, what to do, and the log. The log gets the stack of what is our fault;
 * problems and answers never go to it.
 */

import * as vscode from 'vscode';
import { nodeBuildFor } from '../hub/nodeBuilds.ts';
import { repairableFile, TahError } from '../protocol/errors.ts';
import type { ErrorCode, ErrorData } from '../protocol/errors.ts';
import { sayErrorInLine } from '../protocol/errorTexts.ts';

/** What went wrong in this session, by code: for Diagnose. Messages are not kept, they may quote a user's text. */
const counts = new Map<ErrorCode, { count: number; last: Date }>();

export function recentErrors(): readonly { readonly code: ErrorCode; readonly count: number; readonly last: Date }[] {
  return [...counts].map(([code, seen]) => ({ code, ...seen }));
}

export function noteError(code: ErrorCode): void {
  counts.set(code, { count: (counts.get(code)?.count ?? 0) + 1, last: new Date() });
}

export function logError(log: vscode.LogOutputChannel, thrown: unknown): TahError {
  const error = TahError.from(thrown);
  if (error.code === 'cancelled') return error;
  noteError(error.code);
  const where = [error.code, error.file, error.subject].filter((part) => part !== undefined).join(', ');
  if (error.isUserFault) log.warn(`${error.message} (${where})`);
  else log.error(`${error.message} (${where})\n${(error.cause instanceof Error ? error.cause : error).stack ?? ''}`);
  return error;
}

/** The failure on one line, in the user's language as far as there is one for it. */
export function errorText(error: TahError | ErrorData): string {
  return sayErrorInLine(error, (text, ...values) => vscode.l10n.t(text, ...values));
}

/** What the user stopped is no failure and shows nothing. */
export async function showError(log: vscode.LogOutputChannel, thrown: unknown): Promise<void> {
  const error = logError(log, thrown);
  if (error.code === 'cancelled') return;
  const text = errorText(error);
  const showLog = vscode.l10n.t('Show Log');
  const remedies = remediesOf(error);
  const answer = await vscode.window.showErrorMessage(text, ...remedies.map(({ label }) => label), showLog);
  if (answer === showLog) log.show();
  const remedy = remedies.find(({ label }) => label === answer);
  if (remedy !== undefined) await vscode.commands.executeCommand(remedy.command, ...(remedy.with === undefined ? [] : [remedy.with]));
}

interface Remedy {
  readonly label: string;
  readonly command: string;
  readonly with?: string;
}

/** Whether there is more to offer than the log. */
export function hasRemedy(error: TahError): boolean {
  return remediesOf(error).length > 0;
}

/** The commands that help, where some do. */
function remediesOf(error: TahError): readonly Remedy[] {
  const { code } = error;
  const damaged = repairableFile(error);
  const select: Remedy = { label: vscode.l10n.t('Select Model…'), command: 'thinkAtHard.selectModel' };
  if (damaged !== null) return [{ label: vscode.l10n.t('Repair…'), command: 'thinkAtHard.repairModel', with: damaged }, select];
  if (code.startsWith('model.')) return [select];
  if (code === 'hub.unauthorized' || code === 'hub.forbidden') return [{ label: vscode.l10n.t('Set Access Token…'), command: 'thinkAtHard.setHubToken' }];
  // Where none of the programs that are there can run it. What can't be fetched for this machine says so itself.
  if (code === 'engine.not-starting' && nodeBuildFor(process.platform, process.arch) !== null) return [{ label: vscode.l10n.t('Get Node for the Engine…'), command: 'thinkAtHard.getNode' }];
  return [];
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
