/**
 * Where the problem of a run stands now: where it was, where its text has moved to, or, if the user agrees, the cursor.
 * Starts nothing and changes nothing but what is known of the place.
 */

import * as vscode from 'vscode';
import { pythonStringAt } from '../../formula/detection/pythonTexts.ts';
import { findOrigin, isMarked } from '../../host/origins.ts';
import type { Origin } from '../../host/origins.ts';
import { uncommented } from '../../host/problem/comments.ts';
import { editorInView, openDocument, originOf } from '../../host/problem/source.ts';
import type { Services } from '../../host/services.ts';
import { phrase, TahError } from '../../protocol/errors.ts';
import type { Run } from '../../protocol/run.ts';
import type { Surroundings } from './insertion.ts';

export interface ProblemPlace {
  readonly document: vscode.TextDocument;
  readonly origin: Origin;
  /**
   * `same`: the text of the problem; `changed`: it was edited in this window, or is what is selected now; `cursor`: the
   * problem is gone and the user chose the cursor.
   */
  readonly state: 'same' | 'changed' | 'cursor';
}

/** @returns null where the problem is gone and the user leaves @throws TahError input.empty, input.missing-file */
export async function placeOfProblem({ origins }: Pick<Services, 'origins'>, run: Run): Promise<ProblemPlace | null> {
  const known = origins.get(run.id);
  if (known === null) return placeInView(run.problem);
  const uri = vscode.Uri.parse(known.uri, true);
  let missing: TahError | null = null;
  try {
    const document = await openDocument(uri);
    const place = placeIn(document, known);
    if (place !== null) {
      if (known.restored === true) origins.set(run.id, place.origin);
      return place;
    }
  } catch (error) {
    missing = TahError.from(error);
    if (missing.code !== 'input.missing-file') throw error;
  }
  const moved = inAnotherCell(uri, known);
  if (moved !== null) {
    origins.set(run.id, moved.origin);
    return moved;
  }
  return askForCursor(uri, missing);
}

/** How text is written at the run's problem; null where that is in no document, or not in one that is still there. */
export async function surroundingsOf({ origins }: Pick<Services, 'origins'>, run: Run): Promise<Surroundings | null> {
  const known = origins.get(run.id);
  if (known === null) return null;
  try {
    const document = await openDocument(vscode.Uri.parse(known.uri, true));
    const { offset } = findOrigin(document.getText(), known) ?? known;
    return { languageId: document.languageId, string: stringAtEndOf(document, document.lineAt(document.positionAt(offset).line)) };
  } catch (error) {
    if (TahError.from(error).code === 'input.missing-file') return null;
    throw error;
  }
}

/** The string of a Python program that goes on over the end of a line. */
export function stringAtEndOf(document: vscode.TextDocument, line: vscode.TextLine): ReturnType<typeof pythonStringAt> {
  if (document.languageId !== 'python') return null;
  const end = document.offsetAt(line.range.end);
  const string = pythonStringAt(document.getText(), end);
  return string !== null && string.end > end ? string : null;
}

function placeIn(document: vscode.TextDocument, known: Origin): ProblemPlace | null {
  const { start, offset } = known;
  if (known.restored === true) {
    const origin = findOrigin(document.getText(), known);
    return origin === null ? null : { document, origin, state: 'same' };
  }
  if (start === undefined) return { document, origin: known, state: 'same' };
  if (start >= offset) return null;
  const text = document.getText(new vscode.Range(document.positionAt(start), document.positionAt(offset)));
  return { document, origin: known, state: isMarked(text, known.text) ? 'same' : 'changed' };
}

/** The cells of a notebook have other addresses when it is opened again. */
function inAnotherCell(uri: vscode.Uri, known: Origin): ProblemPlace | null {
  const notebook = uri.scheme === 'vscode-notebook-cell' ? vscode.workspace.notebookDocuments.find((open) => open.uri.path === uri.path) : undefined;
  for (const { document } of notebook?.getCells() ?? []) {
    const origin = findOrigin(document.getText(), { ...known, uri: document.uri.toString() });
    if (origin !== null) return { document, origin, state: 'same' };
  }
  return null;
}

async function askForCursor(uri: vscode.Uri, missing: TahError | null): Promise<ProblemPlace | null> {
  const name = uri.path.split('/').at(-1) ?? uri.path;
  const gone = vscode.l10n.t('The problem is no longer in {0}.', name);
  if (editorInView() === undefined) throw missing ?? new TahError('input.empty', gone, { hint: phrase('Open a document, or copy the answer.') });
  const atCursor = vscode.l10n.t('Insert at the Cursor');
  if ((await vscode.window.showWarningMessage(gone, { modal: true }, atCursor)) !== atCursor) return null;
  const { document, origin } = placeInView('');
  return { document, origin: { uri: origin.uri, offset: origin.offset, text: origin.text }, state: 'cursor' };
}

/** @throws TahError input.empty */
function placeInView(problem: string): ProblemPlace {
  const editor = editorInView();
  if (editor === undefined) throw new TahError('input.empty', phrase('There is no document to insert into.'), { hint: phrase('Open a document, or copy the answer.') });
  const { document } = editor;
  const origin = originOf(editor);
  const text = document.getText(new vscode.Range(document.positionAt(origin.start ?? origin.offset), document.positionAt(origin.offset)));
  return { document, origin, state: uncommented(text, document.languageId).trim() === problem ? 'same' : 'changed' };
}
