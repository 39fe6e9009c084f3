/**
 * Other doors to an explanation: a lens above display formulas, where the setting asks for it, and a code action at
 * the formula under the cursor.
 */

import * as vscode from 'vscode';
import { SECTION } from '../../host/settings.ts';
import type { DocumentFormulas } from './documents.ts';
import { COMMANDS } from './hover.ts';

const MOST_LENSES = 200;

export class FormulaLens implements vscode.CodeLensProvider {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;
  private readonly following = vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration(`${SECTION}.formulaLens`)) this.changed.fire();
  });

  constructor(private readonly formulas: DocumentFormulas) {}

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    if (vscode.workspace.getConfiguration(SECTION, document.uri).get('formulaLens') !== true) return [];
    const display = this.formulas.all(document).filter((formula) => formula.display);
    return display.slice(0, MOST_LENSES).flatMap(({ start, end }) => {
      const line = document.positionAt(start);
      const range = new vscode.Range(line, line);
      const args = [document.uri.toString(), start, end];
      return [
        new vscode.CodeLens(range, { title: vscode.l10n.t('Explain'), command: COMMANDS.explain, arguments: args }),
        new vscode.CodeLens(range, { title: vscode.l10n.t('Solve'), command: COMMANDS.solve, arguments: args }),
        new vscode.CodeLens(range, { title: vscode.l10n.t('Difficulty'), command: COMMANDS.difficulty, arguments: args }),
      ];
    });
  }

  dispose(): void {
    this.following.dispose();
    this.changed.dispose();
  }
}

export class FormulaAction implements vscode.CodeActionProvider {
  /** Nothing is fixed: it shows when it is asked for, and no light bulb follows the cursor through a text. */
  static readonly kind = vscode.CodeActionKind.Empty.append('thinkAtHard');

  constructor(private readonly formulas: DocumentFormulas) {}

  provideCodeActions(document: vscode.TextDocument, range: vscode.Range, context: vscode.CodeActionContext): vscode.CodeAction[] {
    if (context.triggerKind !== vscode.CodeActionTriggerKind.Invoke) return [];
    const formula = this.formulas.at(document, range.start);
    if (formula === null) return [];
    const args = [document.uri.toString(), formula.start, formula.end];
    const action = (title: string, command: string): vscode.CodeAction => {
      const made = new vscode.CodeAction(title, FormulaAction.kind);
      made.command = { title, command, arguments: args };
      return made;
    };
    return [
      action(vscode.l10n.t('Explain this formula'), COMMANDS.explain),
      action(vscode.l10n.t('Solve this formula'), COMMANDS.solve),
      action(vscode.l10n.t('Difficulty of this formula'), COMMANDS.difficulty),
    ];
  }
}
