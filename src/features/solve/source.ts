/**
 * Where a problem comes from: another command, a notebook cell, the selection, or what the user types; and where it
 * stands in its document. Text is read only after its length was checked, so a selection of any size costs nothing.
 */

import * as vscode from 'vscode';
import type { Origin } from '../../host/origins.ts';
import { TahError } from '../../protocol/errors.ts';
import { uncommented } from './insertion.ts';
import { LONGEST_PROBLEM, readProblem, refuseTooLong } from './problem.ts';

export interface ProblemSource {
  readonly text: string;
  /** Null where no document is open. */
  readonly origin: Origin | null;
  readonly document: vscode.TextDocument | null;
}

/** @param given a text from another command, or the cell whose menu was used @returns undefined where the user leaves */
export async function problemSource(given: unknown): Promise<ProblemSource | undefined> {
  const editor = vscode.window.activeTextEditor;
  if (typeof given === 'string') return at(given, editor);
  const cell = cellOf(given);
  if (cell === null || (editor?.document === cell.document && hasSelection(editor))) {
    if (editor !== undefined && hasSelection(editor)) return fromSelection(editor);
    const active = activeCell();
    if (active !== null && !isBlank(active.document)) return fromCell(active);
    const typed = await askForProblem();
    return typed === undefined ? undefined : at(typed, editor);
  }
  return fromCell(cell);
}

/** What is put into a document is a document that can be edited: an output channel is an editor to VS Code too. */
export function editorInView(): vscode.TextEditor | undefined {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  return activeTextEditor ?? visibleTextEditors.find(({ document }) => document.uri.scheme !== 'output');
}

/** The end of what is selected, or the cursor; its beginning where one piece is selected. */
export function originOf({ document, selections }: vscode.TextEditor): Origin {
  const last = selections.reduce((a, b) => (b.end.isAfter(a.end) ? b : a));
  const origin = rangeOrigin(document, last);
  return selections.length === 1 && !last.isEmpty ? origin : { uri: origin.uri, offset: origin.offset };
}

/** Without the white space at its ends. */
function rangeOrigin(document: vscode.TextDocument, range: vscode.Range): Origin {
  const uri = document.uri.toString();
  const start = document.offsetAt(range.start);
  const end = document.offsetAt(range.end);
  // A selection that long is no problem: its text is not copied out of the document.
  if (end - start > LONGEST_PROBLEM) return { uri, offset: end };
  const text = document.getText(range);
  return { uri, offset: start + text.trimEnd().length, start: start + text.length - text.trimStart().length };
}

function at(text: string, editor: vscode.TextEditor | undefined): ProblemSource {
  if (editor === undefined) return { text, origin: null, document: null };
  return { text, origin: originOf(editor), document: editor.document };
}

function hasSelection(editor: vscode.TextEditor): boolean {
  return editor.selections.some((selection) => !selection.isEmpty);
}

/** Text of the selections, a line each in the document's order. */
function fromSelection(editor: vscode.TextEditor): ProblemSource {
  const { document } = editor;
  const selections = editor.selections.filter((selection) => !selection.isEmpty).sort((a, b) => a.start.compareTo(b.start));
  refuseTooLong(selections.reduce((length, { start, end }) => length + document.offsetAt(end) - document.offsetAt(start), 0));
  const text = selections.map((selection) => uncommented(document.getText(selection), document.languageId)).join('\n');
  return { text, origin: originOf(editor), document };
}

function fromCell({ document }: vscode.NotebookCell): ProblemSource {
  if (isBlank(document)) throw new TahError('input.empty', 'The cell is empty: it has no problem to solve.', { hint: 'Write a problem into it, or choose another cell.' });
  const whole = wholeOf(document);
  refuseTooLong(document.offsetAt(whole.end));
  return { text: uncommented(document.getText(), document.languageId), origin: rangeOrigin(document, whole), document };
}

function wholeOf(document: vscode.TextDocument): vscode.Range {
  return new vscode.Range(new vscode.Position(0, 0), document.lineAt(document.lineCount - 1).range.end);
}

function isBlank(document: vscode.TextDocument): boolean {
  for (let line = 0; line < document.lineCount; line++) if (!document.lineAt(line).isEmptyOrWhitespace) return false;
  return true;
}

/** The menu of a cell gives the cell; that of an editor, an address. */
function cellOf(given: unknown): vscode.NotebookCell | null {
  if (typeof given !== 'object' || given === null || !('document' in given) || !('notebook' in given)) return null;
  const cells = vscode.workspace.notebookDocuments.flatMap((notebook) => notebook.getCells());
  return cells.find((cell) => cell === given || cell.document === given.document) ?? null;
}

function activeCell(): vscode.NotebookCell | null {
  const editor = vscode.window.activeNotebookEditor;
  return editor === undefined || editor.selection.isEmpty ? null : editor.notebook.cellAt(editor.selection.start);
}

async function askForProblem(): Promise<string | undefined> {
  return vscode.window.showInputBox({
    title: vscode.l10n.t('Solve'),
    prompt: vscode.l10n.t('A mathematical problem, in words or as formulas'),
    placeHolder: vscode.l10n.t('Solve 3x + 5 = 20 for x'),
    ignoreFocusOut: true,
    validateInput: (value) => {
      try {
        if (value.trim() !== '') readProblem(value);
        return null;
      } catch (error) {
        return TahError.from(error).message;
      }
    },
  });
}
