/**
 * Solve, stop, insert, copy: what a user does with a problem. Runs live in host/runs; the panel is another feature,
 * which shows a run as soon as it is added.
 */

import * as vscode from 'vscode';
import { registerCommand } from '../../host/errors.ts';
import type { Origin } from '../../host/origins.ts';
import type { Services } from '../../host/services.ts';
import { withTemperature } from '../../host/settings.ts';
import { TahError } from '../../protocol/errors.ts';
import { runText, splitThinking } from '../../protocol/run.ts';
import type { Run } from '../../protocol/run.ts';
import { insertionText } from './insertion.ts';
import { readProblem, refuseTooLong } from './problem.ts';

export function registerSolve(services: Services): vscode.Disposable {
  const { log, runs } = services;
  return vscode.Disposable.from(
    registerCommand(log, 'thinkAtHard.solve', (problem) => solve(services, problem)),
    registerCommand(log, 'thinkAtHard.stop', (runId) => {
      const id = typeof runId === 'string' ? runId : runs.running();
      if (id !== null) runs.stop(id);
    }),
    registerCommand(log, 'thinkAtHard.insertAnswer', (runId) => insertAnswer(services, wantedRun(services, runId))),
    registerCommand(log, 'thinkAtHard.copyAnswer', async (runId) => {
      await vscode.env.clipboard.writeText(answerText(wantedRun(services, runId)));
    }),
    registerCommand(log, 'thinkAtHard.retry', (runId) => {
      const { id } = wantedRun(services, runId);
      const next = runs.retry(id);
      if (next !== null) services.origins.copy(id, next);
    }),
  );
}

/** @param given a problem from another command; else the selection; else what the user types */
async function solve(services: Services, given: unknown): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const text = typeof given === 'string' ? given : (selectedText(editor) ?? (await askForProblem()));
  if (text === undefined) return;
  const problem = readProblem(text);
  const origin = editor === undefined ? null : originOf(editor);
  const settings = services.settings();
  const model = await services.models.resolve(settings.model);
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

/** Text of the selection; undefined where nothing is selected. */
function selectedText(editor: vscode.TextEditor | undefined): string | undefined {
  if (editor === undefined || editor.selection.isEmpty) return undefined;
  const { document, selection } = editor;
  refuseTooLong(document.offsetAt(selection.end) - document.offsetAt(selection.start));
  return document.getText(selection);
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

function originOf(editor: vscode.TextEditor): Origin {
  return { uri: editor.document.uri.toString(), offset: editor.document.offsetAt(editor.selection.end) };
}

/** @throws TahError input.empty where there is no run */
function wantedRun(services: Services, runId: unknown): Run {
  const id = typeof runId === 'string' ? runId : services.runs.ids().at(-1);
  const run = id === undefined ? null : services.runs.get(id);
  if (run === null) throw new TahError('input.empty', 'There is no run yet.', { hint: 'Choose Think-at-Hard: Solve… first.' });
  return run;
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
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(origin.uri, true));
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
  // At the start of the next line, so that a selection of the problem does not grow over the answer.
  if (below === null) edit.insert(document.uri, line.range.end, eol + text);
  else edit.insert(document.uri, below.range.start, text + eol);
  if (!(await vscode.workspace.applyEdit(edit))) {
    throw new TahError('input.bad-file', `The answer could not be inserted into ${document.fileName}.`, { file: document.fileName, hint: 'Check that the document can be edited, or copy the answer.' });
  }
}

function activeOrigin(): Origin | null {
  const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
  return editor === undefined ? null : originOf(editor);
}
