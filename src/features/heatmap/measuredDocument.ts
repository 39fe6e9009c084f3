/**
 * The way between a measured run and its document: a token that is selected in the panel is shown in the editor, a
 * place that is selected in the editor is selected in the panel. The user's own focus stays where it is.
 */

import * as vscode from 'vscode';
import { openDocument } from '../../host/problem/source.ts';
import type { Services } from '../../host/services.ts';
import type { Run } from '../../protocol/run.ts';
import { measuredStart, tokenAt, tokenRange } from './measuredText.ts';

/** Shows the token in the document, if that is open or can be opened and still has the text. */
export async function revealToken(services: Services, run: Run, index: number): Promise<void> {
  const origin = services.origins.get(run.id);
  const range = tokenRange(run, index);
  if (origin === null || range === null) return;
  const visible = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === origin.uri);
  const document = visible?.document ?? (await openDocument(vscode.Uri.parse(origin.uri, true)));
  const start = measuredStart(document.getText(), run.problem, origin.offset);
  if (start === null) {
    vscode.window.setStatusBarMessage(vscode.l10n.t('The measured text is no longer in {0}.', vscode.workspace.asRelativePath(document.uri)), 5000);
    return;
  }
  if (visible === undefined && showCell(document)) return;
  const editor = visible ?? (await vscode.window.showTextDocument(document, { preserveFocus: true, viewColumn: vscode.ViewColumn.One }));
  const place = new vscode.Range(document.positionAt(start + range.start), document.positionAt(start + range.end));
  editor.selection = new vscode.Selection(place.start, place.end);
  editor.revealRange(place, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

/** A rendered cell has no text to select: the cell itself is. @returns whether the document is a cell in view */
function showCell(document: vscode.TextDocument): boolean {
  for (const editor of vscode.window.visibleNotebookEditors) {
    const cell = editor.notebook.getCells().find((one) => one.document === document);
    if (cell === undefined) continue;
    const range = new vscode.NotebookRange(cell.index, cell.index + 1);
    editor.selections = [range];
    editor.revealRange(range, vscode.NotebookEditorRevealType.InCenterIfOutsideViewport);
    return true;
  }
  return false;
}

/** Calls `select` for the run that is shown when the user selects a place in its document. */
export function followSelections(services: Services, shown: () => string | null, select: (runId: string, index: number) => void): vscode.Disposable {
  return vscode.window.onDidChangeTextEditorSelection(({ textEditor, selections, kind }) => {
    const runId = shown();
    // Selections that a program makes are ours, or nobody's wish to look at a token.
    const [selection] = selections;
    if (runId === null || selection === undefined || kind === undefined || kind === vscode.TextEditorSelectionChangeKind.Command) return;
    const origin = services.origins.get(runId);
    if (origin?.uri !== textEditor.document.uri.toString()) return;
    const run = services.runs.get(runId);
    if (run?.kind !== 'measure') return;
    const start = measuredStart(textEditor.document.getText(), run.problem, origin.offset);
    const index = start === null ? null : tokenAt(run, textEditor.document.offsetAt(selection.start) - start);
    if (index !== null) select(runId, index);
  });
}
