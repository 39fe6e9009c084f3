/**
 * Puts an answer into the document of its problem: below it, or in its place, as one undo step. How it is written in
 * the document's language is insertion's.
 */

import * as vscode from 'vscode';
import { pythonStringAt } from '../../formula/detection/pythonTexts.ts';
import type { Services } from '../../host/services.ts';
import { phrase, TahError } from '../../protocol/errors.ts';
import type { Run } from '../../protocol/run.ts';
import { answerText } from './answerText.ts';
import { insertionText, replacementText } from './insertion.ts';
import { placeOfProblem, stringAtEndOf } from './problemPlace.ts';
import type { ProblemPlace } from './problemPlace.ts';
import { isReadOnly } from './readOnly.ts';

/** Below the line where the problem ends. */
export async function insertAnswer(services: Services, run: Run): Promise<void> {
  const answer = answerText(run);
  const place = await placeOfProblem(services, run);
  if (place !== null) await insertBelow(place, answer);
}

async function insertBelow({ document, origin }: ProblemPlace, answer: string): Promise<void> {
  const line = lineToInsertBelow(document, document.positionAt(origin.offset).line);
  const below = line.lineNumber + 1 < document.lineCount ? document.lineAt(line.lineNumber + 1) : null;
  const string = stringAtEndOf(document, line);
  const text = insertionText(answer, {
    languageId: document.languageId,
    string,
    eol: eolOf(document),
    indent: line.text.slice(0, line.firstNonWhitespaceCharacterIndex),
    textBelow: below?.isEmptyOrWhitespace === false && !(string !== null && below.text.trimStart().startsWith(string.quote)),
  });
  const edit = new vscode.WorkspaceEdit();
  const place = below === null ? line.range.end : below.range.start;
  edit.insert(document.uri, place, below === null ? eolOf(document) + text : text + eolOf(document));
  const restoreSelections = selectionsUpTo(place, document);
  await apply(edit, document);
  restoreSelections();
}

/** A string with single quotes that goes on in the next line can hold no line more: its end is waited for. */
function lineToInsertBelow(document: vscode.TextDocument, number: number): vscode.TextLine {
  const line = document.lineAt(number);
  const string = stringAtEndOf(document, line);
  return string === null || string.quote.length === 3 ? line : document.lineAt(document.positionAt(string.end).line);
}

/** In the place of the problem; asks where the problem was changed since, and puts it below the cursor where it is gone. */
export async function replaceProblem(services: Services, run: Run): Promise<void> {
  const worked = answerText(run);
  const place = await placeOfProblem(services, run);
  if (place === null) return;
  if (place.state === 'cursor') {
    await insertBelow(place, worked);
    return;
  }
  const { document, origin, state } = place;
  if (origin.start === undefined || origin.start >= origin.offset) {
    throw new TahError('input.empty', phrase('The problem is not in {0} as one piece, so it cannot be replaced.', nameOf(document)), { hint: phrase('Insert the answer below, or copy it.') });
  }
  if (state === 'changed' && !(await confirmChanged())) return;
  const range = new vscode.Range(document.positionAt(origin.start), document.positionAt(origin.offset));
  const replacement = replacementText(worked, run.answer, {
    languageId: document.languageId,
    string: document.languageId === 'python' ? pythonStringAt(document.getText(), origin.start) : null,
    eol: eolOf(document),
    before: document.lineAt(range.start.line).text.slice(0, range.start.character),
    after: document.lineAt(range.end.line).text.slice(range.end.character),
    replaced: document.getText(range),
  });
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, range, replacement);
  await apply(edit, document);
}

async function confirmChanged(): Promise<boolean> {
  const replace = vscode.l10n.t('Replace');
  return (await vscode.window.showWarningMessage(vscode.l10n.t('The problem was changed in the document since it was solved. Replace what is there now?'), { modal: true }, replace)) === replace;
}

function eolOf(document: vscode.TextDocument): string {
  return document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n';
}

function nameOf({ uri }: vscode.TextDocument): string {
  return uri.path.split('/').at(-1) ?? uri.path;
}

/** @throws TahError input.bad-file where the document can't be edited: it is then as it was */
async function apply(edit: vscode.WorkspaceEdit, document: vscode.TextDocument): Promise<void> {
  const { version } = document;
  if (!(await isReadOnly(document)) && (await vscode.workspace.applyEdit(edit)) && document.version !== version) return;
  throw new TahError('input.bad-file', phrase('The answer could not be put into {0}: the document cannot be edited.', nameOf(document)), { file: document.uri.path, hint: phrase('Copy the answer instead, or make the document writable.') });
}

/** VS Code lets a selection that ends where text is put in grow over that text; the returned function undoes it. */
function selectionsUpTo(place: vscode.Position, document: vscode.TextDocument): () => void {
  const before = vscode.window.visibleTextEditors
    .filter((editor) => editor.document === document && editor.selections.some(({ end }) => !end.isAfter(place)))
    .map((editor) => ({ editor, selections: editor.selections }));
  return () => {
    // What lies behind the place has moved with the text and stays as VS Code moved it.
    for (const { editor, selections } of before) editor.selections = editor.selections.map((now, i) => (selections[i]?.end.isAfter(place) === false ? selections[i] : now));
  };
}
