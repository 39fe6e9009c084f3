/**
 * Registers everything that is done with formulas of documents. Nothing of it costs before it is used: providers hold
 * no data, and MathJax, the speech rules and computer algebra live in worker threads that start at the first formula
 * that is looked at. That is why activation by language is affordable: it registers functions, and loads nothing.
 */

import * as vscode from 'vscode';
import { FORMULA_LANGUAGES } from '../../formula/detection/detect.ts';
import { registerCommand } from '../../host/errors.ts';
import type { DocumentPlace } from '../../host/problem/place.ts';
import { openDocument } from '../../host/problem/source.ts';
import type { Services } from '../../host/services.ts';
import { phrase, TahError } from '../../protocol/errors.ts';
import { DocumentFormulas } from './documents.ts';
import { explain, targetOf } from './explain.ts';
import { FormulaHover } from './hover.ts';
import { FormulaAction, FormulaLens } from './lens.ts';
import { questionOf } from './question.ts';
import { ExplanationThreads } from './threads.ts';

export function registerExplainMath(services: Services): vscode.Disposable {
  const { log } = services;
  const formulas = new DocumentFormulas();
  const threads = new ExplanationThreads(services);
  const lens = new FormulaLens(formulas);
  const selector = FORMULA_LANGUAGES.map((language): vscode.DocumentFilter => ({ language }));
  return vscode.Disposable.from(
    threads,
    lens,
    vscode.languages.registerHoverProvider(selector, new FormulaHover(formulas, services.math)),
    vscode.languages.registerCodeLensProvider(selector, lens),
    vscode.languages.registerCodeActionsProvider(selector, new FormulaAction(formulas), { providedCodeActionKinds: [FormulaAction.kind] }),
    registerCommand(log, 'thinkAtHard.explain', async (...args) => {
      await explain(services, threads, await targetOf(formulas, args));
    }),
    registerCommand(log, 'thinkAtHard.solveFormula', async (...args) => {
      const { document, range, input } = await targetOf(formulas, args);
      const place: DocumentPlace = { uri: document.uri.toString(), start: document.offsetAt(range.start), end: document.offsetAt(range.end) };
      const facts = await services.analyse(input.tex);
      await vscode.commands.executeCommand('thinkAtHard.solve', questionOf(input.tex, facts), place);
    }),
    registerCommand(log, 'thinkAtHard.stopExplanation', (thread) => { threads.find(thread)?.stop?.(); }),
    registerCommand(log, 'thinkAtHard.deleteExplanation', (thread) => { threads.delete(thread); }),
    registerCommand(log, 'thinkAtHard.explainAgain', async (thread) => {
      const found = threads.find(thread)?.surface.thread;
      if (found?.range === undefined) throw new TahError('input.empty', phrase('This explanation is no longer there.'));
      const document = await openDocument(found.uri);
      // The document may have changed: what is there now is explained.
      await explain(services, threads, await targetOf(formulas, [document.uri.toString(), document.offsetAt(found.range.start), document.offsetAt(found.range.end)]));
    }),
  );
}
