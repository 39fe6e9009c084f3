/**
 * Solve, stop, insert, copy: what a user does with a problem. Runs live in host/runs; the panel is another feature,
 * which shows a run as soon as it is added.
 */

import * as vscode from 'vscode';
import { registerCommand } from '../../host/errors.ts';
import type { Origin } from '../../host/origins.ts';
import type { Services } from '../../host/services.ts';
import { withTemperature } from '../../host/settings.ts';
import { endpointReference } from '../../protocol/engine.ts';
import type { ModelInfo } from '../../protocol/engine.ts';
import { TahError } from '../../protocol/errors.ts';
import { runText, splitThinking } from '../../protocol/run.ts';
import type { Run } from '../../protocol/run.ts';
import { insertionText } from './insertion.ts';
import { LONGEST_PROBLEM, readProblem, refuseTooLong } from './problem.ts';
import { regenerate } from './regenerate.ts';

export function registerSolve(services: Services): vscode.Disposable {
  const { log, runs } = services;
  return vscode.Disposable.from(
    registerCommand(log, 'thinkAtHard.solve', (problem) => solve(services, problem)),
    registerCommand(log, 'thinkAtHard.stop', (runId) => {
      const id = typeof runId === 'string' ? runId : runs.running();
      if (id !== null) runs.stop(id);
    }),
    registerCommand(log, 'thinkAtHard.insertAnswer', (runId) => insertAnswer(services, runs.wanted(runId))),
    registerCommand(log, 'thinkAtHard.copyAnswer', async (runId) => {
      await vscode.env.clipboard.writeText(answerText(runs.wanted(runId)));
    }),
    registerCommand(log, 'thinkAtHard.regenerate', (runId, index, change) => regenerate(services, runs.wanted(runId), index, change)),
    registerCommand(log, 'thinkAtHard.retry', (runId) => retry(services, runs.wanted(runId))),
  );
}

/** @param given a problem from another command; else the selection; else what the user types */
async function solve(services: Services, given: unknown): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const text = typeof given === 'string' ? given : (selectedText(editor) ?? (await askForProblem()));
  if (text === undefined) return;
  const problem = readProblem(text);
  const origin = editor === undefined ? null : originOf(editor);
  const settings = services.settings(editor?.document.uri);
  const model = await services.models.choose(settings.model);
  const runId = services.runs.start({
    problem,
    model: model.path,
    policy: model.maxIter === 1 ? { kind: 'never' } : settings.policy,
    maxTokens: settings.maxTokens,
    provider: settings.provider,
    ...(settings.temperature === null ? {} : { sampling: withTemperature(model.generation, settings.temperature) }),
  });
  if (origin !== null) services.origins.set(runId, origin);
}

async function placeOf({ models }: Services, model: ModelInfo | null, setting: string | null): Promise<string> {
  if (model === null) return (await models.choose(setting)).path;
  if (model.endpoint !== undefined) return endpointReference(model.endpoint.name);
  return model.path !== '' ? model.path : (await models.withWeightsOf(model, setting)).path;
}

/** A run of an earlier window is computed by the same weights, wherever they are now. */
async function retry(services: Services, run: Run): Promise<void> {
  const settings = services.settings();
  const { provider, maxTokens } = settings;
  const model = await placeOf(services, run.model, settings.model);
  const next = services.runs.retry(run.id, { model, provider, maxTokens });
  if (next !== null) services.origins.copy(run.id, next);
}

/** Text of the selections, a line each in the document's order; undefined where nothing is selected. */
function selectedText(editor: vscode.TextEditor | undefined): string | undefined {
  const selections = editor?.selections.filter((selection) => !selection.isEmpty) ?? [];
  if (editor === undefined || selections.length === 0) return undefined;
  const { document } = editor;
  refuseTooLong(selections.reduce((length, { start, end }) => length + document.offsetAt(end) - document.offsetAt(start), 0));
  return selections.sort((a, b) => a.start.compareTo(b.start)).map((selection) => document.getText(selection)).join('\n');
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

/** The end of the problem: of the last selection, without the white space that was selected with it. */
function originOf({ document, selections }: vscode.TextEditor): Origin {
  const last = selections.reduce((a, b) => (b.end.isAfter(a.end) ? b : a));
  const start = document.offsetAt(last.start);
  const offset = document.offsetAt(last.end);
  // A selection that long is no problem: its text is not copied out of the document.
  const end = offset - start > LONGEST_PROBLEM ? offset : start + document.getText(last).trimEnd().length;
  return { uri: document.uri.toString(), offset: end };
}

/** What the model answers, without its thinking. @throws TahError input.empty */
function answerText(run: Run): string {
  const { answer, thinking } = splitThinking(runText(run));
  const text = answer.trim() === '' ? (thinking ?? '') : answer;
  if (text.trim() === '') throw new TahError('input.empty', 'The model has not written anything yet.');
  return text;
}

/** Below the line where the problem ends, as one undo step. */
async function insertAnswer(services: Services, run: Run): Promise<void> {
  const answer = answerText(run);
  const origin = services.origins.get(run.id) ?? activeOrigin();
  if (origin === null) throw new TahError('input.empty', 'There is no document to insert into.', { hint: 'Open a document, or copy the answer.' });
  const document = await openDocument(vscode.Uri.parse(origin.uri, true));
  const line = document.lineAt(document.positionAt(origin.offset).line);
  const below = line.lineNumber + 1 < document.lineCount ? document.lineAt(line.lineNumber + 1) : null;
  const eol = document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n';
  const text = insertionText(answer, {
    languageId: document.languageId,
    eol,
    indent: line.text.slice(0, line.firstNonWhitespaceCharacterIndex),
    textBelow: below?.isEmptyOrWhitespace === false,
  });
  const edit = new vscode.WorkspaceEdit();
  const place = below === null ? line.range.end : below.range.start;
  edit.insert(document.uri, place, below === null ? eol + text : text + eol);
  const restoreSelections = selectionsUpTo(place, document);
  if (!(await vscode.workspace.applyEdit(edit))) {
    throw new TahError('input.bad-file', `The answer could not be inserted into ${document.fileName}.`, { file: document.fileName, hint: 'Check that the document can be edited, or copy the answer.' });
  }
  restoreSelections();
}

/** @throws TahError input.missing-file where it was deleted, or closed without being saved */
async function openDocument(uri: vscode.Uri): Promise<vscode.TextDocument> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open !== undefined) return open;
  try {
    if (uri.scheme !== 'untitled') return await vscode.workspace.openTextDocument(uri);
  } catch (cause) {
    throw missingDocument(uri, cause);
  }
  throw missingDocument(uri);
}

function missingDocument(uri: vscode.Uri, cause?: unknown): TahError {
  return new TahError('input.missing-file', `The document of the problem is no longer there: ${uri.path}.`, { file: uri.path, hint: 'Copy the answer instead.', cause });
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

function activeOrigin(): Origin | null {
  // An output channel is an editor to VS Code, but nothing can be put into it.
  const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors.find(({ document }) => document.uri.scheme !== 'output');
  return editor === undefined ? null : originOf(editor);
}
