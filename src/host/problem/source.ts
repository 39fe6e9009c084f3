/**
 * Where a problem comes from: a place that a command names, a notebook cell, or the selection; and where it stands in
 * its document. Text is read only after its length was checked, so a selection of any size costs nothing.
 */

import * as vscode from 'vscode';
import { phrase, TahError } from '../../protocol/errors.ts';
import { markOf } from '../origins.ts';
import type { Origin } from '../origins.ts';
import { uncommented } from './comments.ts';
import { readPlace } from './place.ts';
import { LONGEST_PROBLEM, refuseTooLong } from './problem.ts';

export interface ProblemSource {
  readonly text: string;
  /** Null where no document is open. */
  readonly origin: Origin | null;
  readonly document: vscode.TextDocument | null;
}

/**
 * The cell whose menu was used, else the selections, else the selected cell of a notebook.
 * @param given the first argument of a command @returns null where there is none of them: the user may type a problem
 * @throws TahError input.empty, engine.context-too-long
 */
export function sourceInView(given: unknown): ProblemSource | null {
  const editor = vscode.window.activeTextEditor;
  const cell = cellOf(given);
  if (cell !== null && !(editor?.document === cell.document && hasSelection(editor))) return fromCell(cell);
  if (editor !== undefined && hasSelection(editor)) return fromSelection(editor);
  const active = activeCell();
  return active === null || isBlank(active.document) ? null : fromCell(active);
}

/**
 * A text that is not, or not as it is, in a document: it belongs to the place that is given, else to the cursor.
 * @param place `{ uri, start, end }` from another command @throws TahError input.missing-file
 */
export async function sourceOfText(text: string, place: unknown): Promise<ProblemSource> {
  const named = typeof place === 'object' && place !== null && 'uri' in place && 'start' in place && 'end' in place ? readPlace([place.uri, place.start, place.end]) : null;
  if (named !== null) {
    const document = await openDocument(vscode.Uri.parse(named.uri, true));
    return { text, origin: originOfRange(document, new vscode.Range(document.positionAt(named.start), document.positionAt(named.end))), document };
  }
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) return { text, origin: null, document: null };
  return { text, origin: originOf(editor), document: editor.document };
}

/** What is put into a document is a document that can be edited: an output channel is an editor to VS Code too. */
export function editorInView(): vscode.TextEditor | undefined {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  return activeTextEditor ?? visibleTextEditors.find(({ document }) => document.uri.scheme !== 'output');
}

/** The end of what is selected, or the cursor; its beginning where one piece is selected. */
export function originOf({ document, selections }: vscode.TextEditor): Origin {
  const last = selections.reduce((a, b) => (b.end.isAfter(a.end) ? b : a));
  return selections.length === 1 && !last.isEmpty ? originOfRange(document, last) : lineOrigin(document, last.end);
}

/** Without the white space at its ends. */
export function originOfRange(document: vscode.TextDocument, range: vscode.Range): Origin {
  const start = document.offsetAt(range.start);
  // A selection that long is no problem: its text is not copied out of the document.
  if (document.offsetAt(range.end) - start > LONGEST_PROBLEM) return lineOrigin(document, range.end);
  const text = document.getText(range);
  const before = text.length - text.trimStart().length;
  const problem = text.trim();
  if (problem === '') return lineOrigin(document, range.end);
  return { uri: document.uri.toString(), offset: start + before + problem.length, start: start + before, text: markOf(problem) };
}

/** No piece of the document is the problem: it belongs below this line. */
function lineOrigin(document: vscode.TextDocument, position: vscode.Position): Origin {
  const text = document.lineAt(position.line).text.slice(0, LONGEST_PROBLEM);
  return { uri: document.uri.toString(), offset: document.offsetAt(position), text: markOf(text) };
}

/** An open document, the cell of an open notebook, or a file. @throws TahError input.missing-file where it was deleted, or closed without being saved */
export async function openDocument(uri: vscode.Uri): Promise<vscode.TextDocument> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open !== undefined) return open;
  try {
    // A cell is a document only while its notebook is open.
    if (uri.scheme !== 'untitled' && uri.scheme !== 'vscode-notebook-cell') return await vscode.workspace.openTextDocument(uri);
  } catch (cause) {
    throw missingDocument(uri, cause);
  }
  throw missingDocument(uri);
}

function missingDocument(uri: vscode.Uri, cause?: unknown): TahError {
  const what = uri.scheme === 'vscode-notebook-cell' ? phrase('The cell of the problem is no longer open: {0}.', uri.path) : phrase('The document of the problem is no longer there: {0}.', uri.path);
  return new TahError('input.missing-file', what, { file: uri.path, hint: phrase('Copy the answer instead.'), cause });
}

/** The menu of a cell gives the cell; that of an editor, an address. */
export function cellOf(given: unknown): vscode.NotebookCell | null {
  if (typeof given !== 'object' || given === null || !('document' in given) || !('notebook' in given)) return null;
  const cells = vscode.workspace.notebookDocuments.flatMap((notebook) => notebook.getCells());
  return cells.find((cell) => cell === given || cell.document === given.document) ?? null;
}

/** The cell that is selected in the notebook in view, whether or not it is being written in. */
export function activeCell(): vscode.NotebookCell | null {
  const editor = vscode.window.activeNotebookEditor;
  return editor === undefined || editor.selection.isEmpty ? null : editor.notebook.cellAt(editor.selection.start);
}

export function wholeOf(document: vscode.TextDocument): vscode.Range {
  return new vscode.Range(new vscode.Position(0, 0), document.lineAt(document.lineCount - 1).range.end);
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
  if (isBlank(document)) throw new TahError('input.empty', phrase('The cell is empty: it has no problem to solve.'), { hint: phrase('Write a problem into it, or choose another cell.') });
  const whole = wholeOf(document);
  refuseTooLong(document.offsetAt(whole.end));
  return { text: uncommented(document.getText(), document.languageId), origin: originOfRange(document, whole), document };
}

function isBlank(document: vscode.TextDocument): boolean {
  for (let line = 0; line < document.lineCount; line++) if (!document.lineAt(line).isEmptyOrWhitespace) return false;
  return true;
}
