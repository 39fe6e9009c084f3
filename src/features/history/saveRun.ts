/** Saves a run as a `.tahrun.json` where the user says. What is in the file is host/runFile's. */

import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { phrase, TahError } from '../../protocol/errors.ts';
import type { Run } from '../../protocol/run.ts';
import { runFileName } from './runFileName.ts';

/** @throws TahError input.empty, run-file.cannot-write */
export async function saveRun(run: Run): Promise<void> {
  const { writeRunFile } = await import('../../host/runFile.ts');
  const bytes = writeRunFile(run);
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(homedir());
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Save Run'),
    defaultUri: vscode.Uri.joinPath(folder, runFileName(run)),
    // With `tahrun.json`, a dialog in the browser appends it to a name that has it.
    filters: { [vscode.l10n.t('Run of Think-at-Hard')]: ['json'] },
  });
  if (target === undefined) return;
  try {
    await vscode.workspace.fs.writeFile(target, bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TahError('run-file.cannot-write', phrase('The run could not be saved to {0}: {1}', target.path, reason), { file: target.path, hint: phrase('Choose another folder.'), cause });
  }
  const name = target.path.split('/').at(-1) ?? '';
  const open = vscode.l10n.t('Open');
  // Not awaited: the command ends when the file is written.
  void vscode.window.showInformationMessage(vscode.l10n.t('The run was saved as {0}.', name), open).then((choice) => (choice === open ? vscode.commands.executeCommand('vscode.open', target) : undefined));
}
