/** Asks the user for a problem, and says while it is typed what is wrong with it. */

import * as vscode from 'vscode';
import { readProblem } from '../../host/problem/problem.ts';
import { TahError } from '../../protocol/errors.ts';

export async function askForProblem(): Promise<string | undefined> {
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
