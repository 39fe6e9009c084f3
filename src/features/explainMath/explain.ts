/**
 * From a formula to its explanation: words, computer algebra, then the model's steps, each as soon as it is there.
 * The model is asked only what it has learned; otherwise the user is told, and offered a larger one.
 */

import * as vscode from 'vscode';
import type { FormulaFacts } from '../../answer/facts/formulaFacts.ts';
import { MacroError } from '../../formula/detection/macros.ts';
import type { TexInput } from '../../host/math/mathService.ts';
import type { Services } from '../../host/services.ts';
import { withTemperature } from '../../host/settings.ts';
import { phrase, TahError } from '../../protocol/errors.ts';
import { hasEnded } from '../../protocol/run.ts';
import type { DocumentFormulas } from './documents.ts';
import { questionOf } from './question.ts';
import { readPlace } from '../../host/problem/place.ts';
import { activeCell, cellOf, openDocument, originOfRange } from '../../host/problem/source.ts';
import type { ExplanationThread, ExplanationThreads } from './threads.ts';

/** A formula in a document, ready to be explained. */
export interface Target {
  readonly document: vscode.TextDocument;
  readonly range: vscode.Range;
  readonly input: TexInput;
}

const LONGEST_SELECTION = 20_000;
/** Of a cell, to choose from. */
const MOST_CHOICES = 200;
const LONGEST_LABEL = 200;

/**
 * From a link's place, else the selection, else the formula at the cursor; of a cell that is not being written in, its
 * formula, and the user chooses where it has several. @throws TahError input.empty, cancelled
 */
export async function targetOf(formulas: DocumentFormulas, args: readonly unknown[]): Promise<Target> {
  const place = readPlace(args);
  if (place !== null) {
    const document = await openDocument(vscode.Uri.parse(place.uri, true));
    return formulaTarget(formulas, document, document.positionAt(place.start));
  }
  const editor = vscode.window.activeTextEditor;
  const cell = cellOf(args[0]) ?? activeCell();
  const isWrittenIn = editor !== undefined && editor.document === cell?.document && (!editor.selection.isEmpty || formulas.at(editor.document, editor.selection.start) !== null);
  if (cell !== null && !isWrittenIn) return cellTarget(formulas, cell.document);
  if (editor === undefined) throw new TahError('input.empty', phrase('There is no formula to explain.'), { hint: phrase('Open a document and put the cursor into a formula.') });
  const { document, selection } = editor;
  if (selection.isEmpty || formulas.at(document, selection.start) !== null) return formulaTarget(formulas, document, selection.start);
  return selectionTarget(formulas, document, selection);
}

async function cellTarget(formulas: DocumentFormulas, document: vscode.TextDocument): Promise<Target> {
  const found = formulas.all(document).slice(0, MOST_CHOICES);
  if (found.length === 0) throw new TahError('input.empty', phrase('There is no formula in this cell.'), { hint: phrase('Write one between $ signs, or choose another cell.') });
  const items = found.map(({ start, tex }) => ({ label: tex.replace(/\s+/g, ' ').replaceAll('$(', '$ (').slice(0, LONGEST_LABEL), start }));
  const chosen = items.length === 1 ? items[0] : await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Explain'), placeHolder: vscode.l10n.t('A formula of this cell') });
  if (chosen === undefined) throw new TahError('cancelled', 'No formula was chosen.');
  return formulaTarget(formulas, document, document.positionAt(chosen.start));
}

function formulaTarget(formulas: DocumentFormulas, document: vscode.TextDocument, position: vscode.Position): Target {
  const formula = formulas.at(document, position);
  if (formula === null) throw new TahError('input.empty', phrase('There is no formula here.'), { hint: phrase('Put the cursor into a formula between $ signs, or select one.') });
  const range = new vscode.Range(document.positionAt(formula.start), document.positionAt(formula.end));
  return { document, range, input: { tex: expanded(formulas, document, formula.tex), display: formula.display } };
}

/** A selection without delimiters is a formula as it stands; of one with a formula in it, the first is meant. */
function selectionTarget(formulas: DocumentFormulas, document: vscode.TextDocument, selection: vscode.Selection): Target {
  const [start, end] = [document.offsetAt(selection.start), document.offsetAt(selection.end)];
  const inside = formulas.all(document).find((formula) => formula.start >= start && formula.end <= end);
  if (inside !== undefined) return formulaTarget(formulas, document, document.positionAt(inside.start));
  if (end - start > LONGEST_SELECTION) throw new TahError('engine.context-too-long', phrase('The selection is too long to be one formula.'), { hint: phrase('Select a single formula.') });
  const tex = document.getText(selection).trim().replace(/^(\$\$?|\\\(|\\\[)([\s\S]*?)(\$\$?|\\\)|\\\])$/, '$2').trim();
  if (tex === '') throw new TahError('input.empty', phrase('There is no formula in the selection.'), { hint: phrase('Select a formula.') });
  return { document, range: new vscode.Range(selection.start, selection.end), input: { tex: expanded(formulas, document, tex), display: false } };
}

function expanded(formulas: DocumentFormulas, document: vscode.TextDocument, tex: string): string {
  try {
    return formulas.expanded(document, tex);
  } catch (error) {
    if (error instanceof MacroError) throw new TahError('input.bad-file', phrase('A command of the document can’t be used: {0}.', error.message), { file: document.fileName, hint: phrase('Correct its definition.'), cause: error });
    throw error;
  }
}

export async function explain(services: Services, threads: ExplanationThreads, { document, range, input }: Target): Promise<void> {
  const shown = threads.start(document, range, { input, words: null, facts: null, model: null });
  try {
    const words = services.math.speak(input, vscode.env.language).then((spoken) => { shown.update({ words: spoken }); });
    const facts = await services.analyse(input.tex, shown.abort.signal);
    shown.update({ facts });
    await askModel(services, shown, { document, range, input }, facts);
    await words;
  } finally {
    shown.setRunning(false);
    shown.redraw();
  }
}

async function askModel(services: Services, shown: ExplanationThread, { document, range }: Target, facts: FormulaFacts): Promise<void> {
  if (shown.abort.signal.aborted) return;
  const settings = services.settings(document.uri);
  const model = await services.models.choose(settings.model);
  const question = questionOf(shown.current.input.tex, facts);
  const { judgeScope } = await import('../../answer/scopeFile.ts');
  const scope = await judgeScope(model.path, question, null);
  if (scope?.state === 'outside') {
    const learned = vscode.l10n.t('It has learned: {0}.', scope.subjects.map(({ title }) => title).join(', '));
    shown.update({ model: { kind: 'not-asked', modelName: model.name, reason: `${vscode.l10n.t('This model has not learned this kind of problem, so it was not asked.')} ${learned}` } });
    return;
  }
  const asked = { kind: 'asked', question, modelName: model.name } as const;
  const runId = services.runs.start({
    kind: 'explain',
    problem: question,
    model: model.path,
    policy: model.maxIter === 1 ? { kind: 'never' } : settings.policy,
    maxTokens: settings.maxTokens,
    provider: settings.provider,
    ...(settings.temperature === null ? {} : { sampling: withTemperature(model.generation, settings.temperature) }),
  });
  services.origins.set(runId, originOfRange(document, range));
  const show = (): void => { shown.update({ model: { ...asked, run: services.runs.get(runId) } }); };
  const following = services.runs.onDidChange((event) => {
    if (event.runId === runId) show();
  });
  const stop = (): void => { services.runs.stop(runId); };
  shown.abort.signal.addEventListener('abort', stop);
  shown.stop = stop;
  show();
  try {
    await services.runs.whenFinished(runId);
    const run = services.runs.get(runId);
    if (run !== null && hasEnded(run)) show();
  } finally {
    following.dispose();
    shown.abort.signal.removeEventListener('abort', stop);
  }
}
