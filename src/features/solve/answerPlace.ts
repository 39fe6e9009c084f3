/**
 * Puts an answer into the document of its problem: below it, or in its place, as one undo step. How it is written in
 * the document's language is insertion's.
 */

import * as vscode from 'vscode';
import { isMarked } from '../../host/origins.ts';
import type { Origin } from '../../host/origins.ts';
import { uncommented } from '../../host/problem/comments.ts';
import { editorInView, openDocument, originOf } from '../../host/problem/source.ts';
import type { Services } from '../../host/services.ts';
import { TahError } from '../../protocol/errors.ts';
import { runText, splitThinking } from '../../protocol/run.ts';
import type { Run } from '../../protocol/run.ts';
import { insertionText, replacementText } from './insertion.ts';
import { isReadOnly } from './readOnly.ts';

/** What the model answers, without its thinking. @throws TahError input.empty */
export function answerText(run: Run): string {
  const { answer, thinking } = splitThinking(runText(run));
  const text = answer.trim() === '' ? (thinking ?? '') : answer;
  if (text.trim() === '') throw new TahError('input.empty', 'The model has not written anything yet.');
  return text;
}

/** Below the line where the problem ends. */
export async function insertAnswer({ origins }: Services, run: Run): Promise<void> {
  const answer = answerText(run);
  const origin = origins.get(run.id) ?? originInView();
  const document = await openDocument(vscode.Uri.parse(origin.uri, true));
  const line = document.lineAt(document.positionAt(origin.offset).line);
  const below = line.lineNumber + 1 < document.lineCount ? document.lineAt(line.lineNumber + 1) : null;
  const text = insertionText(answer, {
    languageId: document.languageId,
    eol: eolOf(document),
    indent: line.text.slice(0, line.firstNonWhitespaceCharacterIndex),
    textBelow: below?.isEmptyOrWhitespace === false,
  });
  const edit = new vscode.WorkspaceEdit();
  const place = below === null ? line.range.end : below.range.start;
  edit.insert(document.uri, place, below === null ? eolOf(document) + text : text + eolOf(document));
  const restoreSelections = selectionsUpTo(place, document);
  await apply(edit, document);
  restoreSelections();
}

/** In the place of the problem; asks where the problem was changed since. */
export async function replaceProblem({ origins }: Services, run: Run): Promise<void> {
  const worked = answerText(run);
  const known = origins.get(run.id);
  const origin = known ?? originInView();
  const document = await openDocument(vscode.Uri.parse(origin.uri, true));
  if (origin.start === undefined || origin.start >= origin.offset) {
    throw new TahError('input.empty', `The problem is not in ${nameOf(document)} as one piece, so it cannot be replaced.`, { hint: 'Insert the answer below, or copy it.' });
  }
  const range = new vscode.Range(document.positionAt(origin.start), document.positionAt(origin.offset));
  const text = document.getText(range);
  const isProblem = known === null ? uncommented(text, document.languageId).trim() === run.problem : isMarked(text, known.text);
  if (!isProblem && !(await confirmChanged())) return;
  const replacement = replacementText(worked, run.answer, {
    languageId: document.languageId,
    eol: eolOf(document),
    before: document.lineAt(range.start.line).text.slice(0, range.start.character),
    after: document.lineAt(range.end.line).text.slice(range.end.character),
  });
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, range, replacement);
  await apply(edit, document);
}

async function confirmChanged(): Promise<boolean> {
  const replace = vscode.l10n.t('Replace');
  return (await vscode.window.showWarningMessage(vscode.l10n.t('The problem was changed in the document since it was solved. Replace what is there now?'), { modal: true }, replace)) === replace;
}

/** @throws TahError input.empty */
function originInView(): Origin {
  const editor = editorInView();
  if (editor === undefined) throw new TahError('input.empty', 'There is no document to insert into.', { hint: 'Open a document, or copy the answer.' });
  return originOf(editor);
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
  throw new TahError('input.bad-file', `The answer could not be put into ${nameOf(document)}: the document cannot be edited.`, { file: document.uri.path, hint: 'Copy the answer instead, or make the document writable.' });
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
