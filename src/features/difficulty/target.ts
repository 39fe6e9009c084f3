/**
 * Which part of which document is to be measured: what a command names, else the selection, else the whole document or
 * cell of a notebook.
 * Checks what it is given; starts nothing.
 */

import * as vscode from 'vscode';
import { activeCell, cellOf, editorInView, openDocument } from '../../host/problem/source.ts';
import { phrase, TahError } from '../../protocol/errors.ts';

export interface Target {
  readonly document: vscode.TextDocument;
  /** UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
}

/** @param args uri, start and end from another command, or nothing @throws TahError input.empty, input.bad-option, input.missing-file */
export async function readTarget(args: readonly unknown[]): Promise<Target> {
  const [uri, start, end] = args;
  if (typeof uri === 'string') return namedTarget(await openNamed(uri), start, end);
  const cell = cellOf(uri) ?? activeCell();
  if (cell !== null && vscode.window.activeTextEditor?.document !== cell.document) return namedTarget(cell.document, undefined, undefined);
  const editor = editorInView();
  if (editor === undefined) throw new TahError('input.empty', phrase('There is no document to measure.'), { hint: phrase('Open a text, and choose the command again.') });
  const { document, selection } = editor;
  if (selection.isEmpty) return { document, start: 0, end: document.offsetAt(document.lineAt(document.lineCount - 1).range.end) };
  return { document, start: document.offsetAt(selection.start), end: document.offsetAt(selection.end) };
}

/** The lines that the document's editor shows, within the target; null where no editor shows some of it. */
export function partInView({ document, start, end }: Target): Target | null {
  const editor = vscode.window.visibleTextEditors.find((shown) => shown.document === document);
  const first = editor?.visibleRanges[0];
  const last = editor?.visibleRanges.at(-1);
  if (first === undefined || last === undefined) return null;
  const from = Math.max(start, document.offsetAt(new vscode.Position(first.start.line, 0)));
  const to = Math.min(end, document.offsetAt(document.lineAt(last.end.line).range.end));
  return from < to && (from > start || to < end) ? { document, start: from, end: to } : null;
}

/** @throws TahError input.empty, input.bad-file */
export function readText({ document, start, end }: Target): string {
  const text = document.getText(new vscode.Range(document.positionAt(start), document.positionAt(end)));
  if (text.trim() === '') throw new TahError('input.empty', phrase('There is no text to measure.'), { hint: phrase('Select some text, or write some.') });
  if (/[\u0000-\u0008]/.test(text)) throw new TahError('input.bad-file', phrase('{0} is binary data, not text.', document.fileName), { file: document.fileName });
  return text;
}

async function openNamed(uri: string): Promise<vscode.TextDocument> {
  try {
    return await openDocument(vscode.Uri.parse(uri, true));
  } catch (cause) {
    throw new TahError('input.missing-file', phrase('{0} can\'t be opened.', uri), { file: uri, cause });
  }
}

function namedTarget(document: vscode.TextDocument, start: unknown, end: unknown): Target {
  const length = document.offsetAt(document.lineAt(document.lineCount - 1).range.end);
  if (start === undefined && end === undefined) return { document, start: 0, end: length };
  if (!isOffset(start) || !isOffset(end) || start >= end || end > length) {
    throw new TahError('input.bad-option', phrase('{0} has no text from {1} to {2}.', document.fileName, String(start), String(end)), { subject: 'start, end' });
  }
  return { document, start, end };
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
