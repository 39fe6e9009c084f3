/**
 * Opens a run file in the run panel's page, read-only and without an engine: what a colleague saved looks as it did
 * there. A file that cannot be read says why in the place where it would have been shown.
 */

import * as vscode from 'vscode';
import { errorText, logError } from '../../host/errors.ts';
import type { Services } from '../../host/services.ts';
import { phrase, TahError } from '../../protocol/errors.ts';
import { RUN_FILE_EDITOR } from '../../protocol/heatmap.ts';
import type { Run } from '../../protocol/run.ts';
import { RunPageHost } from './runPageHost.ts';
import { runOfFile } from './runSource.ts';

interface RunDocument extends vscode.CustomDocument {
  readonly run: Run;
}

export function registerRunFileEditor(services: Services): vscode.Disposable {
  return vscode.window.registerCustomEditorProvider(RUN_FILE_EDITOR, new RunFileEditor(services), { supportsMultipleEditorsPerDocument: true });
}

class RunFileEditor implements vscode.CustomReadonlyEditorProvider<RunDocument> {
  constructor(private readonly services: Services) {}

  async openCustomDocument(uri: vscode.Uri): Promise<RunDocument> {
    try {
      return { uri, run: await readRun(uri), dispose: () => undefined };
    } catch (thrown) {
      const error = logError(this.services.log, thrown);
      // VS Code shows the message in the editor's place.
      throw new Error(errorText(error), { cause: error });
    }
  }

  resolveCustomEditor({ run }: RunDocument, panel: vscode.WebviewPanel): void {
    const page = new RunPageHost(panel.webview, runOfFile(run), this.services, { onShow: () => undefined });
    page.show(run.id);
    panel.onDidChangeViewState(() => {
      if (!panel.visible) page.hide();
    });
  }
}

async function readRun(uri: vscode.Uri): Promise<Run> {
  // Only who opens a run file loads what reads one.
  const { LARGEST_RUN_FILE, readRunFile } = await import('../../host/runFile.ts');
  const { size } = await vscode.workspace.fs.stat(uri);
  const name = vscode.workspace.asRelativePath(uri);
  if (size > LARGEST_RUN_FILE) {
    throw new TahError('run-file.invalid', phrase('{0} has {1} MB; a run file has {2} MB at most.', name, Math.round(size / 2 ** 20), LARGEST_RUN_FILE / 2 ** 20), { file: name });
  }
  return readRunFile(await vscode.workspace.fs.readFile(uri), name);
}
